"""A player goes on while the configuration is read anew a hundred times: no stall, no request that fails."""

import asyncio
import json
import pathlib
import tempfile
import time
import urllib.request

import pytest

import quietcam
from browsers import BROWSERS
from ports import free_ports
from test_playback import Screening

pytestmark = pytest.mark.calm

OPERATOR = "browser-operator"
RELOADS = 100
BAD_EVENTS = {"waiting", "stalled", "error", "fatal", "ended"}
# Every request of the page with its status; failed ones have a status of 400 or more, or none at all.
FAILED = """performance.getEntriesByType("resource").filter((e) => e.responseStatus >= 400)
  .map((e) => `${e.responseStatus} ${e.name}`)"""


class House:
    """A server with a configuration that is written anew and read anew."""

    def __init__(self, folder, public, private):
        self.path = folder / "quietcam.yaml"
        self.private = private
        self.server = quietcam.Quietcam(folder, public, private)
        self.top = [f"public: 127.0.0.1:{public}", f"private: 127.0.0.1:{private}", f"operator-token: {OPERATOR}"]

    def write(self, **cameras):
        defaults = "defaults: {size: 160x120, preset: ultrafast, part: 0.5, segment: 2, hold: forever}"
        lines = [*self.top, f"store: {self.path.parent}/store", defaults, "cameras:"]
        lines += [f"  {name}: {json.dumps({'token': quietcam.TOKEN} | settings)}" for name, settings in cameras.items()]
        self.path.write_text("\n".join(lines) + "\n")

    def reload(self):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.private}/reload", method="POST", headers={"Authorization": f"Bearer {OPERATOR}"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as response:
            return json.load(response)


@pytest.fixture(scope="module")
def house():
    with tempfile.TemporaryDirectory(prefix="quietcam-reload-") as directory:
        folder = pathlib.Path(directory)
        house = House(folder, *free_ports(2))
        house.write(desk={})
        arguments = [quietcam.binary(), "serve", "--config", house.path]
        with quietcam._process(arguments, folder, house.server.logs["serve"], (0,)) as serve:
            quietcam._wait_until_ready(house.server, serve)
            yield house


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_player_does_not_notice_a_hundred_reloads(browser, house):
    async def play():
        async with BROWSERS[browser]() as page:
            screening = Screening(page)
            await screening.open(house.server.player)
            await page.eval("performance.setResourceTimingBufferSize(10000)")
            await screening.wait_for("the slate", lambda picture: True)
            # It plays steadily once it has its distance to the live edge.
            await asyncio.sleep(4)
            await screening.look()
            screening.events.clear()
            began = await page.eval("quietcam.video.currentTime")

            def reload():
                for turn in range(RELOADS):
                    cameras = {"desk": {}}
                    if turn % 3:
                        cameras["door"] = {"title": f"Door {turn}", "crf": 20 + turn % 7}
                    house.write(**cameras)
                    assert house.reload()["failures"] == []

            clock = time.monotonic()
            await asyncio.to_thread(reload)
            await asyncio.sleep(1)
            played, passed = await page.eval("quietcam.video.currentTime") - began, time.monotonic() - clock
            await screening.look()
            bad = [event for event in screening.events if event["kind"] in BAD_EVENTS]
            return screening, played, passed, bad, await page.eval(FAILED)

    screening, played, passed, bad, failed = asyncio.run(play())
    assert not bad, bad
    assert not failed, failed
    assert not screening.page.errors
    # hls.js may play a few per cent faster or slower to keep its distance.
    assert abs(played - passed) < 0.1 * passed + 1, (played, passed)


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_player_goes_on_when_the_encoder_of_its_camera_changes(browser, house):
    async def play():
        house.write(desk={})
        house.reload()
        async with BROWSERS[browser]() as page:
            screening = Screening(page)
            await screening.open(house.server.player)
            await screening.wait_for("the slate", lambda picture: True)
            await asyncio.sleep(2)
            house.write(desk={"size": "320x240"})
            assert (await asyncio.to_thread(house.reload))["changed"] == ["desk"]
            deadline = time.monotonic() + 30
            while await page.eval("quietcam.video.videoWidth") != 320:
                assert time.monotonic() < deadline, screening.state()
                await asyncio.sleep(0.2)
            at = await page.eval("quietcam.video.currentTime")
            while await page.eval("quietcam.video.currentTime") < at + 2:
                assert time.monotonic() < deadline, screening.state()
                await asyncio.sleep(0.2)
            await screening.look()
            return [event for event in screening.events if event["kind"] in {"error", "fatal", "ended"}]

    assert not asyncio.run(play())
