// Who watched and what it cost: a small chart for each figure, and all of it as a table.

import { ask } from "./operator.js";
import { bytes, count, make, tell } from "./operator-text.js";

/** @typedef {{ begin: string, viewers: number, visitors: number | null, watched: number, bytes: number, stills: number,
 *   waves: number, off: number, veiled: number }} Bar */
/** @typedef {"day" | "month" | "year"} Span */

const SPANS = { day: "24 hours", month: "30 days", year: "12 months" };
const EVERY = 60_000;
const HEIGHT = 132;
const [TOP, BOTTOM] = [18, 20];

/** @param {number} seconds */
function hours(seconds) {
  if (seconds < 3600) return `${count(Math.round(seconds / 60))} min`;
  return `${count(seconds < 36_000 ? seconds / 3600 : Math.round(seconds / 3600))} h`;
}
const sum = (/** @type {number[]} */ values) => values.reduce((all, value) => all + value, 0);
const most = (/** @type {number[]} */ values) => Math.max(0, ...values);

// The name of each figure, how one is written, and what stands for all of them together.
const METRICS = [
  { name: "visitors", title: "Visitors", text: count, total: most, totals: "at most" },
  { name: "viewers", title: "At the same time", text: count, total: most, totals: "at most" },
  { name: "watched", title: "Watched", text: hours, total: sum, totals: "in all", unit: 3600 },
  { name: "bytes", title: "Sent", text: bytes, total: sum, totals: "in all" },
  { name: "stills", title: "Stills", text: count, total: sum, totals: "in all" },
  { name: "waves", title: "Waves", text: count, total: sum, totals: "in all", isRare: true },
  { name: "off", title: "Off", text: hours, total: sum, totals: "in all", unit: 3600, isRare: true },
  { name: "veiled", title: "Veiled", text: hours, total: sum, totals: "in all", unit: 3600, isRare: true },
];

/**
 * When a bar begins, in words. Days and months are those of UTC, as visitors are counted.
 * @param {Span} span @param {string} begin @param {boolean} [isShort]
 */
function when(span, begin, isShort = false) {
  const date = new Date(begin);
  if (span === "day") {
    const hour = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    return isShort ? hour.slice(0, 2) : hour;
  }
  const form = span === "year"
    ? { month: "short", ...(!isShort && { year: "numeric" }) }
    : { day: "numeric", ...(!isShort && { month: "short", weekday: "short" }) };
  return date.toLocaleDateString("en-GB", { ...form, timeZone: "UTC" });
}

/**
 * The end of a scale that is at least so much: one or two digits with zeros.
 * @param {number} value
 */
export function scaleEnd(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((end) => end >= value) ?? value;
}

/** One figure's bars. */
class Chart {
  #metric;
  #shown = make("p.value");
  #svg = make("svg", { height: HEIGHT, role: "img" });
  /** @type {Bar[]} */
  #bars = [];
  /** @type {Span} */
  #span = "day";
  #width = 0;

  /** @param {typeof METRICS[number]} metric @param {(at: number | null) => void} point */
  constructor(metric, point) {
    this.#metric = metric;
    this.node = make("figure.chart", {},
      make("figcaption", {}, make("span", {}, metric.title), this.#shown), this.#svg);
    const at = (/** @type {PointerEvent} */ event) => {
      const { left, width } = this.#svg.getBoundingClientRect();
      const place = Math.floor(((event.clientX - left) / width) * this.#bars.length);
      point(Math.min(this.#bars.length - 1, Math.max(0, place)));
    };
    this.#svg.addEventListener("pointermove", at);
    this.#svg.addEventListener("pointerdown", at);
    this.#svg.addEventListener("pointerleave", () => point(null));
  }

  /** @param {Span} span @param {Bar[]} bars */
  show(span, bars) {
    [this.#span, this.#bars] = [span, bars];
    this.node.hidden = !this.isKnown || (!!this.#metric.isRare && bars.every((bar) => !bar[this.#metric.name]));
    this.#draw();
    this.point(null);
  }

  /** Whether anything is known of it. */
  get isKnown() {
    return this.#bars.every((bar) => bar[this.#metric.name] !== null);
  }

  fit() {
    if (this.#svg.clientWidth !== this.#width) this.#draw();
  }

  /** @param {number | null} at The bar that is pointed at. */
  point(at) {
    const { name, text, total, totals } = this.#metric;
    const values = this.#bars.map((bar) => bar[name] ?? 0);
    const bar = at === null ? null : this.#bars[at];
    tell(this.#shown, bar ? `${text(bar[name] ?? 0)} · ${when(this.#span, bar.begin)}` : `${text(total(values))} ${totals}`);
    this.#svg.querySelectorAll(".bar").forEach((node, index) => node.classList.toggle("faint", at !== null && index !== at));
  }

  #draw() {
    if (this.node.hidden) return;
    const { name, title, text, total, totals, unit = 1 } = this.#metric;
    const width = (this.#width = this.#svg.clientWidth || 320);
    const values = this.#bars.map((bar) => bar[name] ?? 0);
    const end = scaleEnd(Math.max(0, ...values) / unit) * unit;
    const [inner, step] = [HEIGHT - TOP - BOTTOM, width / Math.max(1, values.length)];
    const gap = Math.min(4, step * 0.25);
    const every = Math.ceil(values.length / Math.max(2, Math.floor(width / 44)));
    const y = (/** @type {number} */ value) => TOP + inner * (1 - value / end);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.#svg.setAttribute("aria-label", `${title}, ${SPANS[this.#span]}: ${text(total(values))} ${totals}`);
    this.#svg.replaceChildren(
      ...[0, 0.5, 1].map((part) => make("line", { class: part ? "grid" : "base", x1: 0, x2: width, y1: y(end * part), y2: y(end * part) })),
      ...values.map((value, at) => {
        const [left, tall] = [at * step + gap / 2, value > 0 ? Math.max(2, inner * (value / end)) : 0];
        const [wide, round] = [step - gap, Math.min(3, (step - gap) / 2, tall)];
        const [bottom, height] = [TOP + inner, TOP + inner - tall];
        return make("path", {
          class: "bar",
          d: tall ? `M${left} ${bottom}V${height + round}q0 ${-round} ${round} ${-round}h${wide - 2 * round}q${round} 0 ${round} ${round}V${bottom}z` : "M0 0",
        });
      }),
      ...this.#bars.map(({ begin }, at) =>
        (this.#bars.length - 1 - at) % every ? null
          : make("text", { x: Math.min(width - 8, at * step + step / 2), y: HEIGHT - 5, "text-anchor": "middle" }, when(this.#span, begin, true)))
        .filter((node) => node !== null),
      make("text", { class: "end", x: 0, y: TOP - 6 }, text(end)),
    );
  }
}

/** The charts of a camera, or of all together, with the choice of a span. */
export class Visits {
  #camera;
  /** @type {Span} */
  #span = "day";
  #buttons;
  #charts;
  #table = make("div.scroll", { tabindex: 0, role: "region", "aria-label": "Visits as a table" });
  #note = make("p.note");
  #grid;
  #timer = 0;
  #size;

  /** @param {string | null} camera */
  constructor(camera) {
    this.#camera = camera;
    const point = (/** @type {number | null} */ at) => this.#charts.forEach((chart) => chart.point(at));
    this.#charts = METRICS.map((metric) => new Chart(metric, point));
    this.#buttons = Object.entries(SPANS).map(([span, name]) =>
      make("button", { type: "button", "data-span": span, click: () => this.choose(/** @type {Span} */ (span)) }, name));
    this.#grid = make("div.charts", {}, ...this.#charts.map(({ node }) => node));
    this.#size = new ResizeObserver(() => this.#charts.forEach((chart) => chart.fit()));
    this.#size.observe(this.#grid);
    this.node = make("div.visits", {},
      make("div.filters", { role: "group", "aria-label": "Time" }, ...this.#buttons), this.#grid,
      make("details", {}, make("summary", {}, "As a table"), this.#table), this.#note);
    this.choose("day");
  }

  end() {
    clearTimeout(this.#timer);
    this.#size.disconnect();
  }

  /** @param {Span} span */
  choose(span) {
    this.#span = span;
    for (const button of this.#buttons) button.setAttribute("aria-pressed", `${button.dataset.span === span}`);
    this.load();
  }

  /** @param {string | null} [camera] Of another camera. */
  async load(camera = this.#camera) {
    this.#camera = camera;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.load(), EVERY);
    const span = this.#span;
    const answer = await ask(`history?span=${span}${camera ? `&camera=${encodeURIComponent(camera)}` : ""}`).catch(() => null);
    if (!answer || span !== this.#span || camera !== this.#camera) return;
    /** @type {Bar[]} */
    const bars = answer.bars;
    this.#charts.forEach((chart) => chart.show(span, bars));
    tell(this.#note, span === "year" ? "Visitors of a month are the mean of its days: nobody is known for longer than a day."
      : span === "month" ? "Days are those of UTC, because visitors are counted for a UTC day."
        : "Visitors are counted for days: see the other two.");
    const shown = METRICS.filter(({ name }) => bars.every((bar) => bar[name] !== null));
    this.#table.replaceChildren(make("table", {},
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "From"), ...shown.map(({ title }) => make("th", { scope: "col" }, title)))),
      make("tbody", {}, ...[...bars].reverse().map((bar) =>
        make("tr", {}, make("th", { scope: "row" }, when(span, bar.begin)), ...shown.map(({ name, text }) => make("td", {}, text(bar[name]))))))));
  }
}

/** The view of who watched, of all cameras or of one of them. */
export class VisitsView {
  title = "Visits";
  #visits = new Visits(null);

  /** @param {import("./operator.js").Item[]} cameras */
  constructor(cameras) {
    const choice = make("select", { "aria-label": "Camera", change: () => this.#visits.load(choice.value || null) },
      make("option", { value: "" }, "All cameras"), ...cameras.map(({ camera, title }) => make("option", { value: camera }, title)));
    this.node = make("div.page", {}, make("div.headline", {}, make("h1", {}, "Visits"), cameras.length > 1 ? choice : null), this.#visits.node);
  }

  end() {
    this.#visits.end();
  }
}
