"""Playlists and media are answered on the connection's event loop, all else by Hummingbird: both give the same bytes."""

import pathlib
import re
import socket
import subprocess
import time

import pytest

import playlist
import wire
from load import raise_open_files
from serving import CAMERA, FREE_PORTS, ONE_CAMERA, launched, serving
from test_tls import Secure, make_certificate

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
BROWSER = {
    "User-Agent": CHROME, "Accept": "*/*", "Accept-Language": "de,en;q=0.5", "Accept-Encoding": "gzip, deflate, br, zstd",
    "Referer": "http://127.0.0.1/desk/", "Cookie": "a=b", "Sec-Fetch-Mode": "cors", "Connection": "keep-alive",
}


@pytest.fixture(scope="module", params=[[], ["--allow-origin", "https://example.org"]], ids=["any", "one origin"])
def server(request):
    with serving("--size", "128x96", "--part", 2, "--segment", 6, *request.param) as server:
        yield server


def raw(port, method, target, fields):
    """The very bytes of an answer, without the value of its date."""
    with wire.Wire(port) as connection:
        connection.send(wire.request_bytes(method, target, fields))
        answer = connection.answer(method)
    head = [f"{answer.status}"] + [f"{name}: {value}" for name, value in answer.fields if name != "Date"]
    return head, any(name == "Date" for name, _ in answer.fields), answer.body


def slow_spelling(target):
    """The same target as only Hummingbird answers it: `%2E` is the same as a dot."""
    path, mark, query = target.partition("?")
    return path.replace(".", "%2E", 1) + mark + query


def memory(server):
    """Resident memory in KiB."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1])


REQUESTS = [
    ("GET", {}), ("HEAD", {}), ("GET", BROWSER), ("HEAD", BROWSER), ("GET", {"Accept-Encoding": "gzip;q=0"}),
    ("GET", {"If-None-Match": "*"}), ("GET", {"If-None-Match": "ETAG"}), ("HEAD", {"If-None-Match": "ETAG"}),
    ("GET", {"If-None-Match": 'W/"x", ETAG', "Accept-Encoding": "gzip"}), ("GET", {"If-None-Match": '"other"'}),
    ("GET", {"Range": "bytes=0-9"}), ("GET", {"Range": "bytes=-5"}), ("GET", {"Range": "bytes=999999999-"}),
    ("GET", {"Range": "bytes=0-0,2-3"}), ("GET", {"Range": "bytes=5-", "If-Range": "ETAG"}),
    ("GET", {"Range": "bytes=5-", "If-Range": '"old"'}), ("HEAD", {"Range": "bytes=0-9"}),
]
TARGETS = [
    "live.m3u8", "index.m3u8", "INIT", "SEGMENT", "PART", "live.m3u8?_HLS_msn=NEWEST", "live.m3u8?_HLS_skip=YES",
    "live.m3u8?_HLS_msn=NEWEST&_HLS_part=0&_HLS_skip=YES", "live.m3u8?_HLS_msn=x", "live.m3u8?_HLS_part=1",
    "live.m3u8?_HLS_msn=999999999", "99999999.mp4", "99999999.0.mp4", "live.m3u8?other=1", "plain.m3u8",
]


@pytest.mark.parametrize("name", TARGETS)
def test_both_ways_give_the_same_answer(server, name):
    target = f"/{CAMERA}/{name}"
    if name == "plain.m3u8":
        assert server.get(target).status == 200, "it is made while somebody asks for it"
    for method, fields in REQUESTS:
        for _ in range(5):
            now = playlist.parse(server.get(f"/{CAMERA}/live.m3u8").text)
            newest = now.segments[-1]
            real = target.replace("INIT", newest.map).replace("SEGMENT", newest.uri)
            real = real.replace("PART", newest.parts[-1].uri).replace("NEWEST", str(now.sequence + len(now.segments) - 1))
            etag = server.viewer("HEAD", real)["ETag"] or '"none"'
            sent = {key: value.replace("ETAG", etag) for key, value in fields.items()}
            quick = raw(server.public, method, real, sent)
            slow = raw(server.public, method, slow_spelling(real), sent)
            if quick == slow:
                break
            # A part may have been published between the two.
        assert quick == slow, (method, real, sent)
        assert quick[1]


@pytest.mark.parametrize("name", ["INIT", "SEGMENT", "live.m3u8?_HLS_msn=x"])
def test_an_absolute_target_has_the_same_answer(server, name):
    """As proxies are asked, and every server must take it (RFC 9112, section 3.2.2)."""
    newest = playlist.parse(server.get(f"/{CAMERA}/live.m3u8").text).segments[-1]
    target = f"/{CAMERA}/" + name.replace("INIT", newest.map).replace("SEGMENT", newest.uri)
    for method, fields in REQUESTS[:4]:
        absolute = raw(server.public, method, f"http://127.0.0.1:{server.public}{target}", fields)
        assert absolute == raw(server.public, method, target, fields)
        assert absolute[0][0] == ("400" if "?" in name else "200")


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    certificate, key = make_certificate(folder, "one")
    options = [f"--{door}-{part}={path}" for door in ("public", "private")
               for part, path in (("certificate", certificate), ("key", key))]
    options += ["--size", "128x96", "--part", 2, "--segment", 6]
    with launched(*FREE_PORTS, "--store", "memory", *ONE_CAMERA, *options) as server:
        yield Secure(server, certificate)


def by_http2(secure, folder, asked):
    """The answers to these requests on one connection by HTTP/2: head without its date, and body."""
    command = ["curl"]
    for number, (method, target, fields) in enumerate(asked):
        command += ["--next"] if number else []
        command += ["-sS", "--http2", "--max-time", "20", "--cacert", secure.certificate, "-D", folder / f"{number}.head"]
        command += ["-o", folder / f"{number}.body", *(["--head"] if method == "HEAD" else [])]
        command += [part for name, value in fields.items() for part in ("-H", f"{name}: {value}")]
        command += [f"https://127.0.0.1:{secure.public}{target}"]
    subprocess.run(command, check=True, timeout=60)
    answers = []
    for number, (method, _, _) in enumerate(asked):
        lines = (folder / f"{number}.head").read_bytes().decode().split("\r\n")
        assert lines[0].startswith("HTTP/2 "), lines
        assert any(line.startswith("date:") for line in lines)
        body = folder / f"{number}.body"
        content = body.read_bytes() if method != "HEAD" and body.exists() else b""
        body.unlink(missing_ok=True)
        answers.append(([line for line in lines if not line.startswith("date:")], content))
    return answers


@pytest.mark.parametrize("name", TARGETS)
def test_both_ways_give_the_same_answer_by_http2(secure, name, tmp_path):
    if name == "plain.m3u8":
        assert secure.curl(secure.public, f"/{CAMERA}/{name}", "-o", "/dev/null") == "200"
    different = REQUESTS
    for _ in range(8):
        now = playlist.parse(secure.curl(secure.public, f"/{CAMERA}/live.m3u8", write=""))
        newest = now.segments[-1]
        real = f"/{CAMERA}/{name}".replace("INIT", newest.map).replace("SEGMENT", newest.uri)
        real = real.replace("PART", newest.parts[-1].uri).replace("NEWEST", str(now.sequence + len(now.segments) - 1))
        (head, _), = by_http2(secure, tmp_path, [("HEAD", real, {})])
        etag = next((line.partition(": ")[2] for line in head if line.startswith("etag:")), '"none"')
        asked = []
        for method, fields in different:
            sent = {key: value.replace("ETAG", etag) for key, value in fields.items() if key != "Connection"}
            asked += [(method, real, sent), (method, slow_spelling(real), sent)]
        answers = by_http2(secure, tmp_path, asked)
        # A part may have been published between the two.
        pairs = list(zip(different, answers[::2], answers[1::2]))
        different = [request for request, quick, slow in pairs if quick != slow]
        if not different:
            break
    assert not different, [pair for pair in pairs if pair[1] != pair[2]]


def test_an_answer_that_nothing_is_new_has_no_length_by_http2(secure, tmp_path):
    for path in (f"/{CAMERA}/index.m3u8", f"/{CAMERA}/index%2Em3u8"):
        (head, body), = by_http2(secure, tmp_path, [("GET", path, {"If-None-Match": "*"})])
        assert head[0].startswith("HTTP/2 304") and not body
        assert not any(line.startswith("content-length") for line in head), head


def test_pipelined_requests_of_both_ways_are_answered_in_order(server):
    now = playlist.parse(server.get(f"/{CAMERA}/live.m3u8").text)
    paths = [f"/{CAMERA}/{now.segments[-1].map}", "/healthz", f"/{CAMERA}/{now.segments[-1].uri}", f"/{CAMERA}/", "/healthz"]
    alone = [server.get(path).body for path in paths]
    with wire.Wire(server.public) as connection:
        for _ in range(3):
            connection.send(b"".join(wire.request_bytes("GET", path) for path in paths * 3))
            assert [connection.answer().body for _ in paths * 3] == alone * 3


def test_what_follows_a_blocked_reload_waits_for_it(server):
    with wire.Wire(server.public) as connection:
        now = playlist.parse(server.get(f"/{CAMERA}/live.m3u8").text)
        newest = now.sequence + len(now.segments)
        blocked = f"/{CAMERA}/live.m3u8?_HLS_msn={newest + 1}&_HLS_part=0"
        connection.send(wire.request_bytes("GET", blocked) + wire.request_bytes("GET", "/healthz"))
        assert connection.answer().text.startswith("#EXTM3U")
        assert connection.answer().json == {"status": "ok"}


def test_a_viewer_who_stops_reading_is_closed_and_costs_no_memory(server):
    now = playlist.parse(server.get(f"/{CAMERA}/live.m3u8").text)
    request = wire.request_bytes("GET", f"/{CAMERA}/{now.segments[-1].uri}")
    before = memory(server)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.public))
        client.setblocking(False)
        sent = 0
        for _ in range(20_000):
            try:
                sent += client.send(request)
            except BlockingIOError:
                break
        assert sent > 0
        time.sleep(0.5)
        assert memory(server) - before < 32 << 10


WAITING = 800


@pytest.mark.parametrize("way", ["a part", "the rest of a segment"])
def test_a_viewer_who_waits_costs_little_memory(server, way):
    """The handbook says at most 16 KiB (capacity.md)."""
    raise_open_files()
    clients = []
    try:
        def add(count):
            now = playlist.parse(server.get(f"/{CAMERA}/live.m3u8").text)
            newest = now.sequence + len(now.segments)
            name = f"live.m3u8?_HLS_msn={newest + 1}&_HLS_part=0" if way == "a part" else f"{newest}.mp4"
            request = wire.request_bytes("GET", f"/{CAMERA}/{name}", BROWSER)
            for _ in range(count):
                clients.append(socket.create_connection(("127.0.0.1", server.public)))
                clients[-1].sendall(request)
            deadline = time.monotonic() + 30
            while server.status()["waiting"]["viewers"] < count and time.monotonic() < deadline:
                time.sleep(0.05)

        # The first ones fill what the process keeps for all.
        add(WAITING)
        before = memory(server)
        add(2 * WAITING)
        each = (memory(server) - before) / (2 * WAITING)
        print(f"{each:.1f} KiB for each viewer who waits")
        assert each < 16
    finally:
        for client in clients:
            client.close()
