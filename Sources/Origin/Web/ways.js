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

// A browser has six connections to a host over HTTP/1.1; two are left to the page.
const [FEW, MANY] = [4, 32];
const running = new Map();

const connections = (origin) => {
  let sum = 0;
  for (const way of running.values()) if (way.origin === origin) sum += way.weight;
  return sum;
};
const most = (origin) => {
  const loaded = performance.getEntriesByType("resource").filter(({ name }) => name.startsWith(origin));
  return loaded.some((/** @type {any} */ { nextHopProtocol }) => /^h[23]/.test(nextHopProtocol)) ? MANY : FEW;
};

/**
 * Gets pictures one way; `null` where the host has no connection left for it.
 * @param {string} name
 * @param {URL} base The camera's folder.
 * @param {Listener & {mount(video: HTMLVideoElement): void, video(video: HTMLVideoElement): void}} listener
 * @returns {{leave(): void, source(): any} | null}
 */
export function join(name, base, listener) {
  const isOwn = name === "hls" || name === "native";
  const key = isOwn ? Symbol() : `${name} ${base}`;
  let way = running.get(key);
  if (!way) {
    const weight = { still: 0, hls: 2 }[name] ?? 1;
    if (weight && connections(base.origin) + weight > most(base.origin)) return null;
    const listeners = new Set();
    const tell = (kind) => (...words) => [...listeners].forEach((each) => each[kind](...words));
    const all = Object.fromEntries(["picture", "trouble", "unable", "mount", "video"].map((kind) => [kind, tell(kind)]));
    way = { origin: base.origin, weight, listeners, source: null };
    running.set(key, way);
    ways[name]().then(
      (Way) => {
        if (!listeners.size) return;
        if (Way.isPossible()) way.source = new Way(base, all);
        else all.unable(new Error(`this browser has no ${name}`));
      },
      (error) => all.unable(error),
    );
  }
  for (const { canvas } of way.listeners) listener.copy(canvas);
  way.listeners.add(listener);
  return {
    source: () => way.source,
    leave() {
      if (!way.listeners.delete(listener) || way.listeners.size) return;
      running.delete(key);
      way.source?.stop();
    },
  };
}
