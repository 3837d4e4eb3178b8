// Shows each picture of the stream the moment it comes: decoded with WebCodecs, without a media element.

import { AnswerError, Follower, wait } from "./stream.js";

// A picture that repeats the one before is coded as nothing but skips, in some thirty bytes.
const REPEAT_BYTES = 100;
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
 * @property {number} [delay] Milliseconds since the picture was published.
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
    this.#clear();
    if (this.#decoder?.state !== "closed") this.#decoder?.close();
    this.#decoder = null;
  }

  async #run() {
    const follower = new Follower(this.#base, this);
    const { signal } = this.#end;
    while (!signal.aborted) {
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
    if (this.#decoder?.state !== "configured") return;
    const now = performance.now();
    const [{ timestamp: first }] = samples;
    if (age !== "old") this.#clear();
    samples.forEach(({ data, timestamp, duration, isKey }, index) => {
      const isRepeat = data.length < REPEAT_BYTES && index > 0;
      if (age === "fresh") {
        // The first of a part shows at once, the others in their rhythm.
        const delay = index ? undefined : date;
        this.#plans.set(timestamp, { at: now + (timestamp - first) / 1000, isRepeat, date: delay });
      } else if (age === "newest" && index === samples.length - 1) this.#plans.set(timestamp, { at: now });
      this.#decoder.decode(new EncodedVideoChunk({ type: isKey ? "key" : "delta", timestamp, duration, data }));
    });
    this.#tries = 0;
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
    const delay = date && Date.now() - date;
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
