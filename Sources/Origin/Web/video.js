// Plays the stream in a <video>: by hls.js where the browser has Media Source Extensions, else by the browser itself.

import { pause } from "./stream.js";

// Keeps the distance to the live edge, and does not hurry after an edge that runs ahead of time: recorded pictures are
// listed several parts at once, and whoever is as far has nothing left when live pictures come back.
const CATCH_UP = 1.5;
const FALL_BACK = 0.85;
function keepPace(hls, video, updated) {
  let edge = 0;
  let steady = 0;
  hls.on(updated, (_, { details }) => {
    const grown = details.edge - edge;
    edge = details.edge;
    if (grown < details.partTarget / 2) return;
    steady = grown > 1.5 * (details.partTarget || Infinity) ? 0 : steady + 1;
    const isNear = hls.latency > 0 && hls.latency < details.partHoldBack - 1;
    // The library leaves the rate alone only where its own is 1.
    hls.config.maxLiveSyncPlaybackRate = steady > 1 && !isNear ? CATCH_UP : 1;
    if (steady <= 1) video.playbackRate = 1;
    else if (isNear) video.playbackRate = FALL_BACK;
    // The library hurries only after an edge that is less than a segment further than it should be. Whoever is further
    // behind, as after a withdrawal or a sleep, would be so for good.
    else if (hls.liveSyncPosition && hls.latency - hls.targetLatency > details.targetduration + 1)
      video.currentTime = hls.liveSyncPosition;
  });
}

// A server that is being restarted comes back. Until then what is on screen stays there.
const PATIENCE = {
  default: {
    maxTimeToFirstByteMs: 10000,
    maxLoadTimeMs: 20000,
    timeoutRetry: { maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry: 60, retryDelayMs: 500, maxRetryDelayMs: 2000 },
  },
};

/** What both ways have in common: the element, and when its first picture is there. */
class Playing {
  #listener;
  video = document.createElement("video");
  end = new AbortController();
  tries = 0;

  constructor(listener) {
    this.#listener = listener;
    const { video } = this;
    Object.assign(video, { crossOrigin: "anonymous", muted: true, autoplay: true, playsInline: true, disablePictureInPicture: true });
    const listen = (kind, heard) => video.addEventListener(kind, heard, { signal: this.end.signal });
    listen("canplay", () => this.play());
    listen("timeupdate", () => {
      this.tries = 0;
      if (video.readyState >= 2) listener.play();
    });
    listener.mount(video);
  }

  async play() {
    try {
      await this.video.play();
    } catch (error) {
      // Where the browser forbids it, as when it saves power, pictures come another way.
      if (error.name === "NotAllowedError") this.fail(error);
    }
  }

  fail(error) {
    if (this.end.signal.aborted) return;
    this.stop();
    this.#listener.unable(error);
  }

  /** Goes on after an error, later each time. */
  async again(error, begin) {
    if (this.end.signal.aborted) return;
    this.#listener.trouble(error);
    await pause(1 + this.tries++, this.end.signal);
    if (!this.end.signal.aborted) begin();
  }

  stop() {
    this.end.abort();
  }
}

/** By hls.js. */
export class HlsVideo extends Playing {
  static isPossible = () => "MediaSource" in globalThis || "ManagedMediaSource" in globalThis;

  #hls = null;

  /**
   * @param {URL} base The camera's folder.
   * @param {import("./frames.js").Listener} listener
   */
  constructor(base, listener) {
    super(listener);
    // A managed source is let in only where nothing can be played elsewhere.
    this.video.disableRemotePlayback = true;
    this.#load(new URL("index.m3u8", base).href).catch((error) => this.fail(error));
  }

  async #load(stream) {
    const { Hls } = await import("./hls-1.6.15.mjs");
    if (this.end.signal.aborted) return;
    if (!Hls.isSupported()) throw new Error("hls.js cannot play here");
    let failures = 0;
    const begin = () => {
      this.#hls?.destroy();
      const hls = (this.#hls = new Hls({
        lowLatencyMode: true,
        maxLiveSyncPlaybackRate: CATCH_UP, // Without it a player never comes nearer to live than where it began.
        liveDurationInfinity: true,
        backBufferLength: 20,
        enableWorker: false, // Nothing has to be converted: the stream is fMP4 already.
        playlistLoadPolicy: PATIENCE,
      }));
      // @ts-ignore: for the page, which says how far behind it is.
      this.video.hls = hls;
      hls.on(Hls.Events.ERROR, (_, error) => {
        if (!error.fatal) return;
        if (error.type !== Hls.ErrorTypes.MEDIA_ERROR) this.again(new Error(error.details), begin);
        else if (++failures > 3) this.fail(new Error(error.details));
        else hls.recoverMediaError();
      });
      keepPace(hls, this.video, Hls.Events.LEVEL_UPDATED);
      hls.loadSource(stream);
      hls.attachMedia(this.video);
    };
    begin();
  }

  stop() {
    super.stop();
    this.#hls?.destroy();
  }
}

/** By the browser's own HLS. */
export class NativeVideo extends Playing {
  static isPossible = () => !!document.createElement("video").canPlayType("application/vnd.apple.mpegurl");

  /**
   * @param {URL} base The camera's folder.
   * @param {import("./frames.js").Listener} listener
   */
  constructor(base, listener) {
    super(listener);
    const { video } = this;
    const begin = () => (video.src = new URL("index.m3u8", base).href);
    const failed = () => {
      const error = new Error(video.error?.message || "the browser's own player ended");
      if (this.tries > 3) this.fail(error);
      else this.again(error, begin);
    };
    video.addEventListener("error", failed, { signal: this.end.signal });
    begin();
  }

  stop() {
    super.stop();
    this.video.removeAttribute("src");
    this.video.load();
  }
}
