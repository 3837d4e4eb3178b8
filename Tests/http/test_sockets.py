"""Listening sockets that outlive the process: who comes while nobody runs waits and is not refused."""

import concurrent.futures
import contextlib
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import keeper
import quietcam
import recipes
import stills
import wire
from ports import free_ports
from serving import BEARER, CAMERA, FREE_PORTS, ONE_CAMERA

pytestmark = pytest.mark.apart

SMALL = ["--size", "128x96", "--part", 0.5, "--segment", 2]


class Kept:
    """A server behind sockets that are kept."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.keeper = keeper.Keeper()
        self.public, self.private = self.keeper.ports
        self.process = None

    def start(self, *arguments, doors=None, names_itself=True):
        doors = doors or ["--public", f"127.0.0.1:{self.public}", "--private", f"127.0.0.1:{self.private}"]
        words = [quietcam.binary(), "serve", *doors, *ONE_CAMERA, *arguments]
        with open(self.home / "serve.log", "ab") as log:
            self.process = self.keeper.popen(
                words, names_itself, cwd=self.home, env=quietcam.environment(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log,
            )

    def log(self):
        return (self.home / "serve.log").read_text()

    def end(self, with_signal):
        self.process.send_signal(with_signal)
        return self.process.wait(10)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.keeper.close()


@pytest.fixture
def server(tmp_path):
    with contextlib.closing(Kept(tmp_path)) as server:
        yield server


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM], ids=lambda ending: ending.name)
def test_who_comes_while_no_process_runs_is_served_by_the_next(server, ending, tmp_path):
    store = ["--store", tmp_path / "store", *SMALL]
    server.start(*store)
    before = wire.ask(server.public, "GET", f"/{CAMERA}/live.m3u8")
    assert before.status == 200
    # The queue of the system is as long as that of a socket of our own.
    queues = subprocess.run(["ss", "-ltn", f"sport = :{server.public}"], capture_output=True, text=True).stdout
    assert queues.splitlines()[1].split()[2] == "1024", queues
    media = re.findall(r"^[^#].*", before.text, re.MULTILINE)[-1]
    deadline = time.monotonic() + 30
    while not (tmp_path / "store" / CAMERA / media).exists() or not (tmp_path / "store" / CAMERA / "live.m3u8").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for _ in range(2):
        assert server.end(ending) == (0 if ending == signal.SIGTERM else -signal.SIGKILL)
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            playlist = pool.submit(wire.ask, server.public, "GET", f"/{CAMERA}/live.m3u8")
            segment = pool.submit(wire.ask, server.public, "GET", f"/{CAMERA}/{media}")
            still = pool.submit(wire.ask, server.private, "POST", f"/ingest/{CAMERA}", BEARER, stills.one())
            time.sleep(0.5)
            assert not playlist.done() and not segment.done() and not still.done()
            server.start(*store)
            assert [each.result(20).status for each in (playlist, segment, still)] == [200, 200, 202], server.log()
        assert "#EXT-X-PART:" in playlist.result().text


def test_nobody_is_refused_in_a_restart_in_good_order(server, tmp_path):
    server.start("--store", tmp_path / "store", *SMALL)
    seen, is_over = [], threading.Event()

    def ask():
        while not is_over.is_set():
            seen.append(wire.ask(server.public, "GET", f"/{CAMERA}/live.m3u8").status)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        for number in range(3):
            # A process that has not begun yet is ended by the signal itself.
            deadline = time.monotonic() + 20
            while server.log().count("viewers: ") <= number:
                assert time.monotonic() < deadline, server.log()
                time.sleep(0.05)
            time.sleep(0.4)
            assert server.end(signal.SIGTERM) == 0
            server.start("--store", tmp_path / "store", *SMALL)
        time.sleep(1)
        is_over.set()
        for each in asking:
            each.result(20)
    assert set(seen) == {200} and len(seen) > 20


def test_systemd_is_the_judge(tmp_path):
    ports = free_ports(2)
    doors = [f"127.0.0.1:{port}" for port in ports]
    command = ["systemd-socket-activate", "-l", doors[1], "-l", doors[0], quietcam.binary(), "serve"]
    command += ["--public", doors[0], "--private", doors[1], *ONE_CAMERA, "--store", "memory", *SMALL]
    with open(tmp_path / "serve.log", "wb") as log:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=tmp_path, env=quietcam.environment(), stdin=subprocess.DEVNULL,
            stdout=log, stderr=log,
        )
    try:
        deadline = time.monotonic() + 30
        while (tmp_path / "serve.log").read_text().count("Listening on") < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        # It starts the process when the first client comes.
        assert wire.ask(ports[0], "GET", f"/{CAMERA}/live.m3u8").status == 200
        assert wire.ask(ports[1], "POST", f"/ingest/{CAMERA}", BEARER, stills.one()).status == 202
        process.terminate()
        assert process.wait(10) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_sockets_for_another_process_are_not_touched(server):
    free = ["--public", "127.0.0.1:0", "--private", "127.0.0.1:0"]
    server.start("--store", "memory", *SMALL, doors=free, names_itself=False)
    deadline = time.monotonic() + 20
    while "stills:" not in server.log():
        assert time.monotonic() < deadline and server.process.poll() is None, server.log()
        time.sleep(0.02)
    assert f":{server.public}/" not in server.log()


def test_a_socket_that_is_nobodys_is_told(server):
    server.start("--store", "memory", doors=["--public", f"127.0.0.1:{server.public}", "--private", "127.0.0.1:0"])
    assert server.process.wait(20) > 0
    assert f"listens at 127.0.0.1:{server.private}" in server.log() and "--private" in server.log()


def test_a_socket_listens_just_where_its_door_should(server):
    """A private door must not come to stand where the public one should, nor a wider one than it."""
    doors = ["--public", f"localhost:{server.public}", "--private", f"127.0.0.2:{server.private}"]
    server.start("--store", "memory", doors=doors)
    assert server.process.wait(20) > 0
    assert f"listens at 127.0.0.1:{server.private}, and no door takes it" in server.log()


def test_a_number_of_sockets_that_is_none_is_told(tmp_path):
    environment = quietcam.environment() | {"LISTEN_FDS": "two"}
    words = [str(quietcam.binary()), "serve", *FREE_PORTS, *ONE_CAMERA, "--store", "memory"]
    command = ["bash", "-c", 'LISTEN_PID=$$ exec "$@"', "bash", *words]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=20)
    assert done.returncode > 0 and 'LISTEN_FDS is "two"' in done.stderr


def test_a_descriptor_that_does_not_listen_is_told(server):
    server.keeper.sockets.insert(0, keeper.high(socket.socket()))
    try:
        server.start("--store", "memory")
        assert server.process.wait(20) > 0
        assert "descriptor 3, which is no listening TCP socket" in server.log()
    finally:
        server.keeper.sockets.pop(0).close()


def test_the_units_of_the_handbook_are_good(tmp_path):
    units = recipes.recipe("systemd", {"/opt/quietcam/.build/release/quietcam": quietcam.binary()})
    names = re.findall(r"^# /etc/systemd/system/(\S+)$", units, re.MULTILINE)
    assert names == ["quietcam.socket", "quietcam.service"]
    for name, text in zip(names, re.split(r"^# /etc/systemd/system/\S+$", units, flags=re.MULTILINE)[1:], strict=True):
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *[str(tmp_path / name) for name in names]], capture_output=True, text=True,
        env=quietcam.environment() | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    # What systemd has opened is what the settings say.
    listens = re.findall(r"^ListenStream=(\S+)$", units, re.MULTILINE)
    assert listens == re.findall(r"--(?:public|private) (\S+)", units)
