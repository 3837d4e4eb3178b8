// Tells the server for how many seconds the picture was visible: after the first five, each minute, and at the end. That
// is all; no cookie, no number of the visitor, nothing that is stored.

const FIRST = 5000;
const EVERY = 60000;
// A machine that slept saw nothing meanwhile.
const STEP = 1000;

/**
 * @returns {() => void} Tells the rest, and ends.
 */
export function begin({ element, base }) {
  // Who asks not to be counted is not. @ts-ignore: not every browser has both of them.
  if (navigator.globalPrivacyControl || navigator.doNotTrack === "1") return () => {};
  let at = performance.now();
  let seen = 0;
  let isKnown = false;
  const look = () => {
    const now = performance.now();
    if (element.state === "playing" && !document.hidden) seen += Math.min(now - at, 3 * STEP);
    at = now;
  };
  const tell = (isLast) => {
    const seconds = Math.floor(seen / 1000);
    if (!seconds || (!isKnown && seen < FIRST)) return;
    seen -= seconds * 1000;
    isKnown = !isLast;
    const url = new URL(`seen?seconds=${seconds}${isLast ? "&last" : ""}`, base);
    // A simple request without credentials, which goes on when the page has gone.
    fetch(url, { method: "POST", credentials: "omit", keepalive: true }).catch(() => {});
  };
  const end = () => {
    look();
    tell(true);
  };
  const timer = setInterval(() => {
    look();
    if (seen >= (isKnown ? EVERY : FIRST)) tell(false);
  }, STEP);
  addEventListener("pagehide", end);
  return () => {
    clearInterval(timer);
    removeEventListener("pagehide", end);
    end();
  };
}
