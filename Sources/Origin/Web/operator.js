// The operator's page: signing in, asking once a second, and which view is shown.

import { AccessView } from "./operator-access.js";
import { CameraView } from "./operator-camera.js";
import { CardsView } from "./operator-cards.js";
import { VisitsView } from "./operator-chart.js";
import { LogView } from "./operator-log.js";
import { make, moment, tell } from "./operator-text.js";

/**
 * What a camera did in some time.
 * @typedef {{ milliseconds: number, stills: number, stillBytes: number, partBytes: number, displaced: number,
 *   codingMicroseconds: number | null }} Lately
 *
 * One camera of the overview.
 * @typedef {{ camera: string, title: string, access: "open" | "signed", state: string, since: string | null,
 *   why: string, isPaused: boolean, isVeiled: boolean, veilRefusal: string | null, stillAge: number | null,
 *   picture: string | null, width: number, height: number, viewers: number, visitorsToday: number, lately: Lately | null,
 *   minute: Lately | null, refused: number, undecodable: number, waves: number, photos: number,
 *   diskBytes: number | null, storeFailures: number }} Item
 *
 * The answer of `/overview`.
 * @typedef {{ time: string, start: string, store: { freeBytes: number, totalBytes: number } | null,
 *   public: { base: string | null, isSecure: boolean, host: string, port: number | null, connections: number },
 *   makesLinks: boolean, sessions: number, wrongTokens: number, cameras: Item[] }} Overview
 *
 * What a view is: its node, what it does with a new overview, and how it ends.
 * @typedef {{ node: HTMLElement, title: string, update?: (overview: Overview) => void, end?: () => void }} View
 */

const EVERY = 1000;
const view = /** @type {HTMLElement} */ (document.querySelector("main"));
const top = /** @type {HTMLElement} */ (document.querySelector(".top"));
const trouble = /** @type {HTMLElement} */ (document.querySelector(".trouble"));
const told = /** @type {HTMLElement} */ (document.querySelector(".told"));

/** What the server answers with an error: a word, and a sentence. */
export class Refusal extends Error {
  /** @param {number} status @param {{ error?: string, detail?: string }} [body] */
  constructor(status, body = {}) {
    super(body.detail ?? `the server answers ${status}`);
    this.status = status;
  }
}

/**
 * Asks the server.
 * @param {string} address Relative to the page.
 * @param {RequestInit} [options]
 * @returns {Promise<any>} The JSON of the answer.
 */
export async function ask(address, options = {}) {
  const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(10_000), ...options });
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  if (answer.status === 401 && address !== "session") signIn();
  throw new Refusal(answer.status, body);
}

/**
 * Says something for some seconds, to eyes and to screen readers.
 * @param {string} text
 * @param {boolean} [isBad]
 */
export function say(text, isBad = false) {
  told.classList.toggle("bad", isBad);
  told.classList.remove("shown");
  told.textContent = text;
  requestAnimationFrame(() => told.classList.add("shown"));
  clearTimeout(telling);
  telling = setTimeout(() => told.classList.remove("shown"), 6000);
}
let telling = 0;

// MARK: What is shown

/** @type {Overview | null} */
let overview = null;
/** @type {View | null} */
let shown = null;
let shownKey = "";

/** Which view the address asks for. With a single camera its own view is the first one. */
function wanted() {
  const [, page = "", name = ""] = location.hash.split("/");
  const only = overview?.cameras.length === 1 ? overview.cameras[0].camera : null;
  if (page === "camera") return { key: `camera ${decodeURIComponent(name)}`, camera: decodeURIComponent(name) };
  if (page === "visits" || page === "log" || page === "access") return { key: page };
  return only ? { key: `camera ${only}`, camera: only } : { key: "cards" };
}

/** @param {{ key: string, camera?: string }} wish @returns {View} */
function open({ key, camera }) {
  if (camera) return new CameraView(camera, /** @type {Overview} */ (overview));
  if (key === "visits") return new VisitsView(/** @type {Overview} */ (overview).cameras);
  if (key === "log") return new LogView();
  if (key === "access") return new AccessView(/** @type {Overview} */ (overview));
  return new CardsView();
}

function show() {
  if (!overview) return;
  const wish = wanted();
  if (wish.key !== shownKey) {
    shown?.end?.();
    const isFirst = shownKey === "";
    [shown, shownKey] = [open(wish), wish.key];
    view.replaceChildren(shown.node);
    document.title = `${shown.title} · Quietcam`;
    top.hidden = false;
    if (!isFirst) {
      scrollTo(0, 0);
      view.focus({ preventScroll: true });
    }
    for (const link of top.querySelectorAll("nav a")) {
      const page = link.getAttribute("href")?.split("/")[1] ?? "";
      const isHere = page ? wish.key === page : wish.key === "cards" || !!wish.camera;
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
  shown?.update?.(overview);
}

// MARK: Asking

let timer = 0;
let isAsking = false;
let failedSince = 0;
let isOut = false;

/** Asks now, and from then on once a second while somebody can see it. */
export async function refresh() {
  if (isAsking || isOut) return;
  isAsking = true;
  clearTimeout(timer);
  try {
    overview = await ask("overview");
    failedSince = 0;
    trouble.hidden = true;
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 401)) {
      failedSince ||= Date.now();
      tell(trouble, `No answer from the server since ${moment(new Date(failedSince).toISOString(), true)}. Trying again.`);
      trouble.hidden = false;
    }
  }
  isAsking = false;
  if (isOut) return;
  show();
  if (!document.hidden) timer = setTimeout(refresh, EVERY);
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
addEventListener("hashchange", show);

// MARK: Signing in and out

function signIn() {
  if (isOut) return;
  isOut = true;
  clearTimeout(timer);
  shown?.end?.();
  [shown, shownKey, overview] = [null, "", null];
  top.hidden = true;
  trouble.hidden = true;
  document.title = "Sign in · Quietcam";
  const field = make("input", {
    id: "token", type: "password", name: "token", autocomplete: "current-password", required: true, spellcheck: "false",
    "aria-describedby": "hint fault",
  });
  const fault = make("p.fault", { id: "fault", role: "alert" });
  const button = make("button.main", { type: "submit" }, "Sign in");
  const form = make(
    "form.sign", {
      submit: async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        button.disabled = true;
        fault.textContent = "";
        try {
          await ask("session", { method: "POST", headers: { Authorization: `Bearer ${field.value.trim()}` } });
          field.value = "";
          isOut = false;
          view.replaceChildren();
          refresh();
        } catch (error) {
          const texts = { 401: "This is not the token.", 429: "Too many wrong tokens. Wait a second, then try again." };
          fault.textContent = (error instanceof Refusal && texts[error.status]) || `${error.message}`;
          field.select();
        }
        button.disabled = false;
      },
    },
    make("img", { src: "_/icon.svg", alt: "", width: 56, height: 56 }),
    make("h1", {}, "Quietcam"),
    make("input", { type: "text", name: "username", value: "operator", autocomplete: "username", hidden: true, "aria-hidden": "true" }),
    make("label", { for: "token" }, "Operator’s token"),
    field,
    make("p.hint", { id: "hint" }, "It is in the settings as operator-token, or in the file that the server names when it starts."),
    fault,
    button,
  );
  view.replaceChildren(form);
  field.focus();
}

top.querySelector(".out")?.addEventListener("click", async () => {
  await ask("session", { method: "DELETE" }).catch(() => {});
  signIn();
});

refresh();
