// The photo frame: `?frame` shows the newest photo, `?frame&every=60` another one of the kept ones each minute; with
// `&fit=cover` the window is filled.

import { Picture } from "./picture.js";

const FADE = 2000;
const REST = 3000;

export function begin(cam, base, query) {
  document.body.classList.add("frame");
  document.body.classList.toggle("cover", query.get("fit") === "cover");
  cam.controls = false;
  cam.fade = String(FADE);
  const every = Number(query.get("every"));
  if (every > 0) wander(cam, base, Math.max(every, 2) * 1000);
  else {
    if (!query.has("mode")) cam.mode = "photos";
    // Who opens a photo frame wants it to change.
    cam.play();
  }
  keepAwake();
  hideCursor();
  document.addEventListener("click", () => document.documentElement.requestFullscreen?.().catch(() => {}));
}

/** Shows one of the kept photos at a time, and the live picture where none are kept. */
async function wander(cam, base, every) {
  const picture = new Picture();
  picture.node.classList.add("kept");
  let last = "";
  const next = async () => {
    const { photos } = await (await fetch(new URL("photos.json", base))).json();
    const others = photos.filter(({ name }) => name !== last);
    const chosen = others[Math.floor(Math.random() * others.length)];
    if (!chosen) return photos.length > 0;
    const answer = await fetch(new URL(chosen.name, base));
    if (!answer.ok) return true; // It was withdrawn meanwhile.
    const image = await createImageBitmap(await answer.blob());
    const fade = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : FADE;
    if (picture.isEmpty) document.body.append(picture.node);
    picture.show(image, image.width, image.height, fade);
    last = chosen.name;
    cam.paused = true;
    return true;
  };
  cam.mode = "photos";
  for (;;) {
    const isThere = document.hidden || (await next().catch(() => false));
    if (!isThere && picture.isEmpty) cam.play();
    await new Promise((done) => setTimeout(done, every));
  }
}

function keepAwake() {
  const ask = () => document.hidden || navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", ask);
  ask();
}

function hideCursor() {
  let timer = 0;
  const move = () => {
    document.body.classList.remove("still");
    clearTimeout(timer);
    timer = setTimeout(() => document.body.classList.add("still"), REST);
  };
  document.addEventListener("pointermove", move);
  move();
}
