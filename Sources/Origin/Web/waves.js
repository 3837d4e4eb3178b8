// The wave: a button that says hi to whoever sits at the camera, and the waves of others, softly over the picture.

import { make, style } from "./picture.js";
import { listen } from "./photos.js";
import { reserve } from "./ways.js";

const HAND =
  "M7.5 13V6.2a1.4 1.4 0 0 1 2.8 0V11m0-.5V4.4a1.4 1.4 0 0 1 2.8 0v6.1m0-.3V5.4a1.4 1.4 0 0 1 2.8 0V12m0-3.2a1.4 1.4 0 0 1 2.8 0v5.7" +
  "a6.5 6.5 0 0 1-6.5 6.5h-.6a5.6 5.6 0 0 1-4.6-2.4l-3-4.5a1.4 1.4 0 0 1 2.2-1.7l1.3 1.2";
const SHOWN = 4000;
const css = `
button:disabled { cursor: default; opacity: .7; }
.hand { fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
.note { position: absolute; left: .75rem; bottom: .75rem; display: flex; align-items: center; gap: .5em; margin: 0;
  padding: .45rem .9rem; border-radius: 2rem; font: 500 .9rem/1.4 system-ui, sans-serif; color: #fff;
  background: rgb(0 0 0 / .55); opacity: 0; transition: opacity .6s; pointer-events: none; z-index: 2; }
.note.on { opacity: 1; }
`;

/**
 * Adds the button and listens.
 * @returns {() => void} Takes both away.
 */
export function begin({ element, base, controls, box, tell }) {
  style(box.getRootNode(), css);
  const hand = () => make("svg", { viewBox: "0 0 24 24", class: "hand" }, make("path", { d: HAND }));
  const button = make("button", { type: "button", part: "wave-button", "aria-label": "Wave" }, hand());
  const words = make("span", {});
  const note = make("p", { class: "note", part: "wave", role: "status" }, hand(), words);
  let timer = 0;
  let others = 0;
  const say = (text) => {
    clearTimeout(timer);
    words.textContent = text;
    note.classList.add("on");
    timer = setTimeout(() => {
      note.classList.remove("on");
      others = 0;
    }, SHOWN);
  };
  // One's own wave comes back by the events too.
  let own = 0;
  button.addEventListener("click", async () => {
    button.disabled = true;
    own = Date.now();
    // A simple request without credentials: it needs no preflight, and there is nothing that a forger could misuse.
    const answer = await fetch(new URL("wave", base), { method: "POST", credentials: "omit" }).catch(() => null);
    say(answer?.ok ? "You waved" : answer?.status === 429 ? "One wave at a time" : "No wave got through; try again");
    setTimeout(() => (button.disabled = false), SHOWN);
  });
  let leave = () => {};
  const hear = (kind, event) => {
    if (kind === "source") tell("sourcechange", JSON.parse(event.data));
    if (kind !== "wave" || Date.now() - own < 1500) return;
    others += 1;
    say(others > 1 ? `${others} visitors wave` : "Somebody waves");
  };
  // Who has paused hears nothing, and neither does who has no connection left for it.
  const tune = () => {
    leave();
    const free = element.paused ? null : reserve(base.origin, 1);
    const end = free && listen(new URL("events?only=wave,source", base), hear);
    leave = () => {
      end?.();
      free?.();
      leave = () => {};
    };
  };
  element.addEventListener("play", tune);
  element.addEventListener("pause", tune);
  tune();
  controls.prepend(button);
  box.after(note);
  return () => {
    element.removeEventListener("play", tune);
    element.removeEventListener("pause", tune);
    leave();
    clearTimeout(timer);
    button.remove();
    note.remove();
  };
}
