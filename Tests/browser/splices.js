// Looks ten times a second at every video of the page and writes down where it stands and which number it shows (see
// numbered.js, which runs before it). `quietcamSplices.take()` hands over what came since.
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

// Of a video before it has a picture there is nothing to read.
const read = (source) => (source.readyState < 2 ? -2 : readNumber(source));

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
