"""`quietcam bench viewers`: a small crowd before a server of its own, and before the address of another."""

import contextlib
import http.server
import os
import pty
import re
import shutil
import subprocess
import threading
import time

import pytest

import quietcam
import stills
from serving import FREE_PORTS, ONE_CAMERA, launched, serving
from test_tls import make_certificate

pytestmark = pytest.mark.calm

LENGTHS = ["--size", "128x96", "--part", "0.5", "--segment", "2"]


def bench(*arguments):
    return subprocess.run(
        [quietcam.binary(), "bench", "viewers", "--for", "5s", *map(str, arguments)], env=quietcam.environment(),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90)


@contextlib.contextmanager
def pushing(server):
    """A camera with a still every half second."""
    is_over = threading.Event()

    def push():
        while not is_over.wait(0.5):
            server.push(stills.one())

    camera = threading.Thread(target=push)
    camera.start()
    try:
        yield
    finally:
        is_over.set()
        camera.join()


@pytest.mark.parametrize("way", ["low-latency", "plain", "frames", "photos", "polling"])
def test_a_crowd_sees_everything(way):
    with serving(*LENGTHS, "--hold", "forever") as server, pushing(server):
        done = bench("-n", 30, "--way", way, "--url", f"http://127.0.0.1:{server.public}/desk/index.m3u8")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "30 of 30 " in done.stdout and "no error" in done.stdout
        # What all get under one name is compared: parts, segments, photos. Only latest.jpg changes under its name.
        assert ("first to last viewer of " in done.stdout) == (way != "polling"), done.stdout
        # Where there is no terminal, the progress is a line from time to time.
        assert re.search(r"^\d+ viewers, (connecting|\d s), 0 mistakes$", done.stderr, re.M), done.stderr


@pytest.mark.parametrize("way", ["low-latency", "plain", "frames", "photos"])
def test_viewers_come_and_leave(way):
    with serving(*LENGTHS, "--hold", "forever") as server, pushing(server):
        url = f"http://127.0.0.1:{server.public}/desk/live.m3u8"
        done = bench("-n", 20, "--way", way, "--stay", "2s", "--for", "8s", "--url", url)
        assert done.returncode == 0, done.stdout + done.stderr
        joined, came, left = map(int, re.search(r"^(\d+) of (\d+) .*\n.*\n +(\d+) left", done.stdout, re.M).groups())
        # Each of twenty places changes every two seconds, and not in the first and the last two of eight.
        assert joined == came == 20 + left and 20 <= left <= 50, done.stdout
        assert re.search(r"first media after p50 \d+ ms, p99 \d+ ms", done.stdout)
        # Nobody who left is kept.
        deadline = time.monotonic() + 10
        while (waiting := server.status()["waiting"]["viewers"]) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert waiting == 0


def test_a_server_of_its_own_is_measured_too(tmp_path):
    waits = tmp_path / "waits.hgrm"
    done = bench("-n", 20, "--set", "part=0.5", "--set", "segment=2", "--set", "size=128x96", "--histogram", waits)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"server: \d+ % of a core, \d+ MiB at most", done.stdout)
    assert re.search(r"this bench: \d+ % of a core, of \d+", done.stdout)
    assert re.search(r"^This machine (carries|does not carry) 20 viewers", done.stdout.splitlines()[-1])
    # Twenty viewers of a part each half second, for five seconds.
    head, *rows = [line.split() for line in waits.read_text().splitlines() if line and line[0] != "#"]
    assert head == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    assert 40 <= int(rows[-1][2]) <= 220 and float(rows[-1][1]) == 1


def test_at_a_terminal_the_progress_is_one_line():
    with serving(*LENGTHS, "--hold", "forever") as server:
        terminal, end = pty.openpty()
        try:
            url = f"http://127.0.0.1:{server.public}/desk/live.m3u8"
            done = subprocess.run(
                [quietcam.binary(), "bench", "viewers", "-n", "3", "--for", "2s", "--url", url], env=quietcam.environment(),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=end, text=True, timeout=60)
        finally:
            os.close(end)
        shown = b""
        with contextlib.suppress(OSError):
            while piece := os.read(terminal, 1 << 16):
                shown += piece
        os.close(terminal)
        text = shown.decode()
    assert done.returncode == 0, done.stdout
    # It is drawn over and over, and is gone in the end.
    assert "\n" not in text and "\r3 viewers, 1 s, 0 mistakes\x1b[K" in text and text.endswith("\r\x1b[K"), repr(text)


def test_what_gives_first_is_said():
    """More viewers than the server lets in."""
    with serving(*LENGTHS, "--hold", "forever", "--public-connections", 20) as server:
        done = bench("-n", 60, "--url", f"http://127.0.0.1:{server.public}/desk/live.m3u8")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "status 503" in done.stdout
    assert re.search(r"This server does not carry 60 viewers\. What gave first: .*public-connections", done.stdout)


def test_viewers_by_tls_check_the_certificate(tmp_path):
    certificate, key = make_certificate(tmp_path, "door", "IP:127.0.0.1")
    options = ["--public-certificate", certificate, "--public-key", key, "--hold", "forever"]
    with launched(*FREE_PORTS, "--store", "memory", *ONE_CAMERA, *LENGTHS, *options) as server:
        deadline = time.monotonic() + 30
        while not (found := re.search(r"viewers: +https://127\.0\.0\.1:(\d+)/", server.log())):
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.05)
        url = f"https://127.0.0.1:{found[1]}/desk/index.m3u8"
        done = bench("-n", 10, "--url", url, "--ca", certificate)
        assert done.returncode == 0 and "10 of 10 " in done.stdout, done.stdout + done.stderr
        distrusting = bench("-n", 10, "--url", url)
        assert distrusting.returncode not in (0, None) and "there is no HLS stream at" in distrusting.stderr


# Streams of other programs


@contextlib.contextmanager
def foreign(folder, version, flags):
    """ffmpeg's live stream in MPEG-TS, served by Python's web server; yields its port."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = version

        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def do_GET(self):
            wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if self.path == "/moved.m3u8":
                self.send_response(302)
                self.send_header("Location", "/live.m3u8")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif wanted:
                first, last = int(wanted[1]), int(wanted[2])
                body = (folder / self.path.lstrip("/")).read_bytes()[first : last + 1]
                self.send_response(206)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            else:
                super().do_GET()

        def log_message(self, *_):
            pass

    encoder = subprocess.Popen(
        [shutil.which("ffmpeg"), "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=128x96:rate=10", "-c:v", "libx264",
         "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p", "-f", "hls", "-hls_time", "1", "-hls_list_size", "6",
         "-hls_flags", flags, str(folder / "live.m3u8")], stdin=subprocess.DEVNULL)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.handle_error = True, lambda *_: None
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not (folder / "live.m3u8").exists():
            assert encoder.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        yield server.server_port
    finally:
        encoder.terminate()
        encoder.wait()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("version, flags", [
    ("HTTP/1.1", "omit_endlist+delete_segments"), ("HTTP/1.0", "omit_endlist+delete_segments"),
    ("HTTP/1.1", "omit_endlist+single_file"),
], ids=["connections that stay", "connections that end", "byte ranges"])
def test_a_stream_of_another_program_is_watched(tmp_path, version, flags):
    with foreign(tmp_path, version, flags) as port:
        done = bench("-n", 10, "--way", "plain", "--url", f"http://127.0.0.1:{port}/moved.m3u8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 of 10 " in done.stdout and "no error" in done.stdout and "This server carries 10 viewers" in done.stdout
    assert ("closed a connection between two answers" in done.stdout) == (version == "HTTP/1.0")


def test_what_is_only_quietcams_is_said_of_other_streams(tmp_path):
    (tmp_path / "away.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nhttp://cdn.example/1.ts\n")
    with foreign(tmp_path, "HTTP/1.1", "omit_endlist") as port:
        frames = bench("-n", 2, "--way", "frames", "--url", f"http://127.0.0.1:{port}/live.m3u8")
        away = bench("-n", 2, "--way", "plain", "--url", f"http://127.0.0.1:{port}/away.m3u8")
    assert frames.returncode == 1 and "--way frames is for Quietcam's streams" in frames.stdout, frames.stdout
    assert away.returncode == 1 and "names cdn.example:80, another host than" in away.stdout, away.stdout


def test_what_is_no_stream_is_said():
    with serving(*LENGTHS) as server:
        done = bench("-n", 2, "--url", f"http://127.0.0.1:{server.public}/desk/about.json")
    assert done.returncode not in (0, None) and "there is no HLS stream at" in done.stderr


@pytest.mark.parametrize("arguments, words", [
    (["-n", 0], "--number: found 0"), (["--stay", "1s"], "--stay: found 1s; accepted: 2s and more"),
    (["--url", "ftp://a/b.m3u8"], "accepted: the http:// or https:// address of a playlist"), (["--way", "walking"], "walking"),
])
def test_wrong_arguments_are_told(arguments, words):
    done = bench(*arguments)
    assert done.returncode not in (0, 1, None) and words in done.stderr, done.stderr
