// Shows each picture of the stream the moment it comes: decoded with WebCodecs, without a media element.

import { Follower, pause, wait } from "./stream.js";

// A picture that repeats the one before is coded as nothing but skips, in some thirty bytes.
const REPEAT_BYTES = 100;
// How many milliseconds of recorded pictures are kept in hand before the next are asked for.
const AHEAD = 3000;
const MOST_FAILURES = 3;

/**
 * @typedef {object} Listener Takes what a way to get pictures brings.
 * @property {(image: CanvasImageSource, info: Shown) => void} show
 * @property {(error: Error) => void} trouble Something is in the way; it is tried again.
 * @property {(error: Error) => void} unable This way does not work here.
 * @property {(video: HTMLVideoElement) => void} mount There is a video element now.
 * @property {() => void} play It has a picture.
 *
 * @typedef {object} Shown
 * @property {number} width
 * @property {number} height
 * @property {boolean} [isRepeat] Whether it looks like the one before.
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
  // Coded pictures that wait for their time, and what is known of those that are to be shown, by their timestamps.
  #queue = [];
  #shown = new Map();
  #timer;
  // In milliseconds: where the stream's clock stands on the page's, and where, on both, the last part ends.
  #shift = 0;
  #next = NaN;
  #free = 0;
  #failures = 0;
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
    if (this.#decoder?.state === "configured") this.#decoder.close();
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
        // What is no fault of the network, and a server that is full, may stay as it is.
        if (!(error instanceof TypeError) || error.status === 503) this.#failures += 1;
        if (error.name === "NotSupportedError" || this.#failures >= MOST_FAILURES) {
          this.stop();
          this.#listener.unable(error);
        } else {
          this.#listener.trouble(error);
          await pause(this.#tries++, signal);
        }
      }
    }
  }

  /** @param {import("./fmp4.js").Init} init */
  configure(init) {
    const isReady = this.#decoder?.state === "configured";
    if (isReady && init === this.#init) return;
    if (!isReady) {
      this.#decoder = new VideoDecoder({
        output: (frame) => this.#decoded(frame),
        error: (error) => this.#attempt.abort(error),
      });
    }
    // What cannot be decoded is told as an error, too.
    this.#decoder.configure(init.config);
    this.#init = init;
  }

  /**
   * @param {import("./fmp4.js").Sample[]} samples
   * @param {import("./stream.js").Age} age
   * @param {number} date In milliseconds; NaN where it is not known.
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
      // A broken stream now and then is no reason to give up.
      this.#failures = Math.max(0, this.#failures - 0.1);
    }
    // What is newer takes the place of pictures whose time has not come.
    if (at === now) for (const waiting of this.#queue) Object.assign(waiting, { at, info: null });
    samples.forEach((sample, index) => {
      // The first of a part shows at once, the others in their rhythm; of those of before only the newest.
      let info = null;
      if (age === "fresh") info = index ? { isRepeat: sample.data.length < REPEAT_BYTES } : { date };
      else if (age === "newest" && index === samples.length - 1) info = {};
      this.#queue.push({ sample, info, at: age === "fresh" ? at + sample.timestamp / 1000 - first : at });
    });
    this.#drain();
  }

  /** @param {AbortSignal} signal */
  room(signal) {
    return wait(this.#free - performance.now() - AHEAD, signal);
  }

  /** Decodes what is due. */
  #drain() {
    clearTimeout(this.#timer);
    if (this.#decoder?.state !== "configured") return;
    const now = performance.now();
    while (this.#queue[0]?.at <= now + 5) {
      const { sample, info } = this.#queue.shift();
      if (info) this.#shown.set(sample.timestamp, info);
      this.#decoder.decode(new EncodedVideoChunk({ ...sample, type: sample.isKey ? "key" : "delta" }));
    }
    if (this.#queue.length) this.#timer = setTimeout(() => this.#drain(), this.#queue[0].at - now);
  }

  #decoded(frame) {
    const info = this.#shown.get(frame.timestamp);
    if (info) {
      this.#shown.clear();
      const late = (Date.now() - info.date) / 1000;
      const delay = info.date ? (Math.abs(late) < 30 ? Math.max(0, late) : null) : undefined;
      const { displayWidth: width, displayHeight: height } = frame;
      this.#listener.show(frame, { ...info, width, height, delay });
    }
    frame.close();
  }
}
