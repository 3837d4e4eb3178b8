// What was done, when, and from where.

import { ask } from "./operator.js";
import { make, moment } from "./operator-text.js";

/** @typedef {{ time: string, camera: string | null, what: string, how: "page" | "api" | "machine", outcome: string }} Action */

const WORDS = {
  pause: "Paused", resume: "Resumed", veil: "Veiled", unveil: "Unveiled", withdraw: "Withdrawn", "sign-in": "Signed in",
  "token-made": "Token made", "token-revoked": "Token revoked", "link-made": "Link made",
  reload: "Settings read anew", "camera-changed": "Camera changed", "camera-removed": "Camera removed",
};
const WAYS = { page: "this page", api: "API", machine: "the server" };
const EVERY = 10_000;

/** @param {string} outcome */
function ending(outcome) {
  if (outcome === "done") return "";
  const refused = outcome.match(/^refused-(\d+)$/);
  return refused ? `: refused (${refused[1]})` : `: ${outcome}`;
}

/** A table of the newest actions, of a camera or of all. */
export class ActionTable {
  #camera;
  #rows = make("tbody");
  #table;
  #empty = make("p.none", {}, "Nothing was done yet.");
  #loadedAt = 0;
  #key = "";

  /** @param {string | null} camera */
  constructor(camera) {
    this.#camera = camera;
    this.#table = make(
      "table", { hidden: true },
      make("thead", {}, make("tr", {}, ...["When", camera ? null : "Camera", "What", "From"]
        .filter((name) => name !== null).map((name) => make("th", { scope: "col" }, name)))),
      this.#rows,
    );
    this.node = make("div.scroll", { tabindex: 0, role: "region", "aria-label": "The newest first" }, this.#table, this.#empty);
    this.load();
  }

  /** Loads them again from time to time: others may do something too. */
  update() {
    if (Date.now() - this.#loadedAt > EVERY) this.load();
  }

  async load() {
    this.#loadedAt = Date.now();
    const of = this.#camera ? `camera=${encodeURIComponent(this.#camera)}&most=20` : "most=200";
    /** @type {Action[]} */
    const actions = await ask(`actions?${of}`).then((answer) => answer.actions, () => null);
    const key = JSON.stringify(actions);
    if (!actions || key === this.#key) return;
    this.#key = key;
    this.#table.hidden = actions.length === 0;
    this.#empty.hidden = actions.length > 0;
    this.#rows.replaceChildren(
      ...actions.map(({ time, camera, what, how, outcome }) =>
        make("tr", {},
          make("td", {}, make("time", { datetime: time }, moment(time, true))),
          this.#camera ? null : make("td", {}, camera ? make("a", { href: `#/camera/${camera}` }, camera) : "–"),
          make("td", outcome === "done" ? {} : { class: "bad" }, `${WORDS[what] ?? what}${ending(outcome)}`),
          make("td", {}, WAYS[how] ?? how),
        )),
    );
  }
}

/** The view of everything that was done. */
export class LogView {
  title = "Log";
  #table = new ActionTable(null);
  node = make("div.page", {}, make("h1", {}, "What was done"), this.#table.node);

  update() {
    this.#table.update();
  }
}
