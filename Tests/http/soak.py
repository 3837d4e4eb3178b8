"""A soak by hand: the real server for many minutes, with a camera that comes and goes and viewers that follow.

    python Tests/http/soak.py --minutes 30 [--off cached] [--kill-every 300] [--commands] [--resize] [-- SERVE FLAGS]

Each ten seconds it writes down the server's memory, its open descriptors, and what lies in the store; at its end the
first, the last and the largest of each and the slope over the second half. With `--check N` it runs `quietcam check`
for N seconds meanwhile and ends with its exit code.
"""

import argparse
import io
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from PIL import Image, ImageDraw

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

import quietcam
import wire
from ports import free_ports
from serving import CAMERA, ONE_CAMERA, TOKEN, Server

SIZES = [(640, 480), (320, 240), (1280, 720), (100, 300)]


def picture(generator, size):
    """A still with something new in it."""
    image = Image.new("RGB", size, tuple(generator.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(20):
        corners = [generator.randrange(size[0]), generator.randrange(size[1])]
        draw.ellipse([*corners, corners[0] + 40, corners[1] + 40], fill=tuple(generator.randrange(256) for _ in "rgb"))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=60)
    return data.getvalue()


def uris(text):
    """What a playlist lists, parts too."""
    found = re.findall(r'^#EXT-X-PART:.*URI="([^"]+)"|^([^#].*)$', text, re.MULTILINE)
    return [part or segment for part, segment in found]


class Soak:
    def __init__(self, options, home):
        self.options = options
        self.generator = random.Random(options.seed)
        self.home = pathlib.Path(home)
        self.store = self.home / "store"
        self.ports = free_ports(2)
        self.over = threading.Event()
        self.samples = []
        self.counts = dict.fromkeys(
            ["pushed", "refused", "playlists", "plain", "media", "missing", "away", "kills", "commands"], 0
        )
        self.server = None
        self.lock = threading.Lock()
        self.start()

    def start(self):
        public, private = self.ports
        arguments = ["--public", f"127.0.0.1:{public}", "--private", f"127.0.0.1:{private}", "--store", self.store]
        arguments += [*ONE_CAMERA, "--hold", "5s", "--off", self.options.off, *self.options.flags]
        server = Server(self.home, arguments, {})
        # The ports are known, so what the doors say of themselves need not be waited for.
        self.server = server.wait_until_ready()

    def kill(self):
        with self.lock:
            self.server.process.kill()
            self.server.process.wait()
            self.counts["kills"] += 1
            self.start()

    # What goes on meanwhile, each in a thread of its own

    def push(self):
        """Stills for a while, then none for longer than the camera is held."""
        while not self.over.is_set():
            size = self.generator.choice(SIZES if self.options.resize else SIZES[:1])
            until = time.monotonic() + self.generator.uniform(5, 40)
            while time.monotonic() < until and not self.over.is_set():
                try:
                    answer = wire.ask(
                        self.ports[1], "POST", f"/ingest/{CAMERA}", {"Authorization": f"Bearer {TOKEN}"},
                        picture(self.generator, size),
                    )
                    self.counts["pushed" if answer.status == 202 else "refused"] += 1
                except (OSError, wire.Broken):
                    self.counts["away"] += 1
                self.over.wait(self.generator.choice([0.1, 0.5, 1, 2, 3]))
            self.over.wait(self.generator.uniform(2, 25))

    def follow(self):
        """One viewer with blocking reloads, who fetches each new part once."""
        following, seen = "", set()
        while not self.over.is_set():
            try:
                answer = wire.ask(self.ports[0], "GET", f"/{CAMERA}/live.m3u8{following}", {"Accept-Encoding": "gzip"})
                if answer.status != 200:
                    following = ""
                    self.over.wait(0.5)
                    continue
                self.counts["playlists"] += 1
                names = uris(answer.text)
                for name in names[-3:]:
                    if name not in seen:
                        self.fetch(name)
                seen = set(names)
                following = "?" + self.next_of(answer.text)
            except (OSError, wire.Broken):
                following = ""
                self.counts["away"] += 1
                self.over.wait(0.5)

    @staticmethod
    def next_of(text):
        """The directives that ask for the part after the newest."""
        lines = text.splitlines()
        first = next(int(line.split(":")[1]) for line in lines if line.startswith("#EXT-X-MEDIA-SEQUENCE:"))
        at = max((index for index, line in enumerate(lines) if line.startswith("#EXTINF")), default=0)
        complete = sum(line.startswith("#EXTINF") for line in lines)
        parts = sum(line.startswith("#EXT-X-PART:") for line in lines[at:])
        return f"_HLS_msn={first + complete}&_HLS_part={parts}"

    def fetch(self, name):
        answer = wire.ask(self.ports[0], "GET", f"/{CAMERA}/{name}")
        self.counts["media"] += 1
        if answer.status != 200:
            self.counts["missing"] += 1

    def want_plain(self):
        while not self.over.wait(self.generator.uniform(5, 120)):
            for _ in range(self.generator.randrange(1, 12)):
                try:
                    answer = wire.ask(self.ports[0], "GET", f"/{CAMERA}/plain.m3u8")
                    self.counts["plain"] += answer.status == 200
                    for name in uris(answer.text)[-2:] if answer.status == 200 else []:
                        self.fetch(name)
                    wire.ask(self.ports[0], "GET", f"/{CAMERA}/latest.jpg")
                except (OSError, wire.Broken):
                    self.counts["away"] += 1
                self.over.wait(2)

    def kill_now_and_then(self):
        while not self.over.wait(self.generator.uniform(0.5, 1.5) * self.options.kill_every):
            self.kill()

    def command(self):
        while not self.over.wait(self.generator.uniform(5, 40)):
            word = self.generator.choice(["pause", "resume", "resume", "veil", "unveil"])
            try:
                wire.ask(self.ports[1], "POST", f"/cameras/{CAMERA}/{word}", self.server.asked, b"")
                self.counts["commands"] += 1
            except (OSError, wire.Broken):
                self.counts["away"] += 1

    # What is measured

    def sample(self):
        with self.lock:
            process = self.server.process.pid
            status = pathlib.Path(f"/proc/{process}/status").read_text()
            files = [path for path in self.store.rglob("*") if path.is_file()]
            sizes = []
            for path in files:
                try:
                    sizes.append(path.stat().st_size)
                except FileNotFoundError:
                    pass
            fields = dict(line.split(":", 1) for line in status.splitlines())
            found = {
                "RSS kB": int(fields["VmRSS"].split()[0]), "own kB": int(fields["RssAnon"].split()[0]),
                "descriptors": len(os.listdir(f"/proc/{process}/fd")), "threads": int(fields["Threads"]),
                "store files": len(sizes), "store kB": sum(sizes) // 1024,
            }
        self.samples.append((time.monotonic(), found))

    def report(self):
        began = self.samples[0][0]
        half = [sample for sample in self.samples if sample[0] - began >= (self.samples[-1][0] - began) / 2]
        print(f"{len(self.samples)} samples over {(self.samples[-1][0] - began) / 60:.1f} min; {self.counts}")
        for name in self.samples[0][1]:
            values = [found[name] for _, found in self.samples]
            print(
                f"{name:12} first {values[0]:8} last {values[-1]:8} least {min(values):8} most {max(values):8}"
                f" slope of the second half {slope(half, name):+.2f} a minute"
            )
            tenth = max(1, len(values) // 10)
            means = [sum(values[at : at + tenth]) // tenth for at in range(0, len(values) - tenth + 1, tenth)]
            print(f"{'':12} means of each tenth: {means}")

    def run(self):
        threads = [self.push, self.follow]
        threads += [] if self.options.no_plain else [self.want_plain]
        threads += [self.kill_now_and_then] if self.options.kill_every else []
        threads += [self.command] if self.options.commands else []
        for job in threads:
            threading.Thread(target=job, daemon=True).start()
        code = 0
        checker = self.check() if self.options.check else None
        end = time.monotonic() + self.options.minutes * 60
        while time.monotonic() < end and self.server.process.poll() is None:
            self.sample()
            self.over.wait(min(10, max(0, end - time.monotonic())))
            if checker and checker.poll() is not None:
                break
        if checker:
            code = checker.wait()
        self.over.set()
        if self.server.process.poll() is not None:
            print(f"the server ended by itself:\n{self.server.log()}")
            return 1
        self.sample()
        self.report()
        print(f"stopped in {self.server.stop():.2f} s")
        return code

    def check(self):
        url = f"http://127.0.0.1:{self.ports[0]}/{CAMERA}/{self.options.playlist}"
        print(f"checking {url}", flush=True)
        return subprocess.Popen([quietcam.binary(), "check", url, "--for", f"{self.options.check}s"])


def slope(samples, name):
    """The rise a minute by least squares."""
    times = [(moment - samples[0][0]) / 60 for moment, _ in samples]
    values = [found[name] for _, found in samples]
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((moment - middle) ** 2 for moment in times)
    products = ((moment - middle) * (value - mean) for moment, value in zip(times, values, strict=True))
    return sum(products) / spread if spread else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--off", default="seamless", choices=["seamless", "cached"])
    parser.add_argument("--kill-every", type=float, default=0, help="seconds; 0 for never")
    parser.add_argument("--commands", action="store_true", help="pause, resume, veil and unveil now and then")
    parser.add_argument("--no-plain", action="store_true", help="nobody asks for plain.m3u8")
    parser.add_argument("--resize", action="store_true", help="stills of several sizes")
    parser.add_argument("--check", type=int, default=0, help="seconds of `quietcam check`")
    parser.add_argument("--playlist", default="live.m3u8", help="what is checked")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("flags", nargs="*", help="further flags of `quietcam serve`, after --")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="quietcam-soak-") as home:
        soak = Soak(options, home)
        try:
            return soak.run()
        finally:
            if soak.server.process.poll() is None:
                soak.server.process.kill()
                soak.server.process.wait()


if __name__ == "__main__":
    sys.exit(main())
