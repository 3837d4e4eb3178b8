"""The forms in which cameras send stills, each as a client that sends it: curl, requests, ffmpeg, or bytes of our own."""

import base64
import dataclasses
import io
import itertools
import json
import socket
import subprocess
import threading
import time

import requests

import quietcam
import stills
import wire
from serving import BEARER, TOKEN

INGEST = "/ingest/desk"


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
