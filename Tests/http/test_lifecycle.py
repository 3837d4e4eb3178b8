"""Beginning, settings, pages and the end of the process."""

import concurrent.futures
import contextlib
import html.parser
import os
import re
import signal
import socket
import time
import urllib.parse

import pytest

import playlist
import stills
import wire
from serving import BEARER, CAMERA, FREE_PORTS, ONE_CAMERA, launched, refusal, serving
from timing import again_if_late, in_time

SMALL = ["--size", "128x96", "--part", 0.5, "--segment", 2]


# The end


ENDINGS = pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT], ids=lambda ending: ending.name)


@pytest.fixture
def connect():
    """Opens connections that are closed after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda port: stack.enter_context(wire.Wire(port, timeout=10))


@ENDINGS
def test_a_signal_ends_the_process(ending, tmp_path):
    with serving(*SMALL, store=tmp_path) as server:
        server.push(stills.one())
        assert server.stop(ending) < 5


@ENDINGS
def test_a_signal_ends_the_process_in_spite_of_idle_connections(ending, connect):
    with serving(*SMALL) as server:
        viewer, camera, dumb = connect(server.public), connect(server.private), connect(server.public)
        assert viewer.ask("GET", "/healthz").status == 200
        assert camera.ask("POST", "/ingest/desk", BEARER, stills.one()).status == 202
        assert server.stop(ending) < 5
        for client in (viewer, camera, dumb):
            assert client.is_ended()


@ENDINGS
def test_those_who_wait_for_media_get_an_answer_at_the_end(ending, connect):
    with serving(*SMALL) as server:
        now = playlist.parse(server.get("/desk/live.m3u8").text)
        sequence, part = now.newest
        clients = []
        for target in [
            f"/desk/live.m3u8?_HLS_msn={sequence}&_HLS_part={part + 1}",
            f"/desk/{now.hint}",
            f"/desk/live.m3u8?_HLS_msn={sequence + 2}",
        ]:
            clients.append(connect(server.public))
            clients[-1].send(wire.request_bytes("GET", target))
        time.sleep(0.05)
        assert server.stop(ending) < 5
        # The last part is still published.
        blocked, hint, far = [client.answer() for client in clients]
        assert blocked.status == 200 and playlist.parse(blocked.text).newest > now.newest
        assert hint.status == 200 and hint.body[4:8] == b"moof"
        assert (far.status, far["Cache-Control"]) == (503, "no-store")
        for client in clients:
            assert client.is_ended()


@ENDINGS
def test_events_end_properly_at_the_end(ending, connect):
    with serving(*SMALL) as server:
        listener = connect(server.public)
        listener.send(wire.request_bytes("GET", "/desk/events"))
        assert listener.head().status == 200
        assert listener.chunk().startswith(b"retry:")
        assert server.stop(ending) < 5
        while listener.chunk():
            pass  # An empty chunk is the proper end; a connection that breaks off raises.
        assert listener.is_ended()


def test_sigterm_ends_the_process_in_spite_of_a_camera_in_the_middle_of_a_still(connect):
    with serving(*SMALL) as server:
        camera = connect(server.private)
        request = wire.request_bytes("POST", "/ingest/desk", BEARER, stills.one())
        camera.send(request[:2000])
        time.sleep(0.1)
        assert server.stop() < 5


def test_sigterm_ends_the_process_in_spite_of_a_viewer_who_does_not_read(connect):
    with serving(*SMALL) as server:
        viewer = connect(server.public)
        library = next(path for path in server_assets(server) if "hls-" in path)
        viewer.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                viewer.socket.send(wire.request_bytes("GET", library) * 10)
        time.sleep(0.1)
        assert server.stop() < 5


def server_assets(server):
    text = server.get("/_/video.js").text
    return [f"/_/{name}" for name in re.findall(r'import\("\./([^"]+)"\)', text)]


def test_the_last_still_before_the_end_is_not_lost(tmp_path):
    colour = (30, 200, 60)
    with serving(*SMALL, store=tmp_path) as server:
        server.push(stills.solid(200, 30, 30))
        server.settled()
        # Right before the signal: it has not come onto the screens yet.
        server.push(stills.solid(*colour))
        server.stop()
    folder = tmp_path / CAMERA
    assert stills.is_near(stills.colour_of((folder / "latest.jpg").read_bytes()), colour)
    for uri in playlist.parse((folder / "live.m3u8").read_text()).uris():
        assert (folder / uri).stat().st_size > 0
    assert list(folder.glob(".quietcam-*")) == []


def test_a_signal_while_it_begins_ends_it_too():
    for delay in (0, 0.02, 0.05, 0.1):
        with launched(*FREE_PORTS, "--store", "memory", *ONE_CAMERA, *SMALL) as server:
            time.sleep(delay)
            server.process.send_signal(signal.SIGTERM)
            # Before its handlers stand the signal itself ends it.
            assert server.process.wait(10) in (0, -signal.SIGTERM), server.log()


def test_a_second_signal_does_no_harm():
    with serving(*SMALL) as server:
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(5) in (0, -signal.SIGTERM)


def test_the_port_is_free_again_after_the_end():
    with serving(*SMALL) as server:
        with wire.Wire(server.public) as client:
            client.ask("GET", "/healthz")
            server.stop()
        ports = ["--public", f"127.0.0.1:{server.public}", "--private", f"127.0.0.1:{server.private}"]
    with launched(*ports, "--store", "memory", *ONE_CAMERA, *SMALL) as again:
        assert again.wait_until_ready().get("/healthz").status == 200


@again_if_late
def test_it_serves_within_a_second_or_two_of_its_start():
    began = time.monotonic()
    with serving("--size", "640x480"):
        in_time(time.monotonic() - began < 4, "hls.js gives up after 4 s")


# What it cannot begin with


@pytest.mark.parametrize("door", ["public", "private"])
def test_a_port_in_use_is_told(door):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        ports = dict(zip(["--public", "--private"], ["127.0.0.1:0"] * 2, strict=True)) | {f"--{door}": address}
        flags = [part for pair in ports.items() for part in pair]
        text = refusal(*flags, "--store", "memory", *ONE_CAMERA, *SMALL)
    assert address in text and "listen" in text
    assert f"--{door}" in text
    assert "Fatal error" not in text and "Usage" not in text.split("\n")[0]


def test_a_store_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    text = refusal(*FREE_PORTS, "--store", tmp_path / "file" / "below", *ONE_CAMERA, *SMALL)
    assert str(tmp_path / "file" / "below") in text and "--store" in text
    assert "Fatal error" not in text


@pytest.mark.skipif(os.geteuid() != 0 or not os.path.isdir("/proc/self"), reason="needs a folder that nobody can write")
def test_a_store_where_nobody_may_write_is_told():
    text = refusal(*FREE_PORTS, "--store", "/proc/quietcam", *ONE_CAMERA, *SMALL)
    assert "/proc/quietcam" in text and "--store" in text


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], ["--camera", "--config", "--demo"]),
        (["--camera", "desk"], ["token"]),
        ([*ONE_CAMERA, "--part", "0.7"], ["--part", "0.7"]),
        ([*ONE_CAMERA, "--segment", "2.5"], ["--segment", "2.5"]),
        ([*ONE_CAMERA, "--window", "3"], ["--window", "3"]),
        ([*ONE_CAMERA, "--size", "641x480"], ["--size", "641x480"]),
        ([*ONE_CAMERA, "--public", "127.0.0.1"], ["--public", "127.0.0.1"]),
        ([*ONE_CAMERA, "--public", "127.0.0.1:9", "--private", "127.0.0.1:9"], ["--private", "127.0.0.1:9"]),
        (["--camera", "Desk", "--token", "secret-token"], ["--camera", "Desk"]),
        (["--camera", "desk", "--token", "short"], ["--token", "8"]),
        ([*ONE_CAMERA, "--siez", "1x1"], ["--siez"]),
        (["--config", "nowhere.yaml"], ["nowhere.yaml"]),
    ],
    ids=lambda part: " ".join(part),
)
def test_a_wrong_flag_is_told_by_its_name(arguments, words):
    text = refusal(*([] if "--public" in arguments else FREE_PORTS), "--store", "memory", *arguments)
    for word in words:
        assert word in text


def test_a_secret_is_never_told():
    text = refusal(*FREE_PORTS, "--camera", "desk", "--token", "tell me not")
    assert "tell me not" not in text


# Settings from elsewhere


def test_the_environment_reaches_the_server(tmp_path):
    environment = {
        "QUIETCAM_PUBLIC": "127.0.0.1:0",
        "QUIETCAM_PRIVATE": "127.0.0.1:0",
        "QUIETCAM_STORE": str(tmp_path / "kept"),
        "QUIETCAM_CAMERA": "desk",
        "QUIETCAM_TOKEN": "another-secret",
        "QUIETCAM_SIZE": "160x120",
        "QUIETCAM_SEGMENT": "4",
        "QUIETCAM_PART": "2",
        "QUIETCAM_INTERVAL": "0.7",
        "QUIETCAM_MAX_STILL_BYTES": "20000",
    }
    # A flag wins over the environment.
    with launched("--segment", 6, environment=environment) as server:
        server.wait_until_ready()
        now = playlist.parse(server.get("/desk/live.m3u8").text)
        assert (now.target, now.part_target) == (6, 2)
        assert "RESOLUTION=160x120" in server.get("/desk/index.m3u8").text
        answer = server.camera("POST", "/ingest/desk", {"Authorization": "Bearer another-secret"}, stills.one())
        assert answer.status == 202 and 630 <= answer.json["interval_ms"] <= 770
        assert server.camera("POST", "/ingest/desk", BEARER, stills.one()).status == 401
        big = server.camera("POST", "/ingest/desk", {"Authorization": "Bearer another-secret"}, bytes(20001))
        assert big.status == 413
    assert (tmp_path / "kept" / "desk" / "live.m3u8").exists()


CONFIG = """\
public: 127.0.0.1:0
private: 127.0.0.1:0
store: memory
operator-token: operator-secret
defaults:
  size: 128x96
  part: 1
  segment: 4
cameras:
  desk:
    token: token-of-desk
  attic:
    token-file: {folder}/token
    size: 160x120
    segment: 6
    latest-quality: 30
    masks:
      - rectangle: {{x: 0, y: 0, width: 1, height: 0.5}}
"""


@pytest.fixture(scope="module")
def two_cameras(tmp_path_factory):
    folder = tmp_path_factory.mktemp("config")
    (folder / "token").write_text("token-of-attic\n")
    (folder / "quietcam.yaml").write_text(CONFIG.format(folder=folder))
    with launched("--config", folder / "quietcam.yaml") as server:
        yield server.wait_until_ready()


def test_the_file_reaches_the_server(two_cameras):
    for camera, size, target in [("desk", "128x96", 4), ("attic", "160x120", 6)]:
        assert f"RESOLUTION={size}" in two_cameras.get(f"/{camera}/index.m3u8").text
        assert playlist.parse(two_cameras.get(f"/{camera}/live.m3u8").text).target == target


def test_each_camera_has_a_token_of_its_own(two_cameras):
    for camera in ["desk", "attic"]:
        for token in ["desk", "attic"]:
            fields = {"Authorization": f"Bearer token-of-{token}"}
            answer = two_cameras.camera("POST", f"/ingest/{camera}", fields, stills.one())
            assert answer.status == (202 if camera == token else 401)


def test_a_mask_covers_the_picture(two_cameras):
    fields = {"Authorization": "Bearer token-of-attic"}
    two_cameras.camera("POST", "/ingest/attic", fields, stills.solid(250, 250, 250, size=(160, 120)))
    deadline = time.monotonic() + 15
    while True:
        rows = stills.rows_of(two_cameras.get("/attic/latest.jpg").body)
        if min(rows[-1]) > 220:
            break
        assert time.monotonic() < deadline, rows
        time.sleep(0.1)
    assert max(rows[0]) < 120


def test_what_happens_at_one_camera_stays_there(two_cameras):
    waves = two_cameras.viewer("POST", "/attic/wave").json["waves"]
    statuses = {item["camera"]: item for item in operators(two_cameras, "/status").json["cameras"]}
    assert (statuses["attic"]["waves"], statuses["desk"]["waves"]) == (waves, 0)


def operators(server, path):
    return server.camera("GET", path, {"Authorization": "Bearer operator-secret"})


@pytest.mark.parametrize("path", ["/status", "/metrics"])
def test_an_operator_shows_the_token_where_there_is_one(two_cameras, path):
    assert operators(two_cameras, path).status == 200
    for fields in [{}, {"Authorization": "Bearer token-of-desk"}, {"Authorization": "Bearer operator-secretx"}]:
        assert two_cameras.camera("GET", path, fields).status == 401


@pytest.mark.parametrize(
    "text, words",
    [
        ("cameras:\n  desk:\n    token: secret-token\n    siez: 640x480\n", ["4", "cameras.desk.siez", "size"]),
        ("cameras:\n  desk:\n    token: secret-token\n    crf: 99\n", ["4", "cameras.desk.crf", "51"]),
        ("pubic: 127.0.0.1:1\ncameras:\n  desk:\n    token: secret-token\n", ["1", "pubic", "public"]),
        ("cameras:\n  desk:\n    part: 1\n", ["cameras.desk.token"]),
        ("cameras: [desk]\n", ["cameras"]),
        ("cameras:\n  desk:\n   token: x\n  - y\n", ["quietcam.yaml"]),
    ],
)
def test_an_error_in_the_file_names_its_line_and_key(tmp_path, text, words):
    (tmp_path / "quietcam.yaml").write_text(text)
    said = refusal("--config", tmp_path / "quietcam.yaml", *FREE_PORTS, "--store", "memory")
    assert "quietcam.yaml" in said
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    "environment, words",
    [
        ({"QUIETCAM_SIEZ": "640x480"}, ["QUIETCAM_SIEZ", "QUIETCAM_SIZE"]),
        ({"QUIETCAM_CRF": "many"}, ["QUIETCAM_CRF", "many"]),
        ({"QUIETCAM_CONFIG": "/nowhere/quietcam.yaml"}, ["/nowhere/quietcam.yaml"]),
    ],
)
def test_an_error_in_the_environment_names_the_variable(environment, words):
    said = refusal(*FREE_PORTS, "--store", "memory", *ONE_CAMERA, environment=environment)
    for word in words:
        assert word in said


def test_all_that_is_wrong_is_told_at_once():
    said = refusal(*FREE_PORTS, *ONE_CAMERA, "--crf", 99, "--size", "1x1", environment={"QUIETCAM_BLUR": "500"})
    for word in ["--crf", "--size", "QUIETCAM_BLUR"]:
        assert word in said


# Pages


class References(html.parser.HTMLParser):
    """The addresses that a page needs or leads to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.needs, self.cameras = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "quiet-cam":
            self.cameras.append(attributes["src"])
            return
        if attributes.get("rel") == "alternate":  # The address of the same for programs, as a whole.
            return
        self.needs += [attributes[name] for name in ("src", "poster") if name in attributes]
        if "href" in attributes:
            (self.links if tag == "a" else self.needs).append(attributes["href"])


TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "jpg": "image/jpeg",
    "m3u8": "application/vnd.apple.mpegurl",
    "svg": "image/svg+xml",
}


def assert_there(server, page, address):
    """Holds that what a page refers to is there, and returns it."""
    target = urllib.parse.urljoin(f"http://host{page}", address)
    assert target.startswith("http://host/"), f"{page} needs a stranger: {address}"
    path = urllib.parse.urlsplit(target).path
    answer = server.get(path)
    assert answer.status == 200 and answer.body, path
    assert answer["Content-Type"] == TYPES[path.rsplit(".")[-1]]
    return path, answer


def assert_page_is_whole(server, page, camera):
    answer = server.get(page)
    assert (answer.status, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!doctype html>") and "{{" not in answer.text
    needs = [address for address in References(answer.text).needs if not address.startswith("data:")]
    assert {address.rsplit(".")[-1] for address in needs} >= {"css", "js", "jpg"}
    for address in needs:
        path, found = assert_there(server, page, address)
        for module in re.findall(r'(?:import\(|from |import )\s*"([^"]+)"', found.text if path.endswith(".js") else ""):
            assert_there(server, path, module)
    base = References(answer.text).cameras[0]
    assert_there(server, page, f"{base}index.m3u8")
    assert urllib.parse.urljoin(page, base) == f"/{camera}/"


def test_the_pages_of_one_camera_refer_to_what_is_there():
    with serving(*SMALL) as server:
        assert_page_is_whole(server, "/", CAMERA)
        assert_page_is_whole(server, "/desk/", CAMERA)


def test_the_home_page_of_two_cameras_lists_both(two_cameras):
    answer = two_cameras.get("/")
    assert (answer.status, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    found = References(answer.text)
    assert found.links == found.cameras == ["desk/", "attic/"]
    assert {"desk/latest.jpg", "attic/latest.jpg"} <= set(found.needs)
    for address in found.needs:
        if not address.startswith("data:"):
            assert_there(two_cameras, "/", address)
    for camera in ["desk", "attic"]:
        assert_page_is_whole(two_cameras, f"/{camera}/", camera)


def test_the_demo_needs_no_camera():
    with launched(*FREE_PORTS, "--store", "memory", "--demo", "--size", "128x96", "--interval", 0.3) as server:
        server.wait_until_ready()
        deadline = time.monotonic() + 15
        while server.status("demo")["stills"]["shown"] < 1:
            assert time.monotonic() < deadline, server.status("demo")
            time.sleep(0.1)


def test_an_operator_asks_for_the_state_of_twenty_viewers_at_once():
    with serving(*SMALL) as server, concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: server.operators("/status").status, range(60)))
    assert answers == [200] * 60
