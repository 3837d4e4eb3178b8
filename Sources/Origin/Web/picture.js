// What an element shows: two canvases, of which the upper fades in over the lower.

/**
 * Makes an HTML element with its children; attributes are set as such, so that no markup is ever parsed.
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
export function make(tag, attributes, ...children) {
  const space = /^(svg|path)$/.test(tag) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const node = /** @type {any} */ (document.createElementNS(space, tag));
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** The canvases. */
export class Picture {
  #lower = make("canvas", {});
  #upper = make("canvas", {});
  #fading = null;
  node = make("div", { part: "picture", "aria-hidden": "true" }, this.#lower, this.#upper);
  isEmpty = true;

  get width() {
    return this.isEmpty ? 0 : this.#upper.width;
  }
  get height() {
    return this.isEmpty ? 0 : this.#upper.height;
  }
  get canvas() {
    return this.#upper;
  }

  /**
   * Shows an image in the place of the last.
   * @param {any} image
   * @param {number} width
   * @param {number} height
   * @param {number} fade In milliseconds; 0 where it changes at once.
   */
  show(image, width, height, fade) {
    const { isEmpty } = this;
    this.#fading?.finish();
    if (fade && !isEmpty) this.#draw(this.#lower, this.#upper, this.#upper.width, this.#upper.height);
    // The part that is to be seen, since Firefox also draws what pads a frame to whole blocks.
    this.#draw(this.#upper, image, width, height, image.visibleRect);
    this.isEmpty = false;
    // By the compositor, and without a style that a page's policy could forbid.
    if (fade) this.#fading = this.#upper.animate({ opacity: [0, 1] }, { duration: fade, easing: "ease-out" });
  }

  /** Draws the image over the last without a fade, since both look alike. */
  repeat(image, width, height) {
    this.#draw(this.#upper, image, width, height, image.visibleRect);
  }

  #draw(canvas, image, width, height, part) {
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext("2d");
    if (part) context.drawImage(image, part.x, part.y, part.width, part.height, 0, 0, width, height);
    else context.drawImage(image, 0, 0, width, height);
  }
}
