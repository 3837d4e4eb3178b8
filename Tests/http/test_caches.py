"""The caches and proxies of the handbook's page about caches: run for real, with the requests counted that reach the server."""

import collections
import concurrent.futures
import contextlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import dictionaries
import playlist
import quietcam
import recipes
import serving
import stills
import wire
from serving import CAMERA
from timing import again_if_late, in_time

PART, SEGMENT = 0.5, 4
OPTIONS = ["--size", "128x96", "--rate", 4, "--part", PART, "--segment", SEGMENT, "--hold", "forever"]
PREFIX = "/cameras"
VIEWERS = 12
SLOTS = 4


class Counted:
    """Passes connections on to the public door and counts what is asked for."""

    def __init__(self, to):
        self.to, self.asked, self.lock = to, [], threading.Lock()
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept)
        self.thread.start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        with self.lock:
            for each in self.sockets:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for each in [self.listener, *self.sockets]:
            each.close()

    def count(self, path):
        with self.lock:
            return self.asked.count(path)

    def _accept(self):
        workers = []
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                break
            server = socket.create_connection(("127.0.0.1", self.to))
            with self.lock:
                self.sockets += [client, server]
            for source, target, isRequest in [(client, server, True), (server, client, False)]:
                workers.append(threading.Thread(target=self._pass, args=(source, target, isRequest)))
                workers[-1].start()
        for worker in workers:
            worker.join()

    def _pass(self, source, target, isRequest):
        rest = b""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if isRequest:
                    rest += data
                    # Requests without a body end with an empty line.
                    while b"\r\n\r\n" in rest:
                        head, rest = rest.split(b"\r\n\r\n", 1)
                        with self.lock:
                            self.asked.append(head.split(b" ")[1].decode())
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def program(arguments, port, folder, end=signal.SIGTERM):
    """A proxy, ended by its own process id."""
    log = folder / "proxy.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(each) for each in arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=quietcam.environment() | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)})
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError, wire.Broken):
                if wire.ask(port, "GET", f"{PREFIX}/healthz").status == 200:
                    break
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(end)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def installed(name):
    path = shutil.which(name, path="/usr/sbin:/usr/bin")
    assert path, f"{name} is not installed; install what .ci/test-packages.txt lists"
    return path


def nginx(folder, origin, port):
    text = recipes.recipe("nginx-cache", {
        "/var/cache/nginx/quietcam": folder / "cache", "listen 80": f"listen 127.0.0.1:{port}",
        "127.0.0.1:8080": f"127.0.0.1:{origin}"})
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; events {{ worker_connections 256; }}\n"
        f"http {{ access_log off; {paths}\n{text} }}")
    return [installed("nginx"), "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]


def bare_nginx(folder, origin, port):
    """The same without the lines about `$coding`: it keeps a form for each `Vary`."""
    arguments = nginx(folder, origin, port)
    path = folder / "nginx.conf"
    lines = path.read_text().splitlines(keepends=True)
    left = [line for line in lines if not re.search(r"proxy_cache_key|Accept-Encoding|ignore_headers", line)]
    assert len(lines) - len(left) == 3
    path.write_text("".join(left))
    return arguments


def varnish(folder, origin, port):
    text = recipes.recipe("varnish", {'.port = "8080"': f'.port = "{origin}"'})
    (folder / "quietcam.vcl").write_text(text)
    return [
        installed("varnishd"), "-F", "-j", "none", "-n", folder / "varnish", "-a", f"127.0.0.1:{port}", "-T", "none",
        "-f", folder / "quietcam.vcl", "-s", "malloc,64m"]


def haproxy(folder, origin, port):
    text = recipes.recipe("haproxy", {"bind :80": f"bind 127.0.0.1:{port}", "127.0.0.1:8080": f"127.0.0.1:{origin}"})
    (folder / "haproxy.cfg").write_text(text)
    return [installed("haproxy"), "-db", "-f", folder / "haproxy.cfg"]


def caddy(folder, origin, port):
    text = recipes.recipe("caddy", {":80 {": f"http://127.0.0.1:{port} {{", "127.0.0.1:8080": f"127.0.0.1:{origin}"})
    (folder / "Caddyfile").write_text("{\n  admin off\n  auto_https off\n  grace_period 1s\n}\n" + text)
    return [installed("caddy"), "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"]


@contextlib.contextmanager
def in_front(make, server, folder):
    """A proxy before the public door; yields its port and what it asks."""
    counted, (port,) = Counted(server.public), serving.free_ports(1)
    try:
        with program(make(folder, counted.port, port), port, folder):
            yield port, counted
    finally:
        counted.close()


def media(port):
    answer = wire.ask(port, "GET", f"{PREFIX}/{CAMERA}/live.m3u8")
    assert answer.status == 200
    return playlist.parse(answer.text)


@pytest.fixture(scope="module")
def server():
    with serving.serving(*OPTIONS) as server:
        yield server


def targets(now, slots=SLOTS):
    """The blocking reloads for the next slots of a playlist."""
    sequence, part = now.open.sequence, len(now.open.parts)
    each = []
    for _ in range(slots):
        each.append(f"/{CAMERA}/live.m3u8?_HLS_msn={sequence}&_HLS_part={part}")
        part += 1
        if part == int(SEGMENT / PART):
            sequence, part = sequence + 1, 0
    return each


def follow(port, each=None):
    """Viewers who follow the stream for some slots: a blocking reload, then the part. Returns what they asked for."""
    each = each or targets(media(port))
    mistakes, asked, lock = [], {target: 0 for target in each}, threading.Lock()

    def watch():
        try:
            with wire.Wire(port) as viewer:
                for target in each:
                    answer = viewer.ask("GET", PREFIX + target)
                    listed = playlist.parse(answer.text)
                    parts = listed.open.parts or listed.segments[-1].parts
                    name = f"/{CAMERA}/{parts[-1].uri}"
                    got = viewer.ask("GET", PREFIX + name)
                    assert (answer.status, got.status) == (200, 200) and len(got.body) > 60, (answer, got)
                    with lock:
                        asked[target] += 1
                        asked[name] = asked.get(name, 0) + 1
        except Exception as mistake:  # A thread's mistake is the test's.
            mistakes.append(mistake)

    threads = [threading.Thread(target=watch) for _ in range(VIEWERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert not mistakes, mistakes[0]
    assert all(asked[target] == VIEWERS for target in each)
    return asked


@pytest.mark.parametrize("make", [nginx, varnish])
def test_a_cache_asks_once_for_all_viewers(server, make, tmp_path):
    with in_front(make, server, tmp_path) as (port, counted):
        for target in follow(port):
            assert counted.count(target) == 1, (target, counted.count(target))


def test_as_many_requests_as_there_are_caches(server, tmp_path):
    """Two caches with a crowd each before one server, as a CDN with two places is."""
    counted = Counted(server.public)
    try:
        with contextlib.ExitStack() as stack:
            ports = serving.free_ports(2)
            for make, port in zip((nginx, varnish), ports, strict=True):
                folder = tmp_path / make.__name__
                folder.mkdir()
                stack.enter_context(program(make(folder, counted.port, port), port, folder))
            each = targets(media(ports[0]))
            with concurrent.futures.ThreadPoolExecutor(2) as crowds:
                asked = [crowd.result() for crowd in [crowds.submit(follow, port, each) for port in ports]]
            assert asked[0].keys() == asked[1].keys()
            for target in asked[0]:
                assert counted.count(target) == 2, (target, counted.count(target))
    finally:
        counted.close()


@pytest.mark.parametrize("make", [nginx, varnish])
def test_a_large_crowd_costs_the_server_as_much_as_one_viewer(server, make, tmp_path):
    with in_front(make, server, tmp_path) as (port, counted):
        done = subprocess.run(
            [quietcam.binary(), "bench", "viewers", "-n", "100", "--for", "5s", "--url",
             f"http://127.0.0.1:{port}{PREFIX}/{CAMERA}/live.m3u8"],
            env=quietcam.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "100 of 100 " in done.stdout, done.stdout + done.stderr
        asked = collections.Counter(
            target for target in counted.asked if "_HLS_msn=" in target or re.search(r"/\d+\.\d+\.mp4$", target))
    assert len(asked) >= 8 and set(asked.values()) == {1}, asked


def test_haproxy_keeps_parts_and_caddy_passes_all_on(server, tmp_path):
    for make in (haproxy, caddy):
        folder = tmp_path / make.__name__
        folder.mkdir()
        with in_front(make, server, folder) as (port, counted):
            asked = follow(port)
            assert all(1 <= counted.count(target) <= VIEWERS for target in asked)
            name = next(target for target in asked if target.endswith(".mp4"))
            before = counted.count(name)
            for _ in range(3):
                assert wire.ask(port, "GET", PREFIX + name).status == 200
            assert counted.count(name) - before == (0 if make is haproxy else 3)


# What viewers accept, and the codings in which they can get a playlist.
KINDS = {
    "plain": ({}, {None}),
    "refusing": ({"Accept-Encoding": "identity;q=1, *;q=0"}, {None}),
    "gzip": ({"Accept-Encoding": "gzip, deflate"}, {None, "gzip"}),
    "brotli": ({"Accept-Encoding": "gzip, deflate, br"}, {None, "gzip", "br"}),
    "dictionary": (None, {None, "gzip", "br", "dcz"}),
}


def follow_in_all_forms(port):
    """Viewers of all kinds follow the stream; then each kind asks for what the others got. Returns the targets, and the
    codings that each kind got."""
    each = targets(media(port), SLOTS + 2)
    mistakes, got, lock = [], {kind: set() for kind in KINDS}, threading.Lock()

    def look(viewer, kind, target, known):
        """One answer, read as the kind reads it; returns the text that the viewer has now."""
        fields, codings = KINDS[kind]
        answer = viewer.ask("GET", PREFIX + target, dictionaries.asking(known) if fields is None else fields)
        assert answer.status == 200 and answer["Content-Encoding"] in codings, (kind, answer)
        text = dictionaries.plain(answer, known)
        playlist.parse(text.decode())
        with lock:
            got[kind].add(answer["Content-Encoding"])
        return text if answer["Use-As-Dictionary"] else None

    def watch(kind):
        try:
            known = None
            with wire.Wire(port) as viewer:
                for target in each:
                    known = look(viewer, kind, target, known)
        except Exception as mistake:  # A thread's mistake is the test's.
            mistakes.append(mistake)

    threads = [threading.Thread(target=watch, args=(kind,)) for kind in KINDS for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not mistakes, mistakes[0]
    with wire.Wire(port) as viewer:
        for target in each:
            for kind in [*KINDS, *reversed(KINDS)]:
                look(viewer, kind, target, None)
    return each, got


@pytest.mark.parametrize("make,most", [(nginx, 3), (bare_nginx, None), (varnish, 2), (haproxy, None), (caddy, None)])
def test_no_viewer_gets_a_form_that_he_cannot_read(server, make, most, tmp_path):
    with in_front(make, server, tmp_path) as (port, counted):
        each, got = follow_in_all_forms(port)
        print({kind: codings for kind, codings in got.items()}, [counted.count(target) for target in each])
        assert got["gzip"] == {"gzip"} and got["plain"] == got["refusing"] == {None}
        if most:
            # A form for each coding that is asked for, and no dictionaries.
            assert all(counted.count(target) <= most for target in each)
            assert "dcz" not in got["dictionary"]
        else:
            assert "dcz" in got["dictionary"] and got["brotli"] == {"br"}


@pytest.mark.parametrize("make", [nginx, varnish, haproxy, caddy])
def test_a_stream_holds_the_rules_through_it(server, make, tmp_path):
    with in_front(make, server, tmp_path) as (port, _):
        done = subprocess.run(
            [quietcam.binary(), "check", f"http://127.0.0.1:{port}{PREFIX}/{CAMERA}/index.m3u8", "--for", "6s"],
            env=quietcam.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("make", [nginx, varnish, haproxy, caddy])
@again_if_late
def test_events_come_at_once(server, make, tmp_path):
    with in_front(make, server, tmp_path) as (port, _), wire.Wire(port, timeout=10) as listener:
        listener.send(wire.request_bytes("GET", f"{PREFIX}/{CAMERA}/events"))
        # Varnish pipes: the answer's own framing comes through.
        assert listener.head().status == 200
        time.sleep(0.2)
        began = time.monotonic()
        assert server.push(stills.one()).status in (200, 202)
        text = b""
        while b"event: still" not in text:
            text += listener.chunk()
        in_time(time.monotonic() - began < 3 * PART, "the event is late")


@pytest.mark.parametrize("make,isShared", [(nginx, False), (varnish, True), (haproxy, False), (caddy, False)])
def test_how_often_a_segment_that_is_being_made_is_asked_for(server, make, isShared, tmp_path):
    with in_front(make, server, tmp_path) as (port, counted):
        deadline = time.monotonic() + 30
        while True:
            now = media(port)
            if 1 <= len(now.open.parts) <= 3:
                break
            assert time.monotonic() < deadline
            time.sleep(PART / 3)
        name = re.match(r"(\d+)\.", now.open.parts[0].uri)[1] + ".mp4"
        bodies = []

        def read():
            bodies.append(wire.ask(port, "GET", f"{PREFIX}/{CAMERA}/{name}").body)

        threads = [threading.Thread(target=read) for _ in range(VIEWERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(bodies) == VIEWERS and len(set(bodies)) == 1
        count = counted.count(f"/{CAMERA}/{name}")
        # Who comes when it is complete may get it from the cache.
        assert count == 1 if isShared else count > VIEWERS / 2
