// The ways to get a camera's pictures, best first, each loaded when it is needed and shared by all elements that show the
// same camera.

/** @typedef {import("./frames.js").Listener} Listener */

const ways = {
  frames: async () => (await import("./frames.js")).Frames,
  hls: async () => (await import("./video.js")).HlsVideo,
  native: async () => (await import("./video.js")).NativeVideo,
  photos: async () => (await import("./photos.js")).Photos,
  still: async () => (await import("./photos.js")).Stills,
};
/** Their names; each is taken where those before it do not work. */
export const names = Object.keys(ways);

// How many connections each takes for good.
const WEIGHTS = { frames: 1, hls: 2, native: 1, photos: 1, still: 0 };
// A browser has six connections to a host over HTTP/1.1; two are left to the page.
const [FEW, MANY] = [4, 32];
const running = new Map();

function hasRoom(origin, weight) {
  for (const way of running.values()) if (way.origin === origin) weight += way.weight;
  const loaded = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType("resource"));
  const isMany = loaded.some(({ name, nextHopProtocol }) => name.startsWith(origin) && /^h[23]/.test(nextHopProtocol));
  return weight <= (isMany ? MANY : FEW);
}

/**
 * Gets pictures one way; `null` where the host has no connection left for it.
 * @param {string} name
 * @param {URL} base The camera's folder.
 * @param {any} listener Is told what `Listener` is, and gets a copy of what another shows already.
 * @returns {{leave(): void, source: any} | null}
 */
export function join(name, base, listener) {
  const weight = WEIGHTS[name];
  // A <video> is in one place only.
  const key = /hls|native/.test(name) ? listener : `${name} ${base}`;
  let way = running.get(key);
  if (!way) {
    if (weight && !hasRoom(base.origin, weight)) return null;
    const listeners = new Set();
    const all = {};
    for (const kind in listener) all[kind] = (...words) => [...listeners].forEach((each) => each[kind](...words));
    way = { origin: base.origin, weight, listeners, source: null };
    running.set(key, way);
    ways[name]().then((Way) => {
      if (!listeners.size) return;
      if (Way.isPossible()) way.source = new Way(base, all);
      else all.unable(new Error(`this browser has no ${name}`));
    }, all.unable);
  }
  for (const { picture } of way.listeners) listener.copy(picture);
  way.listeners.add(listener);
  return {
    get source() {
      return way.source;
    },
    leave() {
      if (!way.listeners.delete(listener) || way.listeners.size) return;
      running.delete(key);
      way.source?.stop();
    },
  };
}
