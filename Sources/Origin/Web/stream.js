// Follows a camera's stream at its live edge: one answer a segment, which grows while the segment is made; or, behind a
// proxy that holds such answers back, one answer a part, asked for before the part is there.

import { FragmentReader, readInit } from "./fmp4.js";

/**
 * @typedef {"old" | "newest" | "fresh"} Age Whether a part is there only because later ones build upon it, is the newest
 *   that there was when the player came, or has come since.
 *
 * @typedef {object} Sink Takes what comes.
 * @property {(init: import("./fmp4.js").Init) => Promise<void>} configure
 * @property {(samples: import("./fmp4.js").Sample[], age: Age, date: number) => void} part
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

/** An answer that tells of an error. */
export class AnswerError extends Error {
  /** @param {Response} answer */
  constructor(answer) {
    super(`${answer.url} answers ${answer.status}`);
    this.status = answer.status;
  }
}

// Where a proxy holds growing answers back: origins.
const holding = new Set();
const LATE = Symbol("late");

/**
 * Waits, but no longer than until the signal.
 * @param {number} ms
 * @param {AbortSignal} [signal]
 */
export const wait = (ms, signal) =>
  new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      done(LATE);
    };
    const timer = setTimeout(end, signal?.aborted ? 0 : ms);
    signal?.addEventListener("abort", end);
  });

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
  const hint = /^(.+)\.(\d+)\.mp4$/.exec(last(/^#EXT-X-PRELOAD-HINT:.*URI="([^"]+)"/gm) ?? "");
  const init = last(/^#EXT-X-MAP:.*URI="([^"]+)"/gm);
  const seconds = Number(last(/PART-TARGET=([\d.]+)/g));
  if (!hint || !init || !seconds) throw new Error("the playlist has no parts");
  return {
    init,
    open: hint[1],
    before,
    parts: Number(hint[2]),
    most: Math.round(Number(last(/TARGETDURATION:(\d+)/g)) / seconds),
    seconds,
    date: Date.parse(last(/DATE-TIME:(.+)/g, rest) ?? ""),
  };
}

/** One player's way along a stream. */
export class Follower {
  #base;
  #sink;
  #signal;
  #initName = "";
  #init;
  #segment = "";
  #count = 0;
  #seconds = 2;
  // A moment of the stream and its date.
  #known = { timestamp: NaN, date: NaN };

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
      const edge = await this.#edge();
      await this.#use(edge.init);
      if (!edge.parts && edge.before && edge.before !== this.#segment) await this.#whole(edge.before);
      if (holding.has(this.#base.origin)) await this.#byParts(edge);
      else {
        let next = edge;
        while (next) next = await this.#open(next);
      }
    }
  }

  async #get(name, signal = this.#signal, cache = "default") {
    const answer = await fetch(new URL(name, this.#base), { signal, cache });
    if (!answer.ok) throw new AnswerError(answer);
    return answer;
  }

  async #edge() {
    const edge = readEdge(await (await this.#get("live.m3u8", this.#signal, "no-store")).text());
    this.#seconds = edge.seconds;
    return edge;
  }

  async #use(name) {
    if (name !== this.#initName) this.#init = readInit(await (await this.#get(name)).arrayBuffer());
    this.#initName = name;
    await this.#sink.configure(this.#init);
  }

  /** Reads fragments of the segment; those up to the `known`th were there before. */
  #reader(segment, known, date) {
    if (segment !== this.#segment) [this.#segment, this.#count] = [segment, 0];
    let isFirst = !this.#count;
    return new FragmentReader(this.#init, (samples) => {
      if (!samples.length || this.#signal.aborted) return;
      const { timestamp } = samples[0];
      if (isFirst && date) this.#known = { timestamp, date };
      isFirst = false;
      const age = ++this.#count < known ? "old" : this.#count === known ? "newest" : "fresh";
      this.#sink.part(samples, age, this.#known.date + (timestamp - this.#known.timestamp) / 1000);
    });
  }

  async #whole(segment) {
    const bytes = new Uint8Array(await (await this.#get(`${segment}.mp4`)).arrayBuffer());
    let parts = 0;
    new FragmentReader(this.#init, () => parts++).push(bytes);
    this.#reader(segment, parts).push(bytes);
  }

  /** Reads the answer of one segment to its end; hands back where to go on where that is told. */
  async #open({ open, parts = 0, date, most }) {
    const request = new AbortController();
    const abort = () => request.abort();
    this.#signal.addEventListener("abort", abort);
    try {
      // Not from the cache, in which browsers let the second reader of a name wait for the end of the first's answer.
      const answer = await this.#timely(this.#get(`${open}.mp4`, request.signal, "no-store"), open, parts);
      const link = answer.headers.get("link") ?? "";
      const linked = (rel) => new RegExp(`<([^>]+)>;[^,<]*rel="?${rel}\\b`).exec(link)?.[1];
      const init = linked("describedby");
      if (init && init !== this.#initName) await this.#use(init);
      const told = Date.parse(answer.headers.get("program-date-time") ?? "");
      const reader = this.#reader(open, parts, told || date);
      const body = answer.body.getReader();
      for (;;) {
        const { done, value } = await this.#timely(body.read(), open, parts);
        if (done) break;
        reader.push(value);
      }
      const next = linked("next")?.replace(/\.mp4$/, "");
      return next && { open: next };
    } catch (error) {
      if (error instanceof AnswerError && error.status === 404) {
        // Where the name comes from the playlist, something in between knows no growing answers.
        if (most) holding.add(this.#base.origin);
      } else if (error !== LATE) throw error;
      return null;
    } finally {
      this.#signal.removeEventListener("abort", abort);
      abort();
    }
  }

  /** The result of a step; throws LATE where it is held back though what it waits for has been published. */
  async #timely(step, segment, parts) {
    step.catch(() => {});
    for (;;) {
      const isDue = parts > (segment === this.#segment ? this.#count : 0);
      const result = await Promise.race([step, wait(isDue ? 2000 : this.#seconds * 1500 + 1500, this.#signal)]);
      if (result !== LATE) return result;
      this.#signal.throwIfAborted();
      const edge = await this.#edge();
      const count = segment === this.#segment ? this.#count : 0;
      if (edge.open === segment && edge.parts <= count) continue;
      const late = await Promise.race([step, wait(500, this.#signal)]);
      if (late !== LATE) return late;
      holding.add(this.#base.origin);
      throw LATE;
    }
  }

  async #byParts({ open, parts, most, date }) {
    const have = open === this.#segment ? this.#count : 0;
    const reader = this.#reader(open, parts, date);
    const part = async (index) => {
      const answer = await this.#get(`${open}.${index}.mp4`);
      return new Uint8Array(await answer.arrayBuffer());
    };
    const there = [];
    for (let index = have; index < parts; index++) there.push(part(index));
    there.forEach((each) => each.catch(() => {}));
    for (const each of there) reader.push(await each);
    try {
      for (let index = parts; index < most; index++) reader.push(await part(index));
    } catch (error) {
      // A segment that ends early has no such part.
      if (error.status !== 404) throw error;
    }
  }
}
