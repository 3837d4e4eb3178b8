// Plays a camera's stream in this page's picture: by hls.js where the browser has Media Source Extensions, by the
// browser's own HLS where it has not, and as single pictures where neither plays.

const picture = document.querySelector(".picture");
const video = picture.querySelector("video");
const base = new URL(picture.dataset.base, location.href);
const stream = new URL("index.m3u8", base).href;

// What tests and the curious look at.
const quietcam = (window.quietcam = { video, hls: null, mode: "starting" });

function play() {
  video.play().catch(() => {}); // A browser that forbids it shows the poster until the visitor clicks.
}
video.addEventListener("click", play);

// Keeps the distance to the live edge, and does not hurry after an edge that runs ahead of time: recorded pictures are
// listed several parts at once, and whoever is as far has nothing left when live pictures come back.
const CATCH_UP = 1.5;
const FALL_BACK = 0.85;
function keepPace(hls, updated) {
  let edge = 0;
  let steady = 0;
  hls.on(updated, (_, { details }) => {
    const grown = details.edge - edge;
    edge = details.edge;
    if (grown < details.partTarget / 2) return;
    steady = grown > 1.5 * (details.partTarget || Infinity) ? 0 : steady + 1;
    const isNear = hls.latency > 0 && hls.latency < details.partHoldBack - 1;
    // The library leaves the rate alone only where its own is 1.
    hls.config.maxLiveSyncPlaybackRate = steady > 1 && !isNear ? CATCH_UP : 1;
    if (steady <= 1) video.playbackRate = 1;
    else if (isNear) video.playbackRate = FALL_BACK;
    // The library hurries only after an edge that is less than a segment further than it should be. Whoever is further
    // behind, as after a withdrawal or a sleep, would be so for good.
    else if (hls.liveSyncPosition && hls.latency - hls.targetLatency > details.targetduration + 1)
      video.currentTime = hls.liveSyncPosition;
  });
}

async function playWithLibrary() {
  const { Hls } = await import("./hls-1.6.15.mjs");
  if (!Hls.isSupported()) return false;
  quietcam.mode = "hls.js";
  let hls;
  const begin = () => {
    hls?.destroy();
    hls = quietcam.hls = new Hls({
      lowLatencyMode: true,
      maxLiveSyncPlaybackRate: CATCH_UP, // Without it a player never comes nearer to live than where it began.
      liveDurationInfinity: true,
      backBufferLength: 20,
      enableWorker: false, // Nothing has to be converted: the stream is fMP4 already.
      // A server that is being restarted comes back. Until then what is on screen stays there.
      playlistLoadPolicy: {
        default: {
          maxTimeToFirstByteMs: 10000,
          maxLoadTimeMs: 20000,
          timeoutRetry: { maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0 },
          errorRetry: { maxNumRetry: 60, retryDelayMs: 500, maxRetryDelayMs: 2000 },
        },
      },
    });
    hls.on(Hls.Events.ERROR, (_, error) => {
      if (!error.fatal) return;
      // Asking again gently is all that a background picture needs.
      if (error.type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
      else setTimeout(begin, 2000);
    });
    keepPace(hls, Hls.Events.LEVEL_UPDATED);
    hls.loadSource(stream);
    hls.attachMedia(video);
  };
  // Whoever plays before there is anything to play stalls in the library's eyes (in Firefox), and it then stays a second
  // further behind for good.
  video.addEventListener("canplay", play);
  begin();
  pauseWhileHidden(
    () => hls.stopLoad(),
    () => {
      hls.startLoad(-1);
      if (hls.liveSyncPosition) video.currentTime = hls.liveSyncPosition;
    });
  return true;
}

function playNatively() {
  if (!video.canPlayType("application/vnd.apple.mpegurl")) return false;
  quietcam.mode = "native";
  const begin = () => {
    video.src = stream;
    play();
  };
  video.addEventListener("error", () => setTimeout(begin, 2000));
  begin();
  const end = () => {
    video.removeAttribute("src");
    video.load();
  };
  pauseWhileHidden(end, begin);
  return true;
}

function showPictures() {
  quietcam.mode = "pictures";
  const image = new Image();
  image.alt = video.getAttribute("aria-label");
  const next = () => (image.src = new URL(`latest.jpg?${Date.now()}`, base).href);
  new EventSource(new URL("events", base)).addEventListener("still", next);
  video.replaceWith(image);
  next();
}

// A tab that nobody sees costs no bytes after half a minute.
function pauseWhileHidden(stop, start) {
  let timer;
  let stopped = false;
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = setTimeout(() => {
        stopped = true;
        video.pause();
        stop();
      }, 30000);
    } else {
      if (stopped) start();
      stopped = false;
      play();
    }
  };
  document.addEventListener("visibilitychange", look);
  if (document.hidden) look(); // A tab that was opened in the background.
}

function offerWave() {
  const button = picture.querySelector(".wave");
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    const answer = await fetch(new URL("wave", base), { method: "POST" }).catch(() => null);
    button.textContent = answer?.ok ? "You waved" : "Try again";
    setTimeout(() => {
      button.textContent = "Wave";
      button.disabled = false;
    }, 3000);
  });
}

offerWave();
try {
  if (!(await playWithLibrary()) && !playNatively()) showPictures();
} catch {
  if (!playNatively()) showPictures();
}
