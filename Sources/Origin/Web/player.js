// The camera's page: what is beside the picture, and the photo frame.

import { QuietCam } from "../quietcam.js";

const query = new URLSearchParams(location.search);
const cam = /** @type {QuietCam} */ (document.querySelector("quiet-cam"));
const base = new URL(cam.getAttribute("src") ?? "", location.href);

// What tests and the curious look at.
Object.defineProperty(window, "quietcam", {
  value: {
    element: cam,
    get video() {
      return cam.video ?? null;
    },
    get hls() {
      return cam.video?.hls ?? null;
    },
    get mode() {
      return cam.currentMode;
    },
  },
});

cam.style.setProperty("--ratio", `${Number(cam.getAttribute("width")) / Number(cam.getAttribute("height")) || 4 / 3}`);
cam.classList.add("shaped");
if (query.has("mode")) cam.mode = query.get("mode");

if (query.has("frame")) {
  const { begin } = await import("./frame.js");
  begin(cam, base, query);
} else {
  tellState();
  offerFullScreen();
  offerLines();
}

function tellState() {
  const status = document.querySelector(".status");
  let isRecorded = false;
  const tell = () => {
    // hls.js knows how far behind it is.
    const { hls } = cam.video ?? {};
    const delay = hls ? hls.latency || null : cam.delay;
    const seconds = delay < 10 ? Math.max(0.1, delay).toFixed(1) : Math.round(delay);
    const live = isRecorded ? "recorded" : delay === null || delay === undefined ? "live" : `live, ${seconds} s`;
    const text = { playing: live, paused: "paused", waiting: "trying again", loading: "loading" }[cam.state] ?? "";
    status.hidden = !text;
    status.classList.toggle("live", cam.state === "playing" && !isRecorded);
    // Only what changed is read out.
    if (status.textContent !== text) status.textContent = text;
  };
  cam.addEventListener("sourcechange", ({ detail }) => {
    isRecorded = detail.source === "recorded";
    tell();
  });
  cam.addEventListener("statechange", tell);
  cam.addEventListener("still", tell);
  setInterval(() => cam.video && tell(), 2000);
  tell();
}

function offerFullScreen() {
  const button = document.querySelector(".full");
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", () => {
    const done = document.fullscreenElement ? document.exitFullscreen() : cam.requestFullscreen();
    done.catch(() => (button.hidden = true));
  });
}

function offerLines() {
  const share = document.querySelector(".share");
  const stream = new URL("index.m3u8", base).href;
  const quoted = (text) => text.replace(/[&"<]/g, (sign) => ({ "&": "&amp;", '"': "&quot;", "<": "&lt;" })[sign]);
  const image = cam.querySelector("img");
  const [width, height] = ["width", "height"].map((name) => cam.getAttribute(name));
  document.querySelector(".embed").textContent =
    `<script type="module" src="${new URL("../quietcam.js", import.meta.url)}"></` +
    `script>\n<quiet-cam src="${base}"><img src="${new URL("latest.jpg", base)}" alt="${quoted(image.alt)}" ` +
    `width="${width}" height="${height}"></quiet-cam>`;
  document.querySelector(".playlist").textContent = stream;
  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      const text = document.querySelector(`.${button.dataset.from}`).textContent;
      const isDone = await navigator.clipboard?.writeText(text).then(() => true, () => false);
      button.textContent = isDone ? "Copied" : "Select and copy";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
  }
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !share.open) return;
    share.open = false;
    share.querySelector("summary").focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (!share.contains(target)) share.open = false;
  });
}
