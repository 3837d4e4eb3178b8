"""A real nginx in front of the public door: what it does to a segment that is being made, and what it has to be told."""

import contextlib
import shutil
import signal
import subprocess
import threading
import time

import pytest

import serving
import wire
from ports import free_ports
from serving import CAMERA
from test_open_segments import Reader, following, inside, live, open_name
from timing import again_if_late, in_time

PART, SEGMENT = 0.5, 4
OPTIONS = ["--size", "128x96", "--rate", 4, "--part", PART, "--segment", SEGMENT, "--hold", "forever"]
# How late a piece may come through a proxy that does not hold it back.
SLACK = 0.3


@pytest.fixture(scope="module")
def server():
    with serving.serving(*OPTIONS) as server:
        yield server


class Proxy:
    """The public door through nginx."""

    def __init__(self, port):
        self.public = port

    def get(self, target):
        return wire.ask(self.public, "GET", target)


@contextlib.contextmanager
def nginx(server, folder, location="", http=""):
    """nginx on a free port, started and ended by its own process id."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert program, "nginx is not installed; install what .ci/test-packages.txt lists"
    (port,) = free_ports(1)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"""
        daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
        events {{ worker_connections 64; }}
        http {{
          access_log off; {paths} {http}
          server {{
            listen 127.0.0.1:{port};
            location / {{ proxy_pass http://127.0.0.1:{server.public}; {location} }}
          }}
        }}
        """)
    process = subprocess.Popen(
        [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                if wire.ask(port, "GET", "/healthz").status == 200:
                    break
            assert process.poll() is None and time.monotonic() < deadline, (folder / "error.log").read_text()
            time.sleep(0.05)
        yield Proxy(port)
    finally:
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Times:
    """When the playlist first listed each part of the open segment, looked at without a proxy."""

    def __init__(self, server, now):
        self.known, self.published = len(now.open.parts), {}

        def watch():
            for index in range(self.known, int(SEGMENT / PART)):
                live(server, f"?_HLS_msn={now.open.sequence}&_HLS_part={index}")
                self.published[index] = time.monotonic()

        self.thread = threading.Thread(target=watch)
        self.thread.start()

    def lateness(self, reader):
        """How late each part came that was published while the reader read."""
        self.thread.join()
        found, done = {}, 0
        for at, piece in reader.pieces:
            for _ in range(piece.count(b"moof")):
                if done >= self.known:
                    found[done] = at - self.published[done]
                done += 1
        assert done == int(SEGMENT / PART), "not all parts came"
        return found


def read_through(server, proxy, count=1):
    """Readers of one open segment through a proxy, one after the other, and how late parts came to each."""
    now = inside(server, least=1, most=2)
    name, times = open_name(now), Times(server, now)
    with contextlib.ExitStack() as stack:
        readers = []

        def read():
            reader = stack.enter_context(Reader(proxy, name))
            readers.append(reader)
            reader.rest()

        threads = []
        for _ in range(count):
            threads.append(threading.Thread(target=read))
            threads[-1].start()
            time.sleep(0.1)
        for thread in threads:
            thread.join(3 * SEGMENT)
        whole = server.get(f"/{CAMERA}/{name}").body
        assert len(readers) == count and all(reader.body == whole for reader in readers)
        return name, readers, [times.lateness(reader) for reader in readers]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@again_if_late
def test_nginx_passes_pieces_on_at_once(server, tmp_path, version):
    with nginx(server, tmp_path, f"proxy_http_version {version};") as proxy:
        _, (reader,), (late,) = read_through(server, proxy)
        assert len(late) >= 4
        in_time(max(late.values()) < SLACK, late)
        assert following(reader.head), "the link comes through"
        assert reader.head["X-Accel-Buffering"] is None, "nginx keeps it"


def cached(folder, rest=""):
    return f"proxy_cache_path {folder}/cache keys_zone=media:1m; {rest}"


LOCKED = "proxy_http_version 1.1; proxy_cache media; proxy_cache_lock on; proxy_cache_lock_timeout 60s; proxy_cache_lock_age 60s;"


@again_if_late
def test_a_cache_with_a_lock_streams_to_all_and_keeps_only_what_is_whole(server, tmp_path):
    with nginx(server, tmp_path, LOCKED + " add_header X-Cache $upstream_cache_status always;", cached(tmp_path)) as proxy:
        name, readers, late = read_through(server, proxy, count=2)
        in_time(max(late[0].values()) < SLACK, late)
        # nginx gives up the lock of an answer that it does not keep, and looks for that every half second.
        in_time(max(list(late[1].values())[1:]) < SLACK + 0.5, late)
        assert proxy.get(f"/{CAMERA}/{name}")["X-Cache"] == "MISS", "what is not buffered is not kept"
        assert proxy.get(f"/{CAMERA}/{name}")["X-Cache"] == "HIT", "a finished segment is"


@again_if_late
def test_a_cache_that_is_told_not_to_listen_holds_the_second_viewer_back(server, tmp_path):
    ignoring = LOCKED + " proxy_ignore_headers X-Accel-Buffering; add_header X-Cache $upstream_cache_status always;"
    with nginx(server, tmp_path, ignoring, cached(tmp_path)) as proxy:
        name, readers, late = read_through(server, proxy, count=2)
        assert len(late[1]) >= 4 and min(list(late[1].values())[:2]) > SLACK, late
        assert proxy.get(f"/{CAMERA}/{name}")["X-Cache"] == "HIT"
        # Parts come as ever, which is how the element plays on behind such a proxy.
        now = live(proxy)
        began = time.monotonic()
        assert proxy.get(f"/{CAMERA}/{now.hint}").status == 200
        in_time(time.monotonic() - began < PART + SLACK, "the part is late")


def test_an_answer_that_breaks_off_is_not_kept_as_the_whole(tmp_path):
    options = [*OPTIONS, "--operator-token", serving.OPERATOR]
    ignoring = LOCKED + " proxy_ignore_headers X-Accel-Buffering; add_header X-Cache $upstream_cache_status always;"
    with serving.serving(*options) as server, nginx(server, tmp_path, ignoring, cached(tmp_path)) as proxy:
        name = open_name(inside(server, least=1, most=3))
        with Reader(proxy, name) as reader:
            assert server.camera("POST", f"/cameras/{CAMERA}/withdraw", serving.ASKED).status == 200
            with pytest.raises((wire.Broken, ConnectionResetError)):
                reader.rest()
        answer = proxy.get(f"/{CAMERA}/{name}")
        assert (answer.status, answer["X-Cache"]) == (404, "MISS")
