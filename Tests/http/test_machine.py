"""What machines do to a server: other programs' variables, pipes, stores that vanish, clocks that are wrong, limits."""

import contextlib
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import playlist
import quietcam
import stills
import wire
from serving import CAMERA, FREE_PORTS, ONE_CAMERA, TOKEN, launched, refusal, serving

pytestmark = pytest.mark.apart

SMALL = ["--size", "128x96", "--rate", 4, "--part", 0.5, "--segment", 1]
FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
PROMTOOL = shutil.which("promtool") or quietcam.ROOT / ".build" / "prometheus" / "usr" / "bin" / "promtool"


def eventually(what, within=20):
    deadline = time.monotonic() + within
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


# Settings


def test_variables_of_kubernetes_and_docker_are_passed_over():
    made = {
        "QUIETCAM_PORT": "tcp://10.96.12.7:8080", "QUIETCAM_SERVICE_HOST": "10.96.12.7", "QUIETCAM_SERVICE_PORT": "8080",
        "QUIETCAM_SERVICE_PORT_HTTP": "8080", "QUIETCAM_PORT_8080_TCP": "tcp://10.96.12.7:8080",
        "QUIETCAM_PORT_8080_TCP_PROTO": "tcp", "QUIETCAM_PORT_8080_TCP_PORT": "8080",
        "QUIETCAM_PORT_8080_TCP_ADDR": "10.96.12.7", "QUIETCAM_PRIVATE_PORT": "tcp://10.96.12.8:8081",
        "QUIETCAM_NAME": "/proxy/quietcam", "QUIETCAM_ENV_PATH": "/bin", "QUIETCAM_TOKEN": "", "QUIETCAM_CONFIG": "",
    }
    with serving(*SMALL, environment=made) as server:
        assert server.get("/desk/live.m3u8").status == 200
    text = refusal(*FREE_PORTS, *ONE_CAMERA, "--store", "memory", environment=made | {"QUIETCAM_PUBLICK": "a:1"})
    assert "QUIETCAM_PUBLICK" in text and "QUIETCAM_PUBLIC?" in text and "QUIETCAM_PORT" not in text


@contextlib.contextmanager
def pipe(folder, name, text):
    """A named pipe that is filled once somebody reads it."""
    path = folder / name
    os.mkfifo(path)
    thread = threading.Thread(target=lambda: path.write_text(text), daemon=True)
    thread.start()
    yield path
    thread.join(10)
    assert not thread.is_alive(), "nobody read the pipe"


def test_settings_and_tokens_are_read_from_pipes(tmp_path):
    settings = f"cameras: {{{CAMERA}: {{token-file: {tmp_path}/token, crf: 30}}}}\n"
    # More than a pipe holds at once.
    settings += "# " + "x" * 100_000 + "\n"
    with pipe(tmp_path, "settings", settings) as config, pipe(tmp_path, "token", TOKEN + "\n"):
        with launched(*FREE_PORTS, "--store", "memory", "--config", config, *SMALL) as server:
            assert server.wait_until_ready().push(stills.one()).status == 202


def test_settings_are_read_from_the_standard_input():
    words = [str(quietcam.binary()), "link", "--config", "/dev/stdin", "--camera", "desk", "--base", "https://a.example/"]
    settings = f"link-key: key-of-sixteen-or-more\ncameras: {{desk: {{token: {TOKEN}, access: signed}}}}\n"
    done = subprocess.run(
        words, input=settings, capture_output=True, text=True, timeout=30, env=quietcam.environment())
    assert done.returncode == 0 and done.stdout.startswith("https://a.example/desk/~"), done


def test_settings_that_cannot_be_read_say_why(tmp_path):
    text = refusal(*FREE_PORTS, "--config", tmp_path)
    assert str(tmp_path) in text and "directory" in text.lower()
    assert "No such file" in refusal(*FREE_PORTS, "--config", tmp_path / "nothing")


def listens(host, port):
    with contextlib.suppress(OSError), socket.create_connection((host, port), 5) as client:
        client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        return client.recv(100).startswith(b"HTTP/1.0 200")
    return False


def has_ipv6():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def test_localhost_is_both_loopbacks():
    doors = ["--public", "localhost:0", "--private", "localhost:0"]
    with launched(*doors, "--store", "memory", *ONE_CAMERA, *SMALL) as server:
        eventually(lambda: "stills:" in server.log(), 30)
        port = int(re.search(r"viewers: +http://localhost:(\d+)/", server.log())[1])
        assert listens("127.0.0.1", port)
        assert listens("::1", port) == has_ipv6()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = refusal("--public", f"localhost:{taken.getsockname()[1]}", "--private", "127.0.0.1:0", *ONE_CAMERA)
        assert f"127.0.0.1:{taken.getsockname()[1]}" in text and "another server" in text


def test_a_hang_up_is_one_line_and_not_the_end():
    with serving(*SMALL) as server:
        for count in (1, 2):
            # Two that come at once are one for the process (signal(7)).
            server.process.send_signal(signal.SIGHUP)
            eventually(lambda count=count: server.log().count("SIGHUP") == count)
        assert server.get("/desk/live.m3u8").status == 200


# The program and its limits


def test_the_program_is_one_file_that_can_be_copied(tmp_path, monkeypatch):
    alone = tmp_path / "alone"
    alone.mkdir()
    monkeypatch.setenv("QUIETCAM", str(shutil.copy(quietcam.binary(), alone / "quietcam")))
    with serving(*SMALL) as server:
        page = server.get("/desk/")
        assert page.status == 200
        for address in re.findall(r'(?:src|href)="\.\./(_/[^"]+)"', page.text):
            assert server.get(f"/{address}").status == 200, address


def limited(count):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def test_too_few_open_files_are_told_by_name():
    words = [str(part) for part in [quietcam.binary(), "serve", *FREE_PORTS, "--store", "memory", *ONE_CAMERA]]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=30, env=quietcam.environment(), preexec_fn=limited(30))
    assert done.returncode == 64 and "ulimit -n" in done.stderr and "30 files" in done.stderr, done


def test_connections_that_cannot_be_taken_are_told_with_the_limit(tmp_path, monkeypatch):
    script = tmp_path / "quietcam"
    script.write_text(f'#!/bin/sh\nulimit -n 80\nexec {quietcam.binary()} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("QUIETCAM", str(script))
    with serving(*SMALL) as server:
        clients = [wire.Wire(server.public) for _ in range(90)]
        eventually(lambda: "a connection cannot be taken" in server.log(), 10)
        assert "ulimit -n" in server.log().split("a connection cannot be taken")[1]
        for client in clients:
            client.close()
        eventually(lambda: server.get("/healthz").status == 200)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root, who can give up the right")
def test_a_port_that_needs_a_right_says_which():
    least = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if least < 2:
        pytest.skip("this machine lets everyone have every port")
    words = ["setpriv", "--bounding-set", "-net_bind_service", "--inh-caps", "-net_bind_service", quietcam.binary()]
    words += ["serve", "--public", f"127.0.0.1:{least - 1}", "--private", "127.0.0.1:0", "--store", "memory", *ONE_CAMERA]
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=30, env=quietcam.environment())
    assert done.returncode == 64, done
    assert f"127.0.0.1:{least - 1}" in done.stderr and "cap_net_bind_service" in done.stderr and "--public" in done.stderr


def test_an_address_that_the_machine_does_not_have_is_told():
    text = refusal("--public", "203.0.113.7:0", "--private", "127.0.0.1:0", "--store", "memory", *ONE_CAMERA)
    assert "203.0.113.7" in text and "does not have" in text and "0.0.0.0" in text


def test_prometheus_finds_nothing_wrong_with_the_metrics():
    if not pathlib.Path(PROMTOOL).exists():
        pytest.skip("promtool is not there: .ci/setup.sh test unpacks it")
    with serving(*SMALL) as server:
        server.push(stills.one())
        metrics = server.operators("/metrics").text
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=metrics, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout + done.stderr == "", done
    assert re.search(r'^quietcam_still_age_seconds\{camera="desk"\} \d+$', metrics, re.M)


# The store


def whole(folder):
    names = {path.name for path in folder.glob("*")} if folder.is_dir() else set()
    if not {"live.m3u8", "index.m3u8", "state.json", "latest.jpg"} <= names:
        return False
    return set(playlist.parse((folder / "live.m3u8").read_text()).uris()) <= names


def take_away(folder):
    """Removes a folder in which the server writes meanwhile."""
    for _ in range(100):
        try:
            return shutil.rmtree(folder)
        except OSError:
            time.sleep(0.01)
    shutil.rmtree(folder)


@pytest.mark.parametrize("damage", ["store", "camera", "files", "playlist", "moved"])
def test_a_store_that_is_taken_away_comes_back_whole(tmp_path, damage):
    store = tmp_path / "store"
    folder = store / CAMERA
    with serving(*SMALL, store=store) as server:
        eventually(lambda: whole(folder))
        match damage:
            case "store": take_away(store)
            case "camera": take_away(folder)
            case "files": [path.unlink(missing_ok=True) for path in folder.iterdir()]
            case "playlist": (folder / "index.m3u8").unlink()
            case "moved": store.rename(tmp_path / "elsewhere")
        eventually(lambda: whole(folder))
        assert "taken out of the store" in server.log() and "Fatal" not in server.log()
        last = playlist.parse(server.get("/desk/live.m3u8").text)
    with serving(*SMALL, store=store) as server:
        again = playlist.parse(server.get("/desk/live.m3u8").text)
        assert {segment.uri for segment in last.segments[-3:]} & {segment.uri for segment in again.segments}


def test_a_second_server_on_one_store_says_why_it_ends(tmp_path):
    with serving(*SMALL, store=tmp_path) as server:
        began = time.monotonic()
        text = refusal(*FREE_PORTS, "--store", tmp_path, *ONE_CAMERA, *SMALL)
        assert time.monotonic() - began > 3, "one that is being replaced gets time to end"
        assert str(tmp_path / CAMERA) in text and f"process {server.process.pid}" in text and "--store" in text
        assert "Fatal" not in text
        assert server.get("/desk/live.m3u8").status == 200
        # Another camera's folder is another matter.
        with launched(*FREE_PORTS, "--store", tmp_path, "--camera", "roof", "--token", TOKEN, *SMALL) as other:
            other.wait_until_ready()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL], ids=lambda ending: ending.name)
def test_a_server_that_is_started_before_the_other_has_ended_takes_over(tmp_path, ending):
    with serving(*SMALL, store=tmp_path) as old:
        last = playlist.parse(old.get("/desk/live.m3u8").text)
        with launched(*FREE_PORTS, "--store", tmp_path, *ONE_CAMERA, *SMALL) as new:
            eventually(lambda: "waiting for it to end" in new.log())
            old.process.send_signal(ending)
            old.process.wait(10)
            now = playlist.parse(new.wait_until_ready().get("/desk/live.m3u8").text)
            assert now.sequence >= last.sequence
            assert {segment.uri for segment in last.segments[-3:]} & {segment.uri for segment in now.segments}


def test_a_server_that_waits_for_a_store_can_be_ended(tmp_path):
    with serving(*SMALL, store=tmp_path):
        with launched(*FREE_PORTS, "--store", tmp_path, *ONE_CAMERA, *SMALL) as second:
            eventually(lambda: "waiting for it to end" in second.log())
            assert second.stop() < 5


# Clocks


@pytest.fixture
def wrapped(tmp_path, monkeypatch):
    """The program behind a script: faketime changes the environment of the first program that it comes into, and Swift
    looks for the arguments just before the environment's first place."""
    script = tmp_path / "quietcam"
    script.write_text(f'#!/bin/sh\nexec {quietcam.binary()} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("QUIETCAM", str(script))


def at(moment):
    return {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"@{moment}", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}


fakes = pytest.mark.skipif(not FAKETIME.exists(), reason="needs faketime")


@fakes
@pytest.mark.parametrize("moment", ["1970-01-01 00:00:20", "2024-05-05 05:05:05"])
def test_two_lives_at_one_moment_of_a_wrong_clock_share_no_name(moment, wrapped):
    used = set()
    for _ in range(2):
        with serving(*SMALL, environment=at(moment)) as server:
            now = playlist.parse(server.get("/desk/live.m3u8").text)
            names = {uri for uri in now.uris() if not uri.startswith("init")} | {now.hint}
            plain = playlist.parse(server.get("/desk/plain.m3u8").text)
            names |= {uri for uri in plain.uris() if not uri.startswith("init")}
            assert len(names) > 6 and not names & used
            for name in sorted(names - {now.hint}):
                assert server.get(f"/desk/{name}").status == 200, name
            used |= names


@fakes
def test_a_restart_with_a_clock_before_the_last_picture_shows_nothing_of_then(tmp_path, wrapped):
    colour = (220, 40, 40)
    with serving(*SMALL, "--hold", "forever", store=tmp_path) as server:
        server.push(stills.solid(*colour))
        server.settled()
        eventually(lambda: stills.is_near(stills.colour_of(server.get("/desk/latest.jpg").body), colour))
        last = playlist.parse(server.get("/desk/live.m3u8").text)
        eventually(lambda: whole(tmp_path / CAMERA))
    with serving(*SMALL, "--hold", "forever", store=tmp_path, environment=at("1970-01-01 00:00:20")) as server:
        now = playlist.parse(server.get("/desk/live.m3u8").text)
        assert not stills.is_near(stills.colour_of(server.get("/desk/latest.jpg").body), colour)
        assert now.sequence > last.segments[-1].sequence
        assert not {segment.uri for segment in last.segments} & {segment.uri for segment in now.segments}
        assert "clock" in server.log()
        # What was listed then is still served to those who know of it.
        assert server.get(f"/desk/{last.segments[-1].uri}").status == 200
    with serving(*SMALL, store=tmp_path) as server:
        later = playlist.parse(server.get("/desk/live.m3u8").text)
        assert later.sequence > now.sequence
