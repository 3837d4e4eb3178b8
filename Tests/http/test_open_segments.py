"""The answer of a segment that is being made: its parts as they are published, over one request."""

import contextlib
import datetime
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import playlist
import serving
import stills
import wire
from serving import ASKED, CAMERA, OPERATOR
from test_tls import Secure, make_certificate
from timing import again_if_late, in_time, while_same

PART, SEGMENT = 0.5, 2
OPTIONS = ["--size", "128x96", "--rate", 4, "--part", PART, "--segment", SEGMENT, "--operator-token", OPERATOR]
# How late a part may come that is not held back until the next one.
SLACK = 0.35


@pytest.fixture(scope="module")
def server():
    # Without stills the picture stands, and parts come one by one.
    with serving.serving(*OPTIONS, "--hold", "forever") as server:
        yield server


def live(server, query=""):
    answer = server.get(f"/{CAMERA}/live.m3u8{query}")
    assert answer.status == 200, answer
    return playlist.parse(answer.text)


def open_name(now):
    """The file name of the segment that the announced part belongs to."""
    stem, _, _ = now.hint.rpartition(".mp4")[0].rpartition(".")
    return stem + ".mp4"


def following(answer):
    match = re.fullmatch(r'<([^<>]+)>; rel="next"', answer["Link"] or "")
    return match and match[1]


def inside(server, least=1, most=2):
    """The playlist while a segment has so many parts and is not the last one's turn."""
    deadline = time.monotonic() + 3 * SEGMENT
    while True:
        now = live(server)
        if least <= len(now.open.parts) <= most:
            return now
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Reader:
    """One who reads an open segment over HTTP/1.1, with the time of each piece."""

    def __init__(self, server, name, fields=(), client=None):
        self.wire = client or wire.Wire(server.public, timeout=20)
        self.wire.send(wire.request_bytes("GET", f"/{CAMERA}/{name}", fields))
        self.head = self.wire.head()
        self.pieces = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    @property
    def body(self):
        return b"".join(piece for _, piece in self.pieces)

    def piece(self):
        """The next piece; empty at the proper end."""
        piece = self.wire.chunk()
        if piece:
            self.pieces.append((time.monotonic(), piece))
        return piece

    def rest(self):
        while self.piece():
            pass
        return self.body


def parts_of(server, name, count):
    stem = name.removesuffix(".mp4")
    return [server.get(f"/{CAMERA}/{stem}.{index}.mp4").body for index in range(count)]


def test_the_answer_says_what_it_is_and_what_follows(server):
    now = inside(server)
    name = open_name(now)
    with Reader(server, name) as reader:
        head = reader.head
        assert head.status == 200
        assert head["Content-Type"] == "video/mp4"
        assert head["Transfer-Encoding"] == "chunked" and head["Content-Length"] is None
        assert head["X-Accel-Buffering"] == "no"
        assert head["Cache-Control"] == "public, max-age=31536000, immutable"
        assert head["Access-Control-Allow-Origin"] == "*"
        assert {"Link", "Program-Date-Time"} <= set(head["Access-Control-Expose-Headers"].split(", "))
        assert datetime.datetime.fromisoformat(head["Program-Date-Time"]) == now.open.date
        assert following(head) == f"{int(name.removesuffix('.mp4')) + 1}.mp4"
        reader.rest()
    whole = server.get(f"/{CAMERA}/{name}")
    same = ["Content-Type", "Cache-Control", "ETag", "Link", "Program-Date-Time"]
    assert [whole[field] for field in same] == [head[field] for field in same]
    assert int(whole["Content-Length"]) == len(whole.body) and whole["X-Accel-Buffering"] is None


@again_if_late
def test_it_brings_what_is_there_at_once_and_each_part_as_it_is_published(server):
    now = inside(server)
    name, known = open_name(now), len(now.open.parts)
    asked = time.monotonic()
    published = {}

    def watch():
        for index in range(known, int(SEGMENT / PART)):
            live(server, f"?_HLS_msn={now.open.sequence}&_HLS_part={index}")
            published[index] = time.monotonic()

    watcher = threading.Thread(target=watch)
    watcher.start()
    with Reader(server, name) as reader:
        reader.rest()
        ended = time.monotonic()
    watcher.join()
    parts = parts_of(server, name, int(SEGMENT / PART))
    assert reader.body == b"".join(parts) == server.get(f"/{CAMERA}/{name}").body
    first_at, first = reader.pieces[0]
    assert first == b"".join(parts[: len(parts) - len(reader.pieces) + 1]), "pieces are whole parts"
    in_time(first_at - asked < SLACK, "what is there")
    joined = len(parts) - len(reader.pieces) + 1
    for index, (at, piece) in enumerate(reader.pieces[1:], joined):
        assert piece == parts[index]
        in_time(abs(at - published[index]) < SLACK, f"part {index}")
    in_time(ended - reader.pieces[-1][0] < SLACK, "it ends with its last part")


def test_a_chain_of_links_needs_no_playlist_and_no_second_connection(server):
    name = open_name(inside(server))
    with wire.Wire(server.public) as client:
        bodies, names = [], []
        for _ in range(3):
            reader = Reader(server, name, client=client)
            assert reader.head.status == 200
            bodies.append(reader.rest())
            names.append(name)
            name = following(reader.head)
    listed = [segment.uri for segment in live(server).segments]
    assert listed[listed.index(names[0]) :][:3] == names
    assert bodies == [server.get(f"/{CAMERA}/{name}").body for name in names]


@again_if_late
def test_the_next_segment_can_be_asked_for_before_its_first_part_is_there(server):
    name = open_name(inside(server))
    with Reader(server, name) as reader:
        reader.rest()
        after = following(reader.head)
        unheard = server.get(f"/{CAMERA}/{after.replace('.mp4', '.1.mp4')}")
        # It is announced with the first part.
        in_time(not live(server).open.parts, "the first part is there already")
        assert unheard.status == 404
        with Reader(server, after) as next_reader:
            assert next_reader.head.status == 200
            next_reader.rest()
            in_time(len(next_reader.pieces) == int(SEGMENT / PART), "some parts came together")
            assert next_reader.pieces[0][0] > reader.pieces[-1][0]
            in_time(next_reader.pieces[0][0] - reader.pieces[-1][0] < PART + SLACK, "the first part is late")


def test_a_name_that_was_never_announced_is_not_there(server):
    for form in ("{next}.mp4", "{second}.mp4", "0{number}.mp4", "p{number}.mp4", "loop-{number}.mp4", "x" * 200 + ".mp4"):
        def ask(number, form=form):
            name = form.format(number=number, next=number + 1, second=number + 2)
            return name, server.get(f"/{CAMERA}/{name}")

        wrong, answer = while_same(lambda: int(open_name(live(server)).removesuffix(".mp4")), ask)
        assert answer.status == 404 and answer["Cache-Control"] == "no-store", wrong


@pytest.mark.parametrize("value", ["bytes=0-", "bytes=100-200", "bytes=-5"])
def test_a_range_of_what_is_not_whole_is_not_honoured(server, value):
    name = open_name(inside(server))
    with Reader(server, name, {"Range": value}) as reader:
        assert reader.head.status == 200 and reader.head["Content-Range"] is None
        assert reader.rest() == server.get(f"/{CAMERA}/{name}").body


@again_if_late
def test_head_tells_the_length_when_the_segment_is_whole(server):
    name = open_name(inside(server))
    with Reader(server, name) as reader, wire.Wire(server.public) as other:
        other.send(wire.request_bytes("HEAD", f"/{CAMERA}/{name}"))
        reader.rest()
        head = other.answer("HEAD")
        in_time(time.monotonic() - reader.pieces[-1][0] < SLACK, "the head comes after the end")
    assert (head.status, int(head["Content-Length"])) == (200, len(reader.body))
    for field in ("Content-Type", "Cache-Control", "ETag", "Link"):
        assert head[field] == reader.head[field]


def waiting(server):
    return server.status()["waiting"]["viewers"]


@again_if_late
def test_who_hangs_up_frees_the_place(server):
    name = open_name(inside(server, least=1, most=1))
    readers = [Reader(server, name) for _ in range(30)]
    # Answers end with their segment.
    deadline = time.monotonic() + SEGMENT
    while waiting(server) < 25:
        in_time(time.monotonic() < deadline and open_name(live(server)) == name, "the segment ended before all had come")
        time.sleep(0.02)
    for reader in readers:
        reader.wire.close()
    deadline = time.monotonic() + SEGMENT + 5
    while waiting(server) > 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_answer_that_is_withdrawn_breaks_off_at_once():
    with serving.serving(*OPTIONS, "--hold", "forever") as server:
        assert server.push(stills.one()).status == 202
        name = open_name(inside(server, least=1, most=1))
        with Reader(server, name) as reader, Reader(server, name) as other:
            assert reader.piece() and other.piece()
            assert server.camera("POST", f"/cameras/{CAMERA}/withdraw", ASKED).status == 200
            for one in (reader, other):
                # A part may have been on its way.
                with pytest.raises(wire.Broken):
                    one.rest()
                assert not one.wire.rest, "bytes of what was withdrawn"
        assert server.get(f"/{CAMERA}/{name}").status == 404
        # What follows is another segment, with another number.
        after = open_name(live(server))
        assert int(after.removesuffix(".mp4")) > int(name.removesuffix(".mp4")) + 1
        assert server.viewer("HEAD", f"/{CAMERA}/{after}").status == 200


def test_the_end_of_the_process_breaks_the_answer_off_and_does_not_wait_for_it(tmp_path):
    options = ["--size", "128x96", "--part", 2, "--segment", 30, "--hold", "forever"]
    with serving.serving(*options, store=tmp_path) as server:
        name = open_name(live(server))
        with Reader(server, name) as reader:
            assert reader.piece()
            assert server.stop(signal.SIGTERM) < 3
            with pytest.raises((wire.Broken, ConnectionResetError)):
                reader.rest()
    with serving.serving(*options, store=tmp_path) as server:
        # What was never whole is nowhere to be had, and no later segment has its name.
        for gone in (name, following(reader.head)):
            assert server.get(f"/{CAMERA}/{gone}").status == 404, gone


@pytest.mark.parametrize("style", ["seamless", "cached"])
def test_a_loop_is_followed_too(style):
    quick = [*OPTIONS[:-2], "--hold", 1, "--steady", 0, "--off", style]
    with serving.serving(*quick) as server:
        deadline = time.monotonic() + 30
        while server.status()["source"] != "off":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        names, came_open, deadline = [], 0, time.monotonic() + 20
        while len(names) < 3:
            assert time.monotonic() < deadline, names
            if (name := open_name(live(server))) in names:
                time.sleep(0.05)
                continue
            with Reader(server, name) as reader:
                assert reader.head.status == 200, (name, reader.head)
                is_open = reader.head["Transfer-Encoding"] == "chunked"
                came_open += is_open
                body = reader.rest() if is_open else reader.wire.exactly(int(reader.head["Content-Length"]))
                # What follows a name that comes again is not always the same.
                assert (following(reader.head) is None) == name.startswith("loop-")
            assert server.get(f"/{CAMERA}/{name}").body == body
            names.append(name)
        # A loop's segments that come again are whole from their first round on.
        assert came_open if style == "seamless" else any(name.startswith("loop-") for name in names)


def test_a_reader_that_stops_is_closed():
    # Parts of noise are large, so that they do not fit between the two ends.
    options = ["--size", "640x480", "--rate", 4, "--part", 0.5, "--segment", 60, "--patience", "1s", "--hold", "forever"]
    with serving.serving(*options, "--crf", 4, "--ssim", 0) as server, contextlib.ExitStack() as stack:
        name = open_name(live(server))
        stuck = []
        for _ in range(3):
            client = stack.enter_context(contextlib.closing(socket.socket()))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(("127.0.0.1", server.public))
            client.sendall(wire.request_bytes("GET", f"/{CAMERA}/{name}"))
            stuck.append(client)
        deadline = time.monotonic() + 45
        count = 0
        while server.operators("/status").json["doors"]["public"]["connections"] > 1:
            assert time.monotonic() < deadline, "a reader that takes nothing is still there"
            assert server.push(stills.noise(count, size=(640, 480))).status == 202
            count += 1
            time.sleep(0.2)


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("open")
    certificate, key = make_certificate(folder, "open")
    doors = [f"--{door}-{part}={path}" for door in ("public", "private")
             for part, path in (("certificate", certificate), ("key", key))]
    arguments = [*serving.FREE_PORTS, "--store", "memory", *serving.ONE_CAMERA, *OPTIONS, "--hold", "forever", *doors]
    with serving.launched(*arguments) as server:
        yield Secure(server, certificate)


def secure_playlist(secure):
    return playlist.parse(secure.curl(secure.public, f"/{CAMERA}/live.m3u8", write=""))


@again_if_late
def test_http_2_brings_the_same(secure):
    deadline = time.monotonic() + 3 * SEGMENT
    while len((now := secure_playlist(secure)).open.parts) != 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    name = open_name(now)
    url = f"https://127.0.0.1:{secure.public}/{CAMERA}/{name}"
    command = ["curl", "-sSN", "--http2", "--max-time", "20", "--cacert", str(secure.certificate), url]
    pieces = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as client:
        while piece := client.stdout.read(65536):
            pieces.append((time.monotonic(), piece))
    assert client.returncode == 0
    in_time(len(pieces) >= 3 and pieces[-1][0] - pieces[0][0] > PART, "all came at once")
    whole = subprocess.run([*command[:-1], url], capture_output=True, check=True).stdout
    assert b"".join(piece for _, piece in pieces) == whole


@again_if_late
def test_an_answer_that_breaks_off_is_reset_over_http_2(secure):
    # Early in a segment: an answer that is whole before the withdrawal is not broken off.
    deadline = time.monotonic() + 3 * SEGMENT
    while len((now := secure_playlist(secure)).open.parts) != 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    url = f"https://127.0.0.1:{secure.public}/{CAMERA}/{open_name(now)}"
    command = ["curl", "-fsSN", "--http2", "--max-time", "20", "--cacert", str(secure.certificate), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as client:
        assert client.stdout.read(1), "the answer has not begun before the withdrawal"
        order = secure.curl(
            secure.private, f"/cameras/{CAMERA}/withdraw", "-X", "POST", "-H", f"Authorization: {ASKED['Authorization']}",
            "-o", "/dev/null")
        assert order == "200"
        in_time(time.time() < now.open.date.timestamp() + SEGMENT, "the segment may have ended before")
        client.stdout.read()
        said = client.stderr.read().decode()
    assert client.returncode != 0, "the answer looks whole"
    assert "HTTP/2 stream" in said or "closed" in said, said


@again_if_late
def test_each_answer_takes_the_place_of_one_who_waits_until_its_end(tmp_path):
    certificate, key = make_certificate(tmp_path, "one")
    options = [*OPTIONS, "--hold", "forever", "--connections-per-address", 2]
    options += [f"--{door}-{part}={path}" for door in ("public", "private")
                for part, path in (("certificate", certificate), ("key", key))]
    with serving.launched(*serving.FREE_PORTS, "--store", "memory", *serving.ONE_CAMERA, *options) as server:
        secure = Secure(server, certificate)
        for _ in range(2):
            deadline = time.monotonic() + 3 * SEGMENT
            while len((now := secure_playlist(secure)).open.parts) != 1:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            url = f"https://127.0.0.1:{secure.public}/{CAMERA}/{open_name(now)}?x="
            done = subprocess.run(
                ["curl", "-skZ", "--http2", "--parallel-max", "30", "-w", "%{http_code}\n"]
                + [part for number in range(30) for part in ("-o", "/dev/null", url + str(number))],
                capture_output=True, text=True, timeout=60)
            seen = done.stdout.split()
            assert len(seen) == 30 and set(seen) == {"200", "503"} and seen.count("200") >= 8, seen
            # Where the segment ends before all have asked, the last ones find places that are free again.
            in_time(seen.count("200") == 8, seen)
