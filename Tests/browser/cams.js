// Runs before a page's own scripts, behind numbered.js: writes down what <quiet-cam> elements tell and what they show.
const cams = (window.cams = {
  told: [],
  violations: [],
  shift: 0,
  // The elements of the page, or one of them.
  all: () => [...document.querySelectorAll("quiet-cam")],
  get one() {
    return document.querySelector("quiet-cam");
  },
  events: (kind) => cams.told.filter((one) => one.kind === kind),
  state: (cam = cams.one) => ({
    state: cam.state,
    mode: cam.currentMode,
    delay: cam.delay,
    number: number(cam),
    numbers: cams.numbers ?? [],
    told: cams.told.map(({ kind }) => kind),
    errors: cams.events("error").map(({ detail }) => detail),
  }),
  number: (cam = cams.one) => number(cam),
  // Notes each number that the first element shows, with when it came.
  watch() {
    cams.numbers = [];
    let last = -2;
    setInterval(() => {
      const now = number(cams.one);
      if (now !== last) cams.numbers.push([Date.now() / 1000, (last = now)]);
    }, 20);
    return true;
  },
  async until(check, ms = 20000) {
    const end = performance.now() + ms;
    for (;;) {
      const value = await check();
      if (value) return value;
      if (performance.now() > end) return null;
      await new Promise((done) => setTimeout(done, 20));
    }
  },
});

for (const kind of ["play", "pause", "loadeddata", "error", "still", "sourcechange", "statechange"]) {
  document.addEventListener(kind, (event) => {
    if (event.target.localName !== "quiet-cam") return;
    const detail = JSON.parse(JSON.stringify(event.detail ?? null, (_, value) => (value instanceof Error ? `${value}` : value)));
    cams.told.push({ kind, detail, at: performance.now() });
  }, true);
}
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  // A browser's own request for an icon is none of the element's.
  if (!blockedURI.endsWith("/favicon.ico")) cams.violations.push(`${violatedDirective} ${blockedURI}`);
});
try {
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) cams.shift += value;
  }).observe({ type: "layout-shift", buffered: true });
} catch {}

// -2 where nothing is shown, -1 where it is no number.
function number(cam) {
  const root = cam?.shadowRoot;
  return readNumber(root?.querySelector("video.on") ?? root?.querySelector(".on canvas:nth-of-type(2)"));
}
