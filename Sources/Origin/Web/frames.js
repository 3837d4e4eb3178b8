// Shows each picture of the stream the moment it comes: decoded with WebCodecs, without a media element.

import { AnswerError, Follower, wait } from "./stream.js";

// A picture that repeats the one before is coded as nothing but skips, in some thirty bytes.
const REPEAT_BYTES = 100;
// How many milliseconds of recorded pictures are kept in hand before the next are asked for.
const AHEAD = 3000;
// How often decoding may fail within a minute.
const MOST_FAILURES = 3;

/**
 * @typedef {object} Listener Takes what a way to get pictures brings.
 * @property {(image: CanvasImageSource, info: Shown) => void} picture
 * @property {(error: Error) => void} trouble Something is in the way; it is tried again.
 * @property {(error: Error) => void} unable This way does not work here.
 *
 * @typedef {object} Shown
 * @property {number} width
 * @property {number} height
 * @property {boolean} isRepeat Whether it looks like the one before.
 * @property {number | null} [delay] Seconds since the picture was published; `null` where the clocks differ.
 * @property {string} [photo] The name of the photo.
 */

/** Pictures by WebCodecs. */
export class Frames {
  static isPossible = () => "VideoDecoder" in globalThis;

  #base;
  #listener;
  #end = new AbortController();
  #attempt;
  #decoder = null;
  #init = null;
  // What to do with the pictures that are being decoded, by their times.
  #plans = new Map();
  // Those that wait for their time.
  #waiting = new Map();
  // Parts that wait for their time.
  #queue = [];
  #timer;
  // In milliseconds: where the stream's clock stands on the page's, and where, on both, the last part ends.
  #shift = 0;
  #next = NaN;
  #free = 0;
  #failures = 0;
  #failed = 0;
  #tries = 0;

  /**
   * @param {URL} base The camera's folder.
   * @param {Listener} listener
   */
  constructor(base, listener) {
    this.#base = base;
    this.#listener = listener;
    this.#run();
  }

  stop() {
    this.#end.abort();
    this.#attempt?.abort();
    clearTimeout(this.#timer);
    this.#clear();
    if (this.#decoder?.state !== "closed") this.#decoder?.close();
    this.#decoder = null;
  }

  async #run() {
    const follower = new Follower(this.#base, this);
    const { signal } = this.#end;
    while (!signal.aborted) {
      [this.#queue, this.#next, this.#free] = [[], NaN, 0];
      this.#attempt = new AbortController();
      try {
        await follower.run(this.#attempt.signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof TypeError || error instanceof AnswerError)) {
          this.#failures = Date.now() - this.#failed < 60000 ? this.#failures + 1 : 1;
          this.#failed = Date.now();
        }
        // A server that is full, or a decoder that cannot, will be no better in a while.
        const isFull = error instanceof AnswerError && error.status === 503 && this.#tries > 3;
        if (isFull || error.name === "NotSupportedError" || this.#failures >= MOST_FAILURES) {
          this.stop();
          this.#listener.unable(error);
          return;
        }
        this.#listener.trouble(error);
        await pause(this.#tries++, signal);
      }
    }
  }

  /** @param {import("./fmp4.js").Init} init */
  async configure(init) {
    if (init === this.#init && this.#decoder?.state === "configured") return;
    const { supported } = await VideoDecoder.isConfigSupported(init.config);
    if (!supported) throw new DOMException(`${init.config.codec} cannot be decoded`, "NotSupportedError");
    if (this.#end.signal.aborted) return;
    if (!this.#decoder || this.#decoder.state === "closed") {
      this.#decoder = new VideoDecoder({
        output: (frame) => this.#decoded(frame),
        error: (error) => this.#attempt.abort(error),
      });
    }
    this.#decoder.configure(init.config);
    this.#init = init;
  }

  /**
   * @param {import("./fmp4.js").Sample[]} samples
   * @param {import("./stream.js").Age} age
   * @param {number} date
   */
  part(samples, age, date) {
    this.#tries = 0;
    const now = performance.now();
    const first = samples[0].timestamp / 1000;
    const length = samples.reduce((sum, { duration }) => sum + duration / 1000, 0);
    let at = now;
    if (age === "fresh") {
      const isSplice = !(Math.abs(first - this.#next) < 500);
      const due = isSplice ? Math.max(now, this.#free) : first + this.#shift;
      const early = due - now;
      // Recorded parts may be published ahead of their time, and wait for it. Live ones come in time or late, and show at
      // once; one that was late does not make those after it late.
      if (early > 0.75 * length) at = due;
      this.#shift = (early < 0 ? due - early / 10 : at) - first;
      this.#next = first + length;
      this.#free = at + length;
    }
    if (at === now) while (this.#queue.length) this.#decode({ ...this.#queue.shift(), age: "old" });
    this.#queue.push({ samples, age, date, at });
    this.#drain();
  }

  /** @param {AbortSignal} signal */
  async room(signal) {
    await wait(this.#free - performance.now() - AHEAD, signal);
  }

  /** Decodes the parts whose time is there. */
  #drain() {
    clearTimeout(this.#timer);
    const now = performance.now();
    while (this.#queue.length && this.#queue[0].at <= now + 5) this.#decode(this.#queue.shift());
    if (this.#queue.length) this.#timer = setTimeout(() => this.#drain(), this.#queue[0].at - now);
  }

  #decode({ samples, age, date }) {
    if (this.#decoder?.state !== "configured") return;
    const now = performance.now();
    if (age !== "old") this.#clear();
    samples.forEach(({ data, timestamp, duration, isKey }, index) => {
      const plan = { at: now + (timestamp - samples[0].timestamp) / 1000, isRepeat: false };
      if (age === "fresh") {
        // The first of a part shows at once, the others in their rhythm.
        if (index) plan.isRepeat = data.length < REPEAT_BYTES;
        else plan.date = date;
        this.#plans.set(timestamp, plan);
      } else if (age === "newest" && index === samples.length - 1) this.#plans.set(timestamp, { ...plan, at: now });
      this.#decoder.decode(new EncodedVideoChunk({ type: isKey ? "key" : "delta", timestamp, duration, data }));
    });
  }

  #decoded(frame) {
    const plan = this.#plans.get(frame.timestamp);
    this.#plans.delete(frame.timestamp);
    if (!plan) return frame.close();
    const rest = plan.at - performance.now();
    if (rest < 5) return this.#show(frame, plan);
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      this.#show(frame, plan);
    }, rest);
    this.#waiting.set(timer, frame);
  }

  #show(frame, { isRepeat = false, date }) {
    const { displayWidth: width, displayHeight: height } = frame;
    const late = Date.now() - date;
    const delay = date ? (Math.abs(late) < 30000 ? Math.max(0, late / 1000) : null) : undefined;
    this.#listener.picture(frame, { width, height, isRepeat, delay });
    frame.close();
  }

  /** What is newer takes the place of pictures whose time has not come. */
  #clear() {
    this.#plans.clear();
    for (const [timer, frame] of this.#waiting) {
      clearTimeout(timer);
      frame.close();
    }
    this.#waiting.clear();
  }
}

/**
 * Waits before another try: half a second at first, then longer, and no longer once the network is back.
 * @param {number} tries
 * @param {AbortSignal} signal
 */
export async function pause(tries, signal) {
  const online = new AbortController();
  const go = () => online.abort();
  addEventListener("online", go);
  signal.addEventListener("abort", go);
  await wait(Math.min(500 * 2 ** tries, 10000) * (0.75 + Math.random() / 2), online.signal);
  removeEventListener("online", go);
  signal.removeEventListener("abort", go);
}
