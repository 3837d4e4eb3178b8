// What an element shows, and how that looks: two canvases, of which the upper fades in over the lower.

/**
 * Makes an element with attributes and children; no markup is ever parsed.
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
export function make(tag, attributes = {}, ...children) {
  const space = /^(svg|path)$/.test(tag) ? "2000/svg" : "1999/xhtml";
  const node = /** @type {any} */ (document.createElementNS(`http://www.w3.org/${space}`, tag));
  for (const name in attributes) node.setAttribute(name, attributes[name]);
  node.append(...children);
  return node;
}

/** The canvases. */
export class Picture {
  #lower = make("canvas");
  #upper = make("canvas");
  #fading = null;
  canvas = this.#upper;
  node = make("div", { part: "picture" }, this.#lower, this.#upper);
  isEmpty = true;

  /**
   * Shows an image in the place of the last.
   * @param {any} image
   * @param {number} width
   * @param {number} height
   * @param {number} fade In milliseconds; 0 where it changes at once, `null` where it looks like the last.
   */
  show(image, width, height, fade) {
    if (fade !== null) this.#fading?.finish();
    if (fade && !this.isEmpty) draw(this.#lower, this.#upper, this.#upper.width, this.#upper.height);
    draw(this.#upper, image, width, height);
    this.isEmpty = false;
    // By the compositor, and without a style that a page's policy could forbid.
    if (fade) this.#fading = this.#upper.animate({ opacity: [0, 1] }, { duration: fade, easing: "ease-out" });
  }
}

function draw(canvas, image, width, height) {
  // Setting the size, even to what it is, makes a canvas blank.
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  // The part that is to be seen, since Firefox also draws what pads a frame to whole blocks.
  const { x = 0, y = 0, width: w = width, height: h = height } = image.visibleRect ?? {};
  canvas.getContext("2d").drawImage(image, x, y, w, h, 0, 0, width, height);
}

// A page changes it by the parts and variables.
const css = `
:host { display: block; position: relative; overflow: hidden; aspect-ratio: 4 / 3; }
:host([hidden]), [hidden] { display: none; }
.box, .box > div, canvas, video, img, ::slotted(img) { position: absolute !important; inset: 0 !important;
  width: 100% !important; height: 100% !important; max-width: none !important; margin: 0 !important;
  object-fit: var(--quiet-cam-fit, cover) !important; object-position: var(--quiet-cam-position, 50% 50%) !important; }
video { opacity: 0; }
video.on { opacity: 1; }
.on > img, .on > slot { visibility: hidden; transition: visibility 0s 1s; }
.controls { position: absolute; z-index: 2; right: .75rem; bottom: .75rem; display: flex; gap: .5rem; opacity: 0;
  transition: opacity .3s; }
:host(:is(:hover, :focus-within, [controls], [paused])) .controls { opacity: 1; }
@media (hover: none) { .controls { opacity: 1; } }
button { display: grid; place-items: center; width: 2.5rem; height: 2.5rem; padding: 0; border: 0; border-radius: 50%;
  color: #fff; background: rgb(0 0 0 / .55); cursor: pointer; }
button:hover { background: rgb(0 0 0 / .75); }
button:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 4px #000; }
svg { width: 1.25rem; fill: currentColor; }
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
