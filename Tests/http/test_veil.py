"""Nothing at the public door tells recorded pictures from live ones while the veil is down.

A viewer looks at everything that is public, through live and veiled stretches in turn. Whatever has a shape has the
same in both; whatever is a number comes from the same distribution. `VeilSimilarityTests` counts hundreds of segments.
"""

import collections
import contextlib
import datetime
import io
import itertools
import json
import pathlib
import random
import re
import statistics
import subprocess
import threading
import time

import pytest
from PIL import Image

import playlist
import quietcam
import wire
from serving import ASKED, CAMERA, OPERATOR, serving

pytestmark = pytest.mark.calm

PHOTOS = sorted((pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "desk").glob("*.jpg"))
PART, SEGMENT, EVERY = 0.5, 2, 0.75
OPTIONS = ["--size", "160x120", "--rate", 4, "--part", PART, "--segment", SEGMENT]
ROUNDS, STRETCH_SECONDS = 2, 5.5


def shape(text):
    """What is left of a text when numbers and names are taken out, which differ from answer to answer anyway."""
    return re.sub(r"[0-9a-f]{8,}|\d+", "#", text)


def line_shape(line):
    """What is left of a playlist's line without names, dates and what counts on: every other number has to stay."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{8,}|\d{5,}|(?<=LAST-PART=)\d+|(?<=SKIPPED-SEGMENTS=)\d+", "#", line)


class Observer:
    """Looks at the public door in several threads; `shapes` and `numbers` hold what it saw, by what was shown."""

    def __init__(self, server):
        self.server = server
        self.seen = []
        self.sources = []
        # When some slot began, in civil time.
        self.beginning = None
        self.problems = []
        self.is_over = threading.Event()
        looks = [self.follow, self.chain, self.poll, self.listen, self.plain, self.rest, self.push, self.know]
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
                counts_on = name in ("ETag", "Content-Length", "Content-Range", "Last-Modified", "Link", "Program-Date-Time")
                self.note(f"header of {what}", f"{name}: {shape(value) if counts_on else value}")
        self.note(f"header of {what}", f"status {answer.status}")

    def know(self):
        """What no viewer knows."""
        while not self.is_over.is_set():
            self.sources.append((time.monotonic(), self.server.status()["source"]))
            time.sleep(0.03)

    def push(self):
        due = time.monotonic()
        for photo in itertools.cycle(PHOTOS):
            if self.is_over.is_set():
                return
            assert self.server.push(photo.read_bytes()).status == 202
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
                    self.note("line of the playlist", line_shape(line))
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
                    self.note("#parts that come at once", len(fresh))
                    for date, uri in fresh:
                        self.beginning = date.timestamp()
                        got = client.ask("GET", f"/{CAMERA}/{uri}")
                        self.head("part", got)
                        self.note("name of a part", shape(uri))
                        self.note("#bytes of parts", len(got.body))
                        self.seen.append((moment, "#delay of parts", wall - date.timestamp()))
                sequence, part = now.newest
                query = f"?_HLS_msn={sequence}&_HLS_part={part + 1}"

    def chain(self):
        """Takes segment after segment while they are made, by their links alone."""
        with wire.Wire(self.server.public) as client:
            now = playlist.parse(client.ask("GET", f"/{CAMERA}/live.m3u8").text)
            name = now.hint.rsplit(".", 2)[0] + ".mp4"
            is_first = True
            while not self.is_over.is_set():
                client.send(wire.request_bytes("GET", f"/{CAMERA}/{name}", {"Range": "bytes=0-"}))
                head = client.head()
                self.head("open segment", head)
                assert head.status == 200, f"the chain breaks at {name}"
                sizes, last = [], None
                while piece := client.chunk():
                    sizes.append(len(piece))
                    if not is_first:
                        moment = time.monotonic()
                        self.note("#parts in a piece", piece.count(b"moof"))
                        self.note("#bytes of pieces", len(piece))
                        if self.beginning:
                            self.note("#delay of pieces after the slot", (time.time() - self.beginning) % PART)
                        if last is not None:
                            self.note("#time from piece to piece", moment - last)
                        last = moment
                if not is_first:
                    self.note("#bytes of open segments", sum(sizes))
                    self.note("#pieces of open segments", len(sizes))
                name, is_first = re.fullmatch(r'<(\d+\.mp4)>; rel="next"', head["Link"])[1], False

    def poll(self):
        """Takes the playlist as it is now, and once a part what has changed of it."""
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
                    delta = client.ask("GET", f"/{CAMERA}/live.m3u8?_HLS_skip=YES")
                    self.head("delta", delta)
                    for line in delta.text.splitlines():
                        self.note("line of the delta", line_shape(line))
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
                    if self.beginning:
                        self.note("#delay of events after the slot", (time.time() - self.beginning) % PART)
                    data = json.loads(block.splitlines()[2].removeprefix("data: "))
                    when = datetime.datetime.fromisoformat(data["time"]).timestamp()
                    self.note("event", shape(block))
                    self.note("#time from still to event", time.time() - when)
                    self.note("#bytes of pictures", data["bytes"])
                    if last is not None:
                        self.note("#time from event to event", when - last)
                    last = when
                    picture = client.ask("GET", f"/{CAMERA}/latest.jpg")
                    self.head("latest.jpg", picture)
                    self.note("#bytes that events tell wrong", abs(len(picture.body) - data["bytes"]))
                    # A loop that all may see makes no photos; the shapes of events tell whether live and veiled ones do.
                    if "photo" in data:
                        self.look_at_photo(client, data, picture)

    def look_at_photo(self, client, data, latest):
        """What the event's photo and the list of photos say: names tell sizes, so these may not be reduced to shapes."""
        photo = client.ask("GET", f"/{CAMERA}/{data['photo']}")
        self.head("photo", photo)
        sizes = {name: Image.open(io.BytesIO(answer.body)).size for name, answer in (("photo", photo), ("latest", latest))}
        self.note("sizes of pictures", f"{sizes}, told {data['width']}x{data['height']}")
        self.note("name of a photo", re.sub(r"-(\d{13})-(\d+x\d+)-[0-9a-f]{16}", r"-TIME-\2-TAG", data["photo"]))
        self.note("#bytes that events tell wrong of photos", abs(len(photo.body) - data["bytes"]))
        listed = client.ask("GET", f"/{CAMERA}/photos.json")
        self.head("photos.json", listed)
        photos = listed.json["photos"]
        self.note("the photo is in the list", str(data["photo"] in [item["name"] for item in photos[:3]]))
        self.note("item of photos.json", json.dumps(photos[0] | {"name": "", "time": "", "bytes": 0}))

    def plain(self):
        """Follows the playlist without parts."""
        with wire.Wire(self.server.public) as client:
            known = set()
            while not self.is_over.is_set():
                answer = client.ask("GET", f"/{CAMERA}/plain.m3u8")
                self.head("plain.m3u8", answer)
                for line in answer.text.splitlines():
                    self.note("line of plain.m3u8", line_shape(line))
                wall, segments = time.time(), playlist.parse(answer.text).segments
                if known and segments[-1].uri not in known:
                    end = segments[-1].date.timestamp() + segments[-1].duration
                    self.note("#delay of plain segments", wall - end)
                for segment in segments:
                    if segment.uri not in known:
                        known.add(segment.uri)
                        got = client.ask("GET", f"/{CAMERA}/{segment.uri}")
                        self.head("plain segment", got)
                        self.note("name of a plain segment", shape(segment.uri))
                time.sleep(0.04)

    def rest(self):
        """Asks for all else that there is, in all forms that there are."""
        with wire.Wire(self.server.public) as client:
            while not self.is_over.is_set():
                paths = ["/", f"/{CAMERA}/", f"/{CAMERA}", f"/{CAMERA}/index.m3u8", f"/{CAMERA}/about.json", "/quietcam.js"]
                for path in [*paths, f"/oembed?url=http://127.0.0.1/{CAMERA}/", "/healthz", "/readyz"]:
                    answer = client.ask("GET", path)
                    self.head(path, answer)
                    # Each five minutes the picture of a page has another address.
                    self.note(f"body of {path}", re.sub(r"\?t=\d+", "?t=", answer.text))
                absent = client.ask("GET", f"/{CAMERA}/photo-1-160x120-0123456789abcdef.jpg")
                self.head("a photo that is not there", absent)
                for path in ("latest.jpg", "live.m3u8", "plain.m3u8"):
                    target = f"/{CAMERA}/{path}"
                    self.head(f"HEAD of {path}", client.ask("HEAD", target))
                    gzipped = client.ask("GET", target, {"Accept-Encoding": "gzip"})
                    self.head(f"{path}, gzipped", gzipped)
                    self.head(f"{path}, brotli", client.ask("GET", target, {"Accept-Encoding": "br"}))
                    # What may have changed meanwhile is asked for again.
                    fields = {"If-None-Match": gzipped["ETag"].removeprefix("W/")}
                    self.note(f"{path} again", str(client.ask("GET", target, fields).status in (200, 304)))
                self.head("a name that is not there", client.ask("GET", f"/{CAMERA}/1.mp4"))
                for ahead in (1, 2):
                    newest = newest_segment(client)
                    answer = client.ask("GET", f"/{CAMERA}/{newest + ahead}.mp4")
                    # A segment may have begun since its number was read, and then it was announced.
                    if newest_segment(client) == newest:
                        self.head("a segment that is not announced", answer)
                self.head("a bad directive", client.ask("GET", f"/{CAMERA}/live.m3u8?_HLS_msn=x"))
                time.sleep(0.2)

    def stretch(self, moment, first_veil):
        """What was shown then: `before` is live, and no veil has been yet; at an `edge` it has just changed."""
        near = {source for at, source in self.sources if abs(at - moment) < 0.4}
        if near == {"live"}:
            return "before" if moment < first_veil else "live"
        return "veiled" if near == {"veiled"} else "edge" if near == {"live", "veiled"} else None

    def sorted(self):
        first_veil = min(at for at, source in self.sources if source == "veiled")
        found = collections.defaultdict(lambda: {"before": [], "live": [], "veiled": [], "edge": []})
        for moment, what, value in self.seen:
            if stretch := self.stretch(moment, first_veil):
                found[what][stretch].append(value)
        return found


def newest_segment(client):
    """The number of the segment that is being made."""
    return int(playlist.parse(client.ask("GET", f"/{CAMERA}/live.m3u8").text).hint.split(".")[0])


def listed(server):
    return server.get(f"/{CAMERA}/live.m3u8").text


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
            # The loop goes on until the camera's stills fit to it, for up to 90 s.
            deadline = time.monotonic() + 100
            while server.status()["source"] != source:
                assert time.monotonic() < deadline, f"no {source} in time; {observer.problems}"
                time.sleep(0.05)

        # What the encoder aims at settles in the first segments, and these tell nothing of veils.
        wait_for("live")
        time.sleep(2 * SEGMENT)
        # The segment that ended early when the camera came is no longer listed.
        deadline = time.monotonic() + 10 * SEGMENT
        while f"#EXTINF:{SEGMENT}," not in (lengths := set(re.findall("#EXTINF:.*", listed(server)))) or len(lengths) > 1:
            assert time.monotonic() < deadline, lengths
            time.sleep(0.1)
        observer.seen.clear()
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
        # Each veil goes on until the camera's stills fit to the loop, for up to 90 s.
        changes, last, deadline = 0, None, time.monotonic() + 300
        while changes < 4:
            assert time.monotonic() < deadline, f"only {changes} changes; {server.log()}"
            assert server.push(random.choice(PHOTOS).read_bytes()).status == 202
            source = server.status()["source"]
            if last in ("live", "veiled") and source in ("live", "veiled"):
                changes += source != last
            last = source
            time.sleep(0.3)


def live_and_veiled(values):
    return [*values["before"], *values["live"]], values["veiled"]


def test_both_were_seen(seen):
    for what, values in seen.items():
        if what.startswith("#"):
            least = min(map(len, live_and_veiled(values)))
            assert least >= (4 if "segments" in what else 8), f"{what}: {least}"


def test_all_that_has_a_shape_has_the_same_as_before_the_first_veil(seen):
    for what, values in seen.items():
        if not what.startswith("#"):
            before, veiled = set(values["before"]), set(values["veiled"])
            assert before == veiled, f"{what}: live only {before - veiled}, veiled only {veiled - before}"
            # A list names what was veiled long after, and what happens at an edge is over at once.
            for stretch in ("edge", "live"):
                assert not (new := set(values[stretch]) - before), f"{what}: only since the veil, {stretch}: {new}"


def ranks(values):
    """The place of each among all, equal ones at the same."""
    places = collections.defaultdict(list)
    for place, value in enumerate(sorted(values)):
        places[value].append(place)
    return [statistics.fmean(places[value]) for value in values]


def chance(left, right):
    """How probable a difference as large between the mean ranks is where there is none: by exchanging at random."""
    dice = random.Random(1)
    both = ranks([*left, *right])
    middle = statistics.fmean(both)

    def apart():
        return abs(statistics.fmean(both[: len(left)]) - middle)

    found, larger = apart(), 0
    for _ in range(2000):
        dice.shuffle(both)
        larger += apart() >= found - 1e-9
    return (larger + 1) / 2001


def quartile(values):
    """The lower one: a busy machine makes some answers late and none early."""
    return sorted(values)[len(values) // 4]


# What is measured from the beginning of a slot is as late as the work takes, by so many seconds at most.
DELAY = 0.025


def measure(what, live, veiled):
    """How far both are apart, and how far they may be: a stretch shows a few of the photos only, at some times of theirs."""
    if "delay" in what:
        return quartile(live), quartile(veiled), DELAY
    if "wrong" in what or "at once" in what:
        return statistics.median(live), statistics.median(veiled), 0.5
    left, right = statistics.fmean(live), statistics.fmean(veiled)
    floor = left / 8 if "bytes" in what else PART / 5
    return left, right, max(floor, statistics.pstdev([*live, *veiled]) / 2)


def test_nothing_is_published_before_its_offset(seen):
    """A timer is never early: what comes sooner was published when it was ready, and tells how long that took."""
    # Of 160 x 120 pixels at the first offset; dates are rounded to milliseconds.
    offset = 0.030 - 0.005
    for what in ("#delay of parts", "#delay of parts without directives"):
        for stretch, values in seen[what].items():
            early = [value for value in values if value < offset]
            assert not early, f"{what}, {stretch}: {early}"


def test_all_numbers_come_from_the_same_distribution(seen):
    told = []
    for what, values in seen.items():
        if not what.startswith("#"):
            continue
        live, veiled = live_and_veiled(values)
        # A difference has to be both no accident and of a size that tells.
        probability = chance(live, veiled)
        left, right, least = measure(what, live, veiled)
        line = f"{what}: {left:.3f} of {len(live)} live, {right:.3f} of {len(veiled)} veiled, by chance {probability:.4f}"
        print(line)
        if probability < 0.001 and abs(left - right) > least:
            told.append(line)
    assert not told, "\n".join(told)
