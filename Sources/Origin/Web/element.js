// The custom element: its attributes, its button, when it fetches, and which way.

import { Picture, make, style } from "./picture.js";
import { watch } from "./visibility.js";
import { join, names } from "./ways.js";

const FADE = 400;
// How long to go without a connection of its own, where the host has none left, before asking again.
const BUSY = 10000;
const TEXTS = ["src", "mode", "loading", "visible", "fade", "alt", "poster"];
const FLAGS = ["paused", "controls", "scroll-fade"];

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
// @ts-ignore: Chromium alone has it.
const savesData = () => navigator.connection?.saveData;
const property = (name) => name.replace("-f", "F");

/**
 * `<quiet-cam src="https://HOST/CAMERA/">`
 * @fires play pause loadeddata error still sourcechange statechange
 */
export class QuietCam extends HTMLElement {
  static observedAttributes = [...TEXTS, ...FLAGS, "width", "height"];

  /** What it is doing: `idle`, `loading`, `playing`, `waiting` (something is in the way) or `paused`. */
  state = "idle";
  /** Seconds from publication to the screen, by the clocks of both sides; `null` where that is not known. */
  delay = null;

  #picture = new Picture();
  #icon = make("path");
  #button = make("button", { type: "button", part: "pause-button" }, make("svg", { viewBox: "0 0 24 24" }, this.#icon));
  #poster = make("img", { part: "poster", alt: "", hidden: "" });
  #box = make("div", { class: "box" }, this.#poster, make("slot", { name: "poster" }, make("slot")), this.#picture.node);
  #controls = make("div", { class: "controls" }, make("slot", { name: "pause" }, this.#button));
  #visibility;
  #shape = "";
  // What brings pictures, and which of the ways that is.
  #way = null;
  #wayIndex = 0;
  #timer = 0;
  #added = {};
  // Whether somebody said that it should play, whatever the visitor's settings say.
  #isAsked = false;
  #calm = () => (reducedMotion.matches || savesData()) && !this.#isAsked && this.pause();

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).append(this.#box, this.#controls);
    style(this.shadowRoot);
    this.#controls.firstChild.onclick = () => (this.paused ? this.play() : this.pause());
    this.#box.addEventListener("slotchange", () => this.#describe());
  }

  /** The way in which pictures come: `frames`, `hls`, `native`, `photos` or `still`; empty where none come. */
  get currentMode() {
    return this.#way?.name ?? "";
  }
  /** The `<video>` of the ways that have one; its `hls` is the hls.js that plays it. */
  get video() {
    return this.#way?.video;
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
      const { [name]: value } = this;
      if (delete this[name] && value !== this[name]) this[name] = value;
    }
    this.#calm();
    reducedMotion.addEventListener("change", this.#calm);
    this.#describe();
    this.#watch();
  }

  disconnectedCallback() {
    reducedMotion.removeEventListener("change", this.#calm);
    this.#visibility.end();
    this.#look();
  }

  attributeChangedCallback(name, before, now) {
    if (before === now) return;
    if (name === "src" || name === "mode") {
      this.#stop();
      this.#wayIndex = Math.max(0, names.indexOf(this.mode));
    } else if (name === "paused") {
      if (now === null) this.#isAsked = true;
      this.#tell(now === null ? "play" : "pause");
    }
    if (!this.isConnected) return;
    if (name === "visible") this.#watch();
    this.#describe();
    this.#look();
  }

  #watch() {
    this.#visibility?.end();
    this.#visibility = watch(this, this.visible, () => this.#look());
  }

  /** The camera's folder; `null` where there is none. */
  get #base() {
    try {
      return this.src ? new URL(this.src.replace(/(\/|\/[^/]*\.\w+)?([?#].*)?$/, "/"), document.baseURI) : null;
    } catch {
      return null;
    }
  }

  /** Brings what is beside the picture in line with the attributes. */
  #describe() {
    const image = this.querySelector("img");
    const read = (name) => this.getAttribute(name) ?? image?.getAttribute(name) ?? "";
    const label = read("alt");
    this.#picture.node.setAttribute("role", label ? "img" : "none");
    this.#picture.node.setAttribute("aria-label", label);
    this.#icon.setAttribute("d", this.paused ? "M8 5v14l11-7z" : "M6 5h4v14H6zM14 5h4v14h-4z");
    this.#button.setAttribute("aria-label", `${this.paused ? "Play" : "Pause"} the live picture`);
    const { poster } = this;
    this.#poster.hidden = !poster;
    if (poster && this.#poster.getAttribute("src") !== poster) this.#poster.src = poster;
    // The place that is kept free before there is a picture.
    const [width, height] = [parseFloat(read("width")), parseFloat(read("height"))];
    const shape = `:host { aspect-ratio: ${width} / ${height}; }`;
    if (width && height && this.#shape !== shape) style(this.shadowRoot, (this.#shape = shape));
  }

  /** Begins or ends what the attributes and the window ask for. */
  #look() {
    const base = this.isConnected && this.#base;
    const isFirst = !this.#box.classList.contains("on");
    const isEager = this.loading === "eager" && isFirst && this.visible !== "never";
    const isNear = base && (this.#visibility?.isVisible() || isEager);
    const hasPoster = this.poster || this.querySelector("img");
    if (isNear && !this.paused) this.#start(base, names[this.#wayIndex]);
    else if (isNear && isFirst && !hasPoster && !savesData()) this.#start(base, "still");
    else {
      this.#stop();
      this.#enter(this.paused ? "paused" : "idle");
    }
    this.#add(isNear && this.controls, "./waves.js", base);
    this.#add(isNear && this.scrollFade, "./scroll.js");
    this.#add(isNear && !isFirst && !navigator.webdriver, "./seen.js", base);
  }

  /** Adds what a page asks for and not every page needs, or takes it away. */
  #add(isWanted, file, base) {
    const added = this.#added[file];
    if (isWanted) {
      const parts = { element: this, base, controls: this.#controls, box: this.#box, tell: this.#tell.bind(this) };
      this.#added[file] ??= import(file).then(({ begin }) => begin(parts)).catch(() => () => {});
    } else {
      delete this.#added[file];
      added?.then((end) => end());
    }
  }

  #start(base, name) {
    if (this.#way?.wanted === name) return;
    this.#stop();
    const way = (this.#way = { name, wanted: name });
    const tell = (error) => this.#tell("error", { error, mode: way.name });
    const again = () => {
      this.#stop();
      this.#look();
    };
    const listener = {
      picture: this.#picture,
      copy: ({ isEmpty, canvas }) => isEmpty || listener.show(canvas, canvas),
      show: (image, info) => this.#show(image, info),
      trouble: (error) => {
        this.#enter("waiting");
        tell(error);
      },
      unable: (error) => {
        tell(error);
        this.#wayIndex = Math.min(names.indexOf(way.name) + 1, names.length - 1);
        again();
      },
      mount: (video) => {
        way.video = video;
        video.setAttribute("part", "picture");
        this.#picture.node.append(video);
      },
      play: () => {
        way.video.classList.add("on");
        this.#shown();
      },
    };
    this.#enter("loading");
    way.leave = join(name, base, listener);
    if (way.leave) return;
    way.name = "still";
    way.leave = join("still", base, listener);
    this.#timer = setTimeout(again, BUSY);
  }

  /** Ends all requests; what is on screen stays there. */
  #stop() {
    clearTimeout(this.#timer);
    const { video, leave } = this.#way ?? {};
    this.#way = this.delay = null;
    if (video?.readyState >= 2) this.#picture.show(video, video.videoWidth, video.videoHeight, 0);
    leave?.();
    video?.remove();
  }

  #show(image, { width, height, isRepeat, delay, photo }) {
    this.#picture.show(image, width, height, isRepeat ? null : this.#fade);
    if (isRepeat) return;
    if (delay !== undefined) this.delay = delay;
    this.#shown();
    this.#tell("still", { delay: this.delay, photo });
  }

  #shown() {
    const { classList } = this.#box;
    const isFirst = !classList.contains("on");
    classList.add("on");
    if (isFirst) this.#tell("loadeddata");
    this.#enter("playing");
    // One picture may have been all that was wanted.
    if (isFirst) this.#look();
  }

  get #fade() {
    const told = this.fade || getComputedStyle(this).getPropertyValue("--quiet-cam-fade");
    const value = parseFloat(told) * (/\ds/.test(told) ? 1000 : 1);
    return reducedMotion.matches ? 0 : isNaN(value) ? FADE : value;
  }

  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.#tell("statechange", { state, mode: this.currentMode });
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}

// Attributes are properties too.
for (const name of [...TEXTS, ...FLAGS]) {
  const isFlag = FLAGS.includes(name);
  Object.defineProperty(QuietCam.prototype, property(name), {
    get() {
      return isFlag ? this.hasAttribute(name) : (this.getAttribute(name) ?? "");
    },
    set(value) {
      if (isFlag) this.toggleAttribute(name, !!value);
      else this.setAttribute(name, value);
    },
  });
}
