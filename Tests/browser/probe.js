// Runs before the page's own scripts and writes down what the page shows: a sample every 200 ms and one a presented
// picture, each with the picture as the mean luma of 8x8 blocks. `quietcamProbe.take()` hands over what came since.
const WIDTH = 640, HEIGHT = 480, BLOCK = 8;
const columns = WIDTH / BLOCK, rows = HEIGHT / BLOCK;
const probe = { samples: [], events: [], take: null };
window.quietcamProbe = probe;
probe.take = () => {
  const taken = { samples: probe.samples, events: probe.events, watching: probe.watching ?? false };
  probe.samples = [];
  probe.events = [];
  return taken;
};

const canvas = document.createElement("canvas");
canvas.width = WIDTH;
canvas.height = HEIGHT;
const context = canvas.getContext("2d", { willReadFrequently: true });

function picture(video) {
  context.drawImage(video, 0, 0, WIDTH, HEIGHT);
  const { data } = context.getImageData(0, 0, WIDTH, HEIGHT);
  const sums = new Float64Array(columns * rows);
  const mean = [0, 0, 0];
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    const row = (y >> 3) * columns;
    for (let x = 0; x < WIDTH; x++, at += 4) {
      const r = data[at], g = data[at + 1], b = data[at + 2];
      mean[0] += r;
      mean[1] += g;
      mean[2] += b;
      sums[row + (x >> 3)] += 0.299 * r + 0.587 * g + 0.114 * b;
    }
  }
  const bytes = Uint8Array.from(sums, (sum) => Math.round(sum / (BLOCK * BLOCK)));
  return { luma: btoa(String.fromCharCode(...bytes)), rgb: mean.map((sum) => sum / (WIDTH * HEIGHT)) };
}

function watch(quietcam) {
  const { video } = quietcam;
  probe.watching = true;
  const note = (kind, detail) => probe.events.push({ t: performance.now(), kind, detail: detail ?? "" });
  const sample = (kind, mediaTime) => {
    const entry = {
      t: performance.now(),
      wall: Date.now(),
      kind,
      mediaTime: mediaTime ?? null,
      currentTime: video.currentTime,
      readyState: video.readyState,
      paused: video.paused,
      size: [video.videoWidth, video.videoHeight],
      date: quietcam.hls?.playingDate?.getTime() ?? null,
    };
    if (video.readyState >= 2) Object.assign(entry, picture(video));
    probe.samples.push(entry);
  };
  for (const kind of ["playing", "pause", "waiting", "stalled", "ended", "error"]) {
    video.addEventListener(kind, () => note(kind, video.error?.message));
  }
  // The page makes its hls.js after its window.quietcam, and another one after a fatal error.
  let heard = null;
  setInterval(() => {
    if (!quietcam.hls || quietcam.hls === heard) return;
    heard = quietcam.hls;
    heard.on("hlsError", (_, data) => {
      note(data.fatal ? "fatal" : "hls", `${data.details} ${data.error?.message ?? ""} ${data.reason ?? ""}`.trim());
    });
  }, 20);
  setInterval(() => sample("timer"), 200);
  const presented = (_, { mediaTime }) => {
    sample("frame", mediaTime);
    video.requestVideoFrameCallback(presented);
  };
  video.requestVideoFrameCallback?.(presented);
}

const looking = setInterval(() => {
  if (!window.quietcam?.video) return;
  clearInterval(looking);
  watch(window.quietcam);
}, 20);
