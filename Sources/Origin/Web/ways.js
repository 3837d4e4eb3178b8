// The ways to get a camera's pictures, best first, each loaded when it is needed and shared by all elements that show the
// same camera.

/** @typedef {import("./frames.js").Listener} Listener */

// The module and class of each, and how many connections it takes for good.
const ways = {
  frames: ["frames", "Frames", 1],
  hls: ["video", "HlsVideo", 2],
  native: ["video", "NativeVideo", 1],
  photos: ["photos", "Photos", 1],
  still: ["photos", "Stills", 0],
};
/** Their names; each is taken where those before it do not work. */
export const names = Object.keys(ways);

// A browser has six connections to a host over HTTP/1.1; two are left to the page.
const FEW = 4;
const held = new Map();
const running = new Map();

/**
 * Takes connections of a host for good; hands back how to free them, or `null` where it has none left.
 * @param {string} origin
 * @param {number} weight How many.
 */
export function reserve(origin, weight) {
  const sum = (held.get(origin) ?? 0) + weight;
  const loaded = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType("resource"));
  const isMany = loaded.some(({ name, nextHopProtocol }) => name.startsWith(origin) && /^h[23]/.test(nextHopProtocol));
  if (weight && sum > (isMany ? 8 * FEW : FEW)) return null;
  held.set(origin, sum);
  return () => held.set(origin, held.get(origin) - weight);
}

/**
 * Gets pictures one way; `null` where the host has no connection left for it.
 * @param {string} name
 * @param {URL} base The camera's folder.
 * @param {any} listener Is told what `Listener` is, and gets a copy of what another shows already.
 * @returns {(() => void) | null} Ends it.
 */
export function join(name, base, listener) {
  const [file, kind, weight] = ways[name];
  // A <video> is in one place only.
  const key = /hls|native/.test(name) ? listener : `${name} ${base}`;
  let way = running.get(key);
  if (!way) {
    const free = reserve(base.origin, weight);
    if (!free) return null;
    const listeners = new Set();
    const all = {};
    for (const word in listener) all[word] = (...words) => [...listeners].forEach((each) => each[word](...words));
    way = { listeners, free, source: null };
    running.set(key, way);
    import(`./${file}.js`).then(({ [kind]: Way }) => {
      if (!listeners.size) return;
      if (Way.isPossible()) way.source = new Way(base, all);
      else all.unable(new Error(`this browser has no ${name}`));
    }, all.unable);
  }
  for (const { picture } of way.listeners) listener.copy(picture);
  way.listeners.add(listener);
  return () => {
    if (!way.listeners.delete(listener) || way.listeners.size) return;
    running.delete(key);
    way.source?.stop();
    way.free();
  };
}
