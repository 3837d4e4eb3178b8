// Whether an element can be seen: in the window or near it, in a tab that is open.

/** Watches one element. */
export class Visibility {
  #element;
  #changed;
  #observer;
  #rule;
  #isNear = false;

  /**
   * @param {Element} element
   * @param {() => void} changed
   */
  constructor(element, changed) {
    this.#element = element;
    this.#changed = changed;
  }

  get isVisible() {
    return this.#rule === "always" || (this.#rule !== "never" && this.#isNear && !document.hidden);
  }

  /** @param {string} rule `never`, `always`, or the margin around the window that counts as visible. */
  begin(rule) {
    this.end();
    this.#rule = rule;
    document.addEventListener("visibilitychange", this.#changed);
    const seen = (entries) => {
      this.#isNear = entries[entries.length - 1].isIntersecting;
      this.#changed();
    };
    try {
      this.#observer = new IntersectionObserver(seen, { rootMargin: rule || "0px" });
    } catch {
      this.#observer = new IntersectionObserver(seen); // No margin.
    }
    this.#observer.observe(this.#element);
  }

  end() {
    this.#observer?.disconnect();
    document.removeEventListener("visibilitychange", this.#changed);
    this.#isNear = false;
  }
}
