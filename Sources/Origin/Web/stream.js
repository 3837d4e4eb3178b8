// Follows a camera's stream at its live edge: one answer a segment, which grows while the segment is made; or, behind a
// proxy that holds such answers back, one answer a part, asked for before the part is there.

import { FragmentReader, readInit } from "./fmp4.js";

/**
 * @typedef {"old" | "newest" | "fresh"} Age Whether a part is there only because later ones build upon it, is the newest
 *   that there was when the player came, or has come since.
 *
 * @typedef {object} Sink Takes what comes.
 * @property {(init: import("./fmp4.js").Init) => void} configure
 * @property {(samples: import("./fmp4.js").Sample[], age: Age, date: number) => void} part
 * @property {(signal: AbortSignal) => Promise<void>} room Waits while much has come ahead of its time.
 *
 * @typedef {object} Edge What a playlist says of the live edge.
 * @property {string} init The init segment's name.
 * @property {string} open The segment that is being made, or comes next.
 * @property {string} before The last whole segment.
 * @property {number} parts How many parts of the open one are there.
 * @property {number} most How many there will be, normally.
 * @property {number} seconds A part's length.
 * @property {number} date When the open segment begins, in milliseconds.
 */

/**
 * Fetches; an answer that tells of an error is one, with its `status`.
 * @param {URL} url
 * @param {AbortSignal} signal
 * @param {RequestCache} cache
 */
export async function load(url, signal, cache) {
  const answer = await fetch(url, { signal, cache });
  if (answer.ok) return answer;
  throw Object.assign(new TypeError(`${url} answers ${answer.status}`), { status: answer.status });
}

// Where a proxy holds growing answers back: origins.
const holding = new Set();
const LATE = Symbol("late");

/**
 * Waits, but no longer than until the signal or the network's return.
 * @param {number} ms
 * @param {AbortSignal} signal
 */
export const wait = (ms, signal) =>
  new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      removeEventListener("online", end);
      done(LATE);
    };
    const timer = setTimeout(end, signal.aborted ? 0 : ms);
    signal.addEventListener("abort", end);
    addEventListener("online", end);
  });

/** Waits before another try: half a second at first, then longer. */
export const pause = (tries, signal) => wait(Math.min(500 * 2 ** tries, 10000) * (0.75 + Math.random() / 2), signal);

/**
 * Reads a media playlist with parts.
 * @param {string} text
 * @returns {Edge}
 */
export function readEdge(text) {
  const last = (pattern, from = text) => [...from.matchAll(pattern)].pop()?.[1];
  const before = last(/^([^#\s].*)\.mp4$/gm) ?? "";
  // Behind the last whole segment stands the one that is being made.
  const rest = text.slice(text.lastIndexOf(`\n${before}.mp4`) + 1);
  const [, open, parts] = /^#EXT-X-PRELOAD-HINT:.*URI="(.+)\.(\d+)\.mp4"/m.exec(text) ?? [];
  const init = last(/^#EXT-X-MAP:.*URI="(.+?)"/gm);
  const seconds = Number(last(/PART-TARGET=([\d.]+)/g));
  const most = Math.round(Number(last(/TARGETDURATION:(\d+)/g)) / seconds);
  if (!open || !init || !most) throw new Error("a playlist without parts");
  return { init, open, before, parts: Number(parts), most, seconds, date: Date.parse(last(/DATE-TIME:(.+)/g, rest)) };
}

/** One player's way along a stream. */
export class Follower {
  #base;
  #sink;
  #signal;
  #initName = "";
  #init;
  // The segment that is read, how many of its parts have come, and whether all have.
  #segment = "";
  #count = 0;
  #isWhole = false;
  #seconds = 2;

  /**
   * @param {URL} base The camera's folder.
   * @param {Sink} sink
   */
  constructor(base, sink) {
    this.#base = base;
    this.#sink = sink;
  }

  /**
   * Goes along until the signal.
   * @param {AbortSignal} signal
   * @throws what is in the way; a later call begins anew.
   */
  async run(signal) {
    this.#signal = signal;
    this.#segment = "";
    while (!signal.aborted) {
      let edge = await this.#edge();
      if (edge.init !== this.#initName) this.#init = readInit(await (await this.#get(edge.init)).arrayBuffer());
      this.#initName = edge.init;
      this.#sink.configure(this.#init);
      // A playlist of before, from a cache.
      if (edge.open === this.#segment && this.#isWhole) await wait(1000, signal);
      else {
        // Where nothing of a segment is there yet, the last whole one has the newest picture.
        const { before, most } = edge;
        if (!edge.parts && before && before !== this.#segment) edge = { ...edge, open: before, parts: most, date: NaN };
        while (edge) edge = await this.#read(edge);
      }
    }
  }

  #get(name, signal = this.#signal) {
    // What is made at the moment does not come from the cache, in which browsers let the second reader of a name wait
    // until the first's answer has ended. A loop's names come again, and are there.
    return load(new URL(name, this.#base), signal, /^(init|loop)-/.test(name) ? "default" : "no-store");
  }

  async #edge() {
    const edge = readEdge(await (await this.#get("live.m3u8")).text());
    this.#seconds = edge.seconds;
    return edge;
  }

  /** Reads a segment, of which `parts` were there before; hands back where to go on where that is told. */
  async #read({ open, parts = 0, date, most }) {
    if (open !== this.#segment) [this.#segment, this.#count, this.#isWhole] = [open, 0, false];
    // The date at which the stream's time would be zero.
    let zero = NaN;
    const reader = new FragmentReader(this.#init, (samples) => {
      if (!samples.length || this.#signal.aborted) return;
      const time = samples[0].timestamp / 1000;
      if (!this.#count) zero = date - time;
      const age = ++this.#count < parts ? "old" : this.#count === parts ? "newest" : "fresh";
      this.#sink.part(samples, age, zero + time);
    });
    if (most && holding.has(this.#base.origin)) {
      const { readParts } = await import("./parts.js");
      const get = async (index) => new Uint8Array(await (await this.#get(`${open}.${index}.mp4`)).arrayBuffer());
      const take = (bytes) => reader.push(bytes);
      this.#isWhole = await readParts(this.#count, parts, most, get, take, () => this.#sink.room(this.#signal));
      return null;
    }
    const own = new AbortController();
    const abort = () => own.abort();
    this.#signal.addEventListener("abort", abort);
    try {
      const { headers, body } = await this.#timely(this.#get(`${open}.mp4`, own.signal), parts);
      date = Date.parse(headers.get("program-date-time")) || date;
      const bytes = body.getReader();
      for (;;) {
        const { done, value } = await this.#timely(bytes.read(), parts);
        if (done) break;
        reader.push(value);
      }
      this.#isWhole = true;
      await this.#sink.room(this.#signal);
      const next = /<([^>]+)\.mp4>; *rel="?next/.exec(headers.get("link"));
      return next && { open: next[1] };
    } catch (error) {
      if (error.status === 404) {
        // Where the playlist still has the name, something on the way knows no growing answers. Where it does not, the
        // server was restarted or the pictures were withdrawn.
        if (most && (await this.#edge()).open === open) holding.add(this.#base.origin);
      } else if (error !== LATE) throw error;
      return null;
    } finally {
      this.#signal.removeEventListener("abort", abort);
      abort();
    }
  }

  /** The result of a step; throws LATE where it is held back though what it waits for has been published. */
  async #timely(step, parts) {
    step.catch(() => {});
    const within = (ms) => Promise.race([step, wait(ms, this.#signal)]);
    for (;;) {
      const result = await within(parts > this.#count ? 2000 : 1500 * (this.#seconds + 1));
      if (result !== LATE) return result;
      this.#signal.throwIfAborted();
      const edge = await this.#edge();
      if (edge.open === this.#segment && edge.parts <= this.#count) continue;
      if ((await within(500)) === LATE) {
        holding.add(this.#base.origin);
        throw LATE;
      }
    }
  }
}
