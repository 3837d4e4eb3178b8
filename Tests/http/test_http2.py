"""HTTP/2 frame by frame over TLS: what a client by the rules gets, and what all others get (RFC 9113).

| what a client does | gets |
|---|---|
| trickles its frames byte by byte | its answer |
| sends what is no HTTP/2, a frame that is too long or stands in the wrong place, a window over its limit | GOAWAY with the error, and is closed |
| sends a head that is malformed (section 8) | RST_STREAM with PROTOCOL_ERROR; its other streams go on |
| opens more than 100 streams at a time | GOAWAY with an error, and is closed |
| opens and resets streams without end (CVE-2023-44487), the same with PING, SETTINGS, CONTINUATION | GOAWAY with ENHANCE_YOUR_CALM, and is closed |
| keeps its windows at 0 | RST_STREAM with CANCEL after `patience`, for each answer |
| asks for much and reads nothing | is closed after `patience`; until then some hundred KiB, however many streams |
| asks for a large table of header fields | the answer, by a table of 4 KiB |
| is told to go and does not acknowledge it | is closed after `patience` |
"""

import contextlib
import itertools
import json
import pathlib
import re
import signal
import struct
import subprocess
import time

import pytest

import frames
import playlist
import serving
import stills
from frames import Frames, frame, rst_stream, window_update
from serving import CAMERA, FREE_PORTS, ONE_CAMERA
from test_open_segments import open_name
from test_tls import Secure, make_certificate, tls_of
from wire import Wire

PATIENCE = 2
OPEN = {frames.INITIAL_WINDOW_SIZE: frames.LARGEST_WINDOW}


@contextlib.contextmanager
def serving_secure(folder, *options):
    certificate, key = make_certificate(folder, "one")
    arguments = [*FREE_PORTS, "--store", "memory", *ONE_CAMERA, "--patience", f"{PATIENCE}s", *options]
    with serving.launched(*arguments, *tls_of(certificate, key)) as server:
        yield Secure(server, certificate)


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    with serving_secure(tmp_path_factory.mktemp("frames"), "--size", "128x96", "--part", 1, "--segment", 4) as secure:
        yield secure


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A server whose segments are longer than 128 KiB while it gets stills of noise."""
    folder = tmp_path_factory.mktemp("busy")
    options = ["--size", "800x600", "--crf", 2, "--ssim", 0, "--part", 1, "--segment", 4, "--hold", "forever"]
    with serving_secure(folder, *options) as secure:
        secure.still = folder / "still.jpg"
        yield secure


@pytest.fixture
def heavy(busy):
    """That server, and a long segment that is served for some time yet."""
    deadline = time.monotonic() + 40
    for number in itertools.count():
        for segment in reversed(live(busy).segments[-2:]):
            path = f"/{CAMERA}/{segment.uri}"
            busy.large, busy.size = path, int(busy.curl(busy.public, path, "-o", "/dev/null", write="%{size_download}"))
            if busy.size > 200_000:
                return busy
        busy.still.write_bytes(stills.noise(number, size=(800, 600)))
        said = busy.curl(busy.private, "/ingest/desk", "-T", str(busy.still), "-H", f"Authorization: Bearer {serving.TOKEN}")
        assert said.endswith("202"), said
        assert time.monotonic() < deadline, "no segment is large"
        time.sleep(0.4)


def live(secure):
    return playlist.parse(secure.curl(secure.public, f"/{CAMERA}/live.m3u8", write=""))


def ahead(secure):
    """A blocking reload that is not answered soon."""
    now = live(secure)
    return f"/{CAMERA}/live.m3u8?_HLS_msn={now.sequence + len(now.segments) + 1}"


def status(secure):
    asked = f"Authorization: {secure.server.asked['Authorization']}"
    return json.loads(secure.curl(secure.private, "/status", "-H", asked, write=""))


def waiting(secure):
    return status(secure)["cameras"][0]["waiting"]["viewers"]


def eventually(look, within=10):
    deadline = time.monotonic() + within
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def memory(secure):
    """Resident memory in KiB."""
    text = pathlib.Path(f"/proc/{secure.server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1])


def opened(secure, **options):
    """A connection whose windows let everything through."""
    client = Frames(secure.public, OPEN, **options)
    client.send(window_update(0, 1 << 30))
    return client


def is_well(secure):
    with Frames(secure.public) as client:
        return client.get(f"/{CAMERA}/live.m3u8").status == 200


# By the rules


def test_a_playlist_a_part_and_a_page_come_on_one_connection(secure):
    with Frames(secure.public) as client:
        asked = [client.ask(path) for path in (f"/{CAMERA}/live.m3u8", f"/{CAMERA}/index.m3u8", "/healthz", "/nothing")]
        assert [client.whole(stream).status for stream in asked] == [200, 200, 200, 404]
        assert client.settings[frames.MAX_CONCURRENT_STREAMS] == 100 and not client.goaways


def test_head_range_and_what_is_not_new(secure):
    now = live(secure)
    path = f"/{CAMERA}/{now.segments[-1].uri}"
    with Frames(secure.public) as client:
        whole = client.get(path)
        assert whole.status == 200 and len(whole.body) == int(whole["content-length"])
        head = client.get(path, "HEAD")
        assert (head.status, head.body, head["content-length"]) == (200, b"", whole["content-length"])
        part = client.get(path, fields=[("range", "bytes=10-19")])
        assert (part.status, part.body) == (206, whole.body[10:20])
        assert part["content-range"] == f"bytes 10-19/{len(whole.body)}"
        beyond = client.get(path, fields=[("range", f"bytes={len(whole.body)}-")])
        assert (beyond.status, beyond["content-range"]) == (416, f"bytes */{len(whole.body)}")
        same = client.get(path, fields=[("if-none-match", whole["etag"])])
        assert (same.status, same.body, same["content-length"], same["etag"]) == (304, b"", None, whole["etag"])


def test_frames_that_trickle_byte_by_byte_are_answered(secure):
    with Frames(secure.public, preface=False) as client:
        request, stream = client.request(f"/{CAMERA}/live.m3u8")
        for byte in frames.PREFACE + frames.settings({frames.ENABLE_PUSH: 0}) + request:
            client.send(bytes([byte]))
        assert client.whole(stream).status == 200


def test_a_head_in_several_frames_is_one(secure):
    with Frames(secure.public) as client:
        block = client.block(f"/{CAMERA}/live.m3u8", fields=[("x-long", "y" * 3000)])
        pieces = [block[:10], block[10:500], block[500:501], block[501:]]
        client.send(frame(frames.HEADERS, frames.END_STREAM, 1, pieces[0])
                    + frame(frames.CONTINUATION, 0, 1, pieces[1]) + frame(frames.CONTINUATION, 0, 1, pieces[2])
                    + frame(frames.CONTINUATION, frames.END_HEADERS, 1, pieces[3]))
        assert client.whole(1).status == 200


def test_the_windows_of_a_stream_are_kept(secure):
    with Frames(secure.public, {frames.INITIAL_WINDOW_SIZE: 0}) as client:
        stream = client.ask(f"/{CAMERA}/live.m3u8")
        client.until(lambda: client[stream].heads)
        length = int(client[stream]["content-length"])
        client.rests(0.2)
        assert client[stream].body == b"" and length > 210
        client.send(window_update(stream, 10))
        client.until(lambda: client[stream].body)
        client.rests(0.2)
        assert len(client[stream].body) == 10
        # The initial window changes those of open streams, too (section 6.9.2).
        client.send(frames.settings({frames.INITIAL_WINDOW_SIZE: 100}))
        client.until(lambda: len(client[stream].body) > 10)
        client.rests(0.2)
        assert len(client[stream].body) == 110
        # So it can fall below 0, and has to be filled up first.
        client.send(frames.settings({frames.INITIAL_WINDOW_SIZE: 0}) + window_update(stream, 100))
        client.rests(0.2)
        assert len(client[stream].body) == 110
        client.send(window_update(stream, length))
        assert len(client.whole(stream).body) == length


def test_the_window_of_the_connection_is_kept(heavy):
    with Frames(heavy.public, OPEN) as client:
        streams = [client.ask(heavy.large) for _ in range(3)]
        window = 65_535
        for more in (0, 1000):
            if more:
                client.send(window_update(0, more))
            window += more
            client.until(lambda: sum(len(client[stream].body) for stream in streams) >= window)
            client.rests(0.2)
            assert sum(len(client[stream].body) for stream in streams) == window
        client.send(window_update(0, 3 * heavy.size))
        bodies = {client.whole(stream).body for stream in streams}
        assert [len(body) for body in bodies] == [heavy.size]


def test_a_long_segment_is_the_same_by_both_versions(heavy):
    with opened(heavy) as client:
        answer = client.get(heavy.large)
        assert answer.status == 200 and len(answer.body) == heavy.size > 128 << 10
        url = f"https://127.0.0.1:{heavy.public}{heavy.large}"
        done = subprocess.run(["curl", "-sSk", "--http1.1", url], capture_output=True, check=True)
        assert done.stdout == answer.body
        part = client.get(heavy.large, fields=[("range", "bytes=1000-149999")])
        assert part.status == 206 and part.body == answer.body[1000:150_000]


def test_a_segment_that_is_made_comes_as_it_grows(secure):
    with opened(secure) as client:
        path = f"/{CAMERA}/{open_name(live(secure))}"
        stream = client.ask(path)
        client.until(lambda: client[stream].heads)
        begun = client[stream]
        assert begun.status == 200 and begun["content-length"] is None and begun["content-type"] == "video/mp4"
        body = client.whole(stream).body
        assert begun.reset is None and body == client.get(path).body


def test_a_stream_that_is_reset_while_it_waits_frees_its_place(secure):
    path = ahead(secure)
    with Frames(secure.public) as client:
        streams = [client.ask(path) for _ in range(3)]
        eventually(lambda: waiting(secure) == 3)
        client.send(b"".join(map(rst_stream, streams)))
        eventually(lambda: waiting(secure) == 0)
        assert client.get(f"/{CAMERA}/live.m3u8").status == 200
        assert not client.goaways and not any(client[stream].heads for stream in streams)


def test_a_request_with_a_body_and_trailers_is_answered(secure):
    with Frames(secure.public) as client:
        for end in (True, False):
            stream = client.ask(f"/{CAMERA}/live.m3u8", end=False)
            client.send(frame(frames.DATA, frames.END_STREAM if end else 0, stream, b"abc"))
            if not end:
                block = client.encoder.encode([("x-sum", "1")])
                client.send(frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, block))
            assert client.whole(stream).status == 200
        assert client.get(f"/{CAMERA}/live.m3u8").status == 200 and not client.goaways


def test_frames_of_unknown_kinds_and_priorities_are_ignored(secure):
    with Frames(secure.public) as client:
        client.send(frame(0x42, 0xFF, 0, b"anything") + frame(0x10, 0, 0, b"\0\0\0\1u=1"))
        stream = client.ask(ahead(secure))
        client.send(frame(frames.PRIORITY, 0, stream, struct.pack(">IB", 0, 5)) + frame(0x42, 1, stream, b"x"))
        client.send(rst_stream(stream))
        assert client.get(f"/{CAMERA}/live.m3u8").status == 200 and not client.goaways


def test_some_pings_are_answered(secure):
    with Frames(secure.public) as client:
        client.send(b"".join(frame(frames.PING, payload=struct.pack(">Q", number)) for number in range(50)))
        client.until(lambda: client.pongs == 50)
        assert client.get(f"/{CAMERA}/live.m3u8").status == 200


# Malformed heads


GET = [(":method", "GET"), (":scheme", "https"), (":path", f"/{CAMERA}/live.m3u8"), (":authority", "127.0.0.1")]
MALFORMED = {
    "an uppercase name": GET + [("X-Upper", "a")],
    "a blank in a name": GET + [("x y", "a")],
    "connection": GET + [("connection", "keep-alive")],
    "transfer-encoding": GET + [("transfer-encoding", "chunked")],
    "upgrade": GET + [("upgrade", "h2c")],
    "te": GET + [("te", "gzip")],
    "a line end in a value": GET + [("x-a", "a\r\nb: c")],
    "a zero in a value": GET + [("if-none-match", "a\0b")],
    "a pseudo field behind a field": GET[:3] + [("accept", "*/*")] + GET[3:],
    "no path": GET[:2] + GET[3:],
    "an empty path": GET[:2] + [(":path", "")],
    "two paths": GET + [(":path", "/")],
    "no scheme": GET[:1] + GET[2:],
    "no method": GET[1:],
    "an unknown pseudo field": GET + [(":foo", "a")],
    "a status": GET + [(":status", "200")],
    "a length without a body": GET + [("content-length", "5")],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_head_ends_its_stream_alone(secure, name):
    with Frames(secure.public) as client:
        other = client.ask(ahead(secure))
        bad = client.get("/", pseudo=MALFORMED[name])
        assert (bad.reset, bad.heads) == (frames.PROTOCOL_ERROR, 0)
        assert client.get(f"/{CAMERA}/live.m3u8").status == 200
        assert not client.goaways and client[other].reset is None
        client.send(rst_stream(other))


def test_what_follows_the_end_of_a_request_ends_its_stream_alone(secure):
    with Frames(secure.public) as client:
        stream = client.ask(ahead(secure))
        client.send(frame(frames.DATA, 0, stream, b"abc"))
        assert client.whole(stream).reset == frames.STREAM_CLOSED
        assert client.get(f"/{CAMERA}/live.m3u8").status == 200
        eventually(lambda: waiting(secure) == 0)


def test_a_window_of_a_stream_over_its_limit_ends_it_alone(secure):
    with Frames(secure.public) as client:
        stream = client.ask(ahead(secure))
        client.send(window_update(stream, frames.LARGEST_WINDOW))
        assert client.whole(stream).reset == frames.FLOW_CONTROL_ERROR
        stream = client.ask(ahead(secure))
        client.send(window_update(stream, 0))
        assert client.whole(stream).reset == frames.PROTOCOL_ERROR
        assert client.get(f"/{CAMERA}/live.m3u8").status == 200
        eventually(lambda: waiting(secure) == 0)


# What ends a connection


def head(stream, flags=frames.END_HEADERS | frames.END_STREAM, block=b"\x82\x87\x84"):
    """A head of static fields: GET https /."""
    return frame(frames.HEADERS, flags, stream, block)


ENDING = {
    "a frame that is too long": (frame(frames.DATA, 0, 1, bytes(16_385)), {frames.FRAME_SIZE_ERROR}),
    "a PING on a stream": (frame(frames.PING, 0, 1, bytes(8)), {frames.PROTOCOL_ERROR}),
    "a short PING": (frame(frames.PING, 0, 0, bytes(7)), {frames.FRAME_SIZE_ERROR}),
    "a short SETTINGS": (frame(frames.SETTINGS, 0, 0, bytes(5)), {frames.FRAME_SIZE_ERROR}),
    "a SETTINGS on a stream": (frame(frames.SETTINGS, 0, 1), {frames.PROTOCOL_ERROR}),
    "a window that cannot be": (frames.settings({frames.INITIAL_WINDOW_SIZE: 1 << 31}), {frames.FLOW_CONTROL_ERROR}),
    "a frame length that cannot be": (frames.settings({frames.MAX_FRAME_SIZE: 100}), {frames.PROTOCOL_ERROR}),
    "a push that is neither": (frames.settings({frames.ENABLE_PUSH: 2}), {frames.PROTOCOL_ERROR}),
    "a window of the connection over its limit": (window_update(0, frames.LARGEST_WINDOW), {frames.FLOW_CONTROL_ERROR}),
    "no increment of the connection's window": (window_update(0, 0), {frames.PROTOCOL_ERROR}),
    "a window of a stream that is not there": (window_update(7, 1), {frames.PROTOCOL_ERROR}),
    "a reset of a stream that is not there": (rst_stream(7), {frames.PROTOCOL_ERROR}),
    "data on a stream that is not there": (frame(frames.DATA, 0, 7, b"a"), {frames.PROTOCOL_ERROR}),
    "data on the connection": (frame(frames.DATA, 0, 0, b"a"), {frames.PROTOCOL_ERROR}),
    "a head on the connection": (head(0), {frames.PROTOCOL_ERROR}),
    "a stream of the server's": (head(2), {frames.PROTOCOL_ERROR}),
    "a stream before the last": (head(5) + head(3), {frames.PROTOCOL_ERROR, frames.STREAM_CLOSED}),
    "a head that cannot be unpacked": (head(1, block=b"\xff\xff\xff\xff\xff\xff"), {frames.COMPRESSION_ERROR}),
    "a field without a name": (head(1, block=b"\x82\x87\x84\x00\x00\x01a"), {frames.COMPRESSION_ERROR, frames.PROTOCOL_ERROR}),
    "padding longer than the frame": (head(1, 0x4) + frame(frames.DATA, 0x8, 1, b"\x09abc"), {frames.PROTOCOL_ERROR}),
    "a push": (frame(frames.PUSH_PROMISE, 4, 1, b"\0\0\0\2\x82"), {frames.PROTOCOL_ERROR}),
    "a CONTINUATION of nothing": (frame(frames.CONTINUATION, 4, 1, b"\x82"), {frames.PROTOCOL_ERROR}),
    "another frame in the middle of a head": (head(1, 1) + frame(frames.PING, payload=bytes(8)), {frames.PROTOCOL_ERROR}),
    "a CONTINUATION of another stream": (head(1, 1) + frame(frames.CONTINUATION, 4, 3, b"\x82"), {frames.PROTOCOL_ERROR}),
}


@pytest.mark.parametrize("name", ENDING)
def test_an_error_of_the_connection_is_told_and_ends_it(secure, name):
    sent, codes = ENDING[name]
    with Frames(secure.public) as client:
        client.until(lambda: client.settings)
        client.send(sent)
        assert client.ends(), client
        assert client.errors and set(client.errors) <= codes, client


def test_what_is_no_http_2_is_closed(secure):
    for port in (secure.public, secure.private):
        with Frames(port, preface=False) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + bytes(100))
            assert client.ends(), client
        # Without ALPN it is HTTP/1.1, to which this is no request.
        with Frames(port, protocols=(), preface=False) as client:
            client.send(frames.PREFACE)
            assert client.socket.recv(4096).startswith(b"HTTP/1.1 4")
            while client.socket.recv(4096):
                pass


def test_http_2_without_tls_is_refused():
    with serving.serving("--size", "128x96") as server, Wire(server.public) as client:
        client.send(frames.PREFACE + frames.settings({}))
        answer = client.answer()
        assert answer.status in (400, 505) and answer.json["error"]
        assert client.is_ended()


def flood(client, data, count):
    """Sends the same again and again until the connection ends; how often."""
    client.acknowledges = False
    for number in range(count):
        try:
            client.send(data)
        except OSError:
            return number
        if number % 50 == 0:
            client.read(0.001)
    return count


FLOODS = {
    "PING": frame(frames.PING, payload=bytes(8)), "SETTINGS": frames.settings({}),
    "SETTINGS with entries": frames.settings({frames.INITIAL_WINDOW_SIZE: 100}),
    "PRIORITY": frame(frames.PRIORITY, 0, 1, bytes(5)), "WINDOW_UPDATE": window_update(0, 1), "unknown": frame(0x42),
}


@pytest.mark.parametrize("door", ["public", "private"])
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_ended(secure, name, door):
    with Frames(getattr(secure, door)) as client:
        flood(client, FLOODS[name], 5000)
        assert client.ends(), client
        assert set(client.errors) <= {frames.ENHANCE_YOUR_CALM}
    assert is_well(secure)


@pytest.mark.parametrize("door", ["public", "private"])
def test_streams_that_are_reset_without_end_are_ended(secure, door):
    """CVE-2023-44487, `rapid reset`: of what is asked for the server must not go on to do any."""
    path = ahead(secure) if door == "public" else "/status"
    with Frames(getattr(secure, door)) as client:
        client.acknowledges = False
        for _ in range(300):
            data, stream = client.request(path)
            try:
                client.send(data + rst_stream(stream))
            except OSError:
                break
        assert client.ends(), client
        assert set(client.errors) <= {frames.ENHANCE_YOUR_CALM}
    eventually(lambda: waiting(secure) == 0)
    assert is_well(secure)


@pytest.mark.parametrize("flags", [0, frames.END_STREAM])
def test_a_head_without_end_is_ended(secure, flags):
    """CVE-2024-27316 and its like: CONTINUATION frames without end."""
    before = memory(secure)
    with Frames(secure.public) as client:
        client.send(head(1, flags))
        piece = frame(frames.CONTINUATION, 0, 1, client.encoder.encode([("x-a", "y" * 8000)]))
        flood(client, piece, 2000)
        assert client.ends(), client
        assert set(client.errors) <= {frames.ENHANCE_YOUR_CALM, frames.PROTOCOL_ERROR}
    assert memory(secure) - before < 16 << 10
    assert is_well(secure)


def test_heads_have_a_size_however_small_they_are_packed(secure):
    before = memory(secure)
    with Frames(secure.public) as client:
        assert client.get(f"/{CAMERA}/live.m3u8", fields=[("cookie", "a" * 7000)]).status == 200
        # One long field, and then one byte each time to name it again.
        block = client.block(f"/{CAMERA}/live.m3u8", fields=[("x-bomb", "b" * 4000)] + [("x-bomb", "b" * 4000)] * 4000)
        assert len(block) < 16_000
        client.send(head(client.next_stream, block=block))
        assert client.ends(), client
        assert client.errors
    assert memory(secure) - before < 32 << 10
    assert is_well(secure)


def test_a_connection_has_a_hundred_streams_at_a_time(secure):
    path = ahead(secure)
    with Frames(secure.public) as client:
        client.until(lambda: client.settings)
        streams = [client.ask(path) for _ in range(100)]
        client.rests(0.3)
        assert not client.goaways and not any(client[stream].reset for stream in streams)
        client.ask(path)
        assert client.ends(), client
        assert set(client.errors) <= {frames.PROTOCOL_ERROR, frames.REFUSED_STREAM} and client.errors
    eventually(lambda: waiting(secure) == 0)


# Who reads slowly or not at all


def test_who_opens_no_window_has_each_stream_reset(secure):
    """Also of answers that are so short that nothing of them waits in the channel of their stream."""
    segment = f"/{CAMERA}/{live(secure).segments[-1].uri}"
    with Frames(secure.public, {frames.INITIAL_WINDOW_SIZE: 0}) as client:
        began = time.monotonic()
        paths = [f"/{CAMERA}/live.m3u8", segment, "/healthz", "/nothing", "/_/player.js", f"/{CAMERA}/"]
        streams = [client.ask(path) for path in paths]
        for path, stream in zip(paths, streams, strict=True):
            answer = client.whole(stream)
            assert answer.heads == 1 and answer.body == b"" and answer.reset == frames.CANCEL, (path, answer)
        assert PATIENCE - 0.5 < time.monotonic() - began < PATIENCE + 10
        client.send(frames.settings(OPEN))
        assert client.get(f"/{CAMERA}/live.m3u8").status == 200


CONNECTIONS = 20


@pytest.mark.parametrize("way, most", [("quick", 1024), ("Hummingbird", 6144)])
def test_who_asks_for_much_and_reads_nothing_holds_little_and_is_ended(heavy, way, most):
    """The handbook says how much (access.md); here with room for the memory that a process takes ahead."""
    path = heavy.large if way == "quick" else "/_/hls-1.6.15.mjs"
    with contextlib.ExitStack() as stack:
        def add(count):
            clients = [stack.enter_context(opened(heavy, buffer=4096)) for _ in range(count)]
            for client in clients:
                client.send(b"".join(client.request(path)[0] for _ in range(100)))

        # The first ones fill what the process keeps for all.
        add(5)
        time.sleep(0.5)
        before = memory(heavy)
        add(CONNECTIONS)
        # Nobody else is held up.
        with opened(heavy) as other:
            began = time.monotonic()
            assert other.get(heavy.large).status == 200
            assert time.monotonic() - began < 5
        held = (memory(heavy) - before) / CONNECTIONS
        print(f"{held:.0f} KiB for each who reads nothing")
        assert held < most
        eventually(lambda: status(heavy)["doors"]["public"]["connections"] <= 1, 30)


@pytest.mark.long
def test_who_never_asks_is_closed(secure):
    """Also who begins to ask and goes no further: no stream is there to say that the connection is in use."""
    def half(client):
        client.send(client.request(f"/{CAMERA}/live.m3u8")[0][:10])

    def unended(client):
        client.send(frame(frames.HEADERS, frames.END_STREAM, 1, client.block(f"/{CAMERA}/live.m3u8")))

    def malformed(client):
        client.send(client.request("", pseudo=[(":method", "GET")])[0])
        client.until(lambda: client[1].reset is not None)

    with contextlib.ExitStack() as stack:
        began, clients = time.monotonic(), []
        for act in (lambda client: None, half, unended, malformed):
            client = stack.enter_context(Frames(secure.public, OPEN))
            client.until(lambda: client.settings)
            act(client)
            client.acknowledges = False
            clients.append(client)
        for client in clients:
            assert client.ends(90)
            # It was no error: the farewell says only that the connection ends.
            assert time.monotonic() - began > 55 and client.errors in ([0], [0, 0]), client


def test_who_reads_slowly_gets_all(heavy):
    with Frames(heavy.public, {frames.INITIAL_WINDOW_SIZE: 0}) as client:
        client.send(window_update(0, 1 << 30))
        stream = client.ask(heavy.large)
        # All takes longer than a client may take nothing, and 128 KiB take much less.
        for _ in range(0, heavy.size, 32 << 10):
            client.send(window_update(stream, 32 << 10))
            client.rests(PATIENCE / 6)
        assert heavy.size > 6 * (32 << 10)
        assert len(client.whole(stream).body) == heavy.size


def test_the_table_of_header_fields_stays_small(secure):
    with Frames(secure.public, OPEN | {frames.HEADER_TABLE_SIZE: 1 << 20}) as client:
        client.send(window_update(0, 1 << 30))
        # Each answer brings an ETag of its own or another date, and so an entry of the table.
        for number in range(200):
            answer = client.get(f"/{CAMERA}/photos/{number}" if number % 2 else f"/{CAMERA}/live.m3u8?x={number}")
            assert answer.status in (200, 404) and answer.ended
        assert client.decoder.header_table_size == 4096


# The end of the process


def test_clients_are_told_that_the_server_ends(tmp_path):
    with serving_secure(tmp_path, "--size", "128x96", "--part", 1, "--segment", 4) as secure, \
            Frames(secure.public) as client, Frames(secure.public) as deaf:
        stream = client.ask(ahead(secure))
        assert deaf.get(f"/{CAMERA}/live.m3u8").status == 200
        deaf.acknowledges = False
        eventually(lambda: waiting(secure) == 1)
        secure.server.process.send_signal(signal.SIGTERM)
        client.until(lambda: client.goaways)
        assert client.whole(stream).status in (200, 503)
        assert client.ends(), client
        # The first one says that there is an end; a second one, if it comes, which streams are still answered (section 6.8).
        assert client.goaways in ([(frames.LARGEST_WINDOW, frames.NO_ERROR)] + rest
                                  for rest in ([], [(stream, frames.NO_ERROR)]))
        assert deaf.ends(), deaf
        assert deaf.errors == [frames.NO_ERROR]
        assert secure.server.process.wait(serving.STOP_SECONDS) == 0
