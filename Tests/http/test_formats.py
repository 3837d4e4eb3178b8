"""Every form in which cameras send stills, sent by real clients; a table of the answers goes to `QUIETCAM_TABLE`."""

import base64
import contextlib
import dataclasses
import io
import itertools
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import pytest
import requests

import quietcam
import stills
import wire
from serving import BEARER, TOKEN, serving

MAX_STILL_BYTES = 300_000
INGEST = "/ingest/desk"
OPTIONS = ["--size", "64x48", "--rate", 10, "--part", 0.2, "--segment", 1, "--preset", "ultrafast", "--interval", 1.5]
# Far enough from each other to be told apart after two encoders.
COLOURS = itertools.cycle(itertools.product((20, 130, 240), repeat=3))


@pytest.fixture(scope="module")
def server():
    with serving(*OPTIONS, "--max-still-bytes", MAX_STILL_BYTES, "--denoise", 0, "--max-rate", 1000) as server:
        yield server


@pytest.fixture(scope="module")
def table():
    """The rows of the table, written when all of them are there."""
    rows = []
    yield rows
    path = os.environ.get("QUIETCAM_TABLE")
    if path:
        head = "| format | label | client | answer | on the screens |\n|---|---|---|---|---|\n"
        pathlib.Path(path).write_text(head + "".join(f"| {' | '.join(row)} |\n" for row in rows))


@dataclasses.dataclass
class Sent:
    """What a client got: its status and body, and for a multipart stream how many stills were in it."""

    status: int
    body: bytes
    count: int = 1


@dataclasses.dataclass
class Form:
    """One way of sending: `send(server, jpeg)` answers what the client got."""

    name: str
    label: str
    client: str
    send: object

    def __str__(self):
        return f"{self.name}, {self.label}, {self.client}"


# Clients


def url(server):
    return f"http://127.0.0.1:{server.private}{INGEST}"


def curl(*arguments, token=True, target=None):
    """Sends by curl; `@-` in the arguments is the picture."""

    def send(server, jpeg):
        authorization = ["-H", f"Authorization: Bearer {TOKEN}"] if token else []
        done = subprocess.run(
            ["curl", "-sS", "--max-time", "20", "--noproxy", "*", *authorization, *arguments, "-w", "\n%{http_code}"]
            + [target or url(server)],
            input=jpeg, capture_output=True, check=True,
        )
        body, _, status = done.stdout.rpartition(b"\n")
        return Sent(int(status), body)

    return send


def by_requests(make, method="POST"):
    """Sends by Python's requests; `make(jpeg)` is what it is told."""

    def send(server, jpeg):
        with requests.Session() as session:
            session.trust_env = False
            told = make(jpeg)
            answer = session.request(
                method, url(server), timeout=20, headers=BEARER | told.pop("headers", {}), **told)
        return Sent(answer.status_code, answer.content)

    return send


def raw(make, pause=0, piece=None):
    """Sends a request of our own making; `make(jpeg)` gives its fields and its body. `piece` bytes go at a time."""

    def send(server, jpeg):
        fields, body = make(jpeg)
        request = wire.request_bytes("POST", INGEST, [*BEARER.items(), *fields.items()], body)
        with wire.Wire(server.private) as client:
            for at in range(0, len(request), piece or len(request)):
                client.send(request[at : at + (piece or len(request))])
                time.sleep(pause)
            answer = client.answer()
        return Sent(answer.status, answer.body)

    return send


class Tap:
    """Hands one connection on to the server and keeps what came back: ffmpeg tells nobody what it was answered."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(20)
        self.port = self.listener.getsockname()[1]
        self.server = wire.Wire(port)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with self.listener, self.listener.accept()[0] as client:
            client.settimeout(20)
            while data := client.recv(65536):
                self.server.send(data)
            self.server.socket.shutdown(socket.SHUT_WR)

    def answer(self):
        self.thread.join(20)
        with self.server:
            return self.server.answer()


def ffmpeg(*arguments):
    """Five pictures at 10 a second in one request by ffmpeg."""

    def send(server, jpeg):
        red, green, blue = stills.colour_of(jpeg)
        source = f"color=c=0x{red:02x}{green:02x}{blue:02x}:s=64x48:r=10"
        tap = Tap(server.private)
        subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", source, "-frames:v", "5", "-q:v", "3"]
            + ["-pix_fmt", "yuvj420p", "-headers", f"Authorization: Bearer {TOKEN}\r\n", *arguments]
            + [f"http://127.0.0.1:{tap.port}{INGEST}"],
            check=True, env=quietcam.environment(),
        )
        answer = tap.answer()
        return Sent(answer.status, answer.body, 5)

    return send


# Bodies


def form(jpeg, name="imageFile", boundary="RandomNerdTutorials", newline="\r\n", before="", after=""):
    """A form as the tutorials for the ESP32-CAM make it."""
    head = [f"--{boundary}", f'Content-Disposition: form-data; name="{name}"; filename="esp32-cam.jpg"']
    head += ["Content-Type: image/jpeg", "", ""]
    return (before + newline.join(head)).encode() + jpeg + f"{newline}--{boundary}--{newline}{after}".encode()


def stream(pictures, with_lengths, boundary="boundarydonotcross"):
    """A stream as mjpg-streamer makes it."""
    body = b""
    for picture in pictures:
        length = f"Content-Length: {len(picture)}\r\n" if with_lengths else ""
        head = f"--{boundary}\r\nContent-Type: image/jpeg\r\n{length}X-Timestamp: 12.000000\r\n\r\n"
        body += head.encode() + picture + b"\r\n"
    return body


def base64_of(jpeg):
    return base64.b64encode(jpeg).decode()


HIKVISION = (
    '<EventNotificationAlert version="2.0"><ipAddress>192.168.1.64</ipAddress>\r\n'
    "<eventType>VMD</eventType></EventNotificationAlert>"
)
MIXED = "multipart/x-mixed-replace;boundary=boundarydonotcross"
TUTORIAL = "multipart/form-data; boundary=RandomNerdTutorials"

RAW = [
    *(
        Form("raw body", label or "no Content-Type", f"curl {method}", curl(
            "-X", method, "-H", f"Content-Type:{label and ' ' + label}", "--data-binary", "@-"))
        for method, label in itertools.product(
            ("POST", "PUT"), ("image/jpeg", "image/jpg", "application/octet-stream", ""))
    ),
    Form("raw body", "application/x-www-form-urlencoded", "curl --data-binary", curl("--data-binary", "@-")),
    Form("raw body", "text/plain", "curl", curl("-H", "Content-Type: text/plain", "--data-binary", "@-")),
    Form("raw body", "multipart/form-data without being one", "curl", curl(
        "-H", "Content-Type: multipart/form-data; boundary=x", "--data-binary", "@-")),
    Form("raw body", "application/json", "curl", curl("-H", "Content-Type: application/json", "--data-binary", "@-")),
    Form("raw body", "Content-Disposition: form-data", "curl", curl(
        "-H", "Content-Type: image/jpeg", "-H", 'Content-Disposition: form-data; name="imageFile"; filename="a.jpg"',
        "--data-binary", "@-")),
    Form("raw body, chunked", "no Content-Type", "curl -T -", curl("-T", "-")),
    Form("raw body, HTTP/1.0", "image/jpeg", "curl -0", curl(
        "-0", "-H", "Content-Type: image/jpeg", "--data-binary", "@-")),
    Form("raw body, Expect: 100-continue", "image/jpeg", "curl", curl(
        "-H", "Expect: 100-continue", "-H", "Content-Type: image/jpeg", "--data-binary", "@-")),
    Form("raw body", "no Content-Type", "requests", by_requests(lambda jpeg: {"data": jpeg})),
    Form("raw body", "image/jpeg", "requests PUT", by_requests(
        lambda jpeg: {"data": io.BytesIO(jpeg), "headers": {"Content-Type": "image/jpeg"}}, "PUT")),
    Form("raw body, chunked", "no Content-Type", "requests, generator", by_requests(
        lambda jpeg: {"data": (jpeg[at : at + 100] for at in range(0, len(jpeg), 100))})),
    Form("raw body that trickles", "image/jpeg", "socket, 64 bytes at a time", raw(
        lambda jpeg: ({"Content-Type": "image/jpeg"}, jpeg), pause=0.01, piece=64)),
    Form("raw body, padded with zeros", "image/jpeg", "socket", raw(
        lambda jpeg: ({"Content-Type": "image/jpeg"}, jpeg + bytes(1000)))),
]

FORMS = [
    *(
        Form("form", f"field {field}", "curl -F", curl("-F", f"{field}=@-;filename=a.jpg"))
        for field in ("imageFile", "img", "capture", "file", "x[]")
    ),
    Form("form", "field imageFile, part image/jpeg", "curl -F", curl("-F", "imageFile=@-;type=image/jpeg")),
    Form("form", "field imageFile, part text/plain", "curl -F", curl("-F", "imageFile=@-;type=text/plain")),
    Form("form, text fields before it", "field img", "curl -F", curl(
        "-F", "time=1970-01-01", "-F", "name=desk", "-F", "img=@-;filename=a.jpg", "-F", "last=1")),
    Form("form, XML before it (Hikvision)", "field detectionPicture", "requests", by_requests(
        lambda jpeg: {"files": {
            "MoveDetection.xml": ("MoveDetection.xml", HIKVISION, "application/xml"),
            "detectionPicture": ("detectionPicture.jpg", jpeg, "image/jpeg")}})),
    Form("form, a text part of 200 kB before it", "field img", "curl -F", curl(
        "-F", f"log={'x' * 100_000}", "-F", f"more={'y' * 100_000}", "-F", "img=@-;filename=a.jpg")),
    Form("form, chunked", "field img", "curl -F", curl(
        "-H", "Transfer-Encoding: chunked", "-F", "img=@-;filename=a.jpg")),
    Form("form", "field imageFile", "requests", by_requests(
        lambda jpeg: {"files": {"imageFile": ("a.jpg", jpeg, "image/jpeg")}})),
    Form("form with fields", "field capture", "requests", by_requests(
        lambda jpeg: {"data": {"a": "1"}, "files": {"capture": jpeg}})),
    Form("form of the ESP32-CAM tutorials", TUTORIAL, "socket, 100 bytes at a time", raw(
        lambda jpeg: ({"Content-Type": TUTORIAL}, form(jpeg)), pause=0.02, piece=100)),
    Form("form, boundary quoted", 'boundary="RandomNerdTutorials"', "socket", raw(
        lambda jpeg: ({"Content-Type": 'multipart/form-data; boundary="RandomNerdTutorials"'}, form(jpeg)))),
    Form("form, boundary with spaces, quoted, after a preamble", 'boundary="a b"', "socket", raw(
        lambda jpeg: (
            {"Content-Type": 'multipart/form-data; boundary="a b"'},
            form(jpeg, boundary="a b", before="This is MIME.\r\n", after="the end\r\n")))),
    Form("form, preamble and epilogue", TUTORIAL, "socket", raw(
        lambda jpeg: ({"Content-Type": TUTORIAL}, form(jpeg, before="--\r\nhello\r\n", after="bye\r\n")))),
    Form("form, line feeds alone", TUTORIAL, "socket", raw(
        lambda jpeg: ({"Content-Type": TUTORIAL}, form(jpeg, newline="\n")))),
    Form("form", "no Content-Type", "socket", raw(lambda jpeg: ({}, form(jpeg)))),
    Form("form", "image/jpeg", "socket", raw(lambda jpeg: ({"Content-Type": "image/jpeg"}, form(jpeg)))),
    Form("form", "another boundary than the body's", "socket", raw(
        lambda jpeg: ({"Content-Type": "multipart/form-data; boundary=other"}, form(jpeg)))),
    Form("form", "boundary=--RandomNerdTutorials, hyphens too many", "socket", raw(
        lambda jpeg: ({"Content-Type": "multipart/form-data; boundary=--RandomNerdTutorials"}, form(jpeg)))),
    Form("form without its last line", TUTORIAL, "socket", raw(
        lambda jpeg: ({"Content-Type": TUTORIAL}, form(jpeg)[: -len("--RandomNerdTutorials--\r\n")]))),
]

STREAMS = [
    Form("multipart stream", "no Content-Type", "ffmpeg -f mpjpeg, POST", ffmpeg("-f", "mpjpeg", "-method", "POST")),
    Form("multipart stream", "no Content-Type", "ffmpeg -f mpjpeg, PUT", ffmpeg("-f", "mpjpeg", "-method", "PUT")),
    Form("multipart stream", "multipart/x-mixed-replace;boundary=ffmpeg", "ffmpeg -f mpjpeg", ffmpeg(
        "-f", "mpjpeg", "-content_type", "multipart/x-mixed-replace;boundary=ffmpeg")),
    Form("multipart stream", "boundary=--cam, hyphens in the name", "ffmpeg -f mpjpeg", ffmpeg(
        "-f", "mpjpeg", "-boundary_tag", "cam", "-content_type", "multipart/x-mixed-replace; boundary=--cam")),
    Form("pictures one behind the other", "no Content-Type", "ffmpeg -f mjpeg", ffmpeg("-f", "mjpeg")),
    Form("pictures one behind the other", "no Content-Type", "ffmpeg -f image2pipe", ffmpeg(
        "-f", "image2pipe", "-c:v", "mjpeg")),
    *(
        Form(f"multipart stream {'with' if with_lengths else 'without'} part lengths", label or "no Content-Type",
             "requests, generator", by_requests(lambda jpeg, with_lengths=with_lengths, label=label: {
                 "data": (stream([jpeg], with_lengths) for _ in range(3)),
                 "headers": {"Content-Type": label} if label else {}}))
        for with_lengths, label in itertools.product((True, False), (MIXED, ""))
    ),
]

JSON = [
    Form("JSON, base64 in any field", "application/json", "requests", by_requests(
        lambda jpeg: {"json": {"camera": "desk", "time": 12.5, "picture": base64_of(jpeg)}})),
    Form("JSON, data: URL", "application/json", "requests", by_requests(
        lambda jpeg: {"json": {"image": f"data:image/jpeg;base64,{base64_of(jpeg)}"}})),
    Form("JSON, in a list inside", "application/json; charset=utf-8", "curl", lambda server, jpeg: curl(
        "-H", "Content-Type: application/json; charset=utf-8", "--data-binary", "@-")(
            server, json.dumps({"event": {"pictures": [{"data": base64_of(jpeg)}]}}, indent=1).encode())),
    Form("JSON, slashes escaped", "no Content-Type", "socket", raw(
        lambda jpeg: ({}, ('{"i":"' + base64_of(jpeg).replace("/", "\\/").replace("+", "\\u002b") + '"}').encode()))),
    Form("JSON, base64 in lines of 76", "text/json", "requests", by_requests(
        lambda jpeg: {"data": json.dumps({"i": base64.encodebytes(jpeg).decode()}),
                      "headers": {"Content-Type": "text/json"}})),
    Form("JSON, chunked", "application/json", "requests, generator", by_requests(
        lambda jpeg: {"data": (bytes([byte]) for byte in json.dumps({"i": base64_of(jpeg)}).encode()),
                      "headers": {"Content-Type": "application/json"}})),
]

TEXT = [
    Form("base64", "text/plain", "curl", lambda server, jpeg: curl(
        "-H", "Content-Type: text/plain", "--data-binary", "@-")(server, base64.encodebytes(jpeg))),
    Form("base64", "application/x-www-form-urlencoded", "curl -d", lambda server, jpeg: curl(
        "-d", "@-")(server, base64.b64encode(jpeg))),
    Form("data: URL", "no Content-Type", "socket", raw(
        lambda jpeg: ({}, b"data:image/jpeg;base64," + base64.b64encode(jpeg)))),
    Form("base64 in a field", "urlencoded", "curl --data-urlencode", lambda server, jpeg: curl(
        "-d", "camera=desk", "--data-urlencode", "image@-")(server, base64.b64encode(jpeg))),
    Form("base64 in a field", "form", "curl -F", lambda server, jpeg: curl(
        "-F", "camera=desk", "-F", "image=<-")(server, base64.b64encode(jpeg))),
    Form("data: URL in a field", "form", "requests", by_requests(
        lambda jpeg: {"files": {"image": (None, f"data:image/jpeg;base64,{base64_of(jpeg)}")}})),
    Form("JSON behind a byte order mark", "application/json", "socket", raw(
        lambda jpeg: (
            {"Content-Type": "application/json"}, b"\xef\xbb\xbf" + json.dumps({"i": base64_of(jpeg)}).encode()))),
]


# What is taken


def comes_onto_the_screens(server, jpeg):
    """Whether the latest picture becomes this one soon."""
    wanted = stills.colour_of(jpeg)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if stills.is_near(stills.colour_of(server.get("/desk/latest.jpg").body), wanted):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("way", [*RAW, *FORMS, *STREAMS, *JSON, *TEXT], ids=str)
def test_a_still_is_taken_in_every_form_and_comes_onto_the_screens(server, table, way):
    before = server.status()["stills"]["taken"]
    jpeg = stills.solid(*next(COLOURS))
    sent = way.send(server, jpeg)
    taken = server.status()["stills"]["taken"] - before
    appears = comes_onto_the_screens(server, jpeg)
    many = f", {taken} stills" if taken > 1 else ""
    table.append((way.name, way.label.replace("|", "\\|"), way.client, f"{sent.status}{many}", "yes" if appears else "no"))
    assert sent.status == 202, sent
    assert taken == (3 if way in STREAMS and "requests" in way.client else sent.count)
    assert appears
    if sent.body:
        advice = json.loads(sent.body)
        assert 1125 <= advice["interval_ms"] <= 1875
        assert (advice["waves"], advice["seq"]) == (0, before + taken)
        assert advice.get("stills", 1) == taken


# What is refused


def over_65535(jpeg):
    """A picture of more than 65,535 bytes, which stand before its coded data."""
    padding = b"\xff\xfe" + (60_000).to_bytes(2) + bytes(59_998)
    return jpeg[:2] + padding + padding + jpeg[2:]


def wrapped(fields, body):
    return fields | {"Content-Length": len(body) % 65_536}, body


REFUSALS = [
    (400, "malformed", Form("raw body of over 65,535 bytes", "Content-Length counted in 16 bits", "socket", raw(
        lambda jpeg: wrapped({"Content-Type": "image/jpeg"}, over_65535(jpeg))))),
    (400, "malformed", Form("form of over 65,535 bytes", "Content-Length counted in 16 bits", "socket", raw(
        lambda jpeg: wrapped({"Content-Type": TUTORIAL}, form(over_65535(jpeg)))))),
    (400, "malformed", Form("form without any delimiter", TUTORIAL, "socket", raw(
        lambda jpeg: ({"Content-Type": TUTORIAL}, b"hello")))),
    (400, "malformed", Form("JSON that breaks off", "application/json", "socket", raw(
        lambda jpeg: ({"Content-Type": "application/json"}, b'{"a": "b')))),
    (400, "malformed", Form("JSON with damaged base64", "application/json", "requests", by_requests(
        lambda jpeg: {"json": {"i": base64_of(jpeg)[:40] + "*" + base64_of(jpeg)[40:]}}))),
    (401, "unauthorized", Form("raw body", "no token", "curl", curl("--data-binary", "@-", token=False))),
    (411, "lengthRequired", Form("raw body", "neither length nor chunks", "socket", raw(
        lambda jpeg: ({"Content-Type": "image/jpeg"}, None)))),
    (413, "tooLarge", Form("raw body that is too large", "image/jpeg", "curl", lambda server, jpeg: curl(
        "-H", "Content-Type: image/jpeg", "--data-binary", "@-")(server, jpeg + bytes(MAX_STILL_BYTES)))),
    (413, "tooLarge", Form("form with a picture that is too large", "field img", "curl -F", lambda server, jpeg: curl(
        "-F", "img=@-;filename=a.jpg")(server, large_picture(jpeg)))),
    (413, "tooLarge", Form("chunked body that is too large", "no Content-Type", "curl -T -", lambda server, jpeg: curl(
        "-T", "-")(server, large_picture(jpeg)))),
    (413, "tooLarge", Form("JSON with a picture that is too large", "application/json", "requests", by_requests(
        lambda jpeg: {"json": {"i": base64_of(large_picture(jpeg))}}))),
    (413, "tooLarge", Form("picture of 30,000 x 30,000", "image/jpeg", "requests", by_requests(
        lambda jpeg: {"data": stills.one("bad/bomb-30000x30000.jpg")}))),
    (415, "notJPEG", Form("text", "image/jpeg", "curl", lambda server, jpeg: curl(
        "-H", "Content-Type: image/jpeg", "--data-binary", "@-")(server, b"camera busy"))),
    (415, "notJPEG", Form("empty body", "image/jpeg", "requests", by_requests(
        lambda jpeg: {"data": b"", "headers": {"Content-Length": "0"}}))),
    (415, "notJPEG", Form("PNG", "image/png", "requests", by_requests(
        lambda jpeg: {"data": stills.one("bad/png.jpg"), "headers": {"Content-Type": "image/png"}}))),
    (415, "notJPEG", Form("form without a picture", "field a", "curl -F", curl("-F", "a=1", "-F", "b=2"))),
    (415, "notJPEG", Form("JSON without a picture", "application/json", "requests", by_requests(
        lambda jpeg: {"json": {"error": "camera busy"}}))),
    (422, "truncated", Form("raw body, picture cut", "image/jpeg", "requests", by_requests(
        lambda jpeg: {"data": jpeg[:-2]}))),
    (422, "truncated", Form("form, picture cut", TUTORIAL, "socket", raw(
        lambda jpeg: ({"Content-Type": TUTORIAL}, form(jpeg[:-2]))))),
    (422, "truncated", Form("JSON, picture cut", "application/json", "requests", by_requests(
        lambda jpeg: {"json": {"i": base64_of(jpeg[:-30])}}))),
    (422, "unsupported", Form("CMYK picture in a form", "field img", "requests", by_requests(
        lambda jpeg: {"files": {"img": stills.one("bad/cmyk.jpg")}}))),
]


def large_picture(jpeg):
    return jpeg[:2] + (b"\xff\xfe\xff\xff" + bytes(65_533)) * (MAX_STILL_BYTES // 65_537 + 1) + jpeg[2:]


@pytest.mark.parametrize("status, error, way", REFUSALS, ids=str)
def test_what_is_no_still_is_refused_with_its_reason(server, table, status, error, way):
    before = server.settled()
    sent = way.send(server, stills.solid(*next(COLOURS)))
    told = json.loads(sent.body)
    table.append((way.name, way.label, way.client, f"{sent.status} {told['error']}", "no"))
    assert (sent.status, told["error"]) == (status, error), sent
    assert len(told["detail"]) > 20
    after = server.status()["stills"]
    assert after["taken"] == before["taken"]
    # A length that wrapped leaves a cut picture, and is known to be wrong only by what comes behind it.
    counted = "truncated" if "16 bits" in way.label else error
    if counted not in ("unauthorized", "lengthRequired"):
        assert after["refused"][counted] == before["refused"].get(counted, 0) + 1


def test_a_form_without_a_picture_is_told_what_it_holds(server):
    sent = curl("-F", "a=1", "-F", "note=hello;type=text/plain")(server, b"")
    detail = json.loads(sent.body)["detail"]
    assert '"a", begins with 31;' in detail and '"note" (text/plain), begins with 68 65 6C' in detail, detail


# Streams


@contextlib.contextmanager
def pushing(server, label=MIXED):
    """An open chunked request; the yielded function sends the next bytes of its body, and at the end nothing."""
    with wire.Wire(server.private) as client:
        fields = BEARER | ({"Content-Type": label} if label else {}) | {"Transfer-Encoding": "chunked"}
        client.send(wire.request_bytes("POST", INGEST, fields))
        yield client, lambda data: client.send(b"%x\r\n%s\r\n" % (len(data), data))


@pytest.mark.parametrize("with_lengths", [True, False])
def test_each_picture_of_a_stream_is_shown_as_soon_as_it_is_complete(server, with_lengths):
    before = server.status()["stills"]["taken"]
    with pushing(server) as (client, send):
        for count in range(1, 4):
            jpeg = stills.solid(*next(COLOURS))
            send(stream([jpeg], with_lengths).removesuffix(b"\r\n"))
            assert comes_onto_the_screens(server, jpeg)
            assert server.status()["stills"]["taken"] == before + count
            assert client.is_silent(0)
            send(b"\r\n")
        send(b"")
        answer = client.answer()
    assert (answer.status, answer.json["stills"], answer.json["seq"]) == (202, 3, before + 3)


def test_a_bad_picture_in_a_stream_is_counted_and_the_stream_goes_on(server):
    before = server.settled()
    good = stills.solid(*next(COLOURS))
    with pushing(server) as (client, send):
        for picture in (good, good[:-2], b"camera busy", large_picture(good), stills.one("bad/cmyk.jpg"), good):
            send(stream([picture], False))
        send(b"")
        answer = client.answer()
    assert (answer.status, answer.json["stills"], answer.json["refused"]) == (202, 2, 3)
    after = server.settled()
    assert after["taken"] == before["taken"] + 2
    for reason in ("truncated", "tooLarge", "unsupported"):
        assert after["refused"][reason] == before["refused"].get(reason, 0) + 1
    assert comes_onto_the_screens(server, good)


def test_a_stream_of_bad_pictures_alone_is_refused_with_the_first_reason(server):
    with pushing(server) as (client, send):
        send(stream([stills.one("bad/cmyk.jpg"), stills.solid(1, 2, 3)[:-2]], True))
        send(b"")
        answer = client.answer()
    assert (answer.status, answer.json["error"]) == (422, "unsupported")


def test_a_stream_that_breaks_off_keeps_what_was_complete(server):
    before = server.settled()
    jpeg = stills.solid(*next(COLOURS))
    with pushing(server) as (client, send):
        send(stream([jpeg, jpeg], True)[:-100])
        assert comes_onto_the_screens(server, jpeg)
    after = server.settled()
    assert (after["taken"], after["refused"]) == (before["taken"] + 1, before["refused"])


def test_a_stream_without_pictures_is_ended_when_it_has_sent_enough(server):
    with pushing(server) as (client, send):
        try:
            for _ in range(40):
                send(bytes(20_000))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert client.answer().status == 413


def test_a_long_stream_needs_no_more_memory_than_a_short_one(server):
    """60 MB in parts of 200 kB; the process may keep a few pictures of them."""

    def resident():
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) // 1024

    jpeg = large_picture(stills.solid(9, 9, 9))[: 2 + 3 * 65_537] + stills.solid(9, 9, 9)[2:]
    part = stream([jpeg], False)
    with pushing(server) as (client, send):
        for _ in range(30):
            send(part)
        before = resident()
        for _ in range(300):
            send(part)
        send(b"")
        answer = client.answer()
        after = resident()
    assert (answer.status, answer.json["stills"]) == (202, 330)
    assert after - before < 20


def test_the_end_of_the_process_ends_a_stream():
    with serving(*OPTIONS) as server, pushing(server) as (client, send):
        send(stream([stills.solid(1, 2, 3)], True))
        deadline = time.monotonic() + 10
        while server.status()["stills"]["taken"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        server.stop()


def test_a_stream_whose_camera_loses_its_connection_harms_nobody(server):
    """A camera that falls silent in the middle of a part, and another that goes on meanwhile."""
    jpeg = stills.solid(*next(COLOURS))
    with pushing(server) as (_, send):
        send(stream([jpeg], True)[:-50])
        other = stills.solid(*next(COLOURS))
        assert server.push(other).status == 202
        assert comes_onto_the_screens(server, other)


# Which of several


@pytest.mark.parametrize(
    ("choice", "number"), [("first", 0), ("last", 2), ("largest", 1), ("field:scene", 1), ("field:nothing", 0)])
def test_a_doorbell_shows_the_picture_of_the_setting(choice, number):
    pictures = [stills.solid(220, 20, 20), stills.solid(20, 200, 20, (320, 240)), stills.solid(20, 20, 220)]
    names = ("plate", "scene", "face")
    with serving(*OPTIONS, "--still-choice", choice) as server:
        form = {name: (f"{name}.jpg", jpeg, "image/jpeg") for name, jpeg in zip(names, pictures)}
        answers = [by_requests(lambda _: {"files": form})(server, b"")]
        assert comes_onto_the_screens(server, pictures[number])
        answers.append(server.push(stills.solid(128, 128, 128)))
        assert comes_onto_the_screens(server, stills.solid(128, 128, 128))
        answers.append(
            by_requests(lambda _: {"json": {name: base64_of(jpeg) for name, jpeg in zip(names, pictures)}})(server, b""))
        assert comes_onto_the_screens(server, pictures[number])
        assert [answer.status for answer in answers] == [202] * 3
        assert server.status()["stills"]["taken"] == 3
