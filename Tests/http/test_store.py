"""The store: a folder that any web server can serve, and no file at all where it is `memory`."""

import contextlib
import functools
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

import playlist
import stills
import wire
from ports import free_ports
from serving import CAMERA, ONE_CAMERA, launched, serving
from test_media import judge
from timing import again_if_late, in_time

OPTIONS = ["--size", "128x96", "--rate", 4, "--part", 0.5, "--segment", 1]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Watcher:
    """Looks into the folder again and again, as a web server might at any moment."""

    def __init__(self, folder):
        self.folder = folder
        self.looks = 0
        self.versions = []
        # When each was seen.
        self.times = []
        self.mistakes = []
        self.names = set()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stop.is_set():
            try:
                self._look()
            except Exception as error:
                self.mistakes.append(repr(error))
            self.looks += 1
            time.sleep(0.005)

    def _look(self):
        text = (self.folder / "live.m3u8").read_text()
        if text not in self.versions[-1:]:
            self.versions.append(text)
            self.times.append(time.monotonic())
        for uri in playlist.parse(text).uris():
            if not is_whole((self.folder / uri).read_bytes()):
                self.mistakes.append(f"{uri} is not whole")
        for path in self.folder.glob("[!.]*"):
            self.names.add(path.name)
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            if path.suffix == ".mp4" and not is_whole(data):
                self.mistakes.append(f"{path.name} is not whole")
            if path.suffix == ".jpg" and (data[:2], data[-2:]) != (b"\xff\xd8", b"\xff\xd9"):
                self.mistakes.append(f"{path.name} is not whole")
            if path.suffix == ".json":
                json.loads(data)


def is_whole(data):
    """Whether a file is made of whole boxes (ISO/IEC 14496-12, section 4.2)."""
    at = 0
    while at + 8 <= len(data):
        at += max(int.from_bytes(data[at : at + 4]), 8)
    return at == len(data) > 0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    # The loop of a camera that is off is published ahead, part by part.
    with serving(*OPTIONS, "--hold", "forever", store=tmp_path_factory.mktemp("mirror") / "a" / "b") as server:
        yield server


@pytest.fixture(scope="module")
def folder(server):
    folder = pathlib.Path(server.process.args[server.process.args.index("--store") + 1]) / CAMERA
    wait_for(folder / "live.m3u8")
    return folder


@pytest.fixture(scope="module", autouse=True)
def watcher(server, folder):
    watcher = Watcher(folder)
    yield watcher
    watcher.stop.set()
    watcher.thread.join(10)


def wait_for(path):
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not come"
        time.sleep(0.02)


def test_any_web_server_can_serve_the_folder(server, folder):
    for index in range(3):
        server.push(stills.solid(200, index * 100, 30))
    handler = functools.partial(Quiet, directory=folder.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as static:
        thread = threading.Thread(target=static.serve_forever, daemon=True)
        thread.start()
        try:
            url = f"http://127.0.0.1:{static.server_port}/{CAMERA}/index.m3u8"
            frames = judge("ffmpeg", "-v", "warning", "-xerror", "-i", url, "-t", 6, "-f", "framecrc", "-")
            assert len([line for line in frames.decode().splitlines() if not line.startswith("#")]) == 6 * 4
            streams = json.loads(judge("ffprobe", "-v", "warning", "-show_streams", "-of", "json", url))["streams"]
            assert [stream["codec_name"] for stream in streams] == ["h264"]
        finally:
            static.shutdown()
            thread.join(10)


def test_the_folder_holds_what_is_served(server, folder):
    deadline = time.monotonic() + 20
    while True:
        text = (folder / "live.m3u8").read_text()
        mirrored, served = playlist.parse(text), playlist.parse(server.get("/desk/live.m3u8").text)
        if mirrored.segments[-1].sequence == served.segments[-1].sequence:
            break
        assert time.monotonic() < deadline, "the mirror does not follow"
        time.sleep(0.05)
    assert [(s.sequence, s.uri, s.duration, s.date, s.map) for s in mirrored.segments] == [
        (s.sequence, s.uri, s.duration, s.date, s.map) for s in served.segments
    ]
    assert not mirrored.open.parts and not mirrored.hint and "PART-INF" not in mirrored.header
    for uri in mirrored.uris():
        assert (folder / uri).read_bytes() == server.get(f"/desk/{uri}").body, uri
    assert (folder / "index.m3u8").read_bytes() == server.get("/desk/index.m3u8").body


def test_the_newest_picture_is_in_the_folder(server, folder):
    for colour in [(10, 200, 10), (200, 10, 200)]:
        server.push(stills.solid(*colour))
        server.settled()
        deadline = time.monotonic() + 30
        while (folder / "latest.jpg").read_bytes() != server.get("/desk/latest.jpg").body:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert stills.is_near(stills.colour_of((folder / "latest.jpg").read_bytes()), colour)


def test_nobody_who_looks_at_any_moment_sees_half_a_thing(server, watcher):
    """Stills keep coming meanwhile, so that every kind of file is replaced."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (len(watcher.versions) < 5 or watcher.looks < 100):
        server.push(stills.one())
        time.sleep(0.1)
    assert watcher.mistakes == []
    assert watcher.looks >= 100 and len(watcher.versions) >= 5
    versions = [playlist.parse(text) for text in watcher.versions]
    for old, new in zip(versions, versions[1:], strict=False):
        assert new.sequence > old.sequence
        assert len(new.segments) == len(old.segments) == 6


def test_the_folder_does_not_grow(server, folder):
    names = set(os.listdir(folder))
    media = {name for name in names if re.fullmatch(r"p?\d+(\.\d+)?\.mp4", name)}
    # The window, what has to be served for the length of the longest playlist, and the one that is being written.
    assert 6 <= len(media) <= 6 + 8 + 2
    rest = {name for name in names - media if not re.fullmatch(r"init-.*\.mp4|photo-.*\.jpg|\.quietcam-.*", name)}
    assert rest <= {"index.m3u8", "live.m3u8", "latest.jpg", "state.json", "reserved.json", "pictures.json"}
    assert server.status()["storeFailures"] == 0


def test_memory_writes_no_file(tmp_path):
    surroundings = {"HOME": str(tmp_path / "work"), "TMPDIR": str(tmp_path / "work")}
    with serving(*OPTIONS, home=tmp_path, environment=surroundings) as server:
        server.push(stills.one())
        server.settled()
        time.sleep(1.1)
        pid = server.process.pid
        files = []
        for path in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # It may have been closed meanwhile.
                files.append(os.readlink(path))
        mine = [path for path in files if path.startswith(str(tmp_path)) and path != str(server.log_path)]
        assert mine == []
        server.stop()
        assert list(server.work.rglob("*")) == []
        assert set(tmp_path.iterdir()) == {server.work, server.log_path}


# A second life


def names_of(server, seconds=0.6):
    """All media addresses that a server lists for a while, but for the init segment, and the newest playlist."""
    names, deadline = set(), time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = playlist.parse(server.get("/desk/live.m3u8").text)
        names |= {uri for uri in now.uris() if not uri.startswith("init")} | {now.hint}
        time.sleep(0.05)
    return names, now


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL], ids=lambda ending: ending.name)
def test_a_new_life_goes_on_where_the_old_one_ended(tmp_path, ending):
    """Listed media stays, no name ever stands for other bytes, and numbers and timeline go on."""
    seen, last = {}, None
    for _ in range(4):
        with serving(*OPTIONS, store=tmp_path) as server:
            first = playlist.parse(server.get("/desk/live.m3u8").text)
            if last:
                # What was listed last is listed again, unless it has left the window at the front.
                listed = {segment.uri: segment.sequence for segment in first.segments}
                kept = [segment for segment in last.segments if segment.sequence >= first.sequence]
                assert kept and all(listed[segment.uri] == segment.sequence for segment in kept)
                assert first.sequence >= last.sequence
            names, last = names_of(server)
            for name in names:
                answer = server.get(f"/desk/{name}")
                assert answer.status == 200
                assert seen.setdefault(name, answer.body) == answer.body, f"{name} stands for other bytes now"
            breaks = sum(segment.discontinuity for segment in last.segments)
            assert int(last.header["DISCONTINUITY-SEQUENCE"]) + breaks == 0, "the timeline goes on"
            if ending == signal.SIGKILL:
                server.process.kill()
                server.process.wait()


@again_if_late
def test_who_asks_a_new_life_at_once_waits_and_meets_no_error(tmp_path):
    """ffmpeg and mpv take an error for the end of the stream, and Chromium's own player a segment that is not there."""
    (port,) = free_ports(1)
    arguments = ["--public", f"127.0.0.1:{port}", "--private", "127.0.0.1:0", "--store", tmp_path, *ONE_CAMERA, *OPTIONS]
    with launched(*arguments) as server:
        listed = playlist.parse(server.wait_until_ready().get("/desk/live.m3u8").text).segments[-1].uri
        wait_for(tmp_path / CAMERA / listed)
        end_by_kill(server)
        ended = time.monotonic()
    paths = ["live.m3u8", "index.m3u8", "plain.m3u8", "latest.jpg", listed]
    statuses = {path: [] for path in paths}

    def ask(path):
        deadline = time.monotonic() + 20
        while not statuses[path] and time.monotonic() < deadline:
            with contextlib.suppress(ConnectionError):
                statuses[path].append(wire.ask(port, "GET", f"/desk/{path}").status)

    threads = [threading.Thread(target=ask, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    with launched(*arguments):
        for thread in threads:
            thread.join()
    in_time(time.monotonic() - ended < 5, "what was listed may have left")
    assert statuses == {path: [200] for path in paths}


def fetched(server, names):
    answers = {name: server.get(f"/desk/{name}") for name in names}
    assert {name: answer.status for name, answer in answers.items() if answer.status != 200} == {}
    return {name: answer.body for name, answer in answers.items()}


def end_by_kill(server):
    server.process.kill()
    server.process.wait()


DAMAGES = {"missing": None, "damaged": b'{"reservedName":', "empty": b""}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_was_listed_is_served_on_where_the_state_is_lost(tmp_path, damage):
    """Numbers begin anew above the old ones, and players that have an old playlist still find what it lists."""
    with serving(*OPTIONS, store=tmp_path) as server:
        server.settled()
        wait_for(tmp_path / CAMERA / "state.json")
        server.get("/desk/plain.m3u8")
        time.sleep(1.2)
        old = playlist.parse(server.get("/desk/live.m3u8").text)
        plain = playlist.parse(server.get("/desk/plain.m3u8").text)
        names = {segment.uri for segment in old.segments[:-1] + plain.segments[:-1]} | {plain.segments[0].map}
        names |= {part.uri for segment in old.segments[:-1] for part in segment.parts}
        bodies = fetched(server, names)
        # It is written behind.
        for segment in old.segments[:-1] + plain.segments[:-1]:
            wait_for(tmp_path / CAMERA / segment.uri)
        end_by_kill(server)
    state = tmp_path / CAMERA / "state.json"
    state.unlink() if DAMAGES[damage] is None else state.write_bytes(DAMAGES[damage])
    with serving(*OPTIONS, store=tmp_path) as server:
        assert fetched(server, names) == bodies
        new = playlist.parse(server.get("/desk/live.m3u8").text)
        assert new.sequence > old.segments[-1].sequence + 1 and len(new.segments) >= 6
        assert int(new.header["DISCONTINUITY-SEQUENCE"]) > int(old.header["DISCONTINUITY-SEQUENCE"])
        assert not (names - {plain.segments[0].map}) & set(new.uris())
        assert "state.json" in server.log()
        assert_goes_on(plain, playlist.parse(server.get("/desk/plain.m3u8").text))


def assert_goes_on(old, new):
    """Players that know the one playlist without parts go on with the other: no number of it comes again."""
    assert new.sequence >= old.sequence + len(old.segments)
    assert int(new.header["DISCONTINUITY-SEQUENCE"]) > int(old.header["DISCONTINUITY-SEQUENCE"])
    assert not {segment.uri for segment in old.segments} & {segment.uri for segment in new.segments}


@pytest.mark.parametrize("length", [1, 2])
def test_what_the_playlist_without_parts_lists_outlives_a_kill(tmp_path, length):
    options = [*OPTIONS, "--plain-segment", length]
    with serving(*options, store=tmp_path) as server:
        bodies, old = {}, None
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            server.push(stills.one())
            old = playlist.parse(server.get("/desk/plain.m3u8").text)
            for name in {uri for uri in old.uris() if uri not in bodies}:
                answer = server.get(f"/desk/{name}")
                assert answer.status == 200
                bodies[name] = answer.body
            time.sleep(0.1)
        # It is written behind.
        written = time.monotonic() + 30
        while not old.segments[-1].uri.removesuffix(".mp4") in (tmp_path / CAMERA / "state.json").read_text():
            assert time.monotonic() < written, "what is listed is not written"
            time.sleep(0.01)
        end_by_kill(server)
    with serving(*options, store=tmp_path) as server:
        listed = set(old.uris())
        assert fetched(server, listed) == {name: bodies[name] for name in listed}
        new = playlist.parse(server.get("/desk/plain.m3u8").text)
        assert_goes_on(old, new)
        assert fetched(server, bodies) == bodies, "what had left the playlist has its time too"
        # A name that was used stands for its bytes for ever.
        assert not set(bodies) & {segment.uri for segment in new.segments}
        # A web server that serves the folder lists none of it.
        text = (tmp_path / CAMERA / "live.m3u8").read_text()
        assert not [segment.uri for segment in playlist.parse(text).segments if segment.uri.startswith("p")]


def test_what_had_left_the_playlist_before_a_kill_is_served_by_the_next_life(tmp_path):
    with serving(*OPTIONS, store=tmp_path) as server:
        first = playlist.parse(server.get("/desk/live.m3u8").text)
        oldest = first.segments[0].uri
        body = server.get(f"/desk/{oldest}").body
        while oldest in playlist.parse(server.get("/desk/live.m3u8").text).uris():
            time.sleep(0.05)
        # The mirror has written the version that lists it no more.
        while oldest in (tmp_path / CAMERA / "live.m3u8").read_text():
            time.sleep(0.02)
        end_by_kill(server)
    with serving(*OPTIONS, store=tmp_path) as server:
        assert fetched(server, [oldest]) == {oldest: body}


def test_an_upgrade_with_another_picture_is_told_by_one_discontinuity(tmp_path):
    """Media sequence and discontinuity sequence go on, the old segments stay, the new ones have a map of their own."""
    with serving(*OPTIONS, store=tmp_path) as server:
        server.settled()
        wait_for(tmp_path / CAMERA / "state.json")
        time.sleep(1.2)
        old = playlist.parse(server.get("/desk/live.m3u8").text)
        bodies = fetched(server, {segment.uri for segment in old.segments[:-1]})
        # It is written behind.
        for name in bodies:
            wait_for(tmp_path / CAMERA / name)
        end_by_kill(server)
    with serving("--size", "160x96", *OPTIONS[2:], store=tmp_path) as server:
        assert fetched(server, bodies) == bodies
        deadline = time.monotonic() + 6
        while True:
            new = playlist.parse(server.get("/desk/live.m3u8").text)
            assert new.sequence >= old.sequence
            broken = [segment for segment in new.segments if segment.discontinuity]
            if broken and broken[0].map != new.segments[0].map:
                break
            assert time.monotonic() < deadline, new.header
            time.sleep(0.1)
        assert len(broken) == 1 and broken[0].sequence > old.segments[-1].sequence
        assert int(new.header["DISCONTINUITY-SEQUENCE"]) == int(old.header["DISCONTINUITY-SEQUENCE"])
        assert server.get(f"/desk/{broken[0].map}").status == 200


@pytest.fixture
def small_disk(tmp_path):
    """A disk of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_holds_up_nobody_and_a_life_after_it_begins_above(small_disk):
    with serving(*OPTIONS, store=small_disk) as server:
        wait_for(small_disk / CAMERA / "live.m3u8")
        with open(small_disk / "filler", "wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(bytes(4096))
        deadline = time.monotonic() + 30
        while server.status()["storeFailures"] == 0:
            server.push(stills.one())
            assert time.monotonic() < deadline
            time.sleep(0.2)
        before = playlist.parse(server.get("/desk/live.m3u8").text)
        deadline = time.monotonic() + 30
        while True:
            after = playlist.parse(server.get("/desk/live.m3u8").text)
            if after.segments[-1].sequence >= before.segments[-1].sequence + 2:
                break
            assert time.monotonic() < deadline, "the disk holds up the stream"
            time.sleep(0.1)
        assert "make space" in server.log()
        end_by_kill(server)
    with serving(*OPTIONS, store=small_disk) as server:
        again = playlist.parse(server.get("/desk/live.m3u8").text)
        assert again.sequence > after.segments[-1].sequence + 1
        (small_disk / "filler").unlink()
        wait_for(small_disk / CAMERA / "live.m3u8")
        wait_for(small_disk / CAMERA / "state.json")


def test_a_new_life_in_memory_never_uses_a_name_again():
    """Names are cached for a year wherever they were seen, so this holds without a store too."""
    used = set()
    for _ in range(2):
        with serving(*OPTIONS) as server:
            names, _ = names_of(server)
            assert not names & used
            used |= names


def test_a_new_life_takes_over_the_folder_without_a_break(tmp_path):
    """What a web server reads from the folder stays whole while the process is away and when it comes back."""
    with serving(*OPTIONS, store=tmp_path):
        wait_for(tmp_path / CAMERA / "live.m3u8")
        watcher = Watcher(tmp_path / CAMERA)
        time.sleep(1.1)
    try:
        with serving(*OPTIONS, store=tmp_path):
            time.sleep(1.1)
    finally:
        watcher.stop.set()
        watcher.thread.join(10)
    assert watcher.mistakes == []
    versions = [playlist.parse(text) for text in watcher.versions]
    pairs = list(zip(versions, versions[1:], strict=False))
    for (old, new), before, after in zip(pairs, watcher.times, watcher.times[1:], strict=False):
        # Segments of a second, and one more that the end of a process completes.
        assert 0 <= new.sequence - old.sequence <= 2 + (after - before), "numbers jump"
    assert all(new.segments[-1].sequence > old.segments[-1].sequence for old, new in pairs)
    left = {path.name for path in (tmp_path / CAMERA).glob("*.mp4")}
    assert {segment.uri for segment in versions[-1].segments} <= left


def test_a_damaged_ledger_does_not_stop_the_camera(tmp_path):
    (tmp_path / CAMERA).mkdir()
    (tmp_path / CAMERA / "state.json").write_text('{"reservedSequence":')
    with serving(*OPTIONS, store=tmp_path) as server:
        assert len(playlist.parse(server.get("/desk/live.m3u8").text).segments) == 6
        assert "state.json" in server.log()


def test_what_is_not_ours_in_the_folder_stays(tmp_path):
    (tmp_path / CAMERA).mkdir()
    strangers = {"notes.txt": b"mine", "index.html": b"<p>hello", "picture.png": b"x"}
    for name, data in strangers.items():
        (tmp_path / CAMERA / name).write_bytes(data)
    with serving(*OPTIONS, store=tmp_path):
        wait_for(tmp_path / CAMERA / "live.m3u8")
    for name, data in strangers.items():
        assert (tmp_path / CAMERA / name).read_bytes() == data
