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
const IS_NO_SYNC = 0x10000;

/** Calls `visit(type, start of the body, end)` for each whole box between two places and those within it. */
function walk(view, from, end, visit) {
  while (from + 8 <= end) {
    const size = view.getUint32(from);
    if (size < 8) throw new Error(`a box of ${size} bytes`);
    if (from + size > end) break;
    const type = String.fromCharCode(...[4, 5, 6, 7].map((at) => view.getUint8(from + at)));
    visit(type, from + 8, from + size);
    if (type in CHILDREN) walk(view, from + 8 + CHILDREN[type], from + size, visit);
    from += size;
  }
  return from;
}

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
    else if (type === "avcC") {
      const profile = [1, 2, 3].map((i) => view.getUint8(at + i).toString(16).padStart(2, "0"));
      init.config.codec = `avc1.${profile.join("")}`;
      init.config.description = bytes.slice(at, end);
    }
  });
  if (!init.config.codec || !init.timescale) throw new Error("no H.264 track");
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
    let track;
    const end = walk(view, 0, bytes.length, (type, at) => {
      if (type === "moof") {
        this.#samples = [];
        track = { ...this.#init, size: 0, time: 0 };
      } else if (/^t(fhd|fdt|run)$/.test(type)) this.#read(view, type, at, track);
      else if (type === "mdat") {
        // The pictures stand one behind the other.
        for (const sample of this.#samples) sample.data = bytes.slice(at, (at += sample.size));
        this.#taken(this.#samples);
      }
    });
    this.#rest = bytes.slice(end);
  }

  #read(view, type, at, track) {
    const take = () => view.getUint32((at += 4) - 4);
    const micros = (ticks) => Math.round((ticks * 1e6) / track.timescale);
    const has = take();
    if (type === "tfhd") {
      at += 4 + (has & 1 ? 8 : 0) + (has & 2 ? 4 : 0);
      if (has & 8) track.duration = take();
      if (has & 16) track.size = take();
      if (has & 32) track.flags = take();
    } else if (type === "tfdt") track.time = has >>> 24 ? take() * 2 ** 32 + take() : take();
    else {
      const count = take();
      if (has & 1) take();
      let flags = has & 4 ? take() : track.flags;
      for (let i = 0; i < count; i++) {
        const ticks = has & 0x100 ? take() : track.duration;
        const size = has & 0x200 ? take() : track.size;
        if (has & 0x400) flags = take();
        // Without B-frames pictures are shown in the order of decoding.
        if (has & 0x800) take();
        this.#samples.push({ timestamp: micros(track.time), duration: micros(ticks), size, isKey: !(flags & IS_NO_SYNC) });
        track.time += ticks;
        flags = track.flags;
      }
    }
  }
}
