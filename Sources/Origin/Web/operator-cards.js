// All cameras: what they show, how they are, and what they cost.

import { carryOut } from "./operator-camera.js";
import { ago, bytes, count, icon, known, make, rate, tell } from "./operator-text.js";

/** @typedef {import("./operator.js").Item} Item */
/** @typedef {import("./operator.js").Overview} Overview */

const STATES = ["live", "held", "off", "paused", "veiled"];
const MANY = 12;
const EYE = "M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12zm10-3a3 3 0 1 0 0 6 3 3 0 0 0 0-6z";
const PAUSE = "M9 6v12M15 6v12";
const PLAY = "M8 5.5v13l10-6.5z";

/** The newest picture of a camera: loaded again when it has changed and can be seen, one at a time. */
export class Newest {
  /** What shows it now; another one takes its place with each picture, so that none is seen while it loads. */
  node = make("img", { alt: "" });
  #camera;
  #shown = "";
  #isLoading = false;
  #isNear = false;
  #loadedAt = 0;
  /** @type {string | null} */
  #newest = null;
  #observer = new IntersectionObserver((entries) => {
    this.#isNear = entries[entries.length - 1].isIntersecting;
    this.show(this.#newest);
  }, { rootMargin: "100px" });

  /** @param {string} camera */
  constructor(camera) {
    this.#camera = camera;
    this.#observer.observe(this.node);
  }

  /**
   * @param {string | null} picture What the newest one is called.
   * @param {number} rest The least time between two, in milliseconds.
   */
  async show(picture, rest = 0) {
    this.#newest = picture;
    if (!picture || picture === this.#shown || this.#isLoading || !this.#isNear || Date.now() - this.#loadedAt < rest) return;
    [this.#isLoading, this.#loadedAt] = [true, Date.now()];
    const next = /** @type {HTMLImageElement} */ (this.node.cloneNode());
    next.src = `cameras/${this.#camera}/latest.jpg?${encodeURIComponent(picture)}`;
    try {
      await next.decode();
      next.alt = this.node.alt;
      this.#observer.unobserve(this.node);
      this.node.replaceWith(next);
      this.node = next;
      this.#observer.observe(next);
      this.#shown = picture;
    } catch {
      // It is asked for again with the next look.
    }
    this.#isLoading = false;
  }

  end() {
    this.#observer.disconnect();
  }
}

/** The sign of a state on a picture. */
export class Pill {
  #text = make("span");
  node = make("p.pill", {}, this.#text);

  /** @param {Item} item */
  show(item) {
    this.node.dataset.state = item.state;
    tell(this.#text, item.state);
  }
}

class Card {
  #newest;
  #pill = new Pill();
  #viewers = make("span");
  #name = make("a.name");
  #age = make("span.age");
  #line = make("p.line");
  #bar = make("rect", { height: 4, rx: 2 });
  #button;
  /** @type {Item | null} */
  #item = null;

  /** @param {Item} item */
  constructor(item) {
    this.#newest = new Newest(item.camera);
    this.#name.href = `#/camera/${item.camera}`;
    this.#button = make("button.quick", {
      type: "button",
      click: () => this.#item && carryOut(this.#item, this.#item.isPaused ? "resume" : "pause", this.#button),
    });
    this.node = make(
      "li.card", {},
      make(
        "div.picture", {}, this.#newest.node, this.#pill.node,
        make("p.eyes", {}, icon(EYE), this.#viewers, make("span.hidden", {}, " watch")), this.#button,
      ),
      make("p.head", {}, this.#name, this.#age),
      this.#line,
      make("svg.cost", { height: 4, width: "100%", "aria-hidden": "true" },
        make("rect.whole", { height: 4, width: "100%", rx: 2 }), this.#bar),
    );
  }

  end() {
    this.#newest.end();
  }

  /** @param {Item} item @param {number} rest */
  show(item, rest) {
    const isNew = this.#item?.isPaused !== item.isPaused;
    this.#item = item;
    this.#newest.show(item.picture, rest);
    this.#newest.node.alt = `Newest picture of ${item.title}`;
    this.#pill.show(item);
    this.node.dataset.state = item.state;
    tell(this.#viewers, count(item.viewers));
    tell(this.#name, item.title);
    tell(this.#age, known(item.stillAge, ago));
    if (isNew) {
      this.#button.replaceChildren(icon(item.isPaused ? PLAY : PAUSE));
      this.#button.setAttribute("aria-label", `${item.isPaused ? "Resume" : "Pause"} ${item.title}`);
      this.#button.title = item.isPaused ? "Resume" : "Pause";
    }
    const [ours, theirs] = [rate(item.minute, "partBytes", 60), rate(item.minute, "stillBytes", 60)];
    const cost = ours === null ? "Counting…" : theirs ? `${bytes(ours)} a viewer-minute, not ${bytes(theirs)}` : `${bytes(ours)} a viewer-minute`;
    tell(this.#line, item.state === "live" ? cost : item.why.slice(0, item.why.indexOf(".") + 1));
    this.#bar.setAttribute("width", theirs && ours !== null ? `${Math.min(100, Math.max(1, (100 * ours) / theirs))}%` : "0");
  }
}

/** The view of all cameras. */
export class CardsView {
  title = "Cameras";
  #figures = make("dl.figures");
  #filters = make("div.filters", { role: "group", "aria-label": "Show" });
  #list = make("ul.cards");
  #empty = make(
    "div.empty", { hidden: true },
    make("h2", {}, "No camera yet"),
    make("p", {}, "Name one in the configuration, or start the server with ", make("code", {}, "--camera desk --token SECRET"), "."),
  );
  node = make("div.all", {}, make("h1.hidden", {}, "Cameras"), this.#figures, this.#filters, this.#list, this.#empty);
  /** @type {Map<string, Card>} */
  #cards = new Map();
  #only = "";

  end() {
    for (const card of this.#cards.values()) card.end();
  }

  /** @param {Overview} overview */
  update(overview) {
    const { cameras } = overview;
    this.#tellFigures(overview);
    this.#tellFilters(cameras);
    this.#empty.hidden = cameras.length > 0;
    this.#list.classList.toggle("many", cameras.length > MANY);
    const names = new Set(cameras.map(({ camera }) => camera));
    for (const [name, card] of this.#cards) {
      if (names.has(name)) continue;
      card.end();
      card.node.remove();
      this.#cards.delete(name);
    }
    // Many pictures come in turns.
    const rest = Math.floor(cameras.length / MANY) * 1000;
    cameras.forEach((item, at) => {
      let card = this.#cards.get(item.camera);
      if (!card) this.#cards.set(item.camera, (card = new Card(item)));
      if (this.#list.children[at] !== card.node) this.#list.insertBefore(card.node, this.#list.children[at] ?? null);
      card.node.hidden = !!this.#only && item.state !== this.#only;
      card.show(item, rest);
    });
  }

  /** @param {Overview} overview */
  #tellFigures({ cameras, store }) {
    const sum = (/** @type {(item: Item) => number | null} */ of) => cameras.reduce((all, item) => all + (of(item) ?? 0), 0);
    const live = cameras.filter(({ state }) => state === "live" || state === "held").length;
    const figures = [
      ["Watching now", count(sum(({ viewers }) => viewers))],
      ["Visitors today", count(sum(({ visitorsToday }) => visitorsToday))],
      ["Live", `${live} of ${cameras.length}`],
      ["Stills a second", count(sum(({ lately }) => rate(lately, "stills")))],
      ["Coming in", `${bytes(sum(({ lately }) => rate(lately, "stillBytes")))}/s`],
      ["Disk free", known(store, ({ freeBytes }) => bytes(freeBytes))],
    ];
    showFigures(this.#figures, figures);
  }

  /** @param {Item[]} cameras */
  #tellFilters(cameras) {
    const states = STATES.map((state) => [state, cameras.filter((item) => item.state === state).length]).filter(([, many]) => many);
    const isNeeded = states.length > 1 && cameras.length > 3;
    this.#filters.hidden = !isNeeded;
    if (!isNeeded || (this.#only && !states.some(([state]) => state === this.#only))) this.#only = "";
    const all = [["", cameras.length], ...states];
    const key = all.map(([state]) => state).join();
    if (this.#filters.dataset.key !== key) {
      this.#filters.dataset.key = key;
      this.#filters.replaceChildren(
        ...all.map(([state]) =>
          make("button", { type: "button", "data-state": state, click: () => this.#filter(`${state}`) }, make("span"), " ", make("b"))),
      );
    }
    [...this.#filters.children].forEach((button, at) => {
      const [state, many] = all[at];
      tell(button.children[0], state || "all");
      tell(button.children[1], many);
      button.setAttribute("aria-pressed", `${state === this.#only}`);
    });
  }

  /** @param {string} state */
  #filter(state) {
    this.#only = state;
    for (const card of this.#cards.values()) card.node.hidden = !!state && card.node.dataset.state !== state;
    for (const button of this.#filters.children) button.setAttribute("aria-pressed", `${button.dataset.state === state}`);
  }
}

/**
 * Shows figures with their names, and changes only what is another.
 * @param {HTMLElement} list A `<dl>`.
 * @param {(string | Node | null)[][]} figures Name, value, and what else there is to say.
 */
export function showFigures(list, figures) {
  figures.forEach(([name, value, more], at) => {
    let box = list.children[at];
    if (!box) list.append((box = make("div", {}, make("dt", {}, name ?? ""), make("dd"), make("dd.more"))));
    tell(box.children[1], `${value}`);
    tell(box.children[2], `${more ?? ""}`);
    box.children[2].toggleAttribute("hidden", !more);
  });
}
