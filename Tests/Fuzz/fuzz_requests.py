"""Sends damaged requests to the private door of a running server while a viewer looks on.

    QUIETCAM=.build/fuzz/build/release/quietcam python fuzz_requests.py FOLDER [--count N] [--first N]

Each request follows from its number alone. The server must answer each request with an HTTP answer or close the
connection, take a good still now and then, let the viewer play without a stall, keep its memory, and end in good order;
built with AddressSanitizer it ends at a wrong access, and at its end tells what it leaked.
"""

import argparse
import base64
import json
import pathlib
import random
import re
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "Tests" / "http"), str(ROOT / "Tests" / "browser")]

import stills  # noqa: E402  (these need the path above)
import wire  # noqa: E402
from serving import BEARER, serving  # noqa: E402

PART = 0.5
# What a low-latency player has in hand (PART-HOLD-BACK, three parts): it stalls when no part comes for longer.
HOLD_BACK = 3 * PART
TOKENS = [
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"--", b"0\r\n\r\n", b"\r\n\r\n", b"Content-Length: 5\r\n",
    b"Content-Length: 99999999999999999999\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n", b"Content-Type: multipart/form-data; boundary=", b"Expect: 100-continue\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"HTTP/1.0", b"HTTP/9.9", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"%00",
    b"/../", b"\xff\xd8\xff", b"\xff\xd9", b"fffffffffffffffff\r\n", b"-5\r\n", b";name=value", b"\"", b"{", b"\\u",
    b"A" * 9000, b"X: y\r\n" * 100, b"Accept-Encoding: br;q=0.5, dcz, *;q=\r\n",
    b"Accept-Encoding: dcz\r\nAvailable-Dictionary: :47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\n",
]


def body(dice, pictures):
    """A body and its Content-Type."""
    picture = dice.choice(pictures)
    kind = dice.randrange(5)
    if kind == 0:
        return dice.choice([None, "image/jpeg", "text/plain"]), picture
    if kind == 1:
        head = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nhello\r\n--b\r\n\r\n'
        return "multipart/form-data; boundary=b", head + picture + b"\r\n--b--\r\n"
    if kind == 2:
        part = b"--s\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n"
        return dice.choice([None, "multipart/x-mixed-replace; boundary=s"]), part * dice.randrange(1, 4)
    if kind == 3:
        return "application/json", json.dumps({"image": base64.b64encode(picture).decode()}).encode()
    return None, picture * dice.randrange(1, 4)


def request(dice, pictures):
    """One request or several in one write."""
    type_, data = body(dice, pictures)
    fields = dict(BEARER) if dice.random() < 0.95 else {}
    if type_:
        fields["Content-Type"] = type_
    if dice.random() < 0.3:
        fields["Transfer-Encoding"] = "chunked"
        data = wire.chunked(data, dice.choice([1, 100, 5000]) if len(data) < 20_000 else 5000)
    target = dice.choice(["/ingest/desk"] * 8 + ["/ingest/attic", "/status", "/metrics", "/ingest/../desk"])
    made = wire.request_bytes(dice.choice(["POST", "PUT", "POST", "GET"]), target, fields, data)
    return made if dice.random() < 0.8 else made + made


def damaged(dice, data):
    data = bytearray(data)
    for _ in range(dice.randrange(5)):
        at = dice.randrange(min(len(data), 300) if dice.random() < 0.6 else len(data)) if data else 0
        kind = dice.randrange(6)
        if kind == 0:
            data[at : at + 1] = bytes([dice.randrange(256)])
        elif kind == 1:
            data[at:at] = dice.choice(TOKENS)
        elif kind == 2:
            del data[at : at + dice.randrange(1, 40)]
        elif kind == 3:
            data[at : at + 20] = dice.choice(TOKENS)
        elif kind == 4:
            del data[at:]
        else:
            data[at:at] = data[at : at + dice.randrange(1, 200)]
    return bytes(data)


def send(port, dice, data):
    """Sends in pieces and answers the first line of what comes back; nothing when the server just closed."""
    with wire.Wire(port, timeout=30) as client:
        try:
            at = 0
            while at < len(data):
                size = dice.choice([1, 10, 1000, 100_000])
                client.send(data[at : at + size])
                at += size
            client.socket.shutdown(1)
            answer = client.socket.recv(65536)
        except TimeoutError:
            raise
        except OSError:  # The server has closed the connection.
            return ""
    line = answer.split(b"\r\n")[0].decode("latin-1")
    assert not line or re.fullmatch(r"HTTP/1\.[01] [1-5]\d\d .*", line), answer[:200]
    return line


class Viewer:
    """Follows the stream part by part, counts the stalls and keeps the longest time from one to the next."""

    def __init__(self, server):
        self.server, self.longest, self.parts, self.is_over, self.problem = server, 0, 0, False, None
        self.stalls = 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            with wire.Wire(self.server.public) as client:
                last, seen = time.monotonic(), None
                while not self.is_over:
                    hint = re.search(r'PRELOAD-HINT:TYPE=PART,URI="([^"]+)"', client.ask("GET", "/desk/live.m3u8").text)
                    if hint[1] == seen:
                        continue
                    seen = hint[1]
                    answer = client.ask("GET", f"/desk/{seen}")
                    assert answer.status == 200 and answer.body, answer
                    now = time.monotonic()
                    self.stalls += now - last > HOLD_BACK
                    self.longest, last, self.parts = max(self.longest, now - last), now, self.parts + 1
        except Exception as error:
            self.problem = error


def resident(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) // 1024


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("corpus", type=pathlib.Path)
    arguments.add_argument("--count", type=int, default=10_000)
    arguments.add_argument("--first", type=int, default=0)
    arguments = arguments.parse_args()
    pictures = [path.read_bytes() for path in sorted(arguments.corpus.glob("*.jpg"))]
    answers, began = {}, time.monotonic()
    options = ["--size", "128x96", "--part", PART, "--segment", 2, "--max-still-bytes", 100_000]
    with serving(*options) as server:
        viewer = Viewer(server)
        for number in range(arguments.first, arguments.first + arguments.count):
            dice = random.Random(number)
            data = damaged(dice, request(dice, pictures))
            try:
                line = send(server.private, dice, data)
            except Exception as error:
                raise AssertionError(f"request {number}: {error}\n{server.log()[-4000:]}") from error
            status = line.split(" ")[1] if line else "closed"
            answers[status] = answers.get(status, 0) + 1
            if (number - arguments.first) % 500 == 0:
                good = server.push(stills.one())
                if good.status == 429:
                    # Damaged requests with the right token count too, and a quick build takes more than max-rate of them.
                    time.sleep(1.1)
                    good = server.push(stills.one())
                assert good.status == 202, f"after request {number}: {good}"
            if (number - arguments.first) % 5000 == 0:
                print(f"{number - arguments.first} requests, {resident(server)} MiB, {sorted(answers.items())}", flush=True)
        viewer.is_over = True
        viewer.thread.join(10)
        print(
            f"{arguments.count} requests in {time.monotonic() - began:.0f} s, {resident(server)} MiB: "
            f"{sorted(answers.items())}; {viewer.parts} parts of {PART} s, {viewer.stalls} stalls, the longest wait {viewer.longest:.2f} s; "
            f"{server.status()['stills']}")
        assert viewer.problem is None, viewer.problem
        assert viewer.parts and not viewer.stalls, "the viewer's player would have stalled"
        server.stop()
        assert "AddressSanitizer" not in server.log() and "LeakSanitizer" not in server.log(), server.log()
    print("no wrong access, no leak")


if __name__ == "__main__":
    main()
