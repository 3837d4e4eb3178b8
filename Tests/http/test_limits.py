"""What one client may take of the doors: size, number, pace, memory and patience; see `test_doors` for all attacks."""

import contextlib
import os
import re
import socket
import subprocess
import tempfile
import time

import pytest

import quietcam
import stills
import wire
from doors import INGEST, KEY, SMALL, ask, configuration, configured, eventually, signed
from doors import narrow, server  # noqa: F401  (fixtures)
from serving import BEARER, FREE_PORTS, ONE_CAMERA, TOKEN, launched, serving
from timing import Late, again_if_late, in_time

def test_the_stills_of_a_stream_have_the_same_pace(tmp_path):
    with serving(*SMALL, "--max-rate", 2) as server:
        part = b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + stills.one() + b"\r\n"
        answer = ask(server, INGEST, BEARER | {"Content-Type": "multipart/x-mixed-replace; boundary=b"},
                     part * 20 + b"--b--\r\n")
        assert answer.status == 202 and 4 <= answer.json["stills"] < 20
        assert answer.json["stills"] + answer.json["refused"] == 20


def test_headers_have_a_size_and_a_count(server):
    for port in (server.public, server.private):
        for fields in ([("X-Long", "x" * 9000)], [(f"X-{n}", "x") for n in range(100)], [("X-Y", "x" * 4000)] * 5):
            with wire.Wire(port) as client:
                client.send(wire.request_bytes("GET", "/healthz", fields))
                assert client.answer().status == 431
                assert client.is_ended()
        with wire.Wire(port) as client:
            client.send(wire.request_bytes("GET", "/" + "x" * 100_000))
            assert client.answer().status in (400, 414, 431)
            assert client.is_ended()
    assert wire.ask(server.public, "GET", "/healthz", [(f"X-{n}", "x" * 100) for n in range(30)]).status == 200


def test_who_is_too_slow_is_told_so_and_closed(narrow):
    """Whom this concerns and when is tried with the handlers' own clock (`OriginTests`); here, that they are there."""
    header = b"GET /healthz HTTP/1.1\r\nX-Slow: "
    body = wire.request_bytes("POST", INGEST, BEARER | {"Content-Length": 5000}, stills.one()[:100])
    sent = [(narrow.public, header, "slowHeader"), (narrow.private, header, "slowHeader"), (narrow.private, body, "slowBody")]
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(wire.Wire(port)) for port, _, _ in sent]
        for client, (_, request, _) in zip(clients, sent, strict=True):
            client.send(request)
        for client, (_, _, error) in zip(clients, sent, strict=True):
            answer = client.answer()
            assert (answer.status, answer.json["error"]) == (408, error)
            assert client.is_ended()
    assert time.monotonic() - began < 5


def test_a_reader_that_stops_is_closed_and_others_play_on(narrow):
    narrow.push(stills.solid(90, 9, 9))
    with contextlib.ExitStack() as stack:
        stuck = []
        for _ in range(5):
            client = stack.enter_context(contextlib.closing(socket.socket()))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", narrow.public))
            client.settimeout(5)
            with contextlib.suppress(OSError):
                # More answers than fit between the two ends, and none is read.
                client.sendall(wire.request_bytes("GET", "/_/hls-1.6.15.mjs") * 40 + wire.request_bytes("GET", "/_/player.js") * 2000)
            stuck.append(client)
        assert narrow.get("/desk/live.m3u8").status == 200

        def gone():
            assert narrow.operators("/status").json["doors"]["public"]["connections"] <= 1

        eventually(gone, 15)


def test_connections_are_limited_at_each_door_by_itself(narrow):
    with contextlib.ExitStack() as stack:
        viewers = [stack.enter_context(wire.Wire(narrow.public)) for _ in range(20)]
        for client in viewers:
            assert client.ask("GET", "/healthz").status == 200
        with wire.Wire(narrow.public) as late:
            answer = late.answer()
            assert (answer.status, answer.json["error"], answer["Retry-After"]) == (503, "tooManyConnections", "5")
            assert late.is_ended()
        assert viewers[0].ask("GET", "/desk/live.m3u8").status == 200
        # No number of viewers keeps a camera out.
        assert narrow.push(stills.one()).status in (202, 429)
        doors = narrow.operators("/status").json["doors"]
        assert doors["public"]["connections"] == 20 and doors["public"]["turnedAway"] >= 1
    assert eventually(lambda: narrow.get("/healthz")).status == 200


def test_connections_without_a_secret_keep_no_camera_and_no_operator_out():
    options = ["--private-connections", 20, "--operator-token", "operator-secret", "--signature", "optional"]
    with serving(*SMALL, *options) as server, contextlib.ExitStack() as stack:
        body = stills.one()
        cameras = [stack.enter_context(wire.Wire(server.private)) for _ in range(3)]
        operator = stack.enter_context(wire.Wire(server.private))
        assert cameras[0].ask("POST", INGEST, BEARER, body).status == 202
        assert cameras[1].ask("POST", INGEST, signed(body), body).status == 202
        assert operator.ask("GET", "/status", server.asked).status == 200
        # The third has shown nothing yet.
        assert cameras[2].ask("POST", INGEST, {"Authorization": "Bearer guess"}).status == 401
        idle = [stack.enter_context(wire.Wire(server.private)) for _ in range(100)]

        def full():
            doors = operator.ask("GET", "/status", server.asked).json["doors"]["private"]
            assert doors["connections"] == 20 and doors["turnedAway"] >= 80

        eventually(full)
        assert idle[0].is_ended() and cameras[2].is_ended()
        # All who have a secret go on, on their old connections and on new ones, also from the same address.
        for _ in range(3):
            assert cameras[0].ask("POST", INGEST, BEARER, body).status == 202
            assert cameras[1].ask("POST", INGEST, signed(body), body).status == 202
            assert server.push(body).status == 202
            assert operator.ask("GET", "/status", server.asked).status == 200
            stack.enter_context(wire.Wire(server.private))


def test_connections_of_an_address_are_limited():
    with serving(*SMALL, "--connections-per-address", 5) as server, contextlib.ExitStack() as stack:
        held = [stack.enter_context(wire.Wire(server.public)) for _ in range(5)]
        assert all(client.ask("GET", "/healthz").status == 200 for client in held)
        with wire.Wire(server.public) as late:
            assert late.answer().status == 503
        other = socket.create_connection(("127.0.0.1", server.public), 5, source_address=("127.0.0.2", 0))
        with contextlib.closing(other):
            other.sendall(wire.request_bytes("GET", "/healthz"))
            assert other.recv(100).startswith(b"HTTP/1.1 200")


def test_a_camera_that_is_too_fast_is_told_so_and_then_taken_again(narrow):
    statuses = [narrow.push(stills.one(), camera="fast") for _ in range(40)]
    slow = [answer for answer in statuses if answer.status == 429]
    assert 10 <= len([answer for answer in statuses if answer.status == 202]) < 40
    assert slow and slow[0].json["error"] == "tooFast" and slow[0]["Retry-After"] == "1"

    def taken():
        assert narrow.push(stills.one(), camera="fast").status == 202

    eventually(taken, 3)


@again_if_late
def test_bodies_on_their_way_in_share_a_bounded_memory(narrow):
    with contextlib.ExitStack() as stack:
        for camera in ("left", "right"):
            client = stack.enter_context(wire.Wire(narrow.private))
            body = stills.one()[:-2] + bytes(480_000)
            client.send(wire.request_bytes("POST", f"/ingest/{camera}", BEARER | {"Content-Length": 800_000}, body))

        def full():
            assert narrow.operators("/status").json["doors"]["uploads"]["bytes"] > 900_000

        # A body that stops is given up after a second.
        began = time.monotonic()
        try:
            eventually(full, 0.9)
        except AssertionError as error:
            raise Late(error) from error
        with wire.Wire(narrow.private) as client:
            client.send(wire.request_bytes("POST", "/ingest/late", BEARER, stills.one()[:-2] + bytes(200_000)))
            answer = client.answer()
            in_time(answer.status == 503 or time.monotonic() < began + 0.9, "the others were given up")
            assert (answer.status, answer.json["error"], answer["Retry-After"]) == (503, "noRoom", "1")

    def free():
        assert narrow.operators("/status").json["doors"]["uploads"]["bytes"] == 0

    eventually(free)
    assert narrow.push(stills.one(), camera="late").status == 202


def test_unfinished_bodies_without_a_secret_starve_no_camera_that_signs(tmp_path):
    text = f"upload-megabytes: 4\ncameras:\n  desk: {{token: {TOKEN}, signature: required}}\n  roof: {{token: {TOKEN}}}\n"
    body = stills.one()
    with configured(tmp_path, text, *SMALL) as server, contextlib.ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(wire.Wire(server.private))
            junk = signed(body, token="guess") | {"Content-Length": 900_000}
            with contextlib.suppress(OSError):
                client.send(wire.request_bytes("POST", INGEST, junk, body[:-2] + bytes(800_000)))

        def full():
            assert server.operators("/status").json["doors"]["uploads"]["bytes"] > 1_500_000

        eventually(full)
        large = body[:-2] + bytes(700_000) + body[-2:]
        for _ in range(5):
            # From the same address, and before the camera was ever known there.
            assert ask(server, INGEST, signed(large), large).status == 202
            assert server.push(body, camera="roof").status == 202


@pytest.fixture
def stack():
    with contextlib.ExitStack() as stack:
        yield stack


def test_no_core_is_dumped_and_no_other_process_of_the_user_reads_the_memory(stack):
    """A process that is not dumpable has its files in /proc belong to the superuser (proc(5)), here for another user."""
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    tmp_path = quietcam.pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quietcam-http-", dir="/tmp")))
    tmp_path.chmod(0o777)
    if subprocess.run([*as_nobody, "test", "-x", str(quietcam.binary())]).returncode != 0:
        pytest.skip("another user cannot run the program where it lies")
    command = [*as_nobody, quietcam.binary(), "serve", *FREE_PORTS, "--store", "memory", *ONE_CAMERA, *SMALL]
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=tmp_path, env=quietcam.environment(), stdin=subprocess.DEVNULL,
            stdout=log, stderr=log)
    try:

        def ready():
            assert "viewers:" in (tmp_path / "log").read_text(), (tmp_path / "log").read_text()

        eventually(ready)
        proc = quietcam.pathlib.Path("/proc", str(process.pid))
        assert re.search(r"Max core file size +0 +0 ", (proc / "limits").read_text())
        assert (proc / "mem").stat().st_uid == 0
        if as_nobody:
            read = subprocess.run([*as_nobody, "head", "-c1", str(proc / "environ")], capture_output=True)
            assert read.returncode != 0 and b"denied" in read.stderr
    finally:
        process.terminate()
        process.wait(15)


def test_what_viewers_must_not_see_is_readable_by_its_owner_alone(tmp_path):
    text = f"link-key: {KEY}\ncameras:\n  desk: {{token: {TOKEN}, access: signed}}\n  roof: {{token: {TOKEN}}}\n"
    store = tmp_path / "store"
    (store / "desk").mkdir(parents=True, mode=0o755)
    options = [*FREE_PORTS, "--config", configuration(tmp_path, text), *SMALL, "--store", store]
    with launched(*options) as server:
        server.wait_until_ready()
        for camera in ("desk", "roof"):
            assert server.push(stills.one(), camera=camera).status == 202

        def written():
            assert (store / "roof" / "state.json").exists() and (store / "roof" / "live.m3u8").exists()

        eventually(written)
    assert (store / "desk").stat().st_mode & 0o777 == 0o700
    assert (store / "roof").stat().st_mode & 0o777 == 0o755
    modes = {path.name: path.stat().st_mode & 0o777 for path in (store / "roof").iterdir() if path.is_file()}
    assert {mode for name, mode in modes.items() if name.endswith(".json")} == {0o600}, modes
    assert modes["live.m3u8"] == 0o644 and {mode for name, mode in modes.items() if name.endswith(".mp4")} == {0o644}


def memory_of(server):
    """The resident memory of a server's process in KiB, now and at most."""
    status = (quietcam.pathlib.Path("/proc") / str(server.process.pid) / "status").read_text()
    return tuple(int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) for name in ("VmRSS", "VmHWM"))


def bomb(width, height):
    """A JPEG that announces a huge picture and has next to nothing in it."""
    still = bytearray(stills.solid(1, 2, 3))
    at = still.index(b"\xff\xc0")
    still[at + 5 : at + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(still)


def test_a_huge_picture_in_a_few_bytes_costs_no_memory(server):
    server.push(stills.one())
    _, before = memory_of(server)
    for size in [(30_000, 30_000), (65_535, 65_535), (65_535, 1_600), (60_000, 2_000)] * 5:
        answer = server.push(bomb(*size))
        assert (answer.status, answer.json["error"]) == (413, "tooLarge"), size
    _, after = memory_of(server)
    assert after - before < 20_000


# What a body or a visitor can be made of


@pytest.mark.parametrize("size", [100, 100_000, 3_000_000])
def test_extensions_of_chunks_cost_no_memory(server, size):
    server.push(stills.one())
    _, before = memory_of(server)
    body = stills.one()
    with wire.Wire(server.private) as client:
        sent = wire.chunked(body, len(body), ";x=" + "y" * size)
        with contextlib.suppress(OSError):
            client.send(wire.request_bytes("POST", INGEST, BEARER | {"Transfer-Encoding": "chunked"}, sent))
        with contextlib.suppress(OSError, wire.Broken):
            assert client.answer().status in (202, 400, 413)
    _, after = memory_of(server)
    assert after - before < 20_000
    assert server.push(body).status == 202


def test_a_still_with_huge_application_segments_is_taken_and_costs_little(server):
    still = stills.one()
    large = still[:2] + (b"\xff\xef\xff\xff" + bytes(65_533)) * 200 + still[2:]
    began = time.monotonic()
    answers = [server.push(large).status for _ in range(3)]
    assert answers == [202] * 3 and time.monotonic() - began < 5
    server.settled()
