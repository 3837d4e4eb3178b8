"""Traffic of every kind before two servers, for a build with a sanitizer: `make tsan` runs it.

    QUIETCAM=.build/tsan/debug/quietcam python Tests/http/traffic.py [--seconds 60]

One server speaks HTTP/1.1, the other HTTP/2 over TLS. Each has three cameras that send stills, viewers that follow with
blocking reloads, fetch segments while they are made, listen to events and break off in the middle, and an operator who
pauses, veils, withdraws and reloads. The exit code is 0 if both end in good order and no sanitizer has said anything.
"""

import argparse
import contextlib
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

import stills  # noqa: E402  (these need the path above)
import wire  # noqa: E402
from serving import BEARER, FREE_PORTS, OPERATOR, launched  # noqa: E402
from test_tls import Secure, make_certificate  # noqa: E402

CAMERAS = ["desk", "yard", "door"]
ORDERS = ["pause", "resume", "veil", "unveil", "veil", "unveil", "pause", "resume", "withdraw", "resume"]
# A sanitized build is slow to end.
STOP_SECONDS = 60


def configuration(folder):
    lines = [f"operator-token: {OPERATOR}", "cameras:"]
    for number, name in enumerate(CAMERAS):
        lines += [f"  {name}:", "    token: secret-token", "    size: 160x120", "    part: 500ms", "    segment: 2s",
                  f"    hold: {[3, 60, 60][number]}s", "    keep-photos: 5", f"    at-once: {str(number == 1).lower()}"]
    path = folder / "quietcam.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


class Traffic:
    """Threads that go on until told to end; the first thing that goes wrong in one is kept."""

    def __init__(self):
        self.is_over, self.problem, self.threads, self.done = False, None, [], {}

    def begin(self, name, step):
        def run():
            random_ = random.Random(f"{name}{len(self.threads)}")
            while not self.is_over and self.problem is None:
                try:
                    step(random_)
                    self.done[name] = self.done.get(name, 0) + 1
                except (OSError, wire.Broken):
                    # What is withdrawn or reloaded meanwhile may break off.
                    time.sleep(0.1)
                except Exception as error:
                    self.problem = self.problem or error

        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(40)


def push(server, secure):
    numbers = iter(range(10**9))

    def step(dice):
        camera = dice.choice(CAMERAS)
        jpeg = stills.noise(next(numbers) % 40, (160, 120))
        if secure:
            done = subprocess.run(
                ["curl", "-sfk", "--http2", "--max-time", "30", "-o", "/dev/null", "-H", "Authorization: Bearer secret-token",
                 "--data-binary", "@-", f"https://127.0.0.1:{server.private}/ingest/{camera}"], input=jpeg)
            if done.returncode:
                raise OSError(f"a still was not taken: curl's exit code is {done.returncode}")
        else:
            wire.ask(server.private, "POST", f"/ingest/{camera}", BEARER, jpeg)
        time.sleep(0.2)

    return step


def follow(server):
    """A viewer by HTTP/1.1: each part as it comes, and whole segments, open ones too."""

    def step(dice):
        camera = dice.choice(CAMERAS)
        with wire.Wire(server.public) as client:
            text = client.ask("GET", f"/{camera}/live.m3u8").text
            for _ in range(8):
                sequence = int(re.search(r"MEDIA-SEQUENCE:(\d+)", text)[1]) + len(re.findall(r"^#EXTINF", text, re.M))
                coding = dice.choice(["gzip", "br", "identity"])
                answer = client.ask(
                    "GET", f"/{camera}/live.m3u8?_HLS_msn={sequence}&_HLS_part=0&_HLS_skip=YES", {"Accept-Encoding": coding})
                if answer.status != 200:
                    break
                if "#EXT-X-SKIP" not in answer.text:
                    text = answer.text
                names = re.findall(r'URI="([^"]+\.mp4)"|^(\d+\.mp4)$', answer.text, re.M)[-3:]
                for name in filter(None, sum(names, ())):
                    client.ask("GET", f"/{camera}/{name}", {"Range": "bytes=0-99"} if dice.random() < 0.3 else {})
                for name in ("latest.jpg", "photos.json", "plain.m3u8", "about.json"):
                    client.ask("GET", f"/{camera}/{name}")

    return step


def curl(server):
    """A viewer by HTTP/2: many streams on one connection, some of which wait, and some of which break off."""

    def step(dice):
        base = f"https://127.0.0.1:{server.public}"
        camera = dice.choice(CAMERAS)
        done = subprocess.run(
            ["curl", "-sk", "--http2", "--max-time", "30", f"{base}/{camera}/live.m3u8"], capture_output=True, text=True)
        first = re.search(r"MEDIA-SEQUENCE:(\d+)", done.stdout)
        if not first:
            raise OSError("no playlist came")
        sequence = int(first[1]) + len(re.findall(r"^#EXTINF", done.stdout, re.M))
        names = [name for name in sum(re.findall(r'URI="([^"]+\.mp4)"|^(\d+\.mp4)$', done.stdout, re.M), ()) if name][-12:]
        # The last one is being made.
        names += [f"{name}.mp4" for name in {name.split(".")[0] for name in names[-1:]}]
        names += ["latest.jpg", "photos.json", "plain.m3u8", "index.m3u8", "events", "", "nothing.mp4"]
        names += [f"live.m3u8?_HLS_msn={sequence}&_HLS_part={part}" for part in (0, 1, 2)]
        urls = sum((["-o", "/dev/null", f"{base}/{camera}/{name}"] for name in dice.sample(names, len(names))), [])
        subprocess.run(
            ["curl", "-sk", "--http2", "--parallel", "--compressed", "--max-time", dice.choice(["0.3", "1", "4"]), *urls],
            capture_output=True)

    return step


def load(server, secure):
    """Many requests at once, where the programs for that are installed."""
    program, words = ("h2load", ["-t1", "-c16", "-m8", "-D3"]) if secure else ("wrk", ["-t1", "-c32", "-d3s"])

    def step(dice):
        if not shutil.which(program):
            return time.sleep(1)
        name = dice.choice(["live.m3u8", "index.m3u8", "latest.jpg", "plain.m3u8"])
        url = f"http{'s' if secure else ''}://127.0.0.1:{server.public}/{dice.choice(CAMERAS)}/{name}"
        subprocess.run([program, *words, url], capture_output=True, check=True)
        time.sleep(2)

    return step


def operate(server, process, secure):
    orders = iter(ORDERS * 10**6)

    def step(dice):
        targets = [("POST", f"/cameras/{dice.choice(CAMERAS)}/{next(orders)}"), ("GET", "/status"), ("GET", "/metrics"),
                   ("GET", "/cameras/desk/recent.mp4"), ("GET", "/history?span=day"), ("GET", "/overview")]
        for method, target in targets:
            if secure:
                done = subprocess.run(
                    ["curl", "-sk", "--http2", "--max-time", "30", "-o", "/dev/null", "-X", method, "-H",
                     f"Authorization: Bearer {OPERATOR}", f"https://127.0.0.1:{server.private}{target}"])
                if done.returncode:
                    raise OSError(f"{target} got no answer: curl's exit code is {done.returncode}")
            else:
                wire.ask(server.private, method, target, {"Authorization": f"Bearer {OPERATOR}"})
        if dice.random() < 0.3:
            process.send_signal(signal.SIGHUP)
        time.sleep(1.5)

    return step


@contextlib.contextmanager
def started(folder, secure):
    folder.mkdir()
    arguments = [*FREE_PORTS, "--config", configuration(folder), "--store", folder / "store"]
    certificate = None
    if secure:
        certificate, key = make_certificate(folder, "one")
        for door in ("public", "private"):
            arguments += [f"--{door}-certificate", certificate, f"--{door}-key", key]
    with launched(*arguments, home=folder) as server:
        yield server, Secure(server, certificate) if secure else server.wait_until_ready()
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(STOP_SECONDS)
        log = server.log()
        assert code == 0 and "Sanitizer" not in log, f"ended with {code}:\n{log[-20_000:]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--only", choices=["http1", "http2"])
    asked = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        traffic = Traffic()
        for name in ("http1", "http2"):
            if asked.only not in (None, name):
                continue
            secure = name == "http2"
            server, address = stack.enter_context(started(folder / name, secure))
            stack.callback(traffic.end)
            for _ in range(2):
                traffic.begin(f"{name} stills", push(address, secure))
            for _ in range(3):
                traffic.begin(f"{name} viewers", curl(address) if secure else follow(address))
            traffic.begin(f"{name} load", load(address, secure))
            traffic.begin(f"{name} orders", operate(address, server.process, secure))
        time.sleep(asked.seconds)
        traffic.end()
        print(traffic.done)
        if traffic.problem:
            raise traffic.problem
        assert all(traffic.done.get(f"{name} {kind}") for name in ("http1", "http2") if asked.only in (None, name)
                   for kind in ("stills", "viewers", "orders")), traffic.done
    print("both ended in good order, and no sanitizer said anything")


if __name__ == "__main__":
    main()
