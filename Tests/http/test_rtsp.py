"""`quietcam push rtsp://…`: the commonest way of all, with GStreamer's RTSP server as the camera."""

import contextlib
import os
import pathlib
import re
import select
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest

import stills
from dropping import QUICK
from ports import free_ports
from serving import serving
from test_pull import pulling, wait_for_taken

SCRIPT = pathlib.Path(__file__).with_name("rtsp_server.py")
# The project's Python has no GObject; the system's has it, where the packages are installed.
PYTHON = "/usr/bin/python3"
GREEN, BLUE = ("ff14c814", (20, 200, 20)), ("ff1414c8", (20, 20, 200))


@pytest.fixture(scope="module", autouse=True)
def gstreamer():
    check = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    with contextlib.suppress(OSError):
        if subprocess.run([PYTHON, "-c", check], capture_output=True).returncode == 0:
            return
    pytest.skip("python3-gi and gir1.2-gst-rtsp-server-1.0 are not installed")


@pytest.fixture(scope="module")
def server():
    with serving(*QUICK, "--interval", 0.2) as server:
        yield server


class Camera:
    def __init__(self, folder, kind, colour=GREEN[0], port=0):
        self.log = folder / f"rtsp-{time.monotonic_ns()}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [PYTHON, SCRIPT, str(port), kind, colour], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while not self.said().startswith("ready "):
            assert self.process.poll() is None and time.monotonic() < deadline, self.said()
            time.sleep(0.05)
        self.port = int(self.said().split()[1])
        self.address = f"rtsp://127.0.0.1:{self.port}/live"

    def said(self):
        return self.log.read_text(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def shown(server, colour, within=15):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        seen = stills.colour_of(server.get("/desk/latest.jpg").body)
        if stills.is_near(seen, colour, 40):
            return
        time.sleep(0.05)
    raise AssertionError(f"{colour} is not shown but {seen}")


def pushing(server, address):
    return pulling(server, address, "--every", "200ms")


@pytest.mark.parametrize("kind", ["h264", "h265", "sound"])
def test_a_stream_is_pushed_over_tcp(server, tmp_path, kind):
    colour = BLUE if kind == "sound" else GREEN
    with Camera(tmp_path, kind, colour[0]) as camera:
        with pushing(server, camera.address) as process:
            wait_for_taken(server, 3, process)
            shown(server, colour[1])
        assert process.returncode == 0, process.output
        setups = [line for line in camera.said().splitlines() if line.startswith("setup")]
        assert setups and all("TCP" in line for line in setups), setups


def test_a_stream_with_a_digest_login(server, tmp_path):
    with Camera(tmp_path, "digest") as camera:
        right, wrong = (
            f"rtsp://viewer:{urllib.parse.quote(password, safe='')}@127.0.0.1:{camera.port}/live"
            for password in ("pa:ss@/?", "wr0ng-secret"))
        with pushing(server, right) as process:
            wait_for_taken(server, 2, process)
        assert "pa:ss" not in process.output and "pa%3Ass" not in process.output
        with pushing(server, wrong) as process:
            assert process.wait(15) != 0
        assert "user and password" in process.output and "wr0ng-secret" not in process.output, process.output


def test_a_camera_that_goes_and_comes_back(server, tmp_path):
    with Camera(tmp_path, "h264") as camera:
        port = camera.port
        with pushing(server, camera.address) as process:
            wait_for_taken(server, 2, process)
            camera.process.kill()
            time.sleep(1)
            assert process.poll() is None, process.communicate()[0]
            with Camera(tmp_path, "h264", BLUE[0], port):
                shown(server, BLUE[1])
        assert "opening it again" in process.output, process.output


def test_a_camera_that_comes_later(server, tmp_path):
    (port,) = free_ports(1)
    with pushing(server, f"rtsp://127.0.0.1:{port}/live") as process:
        said, deadline = "", time.monotonic() + 20
        while "connection refused" not in said:
            ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
            assert ready and process.poll() is None, said
            said += os.read(process.stdout.fileno(), 4096).decode()
        with Camera(tmp_path, "h264", GREEN[0], port):
            wait_for_taken(server, 2, process)


def test_a_size_that_changes(server, tmp_path):
    with Camera(tmp_path, "resizing") as camera:
        with pushing(server, camera.address) as process:
            wait_for_taken(server, 12, process)
            shown(server, GREEN[1])
        assert camera.said().count("size") >= 2, camera.said()
    assert server.status()["stills"]["refused"] == {}


def test_a_camera_that_knows_udp_alone_and_loses_packets(server, tmp_path):
    with Camera(tmp_path, "udp", BLUE[0]) as camera:
        with pushing(server, camera.address) as process:
            wait_for_taken(server, 5, process, within=20)
            shown(server, BLUE[1])
        assert any("UDP" in line or "RTP/AVP;unicast" in line for line in camera.said().splitlines()), camera.said()


def test_a_stream_that_stalls_is_opened_again(server, tmp_path):
    """The one test that takes long: a stream may be silent for ten seconds before it counts as gone."""
    with Camera(tmp_path, "stalling") as camera:
        with pushing(server, camera.address) as process:
            wait_for_taken(server, 2, process)
            time.sleep(2)
            wait_for_taken(server, 3, process, within=20)
        # A busy machine may break the connection before that.
        assert re.search("(nothing came in time|the connection broke); opening it again", process.output), process.output


def test_a_camera_that_redirects_to_another_host_publishes_nothing_of_it(server, tmp_path):
    before = server.status()["stills"]["taken"]
    with Camera(tmp_path, "h264") as inner, socket.create_server(("127.0.0.1", 0)) as camera:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = camera.accept()
                    with client:
                        head = client.recv(4096).decode()
                        sequence = next(line for line in head.split("\r\n") if line.lower().startswith("cseq"))
                        client.sendall(f"RTSP/1.0 302 Moved\r\n{sequence}\r\nLocation: {inner.address}\r\n\r\n".encode())
                        time.sleep(0.2)

        threading.Thread(target=serve, daemon=True).start()
        address = f"rtsp://localhost:{camera.getsockname()[1]}/live"
        with pulling(server, address) as process:
            process.wait(30)
        assert process.returncode == 1 and "leads to another host, 127.0.0.1" in process.output
        assert server.status()["stills"]["taken"] == before
        with pulling(server, address, "--follow") as process:
            wait_for_taken(server, 2, process)
