// How the element looks; a page changes it by its parts and variables.

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
.controls { position: absolute; right: .75rem; bottom: .75rem; display: flex; gap: .5rem; opacity: 0;
  transition: opacity .3s; }
:host(:is(:hover, :focus-within, [controls], [paused])) .controls { opacity: 1; }
@media (hover: none) { .controls { opacity: 1; } }
button { display: grid; place-items: center; width: 2.5rem; height: 2.5rem; margin: 0; padding: 0; border: 0;
  border-radius: 50%; color: #fff; background: rgb(0 0 0 / .55); cursor: pointer; }
button:hover { background: rgb(0 0 0 / .75); }
button:focus-visible { outline: 3px solid #fff; outline-offset: -1px; box-shadow: 0 0 0 4px #000; }
button:disabled { cursor: default; opacity: .7; }
svg { width: 1.25rem; height: 1.25rem; fill: currentColor; }
.hand { fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
.note { position: absolute; left: .75rem; bottom: .75rem; display: flex; align-items: center; gap: .5em; margin: 0;
  padding: .45rem .9rem; border-radius: 2rem; font: 500 .9rem/1.4 system-ui, sans-serif; color: #fff;
  background: rgb(0 0 0 / .55); opacity: 0; transition: opacity .6s; pointer-events: none; }
.note.on { opacity: 1; }
.controls, .note { z-index: 2; }
`;

let sheet = null;
const make = (text) => {
  const made = new CSSStyleSheet();
  made.replaceSync(text);
  return made;
};

/**
 * Styles a shadow root, without an inline style that a page's policy could forbid.
 * @param {ShadowRoot} root
 * @returns {(width: number, height: number) => void} Sets the shape that is kept free before there is a picture.
 */
export function style(root) {
  try {
    sheet ??= make(css);
    root.adoptedStyleSheets = [sheet];
    return (width, height) => {
      if (width && height) root.adoptedStyleSheets = [sheet, make(`:host { aspect-ratio: ${width} / ${height}; }`)];
    };
  } catch {
    // Browsers of before 2023.
    root.append(Object.assign(document.createElement("style"), { textContent: css }));
    return () => {};
  }
}
