// What an element shows: two canvases, of which the upper fades in over the lower.

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
