"""Measures the time from a still's arrival to the screen, and a viewer's bytes, with the <quiet-cam> element.

    python Tests/browser/latency.py --ways frames,photos,hls --rhythm timer --every 2 --seconds 90

Stills carry a number that is read back from the element every 20 ms. The bytes are those of the answers, heads included,
over HTTP/1.1, from the second picture on. Rhythms: `timer` sends each --every seconds, `random` a mean of --every apart,
`ahead` --ahead seconds before each slot begins, as a camera does that listens to the server's advice.
"""

import argparse
import asyncio
import datetime
import random
import re
import statistics
import tempfile
import time

import front
import quietcam
import splices
import stage
from browsers import BROWSERS


class RhythmicRig(splices.Rig):
    """Sends stills in a rhythm of its own."""

    def __init__(self, home, rhythm, every, ahead, *options, **more):
        super().__init__(home, *options, loop=False, every=every, **more)
        self.rhythm, self.ahead, self.part = rhythm, ahead, more["part"]
        self.is_over.wait = self._wait(self.is_over.wait)

    def _wait(self, wait):
        def until(seconds):
            if self.rhythm == "random":
                seconds = random.uniform(0.25, 1.75) * self.every
            elif self.rhythm == "ahead":
                _, playlist = quietcam.get(self.base + "live.m3u8")
                dates = re.findall(rb"DATE-TIME:(.+)", playlist)
                began = datetime.datetime.fromisoformat(dates[-1].decode()).timestamp() if dates else 0
                seconds = (began - self.ahead - 0.05 - time.time()) % self.part + 0.05
            return wait(seconds)

        return until


async def measure(browser, way, asked):
    with tempfile.TemporaryDirectory(prefix="quietcam-latency-") as home:
        rig = RhythmicRig(home, asked.rhythm, asked.every, asked.ahead, segment=asked.segment, part=asked.part)
        with rig.running():
            # A slot clock that follows the camera needs a while for it.
            await asyncio.sleep(asked.settle)
            async with front.front(f"http://127.0.0.1:{rig.public}") as server, BROWSERS[browser]() as page:
                await page.preload(stage.SCRIPT)
                mode = "auto" if way == "frames" else way
                element = f'<quiet-cam src="{server.url}/desk/" mode="{mode}" style="width:640px"></quiet-cam>'
                script = f'<script type="module" src="{server.url}/quietcam.js"></script>'
                await page.goto(server.page("/", f"<!doctype html><title>x</title>{script}{element}"))
                assert await page.eval("cams.until(() => cams.number() > 0, 60000)"), page.messages
                await page.eval("cams.watch()")
                await asyncio.sleep(2 * asked.every)
                began, size = time.monotonic(), sum(one.size for one in server.log)
                count = len(server.log)
                await asyncio.sleep(asked.seconds)
                minutes = (time.monotonic() - began) / 60
                size, count = sum(one.size for one in server.log) - size, len(server.log) - count
                state = await page.eval("cams.state()")
    late = [moment - rig.pushed[number] for moment, number in state["numbers"][1:] if number in rig.pushed]
    late = sorted(late)
    return {
        "browser": browser,
        "way": state["mode"],
        "pictures": len(late),
        "p50": f"{statistics.median(late):.2f}",
        "p95": f"{late[int(0.95 * (len(late) - 1))]:.2f}",
        "most": f"{late[-1]:.2f}",
        "kB/min": f"{size / minutes / 1000:.1f}",
        "requests/min": f"{count / minutes:.1f}",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--browsers", default="chromium,firefox")
    parser.add_argument("--ways", default="frames,photos,hls")
    parser.add_argument("--rhythm", choices=["timer", "random", "ahead"], default="timer")
    parser.add_argument("--ahead", type=float, default=0.12)
    parser.add_argument("--every", type=float, default=2)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--settle", type=float, default=0, help="seconds that the camera sends before anybody looks")
    parser.add_argument("--segment", type=int, default=30)
    parser.add_argument("--part", type=float, default=2)
    asked = parser.parse_args()
    rows = []
    for browser in asked.browsers.split(","):
        for way in asked.ways.split(","):
            rows.append(asyncio.run(measure(browser, way, asked)))
    print(f"stills: {asked.rhythm}, {asked.every} s; parts of {asked.part} s, segments of {asked.segment} s")
    print(splices.table(rows))


if __name__ == "__main__":
    main()
