// Words, numbers and elements for the operator's page.

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const SPACE = { svg: "http://www.w3.org/2000/svg" };
const SVG = new Set(["svg", "path", "rect", "line", "text", "g"]);

/**
 * Makes an element with attributes and children; no markup is ever parsed.
 * @param {string} tag `name`, or `name.class`.
 * @param {Record<string, any>} [attributes] A function is a listener, `true` an empty attribute, `null` none.
 * @param {...(Node | string | number | null)} children
 * @returns {any}
 */
export function make(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = SVG.has(name) ? document.createElementNS(SPACE.svg, name) : document.createElement(name);
  if (classes.length) node.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== null && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null).map((child) => (child instanceof Node ? child : String(child))));
  return node;
}

/**
 * Sets a text, if it is another one: only what changes is read out.
 * @param {Element} node
 * @param {string | number} text
 */
export function tell(node, text) {
  if (node.textContent !== String(text)) node.textContent = String(text);
}

/**
 * An icon of one path.
 * @param {string} path
 */
export function icon(path) {
  return make("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, make("path", { d: path }));
}

/** @param {number} value */
export const count = (value) => number.format(value);

/**
 * Bytes in a unit that fits: `640 B`, `36 kB`, `1.2 MB`.
 * @param {number} value
 */
export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${number.format(value >= 10 || unit === 0 ? Math.round(value) : value)} ${units[unit]}`;
}

/**
 * A length of time: `2 s`, `3 min`, `2 h 5 min`, `4 d`.
 * @param {number} milliseconds
 */
export function length(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  const minutes = Math.floor(seconds / 60) % 60;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h${minutes ? ` ${minutes} min` : ""}`;
  return `${Math.floor(seconds / 86400)} d`;
}

/**
 * How long ago something was.
 * @param {number} milliseconds
 */
export const ago = (milliseconds) => (milliseconds < 1000 ? "now" : `${length(milliseconds)} ago`);

/**
 * A moment: the time alone where it is today.
 * @param {string} time
 * @param {boolean} [isExact] With seconds.
 */
export function moment(time, isExact = false) {
  const date = new Date(time);
  const clock = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(isExact && { second: "2-digit" }) });
  if (date.toDateString() === new Date().toDateString()) return clock;
  return `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${clock}`;
}

/**
 * What was done in a second, or in a minute; `null` where that is not known.
 * @param {{ milliseconds: number } | null} lately
 * @param {string} name
 * @param {number} [seconds]
 */
export function rate(lately, name, seconds = 1) {
  return lately && lately.milliseconds > 0 ? (lately[name] * 1000 * seconds) / lately.milliseconds : null;
}

/**
 * The text of a value, or a dash where there is none.
 * @template T
 * @param {T | null} value
 * @param {(value: T) => string} text
 */
export const known = (value, text) => (value === null || value === undefined ? "–" : text(value));
