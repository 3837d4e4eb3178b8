"""Counts what a viewer of an off camera costs on the wire, by a proxy between Chromium's hls.js and the server.

    python Tests/browser/offbytes.py --minutes 2 seamless cached
"""

import argparse
import asyncio
import collections
import json
import pathlib
import tempfile
import time

import quietcam
import splices
from browsers import BROWSERS

# Polling 30 JPEGs of 29 kB a minute.
POLLING = 870_000


class Counter:
    """A proxy that counts the bytes of both directions, and requests by what they ask for."""

    def __init__(self, port):
        self.port = port
        self.bytes = collections.Counter()
        self.requests = collections.Counter()
        self.connections = 0

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.connect, "127.0.0.1", 0)
        self.own = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def connect(self, reader, writer):
        self.connections += 1
        upward_reader, upward_writer = await asyncio.open_connection("127.0.0.1", self.port)
        kind = ["other"]

        async def carry(source, sink, way):
            try:
                while data := await source.read(1 << 16):
                    if way == "up" and data[:4] in (b"GET ", b"POST"):
                        name = data.split(b" ", 2)[1].decode().partition("?")[0].rpartition("/")[2]
                        kind[0] = name if name.endswith(("m3u8", "jpg")) or name == "events" else "media"
                        self.requests[kind[0]] += 1
                    self.bytes[f"{way} {kind[0]}"] += len(data)
                    sink.write(data)
                    await sink.drain()
            except (ConnectionError, asyncio.CancelledError):
                pass
            finally:
                sink.close()

        await asyncio.gather(carry(reader, upward_writer, "up"), carry(upward_reader, writer, "down"))


async def measure(style, minutes, photos, more):
    with tempfile.TemporaryDirectory(prefix="quietcam-bytes-") as home:
        rig = splices.Rig(home, "--off", style, *more, loop=False, segment=12, part=1)
        rig.camera[rig.camera.index("--size") + 1] = "640x480"
        # The loop: photos of the fixtures, one each two seconds, a minute or so.
        rig._run("loop", photos, "--every", "2s", *rig.camera)
        rig.start()
        try:
            rig.wait_until_ready()
            manifest = json.loads((rig.home / "store" / quietcam.CAMERA / "loop" / "loop.json").read_text())
            round_seconds = 12 * len(manifest["segments"])
            async with Counter(rig.public) as counter, BROWSERS["chromium"]() as page:
                await page.preload(splices.SCRIPT)
                await page.goto(f"http://127.0.0.1:{counter.own}/{quietcam.CAMERA}/")
                await asyncio.sleep(max(60, round_seconds) + round_seconds + 12)
                before = counter.bytes.copy(), counter.requests.copy(), counter.connections, time.monotonic()
                first = await page.eval("quietcam.video.currentTime")
                await asyncio.sleep(60 * minutes)
                took = (time.monotonic() - before[3]) / 60
                bytes = counter.bytes - before[0]
                requests = counter.requests - before[1]
                played = await page.eval("quietcam.video.currentTime") - first
                taken = await page.eval("quietcamSplices.take()")
                events = [event for viewer in taken.values() for event in viewer["events"]]
                problems = [event for event in events if event[1] in ("hls", "fatal", "waiting", "error")]
            total = sum(bytes.values()) / took
            print(f"{style}: {total:.0f} bytes a minute, {POLLING / total:.0f} times less than polling;", end=" ")
            print(f"{sum(requests.values()) / took:.1f} requests a minute,", end=" ")
            print(f"{counter.connections - before[2]} new connections, round of {round_seconds} s,", end=" ")
            print(f"{played:.0f} s played in {60 * took:.0f} s; complaints: {problems}")
            for name, count in sorted(bytes.items()):
                print(f"  {name}: {count / took:.0f} bytes a minute")
            for name, count in sorted(requests.items()):
                print(f"  {name}: {count / took:.1f} requests a minute")
        finally:
            rig.process.terminate()
            rig.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("styles", nargs="+")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--photos", default=pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "desk")
    asked = parser.parse_args()
    for style in asked.styles:
        asyncio.run(measure(style, asked.minutes, asked.photos, []))


if __name__ == "__main__":
    main()
