// One camera: its picture, how it is and why, the switches, what it costs, its link and what was done with it.

import { linkMaker } from "./operator-access.js";
import { Newest, Pill, showFigures } from "./operator-cards.js";
import { Visits } from "./operator-chart.js";
import { ActionTable } from "./operator-log.js";
import { ask, refresh, say } from "./operator.js";
import { ago, bytes, count, known, make, moment, rate, tell } from "./operator-text.js";

/** @typedef {import("./operator.js").Item} Item */
/** @typedef {import("./operator.js").Overview} Overview */

const DONE = { pause: "paused", resume: "resumed", veil: "veiled", unveil: "unveiled", withdraw: "withdrawn" };
const REFUSALS = {
  showsAtOnce: "Not possible with at-once: a veil would be seen.",
  showsPhotos: "Not possible while latest.jpg is larger than the stream. Set photo-size: stream.",
};

/**
 * Sends a command, and says what became of it.
 * @param {Item} item
 * @param {string} command
 * @param {HTMLButtonElement} [button]
 */
export async function carryOut(item, command, button) {
  if (button) button.disabled = true;
  try {
    await ask(`cameras/${item.camera}/${command}`, { method: "POST" });
    say(`${item.title} ${DONE[command]} at ${moment(new Date().toISOString(), true)}.`);
  } catch (error) {
    say(`${item.title}: ${error.message}.`, true);
  }
  if (button) button.disabled = false;
  await refresh();
}

/**
 * Where viewers see the public address: as the settings say, or on the host that this page is on.
 * @param {Overview} overview
 */
export function publicAddress({ public: { base, isSecure, host, port } }) {
  if (base) return base;
  const isHere = ["0.0.0.0", "::", "127.0.0.1", "::1", "localhost"].includes(host);
  const name = isHere ? location.hostname : host.includes(":") ? `[${host}]` : host;
  return `http${isSecure ? "s" : ""}://${name}${port ? `:${port}` : ""}/`;
}

/** What a minute costs a viewer, and what it would cost to poll the camera's JPEGs. */
class Cost {
  #rows = ["this stream", "polling its JPEGs"].map((name, at) => {
    const bar = make("rect", { height: 8, rx: 4, class: at ? "theirs" : "ours" });
    const value = make("dd");
    const node = make("div", {}, make("dt", {}, name), make("dd.way", {}, make("svg", { height: 8, width: "100%", "aria-hidden": "true" }, bar)), value);
    return { node, bar, value };
  });
  node = make("div.compare", {}, make("h2", {}, "A viewer’s minute"), make("dl", {}, ...this.#rows.map(({ node }) => node)));

  /** @param {number | null} ours @param {number | null} theirs Bytes. */
  show(ours, theirs) {
    const most = Math.max(ours ?? 0, theirs ?? 0);
    [ours, theirs].forEach((value, at) => {
      const { bar, value: text } = this.#rows[at];
      tell(text, known(at && !value ? null : value, bytes));
      bar.setAttribute("width", value && most ? `${Math.max(1.5, (100 * value) / most)}%` : "0");
    });
  }
}

/** The view of a camera. */
export class CameraView {
  #camera;
  #newest;
  #pill = new Pill();
  #state = make("p.why");
  #pause = make("button.main", { type: "button" });
  #veil = make("button", { type: "button" });
  #veilNote = make("p.note", { id: "veil-note" });
  #withdraw = make("button.danger", { type: "button", click: () => this.#ask() }, "Withdraw…");
  #cost = new Cost();
  #figures = make("dl.figures.small");
  #title = make("h1");
  #open = make("a.open", { target: "_blank", rel: "noreferrer" }, "Open for viewers");
  #dialog = make("dialog", { "aria-labelledby": "withdraw-title" });
  #missing = make("p.empty", { hidden: true }, "There is no camera with this name. ", make("a", { href: "#/" }, "All cameras"));
  #log;
  #visits;
  #link;
  #body;
  /** @type {Item | null} */
  #item = null;

  /** @param {string} camera @param {Overview} overview */
  constructor(camera, overview) {
    this.#camera = camera;
    this.title = overview.cameras.find((item) => item.camera === camera)?.title ?? camera;
    this.#newest = new Newest(camera);
    this.#log = new ActionTable(camera);
    this.#visits = new Visits(camera);
    const signed = overview.cameras.filter((item) => item.camera === camera && item.access === "signed");
    this.#link = signed.length ? linkMaker(signed, overview) : null;
    this.#pause.addEventListener("click", () => this.#switch(this.#item?.isPaused ? "resume" : "pause", this.#pause));
    this.#veil.addEventListener("click", () => this.#switch(this.#isVeiled ? "unveil" : "veil", this.#veil));
    this.#body = make(
      "div.camera", {},
      make("section.look", { "aria-label": "Picture" },
        make("div.picture.large", {}, this.#newest.node, this.#pill.node)),
      make("section.side", { "aria-label": "State and switches" },
        make("div.headline", {}, this.#title, this.#open),
        this.#state,
        make("div.switches", {}, this.#pause, this.#veil, this.#withdraw), this.#veilNote,
        this.#cost.node, this.#figures),
      this.#link && make("section.card-box", { "aria-labelledby": "link-title" }, make("h2", { id: "link-title" }, "Link for viewers"), this.#link),
      make("section.card-box", { "aria-labelledby": "visits-title" }, make("h2", { id: "visits-title" }, "Visits"), this.#visits.node),
      make("section.card-box", { "aria-labelledby": "log-title" }, make("h2", { id: "log-title" }, "What was done"), this.#log.node),
    );
    this.node = make("div", {}, this.#missing, this.#body, this.#dialog);
  }

  end() {
    this.#newest.end();
    this.#visits.end();
    if (this.#dialog.open) this.#dialog.close();
  }

  get #isVeiled() {
    return this.#item?.isVeiled || this.#item?.state === "veiled";
  }

  /** @param {string} command @param {HTMLButtonElement} button */
  async #switch(command, button) {
    if (!this.#item) return;
    await carryOut(this.#item, command, button);
    this.#log.load();
  }

  /** A second look before what cannot be undone. */
  #ask() {
    const item = this.#item;
    if (!item) return;
    const close = () => this.#dialog.close();
    const doIt = make("button.danger.full", {
      type: "button",
      click: async () => {
        close();
        await this.#switch("withdraw", this.#withdraw);
      },
    }, "Withdraw now");
    this.#dialog.replaceChildren(
      make("h2", { id: "withdraw-title" }, `Withdraw ${item.title}?`),
      make("p", {}, "Everything of this camera that viewers can still load is removed at once: the stream of the last minutes, the newest picture and all kept photos."),
      make("p", {}, "The loop is shown until you resume. What is removed does not come back."),
      make("div.row", {}, make("button", { type: "button", autofocus: true, click: close }, "Keep it"), doIt),
    );
    this.#dialog.showModal();
  }

  /** @param {Overview} overview */
  update(overview) {
    const item = overview.cameras.find(({ camera }) => camera === this.#camera) ?? null;
    this.#item = item;
    this.#missing.hidden = !!item;
    this.#body.hidden = !item;
    if (!item) return;
    this.#newest.show(item.picture);
    this.#newest.node.alt = `Newest picture of ${item.title}`;
    this.#newest.node.width = item.width;
    this.#newest.node.height = item.height;
    this.#pill.show(item);
    tell(this.#title, item.title);
    this.#open.hidden = item.access === "signed";
    this.#open.href = `${publicAddress(overview)}${item.camera}/`;
    tell(this.#state, `${item.state[0].toUpperCase()}${item.state.slice(1)} since ${known(item.since, moment)}. ${item.why}`);
    tell(this.#pause, item.isPaused ? "Resume" : "Pause");
    tell(this.#veil, this.#isVeiled ? "Unveil" : "Veil");
    this.#veil.disabled = !this.#isVeiled && item.veilRefusal !== null;
    tell(this.#veilNote, this.#veil.disabled ? `Veil: ${REFUSALS[item.veilRefusal ?? ""] ?? "Not possible."}` : "");
    this.#veilNote.hidden = !this.#veil.disabled;
    if (this.#veil.disabled) this.#veil.setAttribute("aria-describedby", "veil-note");
    else this.#veil.removeAttribute("aria-describedby");
    this.#tellFigures(item, overview);
    this.#log.update();
  }

  /** @param {Item} item @param {Overview} overview */
  #tellFigures(item, { store }) {
    const [ours, theirs] = [rate(item.minute, "partBytes", 60), rate(item.minute, "stillBytes", 60)];
    this.#cost.show(ours, theirs);
    const coding = item.minute?.codingMicroseconds ?? null;
    showFigures(this.#figures, [
      ["Watching now", count(item.viewers), `${count(item.visitorsToday)} visitor${item.visitorsToday === 1 ? "" : "s"} today`],
      ["Last still", known(item.stillAge, ago)],
      ["Stills a second", known(rate(item.lately, "stills"), count), known(rate(item.lately, "stillBytes"), (value) => `${bytes(value)}/s`)],
      ["Coding a part", known(coding, (value) => `${count(value / 1000)} ms`)],
      ["Dropped for newer", known(item.minute, ({ displaced }) => count(displaced)), "in the last minute"],
      ["Refused", count(item.refused + item.undecodable), item.undecodable ? `${count(item.undecodable)} did not decode` : "since the start"],
      ["On disk", known(item.diskBytes, bytes), store ? `${bytes(store.freeBytes)} free` : "the store is in memory"],
      ["Photos kept", count(item.photos), item.storeFailures ? `${count(item.storeFailures)} writes failed` : null],
      ["Waves", count(item.waves)],
    ]);
  }
}
