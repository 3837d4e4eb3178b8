"""What a crowd of misbehaving clients does to a viewer: run by hand or by `make load`; a small one runs with the tests.

Idle connections, uploads that trickle, and readers that stop reading hold on, while a viewer follows the live playlist
with blocking reloads and fetches each part. A stall is a part that comes later than two part targets after the one
before it. `python Tests/http/load.py [IDLE TRICKLING STUCK SECONDS]` prints what was seen as JSON; its exit code says
whether there was a stall, or more memory than the handbook's bound.
"""

import contextlib
import json
import pathlib
import re
import resource
import select
import socket
import statistics
import sys
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

import stills  # noqa: E402  (these need the path above)
import wire  # noqa: E402
from serving import BEARER, FREE_PORTS, ONE_CAMERA, launched  # noqa: E402

PART = 1.0
# What the handbook says that a connection, and all uploads together, take at most.
CONNECTION_KIB, UPLOADS_MIB = 32, 256


def raise_open_files():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def memory_of(process):
    """Resident memory in KiB: now, and the most so far."""
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return tuple(int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) for name in ("VmRSS", "VmHWM"))


class Crowd:
    """Sockets that hold on; none has a thread of its own."""

    def __init__(self, server):
        self.server = server
        self.idle, self.trickling, self.stuck = [], [], []
        self.refused = 0
        self.body = stills.one()

    def connect(self, port, receive=None):
        client = socket.socket()
        if receive:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        client.settimeout(10)
        client.connect(("127.0.0.1", port))
        client.setblocking(False)
        return client

    def add_idle(self):
        self.idle.append(self.connect(self.server.public))

    def add_trickling(self):
        client = self.connect(self.server.private)
        fields = BEARER | {"Content-Length": 1_000_000}
        client.send(wire.request_bytes("POST", "/ingest/desk", fields, self.body[:1000]))
        self.trickling.append(client)

    def add_stuck(self):
        client = self.connect(self.server.public, receive=4096)
        # Each asks for far more than it takes.
        request = b"".join(wire.request_bytes("GET", f"/desk/{name}") for name in self.server.names) * 20
        with contextlib.suppress(BlockingIOError):
            client.send(request[:60_000])
        self.stuck.append(client)

    def tend(self):
        """A round of the crowd: a few bytes of each trickling upload, and those that the server closed come again."""
        for kind, add in ((self.idle, self.add_idle), (self.stuck, self.add_stuck), (self.trickling, self.add_trickling)):
            for client in list(kind):
                ended = False
                try:
                    if kind is self.trickling:
                        client.send(b"\0" * 64)
                    if kind is not self.stuck:
                        ended = client in select_readable(client) and client.recv(4096) is not None
                except BlockingIOError:
                    pass
                except OSError:
                    ended = True
                if ended:
                    client.close()
                    kind.remove(client)
                    self.refused += 1
                    with contextlib.suppress(OSError):
                        add()

    def close(self):
        for client in self.idle + self.trickling + self.stuck:
            client.close()


def select_readable(client):
    poll = select.poll()
    poll.register(client, select.POLLIN | select.POLLHUP)
    return [client] if poll.poll(0) else []


class Viewer(threading.Thread):
    """Follows the playlist with blocking reloads and fetches each part."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.wire = wire.Wire(server.public, timeout=30)
        self.times = []
        self.problem = None
        self.is_over = threading.Event()

    def run(self):
        try:
            with self.wire:
                self.read(self.wire.ask("GET", "/desk/live.m3u8").text)
                while not self.is_over.is_set():
                    self.step()
        except Exception as error:
            self.problem = error

    def read(self, text):
        hint = re.search(r'EXT-X-PRELOAD-HINT:TYPE=PART,URI="(\d+)\.(\d+)\.mp4"', text)
        self.next = (int(hint[1]), int(hint[2]))
        return re.findall(r'EXT-X-PART:.*URI="([^"]+)"', text)[-1]

    def step(self):
        sequence, part = self.next
        answer = self.wire.ask("GET", f"/desk/live.m3u8?_HLS_msn={sequence}&_HLS_part={part}")
        assert answer.status == 200, answer
        name = self.read(answer.text)
        answer = self.wire.ask("GET", f"/desk/{name}")
        assert answer.status == 200 and answer.body, answer
        self.times.append(time.monotonic())

    def end(self):
        self.is_over.set()
        self.join(30)
        assert self.problem is None, self.problem


def log(text):
    print(text, file=sys.stderr, flush=True)


def run(idle, trickling, stuck, seconds, *options):
    raise_open_files()
    arguments = ["--size", "640x480", "--part", PART, "--segment", 6, "--max-rate", 1000, *options]
    with launched(*FREE_PORTS, "--store", "memory", *ONE_CAMERA, *arguments) as server:
        server.wait_until_ready()
        server.names = re.findall(r"^(\d+\.mp4)$", server.get("/desk/live.m3u8").text, re.M) + ["latest.jpg"]
        for number in range(3):
            server.push(stills.one())
            time.sleep(0.5)
        viewer = Viewer(server)
        viewer.start()
        crowd = Crowd(server)
        began = time.monotonic()
        before, _ = memory_of(server.process)
        pushed = {202: 0}
        wanted = [crowd.add_trickling] * trickling + [crowd.add_stuck] * stuck + [crowd.add_idle] * idle
        last_push = last_tend = 0
        end = None
        open_most = 0
        try:
            while end is None or time.monotonic() < end or (len(viewer.times) < 4 and viewer.is_alive()):
                for _ in range(20):
                    if wanted:
                        wanted.pop()()
                if not wanted and end is None:
                    log(f"all there after {time.monotonic() - began:.1f} s")
                    end = time.monotonic() + seconds
                now = time.monotonic()
                if now - began > 120:
                    break
                if now - last_push > 2:
                    last_push = now
                    status = server.push(stills.one()).status
                    pushed[status] = pushed.get(status, 0) + 1
                elif now - last_tend > 3:
                    last_tend = now
                    crowd.tend()
                    doors = server.operators("/status").json["doors"]
                    open_most = max(open_most, doors["public"]["connections"] + doors["private"]["connections"])
                time.sleep(0.005)
            now, peak = memory_of(server.process)
            doors = server.operators("/status").json["doors"]
        finally:
            crowd.close()
            viewer.end()
        gaps = [b - a for a, b in zip(viewer.times, viewer.times[1:], strict=False)]
        return {
            "idle": idle, "trickling": trickling, "stuck": stuck, "seconds": round(time.monotonic() - began, 1),
            "openConnectionsAtMost": open_most, "closedByServer": crowd.refused, "parts": len(viewer.times),
            "stalls": sum(gap > 2 * PART for gap in gaps), "longestGap": round(max(gaps), 3),
            "meanGap": round(statistics.mean(gaps), 3), "stillsOfTheCamera": pushed,
            "memoryBeforeMiB": round(before / 1024, 1),
            "memoryBoundMiB": round(before / 1024 + open_most * CONNECTION_KIB / 1024 + UPLOADS_MIB, 1), "memoryMiB": round(now / 1024, 1),
            "memoryAtMostMiB": round(peak / 1024, 1), "doors": doors,
        }


if __name__ == "__main__":
    numbers = [int(part) for part in sys.argv[1:5]] or [5000, 500, 500, 60]
    seen = run(*numbers)
    print(json.dumps(seen, indent=2))
    sys.exit(seen["stalls"] > 0 or seen["memoryAtMostMiB"] > seen["memoryBoundMiB"])
