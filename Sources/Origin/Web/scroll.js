// Lets the picture fade out as the page scrolls past it.

/** @returns {() => void} Ends it. */
export function begin({ element, box }) {
  let isDue = false;
  const look = () => {
    isDue = false;
    const { top, height } = element.getBoundingClientRect();
    // A picture that stands still behind the page goes with the first window of it.
    const isFixed = getComputedStyle(element).position === "fixed";
    const gone = isFixed ? scrollY / innerHeight : -top / height;
    box.style.opacity = String(1 - Math.min(1, Math.max(0, gone)));
  };
  const scrolled = () => {
    if (!isDue) requestAnimationFrame(look);
    isDue = true;
  };
  addEventListener("scroll", scrolled, { passive: true });
  look();
  return () => removeEventListener("scroll", scrolled);
}
