// Reads fragmented MP4 (ISO/IEC 14496-12) while it comes: what a decoder has to know, and the pictures.

/**
 * @typedef {object} Init What an init segment says of its only track.
 * @property {VideoDecoderConfig} config What WebCodecs wants to know.
 * @property {number} timescale Ticks a second.
 * @property {number} duration A picture's ticks, where its fragment says nothing.
 * @property {number} flags A picture's flags, likewise.
 *
 * @typedef {object} Sample One coded picture.
 * @property {Uint8Array} data
 * @property {number} timestamp In microseconds.
 * @property {number} duration In microseconds.
 * @property {boolean} isKey Whether decoding can begin here.
 */

// How far behind a box's head its children begin, for the boxes that have some.
const CHILDREN = { moov: 0, trak: 0, mdia: 0, minf: 0, stbl: 0, mvex: 0, moof: 0, traf: 0, stsd: 8, avc1: 78 };
const NOT_SYNC = 0x10000;

/** Calls `visit(type, start of the body, end)` for each box between two places and for those within it. */
function walk(view, from, end, visit) {
  while (from + 8 <= end) {
    const size = view.getUint32(from);
    if (size < 8 || from + size > end) throw new Error(`a box at ${from} claims ${size} bytes`);
    const type = name(view, from + 4);
    visit(type, from + 8, from + size);
    if (type in CHILDREN) walk(view, from + 8 + CHILDREN[type], from + size, visit);
    from += size;
  }
}

const name = (view, at) => String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));

/**
 * Reads an init segment with one H.264 track.
 * @param {ArrayBuffer} bytes
 * @returns {Init}
 */
export function readInit(bytes) {
  const view = new DataView(bytes);
  /** @type {any} */
  const init = { config: { optimizeForLatency: true } };
  walk(view, 0, bytes.byteLength, (type, at, end) => {
    if (type === "mdhd") init.timescale = view.getUint32(at + (view.getUint8(at) ? 20 : 12));
    else if (type === "trex") [init.duration, init.flags] = [view.getUint32(at + 12), view.getUint32(at + 20)];
    else if (type === "avc1") {
      init.config.codedWidth = view.getUint16(at + 24);
      init.config.codedHeight = view.getUint16(at + 26);
    } else if (type === "avcC") {
      const profile = [1, 2, 3].map((i) => view.getUint8(at + i).toString(16).padStart(2, "0"));
      init.config.codec = `avc1.${profile.join("")}`;
      init.config.description = bytes.slice(at, end);
    }
  });
  if (!init.config.codec || !init.timescale) throw new Error("the init segment has no H.264 track");
  return init;
}

/** Takes bytes of media segments in pieces of any size and hands on the pictures of each fragment when it is whole. */
export class FragmentReader {
  #init;
  #taken;
  #rest = new Uint8Array();
  #samples = [];

  /**
   * @param {Init} init
   * @param {(samples: Sample[]) => void} taken Called with the pictures of each fragment.
   */
  constructor(init, taken) {
    this.#init = init;
    this.#taken = taken;
  }

  /** @param {Uint8Array} piece */
  push(piece) {
    const bytes = new Uint8Array(this.#rest.length + piece.length);
    bytes.set(this.#rest);
    bytes.set(piece, this.#rest.length);
    const view = new DataView(bytes.buffer);
    let at = 0;
    while (at + 8 <= bytes.length) {
      const size = view.getUint32(at);
      if (size < 8) throw new Error(`a box claims ${size} bytes`);
      if (at + size > bytes.length) break;
      const type = name(view, at + 4);
      if (type === "moof") this.#samples = this.#read(view, at, size);
      else if (type === "mdat") {
        // The offsets count from the fragment's head, which the media follow directly.
        for (const sample of this.#samples) sample.data = bytes.slice(at + sample.from, at + sample.from + sample.size);
        this.#taken(this.#samples);
      }
      at += size;
    }
    this.#rest = bytes.slice(at);
  }

  #read(view, start, length) {
    const samples = [];
    let { duration, flags } = this.#init;
    let size = 0;
    let time = 0;
    const micros = (ticks) => Math.round((ticks * 1e6) / this.#init.timescale);
    walk(view, start, start + length, (type, at) => {
      if (!/^t(fhd|fdt|run)$/.test(type)) return;
      const has = view.getUint32(at);
      let next = at + 4;
      const take = () => view.getUint32((next += 4) - 4);
      if (type === "tfhd") {
        next += 4 + (has & 1 ? 8 : 0) + (has & 2 ? 4 : 0);
        if (has & 8) duration = take();
        if (has & 16) size = take();
        if (has & 32) flags = take();
      } else if (type === "tfdt") {
        time = has >>> 24 ? take() * 2 ** 32 + take() : take();
      } else {
        const count = take();
        let from = (has & 1 ? take() : length + 8) - length;
        const first = has & 4 ? take() : flags;
        for (let i = 0; i < count; i++) {
          const sample = { timestamp: micros(time), from, size, isKey: false };
          const ticks = has & 0x100 ? take() : duration;
          if (has & 0x200) sample.size = take();
          const own = has & 0x400 ? take() : i ? flags : first;
          if (has & 0x800) take(); // Without B-frames pictures are shown in the order of decoding.
          samples.push({ ...sample, duration: micros(ticks), isKey: !(own & NOT_SYNC) });
          from += sample.size;
          time += ticks;
        }
      }
    });
    return samples;
  }
}
