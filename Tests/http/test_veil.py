"""Nothing at the public door tells recorded pictures from live ones while the veil is down.

A viewer looks at everything that is public, through live and veiled stretches in turn. Whatever has a shape has the
same in both; whatever is a number comes from the same distribution. `VeilLikenessTests` counts hundreds of segments.
"""

import collections
import contextlib
import datetime
import json
import math
import pathlib
import random
import re
import statistics
import subprocess
import threading
import time

import pytest

import playlist
import quietcam
import wire
from serving import ASKED, CAMERA, OPERATOR, serving

PHOTOS = sorted((pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "desk").glob("*.jpg"))
PART, SEGMENT, EVERY = 0.5, 2, 0.75
OPTIONS = ["--size", "160x120", "--rate", 4, "--part", PART, "--segment", SEGMENT]
ROUNDS, STRETCH_SECONDS = 2, 5.5


def shape(text):
    """What is left of a text when numbers and names are taken out, which differ from answer to answer anyway."""
    return re.sub(r"[0-9a-f]{8,}|\d+", "#", text)


class Observer:
    """Looks at the public door in several threads; `shapes` and `numbers` hold what it saw, by what was shown."""

    def __init__(self, server):
        self.server = server
        self.seen = []
        self.sources = []
        self.problems = []
        self.is_over = threading.Event()
        looks = [self.follow, self.poll, self.listen, self.plain, self.rest, self.push, self.know]
        self.threads = [threading.Thread(target=self.run, args=(look,), daemon=True) for look in looks]
        for thread in self.threads:
            thread.start()

    def run(self, look):
        try:
            look()
        except Exception as error:
            if not self.is_over.is_set():
                self.problems.append(f"{look.__name__}: {error!r}")

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(15)
        assert not self.problems, self.problems

    def note(self, what, value):
        self.seen.append((time.monotonic(), what, value))

    def head(self, what, answer):
        for name, value in answer.fields:
            if name != "Date":
                self.note(f"header of {what}", f"{name}: {shape(value)}")
        self.note(f"header of {what}", f"status {answer.status}")

    def know(self):
        """What no viewer knows."""
        while not self.is_over.is_set():
            self.sources.append((time.monotonic(), self.server.status()["source"]))
            time.sleep(0.03)

    def push(self):
        due = time.monotonic()
        while not self.is_over.is_set():
            assert self.server.push(random.choice(PHOTOS).read_bytes()).status == 202
            due += EVERY * random.uniform(0.95, 1.05)
            time.sleep(max(0, due - time.monotonic()))

    def follow(self):
        """Takes part after part as a player does."""
        query, known = "", set()
        with wire.Wire(self.server.public) as client:
            while not self.is_over.is_set():
                answer = client.ask("GET", f"/{CAMERA}/live.m3u8{query}")
                moment, wall = time.monotonic(), time.time()
                self.head("playlist", answer)
                for line in answer.text.splitlines():
                    self.note("line of the playlist", shape(line))
                now = playlist.parse(answer.text)
                fresh = []
                for segment in (*now.segments, now.open):
                    for index, part in enumerate(segment.parts):
                        if part.uri not in known:
                            fresh.append((segment.date + datetime.timedelta(seconds=PART * index), part.uri))
                    known.update(part.uri for part in segment.parts)
                    if segment.uri and segment.uri not in known:
                        known.add(segment.uri)
                        got = client.ask("GET", f"/{CAMERA}/{segment.uri}")
                        if query:
                            self.head("segment", got)
                            self.note("name of a segment", shape(segment.uri))
                            self.note("#bytes of segments", len(got.body))
                if query:
                    self.note("parts that come at once", str(len(fresh)))
                    for date, uri in fresh:
                        got = client.ask("GET", f"/{CAMERA}/{uri}")
                        self.head("part", got)
                        self.note("name of a part", shape(uri))
                        self.note("#bytes of parts", len(got.body))
                        self.seen.append((moment, "#delay of parts", wall - date.timestamp()))
                sequence, part = now.newest
                query = f"?_HLS_msn={sequence}&_HLS_part={part + 1}"

    def poll(self):
        """Takes the playlist as it is now."""
        with wire.Wire(self.server.public) as client:
            last = None
            while not self.is_over.is_set():
                answer = client.ask("GET", f"/{CAMERA}/live.m3u8")
                now = playlist.parse(answer.text)
                if last is not None and now.newest != last:
                    self.head("playlist without directives", answer)
                    begin = now.open if now.open.parts else now.segments[-1]
                    date = begin.date.timestamp() + PART * (len(begin.parts) - 1)
                    self.note("#delay of parts without directives", time.time() - date)
                last = now.newest
                time.sleep(0.04)

    def listen(self):
        """Hears the events, and takes the picture that each tells of."""
        with wire.Wire(self.server.public) as events, wire.Wire(self.server.public) as client:
            events.send(wire.request_bytes("GET", f"/{CAMERA}/events"))
            head = events.head()
            assert head.status == 200
            text, last = "", None
            while not self.is_over.is_set():
                text += events.chunk().decode()
                while "\n\n" in text:
                    block, text = text.split("\n\n", 1)
                    if not block.startswith("id: "):
                        continue
                    data = json.loads(block.splitlines()[2].removeprefix("data: "))
                    when = datetime.datetime.fromisoformat(data["time"]).timestamp()
                    self.note("event", shape(block))
                    self.note("#delay of events", time.time() - when)
                    self.note("#bytes of pictures", data["bytes"])
                    if last is not None:
                        self.note("#time from event to event", when - last)
                    last = when
                    picture = client.ask("GET", f"/{CAMERA}/latest.jpg")
                    self.head("latest.jpg", picture)
                    self.note("bytes that events tell", str(len(picture.body) - data["bytes"]))

    def plain(self):
        """Follows the playlist without parts."""
        with wire.Wire(self.server.public) as client:
            known = set()
            while not self.is_over.is_set():
                answer = client.ask("GET", f"/{CAMERA}/plain.m3u8")
                self.head("plain.m3u8", answer)
                for line in answer.text.splitlines():
                    self.note("line of plain.m3u8", shape(line))
                for segment in playlist.parse(answer.text).segments:
                    if segment.uri not in known:
                        known.add(segment.uri)
                        got = client.ask("GET", f"/{CAMERA}/{segment.uri}")
                        self.head("plain segment", got)
                        self.note("name of a plain segment", shape(segment.uri))
                time.sleep(0.5)

    def rest(self):
        """Asks for all else that there is, in all forms that there are."""
        with wire.Wire(self.server.public) as client:
            while not self.is_over.is_set():
                for path in ("/", f"/{CAMERA}/", f"/{CAMERA}", f"/{CAMERA}/index.m3u8", "/healthz", "/readyz"):
                    answer = client.ask("GET", path)
                    self.head(path, answer)
                    self.note(f"body of {path}", answer.text)
                for path in ("latest.jpg", "live.m3u8", "plain.m3u8"):
                    target = f"/{CAMERA}/{path}"
                    self.head(f"HEAD of {path}", client.ask("HEAD", target))
                    gzipped = client.ask("GET", target, {"Accept-Encoding": "gzip"})
                    self.head(f"{path}, gzipped", gzipped)
                    # What may have changed meanwhile is asked for again.
                    fields = {"If-None-Match": gzipped["ETag"].removeprefix("W/")}
                    self.note(f"{path} again", str(client.ask("GET", target, fields).status in (200, 304)))
                delta = client.ask("GET", f"/{CAMERA}/live.m3u8?_HLS_skip=YES")
                self.head("delta", delta)
                for line in delta.text.splitlines():
                    self.note("line of the delta", shape(line))
                self.head("a name that is not there", client.ask("GET", f"/{CAMERA}/1.mp4"))
                self.head("a bad directive", client.ask("GET", f"/{CAMERA}/live.m3u8?_HLS_msn=x"))
                time.sleep(0.2)

    def source(self, moment):
        """What was shown then; nothing where it has just changed."""
        near = {source for at, source in self.sources if abs(at - moment) < 0.4}
        return near.pop() if len(near) == 1 else None

    def sorted(self):
        found = collections.defaultdict(lambda: {"live": [], "veiled": []})
        for moment, what, value in self.seen:
            if self.source(moment) in ("live", "veiled"):
                found[what][self.source(moment)].append(value)
        return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    home = tmp_path_factory.mktemp("veil")
    (home / "work").mkdir()
    store = ["--store", home / "store", "--camera", CAMERA]
    command = [quietcam.binary(), "loop", PHOTOS[0].parent, "--every", f"{EVERY}s", *store, *OPTIONS]
    made = subprocess.run(
        [str(word) for word in command], env=quietcam.environment(), cwd=home, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    with serving(*OPTIONS, "--steady", 0, "--operator-token", OPERATOR, store=home / "store", home=home) as server:
        observer = Observer(server)

        def wait_for(source):
            deadline = time.monotonic() + 20
            while server.status()["source"] != source:
                assert time.monotonic() < deadline, f"no {source} in time; {observer.problems}"
                time.sleep(0.05)

        for _ in range(ROUNDS):
            for source, order in (("live", "veil"), ("veiled", "unveil")):
                wait_for(source)
                time.sleep(STRETCH_SECONDS)
                assert server.camera("POST", f"/cameras/{CAMERA}/{order}", ASKED, b"").status == 200
        with contextlib.suppress(wire.Broken):
            observer.stop()
        return observer.sorted()


def test_veils_fall_and_lift_by_themselves(tmp_path):
    store = ["--store", tmp_path / "store", "--camera", CAMERA]
    quick = ["--size", "160x120", "--rate", 4, "--part", 0.5, "--segment", 1]
    command = [quietcam.binary(), "loop", PHOTOS[0].parent, "--every", f"{EVERY}s", *store, *quick]
    subprocess.run([str(word) for word in command], env=quietcam.environment(), cwd=tmp_path, check=True)
    options = [*quick, "--steady", 0, "--veil-every", "1..2", "--veil-for", "1..2"]
    with serving(*options, store=tmp_path / "store", home=tmp_path) as server:
        changes, last, deadline = 0, None, time.monotonic() + 30
        while changes < 4:
            assert time.monotonic() < deadline, f"only {changes} changes; {server.log()}"
            assert server.push(random.choice(PHOTOS).read_bytes()).status == 202
            source = server.status()["source"]
            if last in ("live", "veiled") and source in ("live", "veiled"):
                changes += source != last
            last = source
            time.sleep(0.3)


def test_both_were_seen(seen):
    for what, values in seen.items():
        if what.startswith("#"):
            least = min(len(values["live"]), len(values["veiled"]))
            assert least >= (4 if "segments" in what else 8), f"{what}: {least}"


def test_all_that_has_a_shape_has_the_same(seen):
    for what, values in seen.items():
        if not what.startswith("#"):
            live, veiled = set(values["live"]), set(values["veiled"])
            assert live == veiled, f"{what}: live only {live - veiled}, veiled only {veiled - live}"


def chance(left, right):
    """How probable a difference as large between the means is where there is none: by exchanging them at random."""
    dice = random.Random(1)
    both = [*left, *right]
    found = abs(statistics.fmean(left) - statistics.fmean(right))
    larger = 0
    for _ in range(2000):
        dice.shuffle(both)
        larger += abs(statistics.fmean(both[: len(left)]) - statistics.fmean(both[len(left) :])) >= found - 1e-12
    return (larger + 1) / 2001


def test_all_numbers_come_from_the_same_distribution(seen):
    told = []
    for what, values in seen.items():
        if not what.startswith("#"):
            continue
        live, veiled = values["live"], values["veiled"]
        probability = chance(live, veiled)
        middles = statistics.median(live), statistics.median(veiled)
        # A difference has to be both no accident and of a size that tells: machines are late now and then, and a
        # stretch shows a few of the photos only.
        spread = statistics.pstdev([*live, *veiled])
        least = max(PART / 5 if "bytes" not in what else statistics.fmean(live) / 20, spread / 2)
        print(f"{what}: {middles[0]:.3f} live, {middles[1]:.3f} veiled, p {probability:.4f}")
        if probability < 0.001 and abs(statistics.fmean(live) - statistics.fmean(veiled)) > least:
            told.append(f"{what}: {middles[0]:.3f} live, {middles[1]:.3f} veiled, by chance {probability:.4f}")
        assert not math.isnan(probability)
    assert not told, "\n".join(told)
