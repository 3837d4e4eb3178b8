// The custom element: its attributes, its button, when it fetches, and which way.

import { Picture, make } from "./picture.js";
import { Visibility } from "./visibility.js";
import { join, names } from "./ways.js";
import { style } from "./style.js";

const FADE = 400;
// How long to go without a connection of its own, where the host has none left, before asking again.
const BUSY = 10000;
const TEXTS = ["src", "mode", "loading", "visible", "fade", "alt", "poster"];
const FLAGS = ["paused", "controls", "scroll-fade"];
const PLAY = "M8 5v14l11-7z";
const PAUSE = "M6 5h4v14H6zM14 5h4v14h-4z";

const stillness = matchMedia("(prefers-reduced-motion: reduce)");
// @ts-ignore: Chromium alone has it.
const savesData = () => navigator.connection?.saveData === true;
const property = (name) => name.replace(/-./, (dash) => dash[1].toUpperCase());

/**
 * `<quiet-cam src="https://HOST/CAMERA/">`
 * @fires play pause loadeddata error still sourcechange statechange
 */
export class QuietCam extends HTMLElement {
  static observedAttributes = [...TEXTS, ...FLAGS, "width", "height"];

  #picture = new Picture();
  #icon = make("path", {});
  #button = make("button", { type: "button", part: "pause-button" }, make("svg", { viewBox: "0 0 24 24" }, this.#icon));
  #poster = make("img", { part: "poster", alt: "", hidden: "" });
  #box = make("div", { class: "box" });
  #controls = make("div", { class: "controls" });
  #visibility = new Visibility(this, () => this.#look());
  #shape;
  #way = null;
  // Which of the ways is tried.
  #rung = 0;
  #busy = 0;
  #state = "idle";
  #delay = null;
  #waves = null;
  #scroll = null;
  // Whether somebody said that it should play, whatever the visitor's settings say.
  #isAsked = false;
  #calm = () => stillness.matches && !this.#isAsked && (this.paused = true);

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const pause = make("slot", { name: "pause" }, this.#button);
    pause.addEventListener("click", () => (this.paused ? this.play() : this.pause()));
    const inner = make("slot", {});
    inner.addEventListener("slotchange", () => this.#describe());
    this.#controls.append(pause);
    this.#box.append(this.#poster, make("slot", { name: "poster" }, inner), this.#picture.node);
    root.append(this.#box, this.#controls);
    this.#shape = style(root);
  }

  /** What it is doing: `idle`, `loading`, `playing`, `waiting` (something is in the way) or `paused`. */
  get state() {
    return this.#state;
  }
  /** The way in which pictures come: `frames`, `hls`, `native`, `photos` or `still`; empty where none come. */
  get currentMode() {
    return this.#way?.name ?? "";
  }
  /** Seconds from publication to the screen, by the clocks of both sides; `null` where that is not known. */
  get delay() {
    return this.#delay;
  }
  /** The `<video>`, and the hls.js, of the ways that have one. */
  get video() {
    return this.#way?.video ?? null;
  }
  get hls() {
    return this.#way?.joined?.source()?.hls ?? null;
  }
  get videoWidth() {
    return this.video?.videoWidth || this.#picture.width;
  }
  get videoHeight() {
    return this.video?.videoHeight || this.#picture.height;
  }

  async play() {
    this.#isAsked = true;
    this.paused = false;
  }

  pause() {
    this.paused = true;
  }

  connectedCallback() {
    // What a script set before the element was defined.
    for (const name of [...TEXTS, ...FLAGS].map(property)) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    if (!this.#isAsked && (stillness.matches || savesData())) this.paused = true;
    stillness.addEventListener("change", this.#calm);
    this.#describe();
    this.#visibility.begin(this.visible || "0px");
  }

  disconnectedCallback() {
    stillness.removeEventListener("change", this.#calm);
    this.#visibility.end();
    this.#look();
  }

  attributeChangedCallback(name, before, now) {
    if (name === "src" || name === "mode") {
      if (before === now) return;
      this.#stop();
      this.#rung = Math.max(0, names.indexOf(this.mode));
    } else if (name === "visible" && this.isConnected) this.#visibility.begin(this.visible || "0px");
    else if (name === "paused" && (before === null) !== (now === null)) {
      if (now === null) this.#isAsked = true;
      this.#tell(now === null ? "play" : "pause");
    }
    if (this.isConnected) {
      this.#describe();
      this.#look();
    }
  }

  /** The camera's folder. */
  get #base() {
    try {
      const url = new URL(this.src, document.baseURI);
      url.search = url.hash = "";
      if (!/\/([^/]*\.\w+)?$/.test(url.pathname)) url.pathname += "/";
      return this.src ? new URL("./", url) : null;
    } catch {
      return null;
    }
  }

  /** Brings what is beside the picture in line with the attributes. */
  #describe() {
    const image = this.querySelector("img");
    const label = this.getAttribute("alt") ?? image?.getAttribute("alt");
    const { node } = this.#picture;
    node.toggleAttribute("role", !!label);
    if (label) node.setAttribute("role", "img");
    node.setAttribute(label ? "aria-label" : "aria-hidden", label || "true");
    node.removeAttribute(label ? "aria-hidden" : "aria-label");
    this.#icon.setAttribute("d", this.paused ? PLAY : PAUSE);
    this.#button.setAttribute("aria-label", `${this.paused ? "Play" : "Pause"} the live picture`);
    this.#poster.hidden = !this.poster;
    if (this.poster && this.#poster.getAttribute("src") !== this.poster) this.#poster.src = this.poster;
    const size = (name) => Number(this.getAttribute(name) ?? image?.getAttribute(name));
    this.#shape(size("width"), size("height"));
  }

  /** Begins or ends what the attributes and the window ask for. */
  #look() {
    const base = this.isConnected ? this.#base : null;
    const isFirst = this.#picture.isEmpty && !this.video;
    const isNear = base && (this.#visibility.isVisible || (this.loading === "eager" && isFirst && this.visible !== "never"));
    if (isNear && !this.paused) this.#start(base, names[this.#rung]);
    else if (isNear && isFirst && !savesData() && !this.poster && !this.querySelector("img")) this.#start(base, "still");
    else this.#stop();
    if (!this.#way) this.#enter(this.paused ? "paused" : "idle");
    this.#add(isNear && this.controls, "#waves", "./waves.js", base);
    this.#add(isNear && this.scrollFade, "#scroll", "./scroll.js");
  }

  /** Adds what a page asks for and not every page needs, or takes it away. */
  #add(isWanted, name, file, base) {
    const own = name === "#waves" ? this.#waves : this.#scroll;
    if (!isWanted === !own) return;
    const added = isWanted && { end: null };
    if (name === "#waves") this.#waves = added;
    else this.#scroll = added;
    if (!isWanted) return own.end?.();
    const parts = { element: this, base, controls: this.#controls, box: this.#box, tell: this.#tell.bind(this) };
    import(file).then(({ begin }) => {
      const end = begin(parts);
      if ((name === "#waves" ? this.#waves : this.#scroll) === added) added.end = end;
      else end();
    }, () => {});
  }

  #start(base, name) {
    if (this.#way && (this.#way.name === name || this.#way.isBusy)) return;
    this.#stop();
    const way = (this.#way = { name, base, isBusy: false, joined: null, video: null });
    const own = (does) => (...words) => way === this.#way && does(...words);
    const listener = {
      canvas: this.#picture,
      copy: own((picture) => picture.isEmpty || this.#show(picture.canvas, picture)),
      picture: own((image, info) => this.#show(image, info)),
      trouble: own((error) => {
        this.#enter("waiting");
        this.#tell("error", { error, mode: name });
      }),
      unable: own((error) => {
        this.#tell("error", { error, mode: name });
        if (!way.isBusy) this.#rung = Math.min(names.indexOf(name) + 1, names.length - 1);
        this.#stop();
        this.#look();
      }),
      mount: own((video) => {
        way.video = video;
        video.setAttribute("part", "picture");
        this.#picture.node.append(video);
      }),
      video: own((video) => {
        video.classList.add("on");
        this.#shown();
      }),
    };
    this.#enter("loading");
    way.joined = join(name, base, listener);
    if (way.joined) return;
    way.isBusy = true;
    way.name = "still";
    way.joined = join("still", base, listener);
    this.#busy = setTimeout(() => {
      this.#stop();
      this.#look();
    }, BUSY);
  }

  /** Ends all requests; what is on screen stays there. */
  #stop() {
    clearTimeout(this.#busy);
    const way = this.#way;
    this.#way = null;
    if (!way) return;
    const { video } = way;
    if (video?.readyState >= 2) this.#picture.show(video, video.videoWidth, video.videoHeight, 0);
    way.joined?.leave();
    video?.remove();
    this.#delay = null;
  }

  #show(image, { width, height, isRepeat, delay, photo }) {
    if (isRepeat) return this.#picture.repeat(image, width, height);
    this.#picture.show(image, width, height, this.#fade);
    if (delay !== undefined) this.#delay = delay;
    this.#shown();
    this.#tell("still", { delay: this.#delay, photo });
    if (this.paused) this.#look();
  }

  #shown() {
    if (!this.#box.classList.contains("on")) {
      this.#box.classList.add("on");
      this.#tell("loadeddata");
    }
    this.#enter("playing");
  }

  get #fade() {
    if (stillness.matches) return 0;
    const told = this.fade || getComputedStyle(this).getPropertyValue("--quiet-cam-fade").trim();
    const value = parseFloat(told);
    return isNaN(value) ? FADE : /\ds$/.test(told) ? value * 1000 : value;
  }

  #enter(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#tell("statechange", { state, mode: this.currentMode });
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}

// Attributes are properties too.
for (const name of TEXTS) {
  define(name, {
    get() {
      return this.getAttribute(name) ?? "";
    },
    set(value) {
      this.setAttribute(name, value);
    },
  });
}
for (const name of FLAGS) {
  define(property(name), {
    get() {
      return this.hasAttribute(name);
    },
    set(value) {
      this.toggleAttribute(name, !!value);
    },
  });
}
function define(name, accessors) {
  Object.defineProperty(QuietCam.prototype, name, { ...accessors, enumerable: true, configurable: true });
}
