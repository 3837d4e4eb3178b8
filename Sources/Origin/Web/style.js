// How the element looks; a page changes it by its parts and variables.

import { make } from "./picture.js";

const css = `
:host { display: block; position: relative; overflow: hidden; aspect-ratio: 4 / 3; --fit: var(--quiet-cam-fit, cover);
  --place: var(--quiet-cam-position, 50% 50%); }
:host([hidden]) { display: none; }
:host(:fullscreen) { width: 100%; height: 100%; background: #000; --fit: contain; }
.box, .box div, canvas, video, img { position: absolute; inset: 0; width: 100%; height: 100%; }
canvas, video, img { object-fit: var(--fit); object-position: var(--place); }
video { opacity: 0; }
video.on { opacity: 1; }
[hidden] { display: none; }
::slotted(img) { position: absolute !important; inset: 0 !important; width: 100% !important; height: 100% !important;
  max-width: none !important; margin: 0 !important; object-fit: var(--fit) !important;
  object-position: var(--place) !important; }
.on > img, .on > slot { visibility: hidden; transition: visibility 0s 1s; }
.controls { position: absolute; z-index: 2; right: .75rem; bottom: .75rem; display: flex; gap: .5rem; opacity: 0;
  transition: opacity .3s; }
:host(:is(:hover, :focus-within, [controls], [paused])) .controls { opacity: 1; }
@media (hover: none) { .controls { opacity: 1; } }
button { display: grid; place-items: center; width: 2.5rem; height: 2.5rem; margin: 0; padding: 0; border: 0;
  border-radius: 50%; color: #fff; background: rgb(0 0 0 / .55); cursor: pointer; }
button:hover { background: rgb(0 0 0 / .75); }
button:focus-visible { outline: 3px solid #fff; outline-offset: -1px; box-shadow: 0 0 0 4px #000; }
button:disabled { cursor: default; opacity: .7; }
svg { width: 1.25rem; height: 1.25rem; fill: currentColor; }
`;

/**
 * Adds rules to a shadow root, without an inline style that a page's policy could forbid.
 * @param {ShadowRoot} root
 * @param {string} text
 */
export function style(root, text = css) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  } catch {
    // Browsers of before 2023.
    root.append(make("style", {}, text));
  }
}
