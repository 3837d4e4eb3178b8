// Looks ten times a second at every video of the page and writes down where it stands and which number it shows (see
// numbered.py). `quietcamSplices.take()` hands over what came since.
const COLUMNS = 8, ROWS = 6, CELL = 4, MIDDLE = 125, MARGIN = 25;
const viewers = {};
window.quietcamSplices = {
  take() {
    const taken = {};
    for (const [name, viewer] of Object.entries(viewers)) {
      taken[name] = { samples: viewer.samples, events: viewer.events };
      viewer.samples = [];
      viewer.events = [];
    }
    return taken;
  },
  // Lets the browser's own player play an address, and begin anew two seconds after an error, as the page does.
  add(name, url) {
    const video = document.createElement("video");
    video.muted = true;
    video.width = 160;
    const begin = () => {
      video.src = url;
      video.play().catch(() => {});
    };
    watch(name, video);
    video.addEventListener("error", () => setTimeout(begin, 2000));
    document.body.append(video);
    begin();
    return true;
  },
};

// Lets a <quiet-cam> show the camera beside the page's own, in the way that is best.
window.quietcamSplices.show = (name, base) => {
  const cam = document.createElement("quiet-cam");
  cam.setAttribute("src", base);
  cam.setAttribute("visible", "always");
  cam.setAttribute("style", "display: block; width: 160px");
  const viewer = (viewers[name] = { samples: [], events: [] });
  cam.addEventListener("error", ({ detail }) => {
    viewer.events.push([Date.now() / 1000, cam.state === "waiting" ? "hls" : "fatal", `${detail.mode} ${detail.error}`]);
  });
  // Where it stands is how many pictures it has shown.
  let count = 0;
  cam.addEventListener("still", () => count++);
  document.body.append(cam);
  setInterval(() => {
    const shown = cam.shadowRoot.querySelector(".on canvas:nth-of-type(2)");
    viewer.samples.push([Date.now() / 1000, count, shown ? 4 : 0, shown ? read(shown) : -2]);
  }, 100);
  return true;
};

const canvas = document.createElement("canvas");
canvas.width = COLUMNS * CELL;
canvas.height = ROWS * CELL;
const context = canvas.getContext("2d", { willReadFrequently: true });

function read(video) {
  if (video.readyState < 2) return -2; // A canvas has none.
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
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

function watch(name, video) {
  const viewer = (viewers[name] = { samples: [], events: [] });
  const note = (kind, detail) => viewer.events.push([Date.now() / 1000, kind, detail ?? ""]);
  for (const kind of ["playing", "pause", "waiting", "ended", "error"]) {
    video.addEventListener(kind, () => note(kind, video.error?.message));
  }
  setInterval(() => {
    viewer.samples.push([Date.now() / 1000, video.currentTime, video.readyState, read(video)]);
  }, 100);
  return note;
}

const looking = setInterval(() => {
  const { quietcam } = window;
  if (!quietcam?.video) return;
  clearInterval(looking);
  const note = watch("hls.js", quietcam.video);
  let heard = null;
  setInterval(() => {
    if (!quietcam.hls || quietcam.hls === heard) return;
    if (heard) note("begun anew");
    heard = quietcam.hls;
    heard.on("hlsError", (_, data) => {
      const words = [data.details, data.error?.message, data.reason, data.response?.code, data.frag?.sn];
      note(data.fatal ? "fatal" : "hls", words.filter((word) => word !== undefined).join(" "));
    });
  }, 20);
}, 20);
