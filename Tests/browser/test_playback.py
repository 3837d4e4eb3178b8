"""Two real browsers play what was pushed: all of it, in order, without a stall, and with right black and white."""

import asyncio
import io
import os
import pathlib
import tempfile
import time

import numpy
import pytest
from PIL import Image

import judge
import recording
from browsers import BROWSERS, at_once
from conftest import EVERY_SECONDS

pytestmark = pytest.mark.calm

PLAY_SECONDS = float(os.environ.get("QUIETCAM_PLAY_SECONDS", "60"))
# A camera's stills come on screen at the next segment edge.
APPEAR_SECONDS = 45
PATCH_ERROR = 3.0
PROBE = (pathlib.Path(__file__).parent / "probe.js").read_text()


class Screening:
    """One browser on the page, and what the probe has seen so far."""

    def __init__(self, page):
        self.page = page
        self.samples = []
        self.events = []

    async def open(self, url):
        await self.page.preload(PROBE)
        await self.page.goto(url)

    async def look(self):
        """Takes over the new samples and returns them."""
        taken = await self.page.eval("quietcamProbe.take()")
        fresh = [judge.Sample.read(entry) for entry in taken["samples"]]
        self.samples += fresh
        self.events += taken["events"]
        self.watching = taken["watching"]
        return fresh

    async def wait_for(self, what, accepts):
        """Waits until a picture on screen is the one asked for."""
        deadline = time.monotonic() + APPEAR_SECONDS
        while time.monotonic() < deadline:
            if any(sample.picture is not None and accepts(sample.picture) for sample in await self.look()):
                return
            await asyncio.sleep(0.5)
        raise AssertionError(f"{what} did not appear in {APPEAR_SECONDS} s; {self.state()}")

    def state(self):
        if not self.watching:
            return f"the page has no window.quietcam; errors {self.page.errors}, console {self.page.messages[-10:]}"
        last = self.samples[-1] if self.samples else None
        at = f"currentTime {last.current}, readyState {last.ready}" if last else "no sample"
        return f"{at}, events {self.events[-10:]}, errors {self.page.errors}, console {self.page.messages[-10:]}"


def save(page, samples, events):
    """Keeps what was recorded, where QUIETCAM_ARTIFACTS names a folder for it."""
    folder = os.environ.get("QUIETCAM_ARTIFACTS")
    if folder:
        pictures = numpy.stack([s.picture for s in samples if s.picture is not None])
        times = numpy.array([[s.t, s.wall, s.current, s.ready, s.date or 0, s.picture is not None] for s in samples])
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        numpy.savez_compressed(f"{folder}/{page.name}.npz", pictures=pictures, times=times, events=repr(events))


def settle(report):
    if report.problems:
        pytest.fail("\n".join(report.problems), pytrace=False)


@pytest.fixture(scope="module")
def screenings(live, stills):
    async def play(browser):
        async with BROWSERS[browser]() as page:
            screening = Screening(page)
            await screening.open(live.player)
            await screening.wait_for("a still of the recording", lambda picture: stills.best(picture)[1] <= judge.MATCH)
            end = time.monotonic() + PLAY_SECONDS + 1
            while time.monotonic() < end:
                await asyncio.sleep(min(5, max(0, end - time.monotonic())))
                await screening.look()
            return screening

    return at_once(play)


@pytest.mark.parametrize("browser", BROWSERS)
def test_pushed_recording_plays_live(browser, screenings, stills, note):
    screening = screenings[browser]
    page = screening.page
    save(page, screening.samples, screening.events)
    report = judge.judge(screening.samples, screening.events, stills, PLAY_SECONDS, EVERY_SECONDS)
    note(report.table(f"{page.name} {page.version}, the pushed recording"))
    settle(report)
    assert not page.errors, "uncaught in the page: " + "; ".join(page.errors)


@pytest.fixture(scope="module")
def cards(testcard):
    """What each browser draws of the test card, and what is on its screen."""

    def is_card(picture):
        return numpy.abs(numpy.array(recording.patch_means(picture)) - recording.PATCHES).max() < 30

    # Alone in the window, since the page may lay the video out and cover it as it likes.
    alone = """(() => {
      const { video } = quietcam;
      const place = "position:fixed;left:0;top:0;width:640px;height:480px;max-width:none;max-height:none;" +
        "object-fit:fill;z-index:999999";
      video.controls = false;
      for (const rule of place.split(";")) video.style.setProperty(...rule.split(":"), "important");
      return devicePixelRatio;
    })()"""

    async def look(browser):
        async with BROWSERS[browser]() as page:
            screening = Screening(page)
            await screening.open(testcard.player)
            await screening.wait_for("the test card", is_card)
            scale = await page.eval(alone)
            await asyncio.sleep(2)
            drawn = (await screening.look())[-1].picture
            with tempfile.TemporaryDirectory(prefix="quietcam-screen-") as folder:
                path = pathlib.Path(folder) / "screen.png"
                await page.screenshot(path)
                with Image.open(io.BytesIO(path.read_bytes())) as image:
                    shot = image.convert("L").crop((0, 0, round(640 * scale), round(480 * scale)))
            return page, recording.patch_means(drawn), recording.patch_means(numpy.asarray(shot))

    return at_once(look)


@pytest.mark.parametrize("browser", BROWSERS)
def test_black_and_white(browser, cards, note):
    page, drawn, shot = cards[browser]
    wrong = []
    rows = [("pushed", " ".join(f"{value:5}" for value in recording.PATCHES))]
    for name, means in (("canvas", drawn), ("screenshot", shot)):
        rows.append((name, " ".join(f"{mean:5.1f}" for mean in means)))
        for pushed, mean in zip(recording.PATCHES, means):
            if abs(mean - pushed) > PATCH_ERROR:
                wrong.append(f"{name}: the patch of {pushed} is {mean:.1f} on screen; allowed is {PATCH_ERROR} off")
    report = judge.Report(wrong, rows)
    note(report.table(f"{page.name} {page.version}, the test card"))
    settle(report)
