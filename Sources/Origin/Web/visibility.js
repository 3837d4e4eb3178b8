// Whether an element can be seen: in the window or near it, in a tab that is open.

/**
 * Watches an element until `end()`.
 * @param {Element} element
 * @param {string} rule `never`, `always`, or the margin around the window that counts as visible.
 * @param {() => void} changed
 */
export function watch(element, rule, changed) {
  let isNear = false;
  const seen = (entries) => {
    isNear = entries.pop().isIntersecting;
    changed();
  };
  let observer;
  try {
    observer = new IntersectionObserver(seen, { rootMargin: rule || "0px" });
  } catch {
    // It is no margin.
    observer = new IntersectionObserver(seen);
  }
  observer.observe(element);
  document.addEventListener("visibilitychange", changed);
  return {
    isVisible: () => rule === "always" || (rule !== "never" && isNear && !document.hidden),
    end() {
      observer.disconnect();
      document.removeEventListener("visibilitychange", changed);
    },
  };
}
