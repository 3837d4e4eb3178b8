// Shows the newest JPEG: when the server's events announce one, or by looking for it.

import { load, pause } from "./stream.js";

// How often it is looked for where nothing announces it, and how often beside the announcements.
const LOOK_SECONDS = 5;
const CHECK_SECONDS = 60;
const MOST_REFUSALS = 3;

// One connection a camera, for all elements that want its events.
const streams = new Map();

/**
 * Listens to a camera's events.
 * @param {URL} url
 * @param {(kind: "still" | "wave" | "source" | "open" | "error", event: any) => void} heard
 * @returns {() => void} Ends it.
 */
export function listen(url, heard) {
  const key = url.href;
  let stream = streams.get(key);
  if (!stream) {
    stream = { source: new EventSource(url), heard: new Set() };
    streams.set(key, stream);
    for (const kind of ["still", "wave", "source", "open", "error"]) {
      stream.source.addEventListener(kind, (event) => {
        for (const each of [...stream.heard]) each(kind, event);
      });
    }
  }
  stream.heard.add(heard);
  return () => {
    if (!stream.heard.delete(heard) || stream.heard.size) return;
    stream.source.close();
    streams.delete(key);
  };
}

/** Loads pictures one after the other; of those that are announced meanwhile only the newest. */
class Loader {
  #base;
  #listener;
  #end = new AbortController();
  #bytes = new Uint8Array();
  #next = null;
  #isLoading = false;
  #tries = 0;

  constructor(base, listener) {
    this.#base = base;
    this.#listener = listener;
  }

  stop() {
    this.#end.abort();
  }

  get signal() {
    return this.#end.signal;
  }

  /** @returns {Promise<boolean>} Whether there was a new picture. */
  async load(name = "latest.jpg", photo) {
    this.#next = { name, photo };
    if (this.#isLoading) return false;
    this.#isLoading = true;
    let isNew = false;
    while (this.#next && !this.signal.aborted) {
      const wanted = this.#next;
      this.#next = null;
      try {
        isNew = await this.#fetch(wanted);
        this.#tries = 0;
      } catch (error) {
        if (this.signal.aborted) break;
        if (error.status === 404 && wanted.photo) {
          // It was withdrawn, or has made room for others, and does not come back.
          this.#next ??= { name: "latest.jpg" };
          continue;
        }
        this.#listener.trouble(error);
        await pause(this.#tries++, this.signal);
        this.#next ??= wanted;
      }
    }
    this.#isLoading = false;
    return isNew;
  }

  async #fetch({ name, photo }) {
    const cache = photo ? "default" : "no-cache";
    const answer = await load(new URL(name, this.#base), this.signal, cache);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const old = this.#bytes;
    if (bytes.length === old.length && bytes.every((byte, at) => byte === old[at])) return false;
    this.#bytes = bytes;
    const image = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    if (!this.signal.aborted) {
      const { width, height } = image;
      this.#listener.show(image, { width, height, isRepeat: false, photo });
    }
    image.close();
    return true;
  }
}

/** Pictures by events: each is fetched when it is announced. */
export class Photos {
  static isPossible = () => "EventSource" in globalThis;

  #loader;
  #leave;
  #timer;

  /**
   * @param {URL} base The camera's folder.
   * @param {import("./frames.js").Listener} listener
   */
  constructor(base, listener) {
    this.#loader = new Loader(base, listener);
    this.#loader.load();
    let refusals = 0;
    let announced = 0;
    const unable = (error) => {
      this.stop();
      listener.unable(error);
    };
    const url = new URL("events", base);
    const heard = async (kind, event) => {
      if (kind === "open") refusals = 0;
      else if (kind === "still") {
        announced++;
        const { photo } = JSON.parse(event.data);
        this.#loader.load(photo, photo);
      } else if (kind === "error" && event.target.readyState === 2) {
        // A refused stream is not asked for again by the browser.
        this.#leave();
        this.#loader.load();
        if (++refusals > MOST_REFUSALS) return unable(new Error("the events are refused"));
        await pause(refusals, this.#loader.signal);
        if (!this.#loader.signal.aborted) this.#leave = listen(url, heard);
      }
    };
    this.#leave = listen(url, heard);
    // Where pictures change and nothing announces them, something on the way holds the events back.
    this.#timer = setInterval(async () => {
      const before = announced;
      announced = 0;
      if (!before && (await this.#loader.load()) && !announced) unable(new Error("the events are held back"));
    }, CHECK_SECONDS * 1000);
  }

  stop() {
    clearInterval(this.#timer);
    this.#leave();
    this.#loader.stop();
  }
}

/** The newest picture, asked for again and again. */
export class Stills {
  static isPossible = () => true;

  #loader;
  #timer;

  /**
   * @param {URL} base The camera's folder.
   * @param {import("./frames.js").Listener} listener
   */
  constructor(base, listener) {
    this.#loader = new Loader(base, listener);
    this.#loader.load();
    this.#timer = setInterval(() => this.#loader.load(), LOOK_SECONDS * 1000);
  }

  stop() {
    clearInterval(this.#timer);
    this.#loader.stop();
  }
}
