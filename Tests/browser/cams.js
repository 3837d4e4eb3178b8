// Runs before a page's own scripts: writes down what <quiet-cam> elements tell and what they show (see numbered.py).
const COLUMNS = 8, ROWS = 6, CELL = 4, MIDDLE = 125, MARGIN = 25;
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
  async until(check, ms = 8000) {
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

const canvas = document.createElement("canvas");
canvas.width = COLUMNS * CELL;
canvas.height = ROWS * CELL;
const context = canvas.getContext("2d", { willReadFrequently: true });

// -2 where nothing is shown, -1 where it is no number.
function number(cam) {
  const root = cam?.shadowRoot;
  const image = root?.querySelector("video.on") ?? root?.querySelector(".on canvas:nth-of-type(2)");
  if (!image || !(image.videoWidth ?? image.width)) return -2;
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const bits = [];
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      let sum = 0;
      for (const y of [1, 2]) {
        for (const x of [1, 2]) sum += data[4 * ((row * CELL + y) * canvas.width + column * CELL + x) + 1];
      }
      if (Math.abs(sum / 4 - MIDDLE) < MARGIN) return -1;
      bits.push(sum / 4 > MIDDLE ? 1 : 0);
    }
  }
  let value = 0;
  for (let place = 0; place < 16; place++) {
    if (bits[place] === bits[16 + place] || bits[place] !== bits[32 + place]) return -1;
    value = value * 2 + bits[place];
  }
  return value;
}
