"""`quietcam loop`: the recording for when the camera is off, made of stills, of a video, of what the camera showed."""

import contextlib
import http.server
import json
import shutil
import signal
import struct
import subprocess
import threading
import time
import urllib.parse
import uuid

import pytest

import quietcam
import stills
from serving import CAMERA, serving
from test_media import judge, packets
from timing import again_if_late, in_time

SEGMENT, RATE = 2, 4
STEP = 90_000 // RATE
PICTURES = SEGMENT * RATE
OPTIONS = ["--camera", CAMERA, "--size", "96x72", "--rate", RATE, "--part", 0.5, "--segment", SEGMENT]
RED, GREEN, BLUE = (200, 40, 40), (40, 180, 40), (40, 40, 200)
TOKEN = "operator-token"


@pytest.fixture
def home(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    return work


def three_stills(home):
    """Three stills whose names sort as red, green, blue."""
    folder = home / "photos"
    folder.mkdir()
    for name, colour in (("c", BLUE), ("a", RED), ("b", GREEN)):
        (folder / f"{name}.jpg").write_bytes(stills.solid(*colour, size=(96, 72)))
    return folder


@pytest.fixture
def photos(home):
    return three_stills(home)


@pytest.fixture(scope="module")
def first_loop(tmp_path_factory):
    """A store with a loop of six seconds, of the three stills."""
    home = tmp_path_factory.mktemp("first")
    make(home, three_stills(home), "--every", "2s")
    return home


@pytest.fixture
def with_loop(home, photos, first_loop):
    """A home that has this loop already."""
    shutil.copytree(first_loop / "hls-out", home / "hls-out")
    return home


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Two seconds of red and then two of blue, ten pictures a second."""
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    filters = ";".join(
        f"color=c=0x{bytes(colour).hex()}:s=128x96:r=10:d=2[{name}]" for name, colour in (("a", RED), ("b", BLUE))
    )
    judge("ffmpeg", "-v", "warning", "-filter_complex", f"{filters};[a][b]concat", "-pix_fmt", "yuv420p", path)
    return path


def start(home, *arguments):
    return subprocess.Popen(
        [str(part) for part in [quietcam.binary(), "loop", *arguments]],
        cwd=home,
        env=quietcam.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(home, *arguments, options=OPTIONS):
    """Exit code, standard output, standard error."""
    process = start(home, *options, *arguments)
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


def make(home, *arguments, options=OPTIONS):
    code, output, errors = run(home, *arguments, options=options)
    assert code == 0, errors
    return output


def loop_of(home):
    return home / "hls-out" / CAMERA / "loop"


def manifest(home):
    return json.loads((loop_of(home) / "loop.json").read_text())


def joined(home):
    """The whole loop as one file, as anybody would put it together."""
    folder = loop_of(home)
    path = home / "joined.mp4"
    count = len(manifest(home)["segments"])
    path.write_bytes(b"".join((folder / name).read_bytes() for name in ["init.mp4", *segment_names(count)]))
    return path, count


def segment_names(count):
    return [f"{index}.mp4" for index in range(count)]


def picture_at(path, step):
    """The mean colour of the picture at a step of the grid, decoded by ffmpeg."""
    jpeg = judge(
        *["ffmpeg", "-v", "error", "-i", path, "-vf", f"select=eq(n\\,{step})", "-frames:v", 1],
        *["-f", "mjpeg", "-q:v", 1, "-strict", "unofficial", "-"],
    )
    return stills.colour_of(jpeg)


def assert_well_formed(home):
    """What strangers say about the loop: a steady grid and an IDR picture at each segment's beginning."""
    path, count = joined(home)
    found = packets(path)
    assert [pts for pts, _ in found] == list(range(0, count * PICTURES * STEP, STEP))
    assert [is_key for _, is_key in found] == [index % PICTURES == 0 for index in range(len(found))]
    judge("ffmpeg", "-v", "warning", "-xerror", "-i", path, "-f", "null", "-")
    for index in range(count):
        alone = home / "alone.mp4"
        alone.write_bytes(b"".join((loop_of(home) / name).read_bytes() for name in ("init.mp4", f"{index}.mp4")))
        judge("ffmpeg", "-v", "warning", "-xerror", "-i", alone, "-f", "null", "-")
    return path, count


# Sources


def test_a_folder_of_stills_is_shown_in_the_order_of_names(home, photos):
    output = make(home, photos, "--every", "1s")
    path, count = assert_well_formed(home)
    assert count == 2
    for step, colour in ((0, RED), (3, RED), (4, GREEN), (8, BLUE), (15, BLUE)):
        assert stills.is_near(picture_at(path, step), colour), step
    assert "3 pictures" in output and "2 segments" in output
    # Three seconds were given, and the last segment is full.
    assert "the last picture stays 1 s longer" in output
    jpegs = (loop_of(home) / "1.mjpeg").read_bytes()
    assert stills.is_near(stills.colour_of(jpegs), BLUE)


def test_stills_stand_for_the_cameras_interval_where_nothing_else_is_said(home, photos):
    make(home, photos, options=[*OPTIONS, "--interval", 4])
    assert len(manifest(home)["segments"]) == 6


def test_a_video_plays_in_its_own_time(home, video):
    make(home, video)
    path, count = assert_well_formed(home)
    assert count == 2
    for step, colour in ((0, RED), (7, RED), (8, BLUE), (15, BLUE)):
        assert stills.is_near(picture_at(path, step), colour), step
    assert sum(len(segment["pictures"]) for segment in manifest(home)["segments"]) == 2 * PICTURES


def test_of_a_video_one_picture_for_each_pause_is_taken(home, video):
    make(home, video, "--every", "1s")
    assert_well_formed(home)
    steps = [[picture["step"] for picture in segment["pictures"]] for segment in manifest(home)["segments"]]
    assert steps == [[0, 4], [0, 4]]


def test_the_length_is_kept_in_whole_segments(home, video):
    output = make(home, video, "--length", "1.5s")
    assert assert_well_formed(home)[1] == 1
    assert "the rest of the source was left out" in output


def test_the_cameras_own_settings_of_a_file_are_used(home, photos):
    (home / "q.yaml").write_text(
        f"cameras:\n  {CAMERA}:\n    token: secret-token\n    size: 96x72\n    rate: {RATE}\n    part: 0.5\n"
        f"    segment: {SEGMENT}\n    masks:\n      - rectangle: {{x: 0, y: 0, width: 1, height: 0.5}}\n"
    )
    make(home, photos, "--config", "q.yaml", options=[])
    path, _ = assert_well_formed(home)
    frame = judge(
        *["ffmpeg", "-v", "error", "-i", path, "-frames:v", 1],
        *["-f", "mjpeg", "-q:v", 1, "-strict", "unofficial", "-"],
    )
    rows = stills.rows_of(frame)
    assert stills.is_near(rows[0], (0, 0, 0)) and stills.is_near(rows[3], RED)
    code, _, errors = run(home, photos, "--config", "q.yaml", "--camera", "dsek", options=[])
    assert code != 0 and "dsek" in errors and f"accepted: {CAMERA}" in errors


def test_without_a_source_the_loop_is_made_anew_of_the_one_it_has(home, photos):
    make(home, "photos", "--every", "1s")
    before = manifest(home)
    make(home, options=[*OPTIONS, "--crf", 40])
    after = manifest(home)
    assert after["source"] == before["source"] and after["source"]["path"] == str(photos)
    assert after["settings"] == before["settings"] | {"crf": "40"}
    assert_well_formed(home)


def test_the_server_makes_a_loop_anew_whose_settings_have_changed(home, photos):
    make(home, photos, "--every", "1s")
    before = manifest(home)
    with serving(*OPTIONS[2:], "--crf", 40, store=home / "hls-out") as server:
        deadline = time.monotonic() + 20
        while manifest(home)["settings"]["crf"] != "40":
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.05)
        assert "is made again" in server.log()
    after = manifest(home)
    assert after["source"] == before["source"] and len(after["segments"]) == len(before["segments"])
    assert_well_formed(home)


def test_the_server_leaves_a_loop_alone_whose_settings_hold(with_loop, home):
    before = {path.name: path.read_bytes() for path in loop_of(home).iterdir()}
    with serving(*OPTIONS[2:], store=home / "hls-out") as server:
        time.sleep(1)
        assert "made again" not in server.log()
    assert {path.name: path.read_bytes() for path in loop_of(home).iterdir()} == before


# The old loop


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@again_if_late
def test_who_ends_the_command_gets_the_old_loop(with_loop, home, photos, ended_by):
    before = {path.name: path.read_bytes() for path in loop_of(home).iterdir()}
    many = home / "many"
    many.mkdir(exist_ok=True)
    for index in range(400):
        (many / f"{index:03}.jpg").write_bytes(stills.solid(index % 5 * 50, 80, 90, size=(640, 480)))
    process = start(home, many, *OPTIONS)
    new = loop_of(home).parent / ".loop-new"
    try:
        deadline = time.monotonic() + 30
        while not (new / "1.mp4").exists():
            in_time(process.poll() != 0, "it had ended before the signal")
            assert process.poll() is None and time.monotonic() < deadline, process.communicate()
            time.sleep(0.005)
        process.send_signal(ended_by)
        process.communicate(timeout=10)
        in_time(process.returncode != 0, "it had ended before the signal")
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == (-9 if ended_by == signal.SIGKILL else 128 + ended_by)
    assert {path.name: path.read_bytes() for path in loop_of(home).iterdir()} == before
    assert new.exists() == (ended_by == signal.SIGKILL)
    make(home, photos, "--every", "2s")
    assert [path.name for path in loop_of(home).parent.iterdir()] == ["loop"]
    assert_well_formed(home)


def damaged_folder(home):
    folder = home / "damaged"
    folder.mkdir()
    # The markers are whole, so only decoding tells.
    (folder / "a.jpg").write_bytes(stills.bytes_of(stills.DAMAGED[0]))
    return folder


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing-there"], "no file or folder is at"),
        (["http://127.0.0.1:1/film.mp4"], "http://127.0.0.1:1/film.mp4 is an address"),
        (["rtsp://me:secret@127.0.0.1:1/live"], "rtsp://127.0.0.1:1/live is an address"),
        (["empty"], "no JPEG"),
        (["damaged"], "no picture in"),
        (["text.mp4"], "is not a video that FFmpeg can read"),
        (["photos", "--every", "0.1s"], "--every: found 0.1 s; accepted: at least 0.25 s"),
        (["photos", "--every", "often"], "--every"),
        (["photos", "--length", "0s"], "--length"),
        (["photos", "--record", "10m"], "leave out --record or SOURCE"),
        (["photos", "--store", "memory"], "give a folder with --store"),
        (["photos", "--store", "text.mp4"], "cannot make the folder"),
        (["photos", "--segment", "2.3"], "segment"),
        (["--record", "10m", "--server", "nowhere"], "write http://HOST:PORT"),
        (["--record", "10m", "--server", "http://127.0.0.1:1"], "is `quietcam serve` running there?"),
    ],
)
def test_what_cannot_be_is_told_and_the_old_loop_stays(with_loop, home, arguments, says):
    before = {path.name: path.read_bytes() for path in loop_of(home).iterdir()}
    (home / "empty").mkdir()
    damaged_folder(home)
    (home / "text.mp4").write_text("no video at all")
    code, output, errors = run(home, *arguments)
    assert code != 0 and output == "" and says in errors, errors
    assert {path.name: path.read_bytes() for path in loop_of(home).iterdir()} == before
    assert [path.name for path in loop_of(home).parent.iterdir()] == ["loop"]


def test_stills_that_do_not_decode_are_left_out_and_counted(home, photos):
    (photos / "aa.jpg").write_bytes(stills.bytes_of(stills.DAMAGED[0]))
    output = make(home, photos, "--every", "1s")
    assert "1 that do not decode were left out" in output and "3 pictures" in output
    path, _ = assert_well_formed(home)
    assert stills.is_near(picture_at(path, 4), GREEN)


def test_without_source_and_without_a_loop_it_says_what_to_give(home):
    code, _, errors = run(home)
    assert code != 0 and "give a SOURCE" in errors and "--record 10m" in errors


# What the camera showed


class Recorder(http.server.BaseHTTPRequestHandler):
    """The private address of a server that answers recordings."""

    def do_GET(self):
        self.server.targets.append(self.path)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        if self.server.settings:
            self.send_header("Quietcam-Loop-Settings", json.dumps(self.server.settings))
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def recorder(body, settings=None):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        server.body, server.settings, server.targets = body, settings, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def record(server, *more):
    return ["--record", "90s", "--server", server.url, "--operator-token", TOKEN, *more]


def pictures_box(pictures):
    """The JPEGs that began to show in a segment, as (place, whether it is new, JPEG), in the box of a recording."""
    entries = b"".join(struct.pack(">IBII", place, is_new, 0xFFFFFFFF, len(jpeg)) for place, is_new, jpeg in pictures)
    kind = uuid.UUID("6a1c3e0f-94d2-4b57-b8e3-5d7027afc914").bytes
    body = kind + struct.pack(">II", STEP, len(pictures)) + entries + b"".join(jpeg for *_, jpeg in pictures)
    return struct.pack(">I", len(body) + 8) + b"uuid" + body


@pytest.fixture
def shown(with_loop, home):
    """What a camera showed, as its server answers it: three segments, one of each still."""
    folder = loop_of(home)
    assert len(manifest(home)["segments"]) == 3
    segments = [(folder / name).read_bytes() for name in segment_names(3)]
    body = (folder / "init.mp4").read_bytes()
    for index, segment in enumerate(segments):
        body += pictures_box([(0, index > 0, (folder / f"{index}.mjpeg").read_bytes())]) + segment
    return body, manifest(home)["settings"], segments


def test_a_recording_of_a_server_is_a_video_like_any_other(home):
    with serving(*OPTIONS[2:], "--operator-token", TOKEN, store=home / "hls-out", home=home) as server:
        asked = {"Authorization": f"Bearer {TOKEN}"}
        shown, deadline = set(), time.monotonic() + 20
        while (answer := server.camera("GET", f"/cameras/{CAMERA}/recent.mp4", asked)).status == 404:
            assert time.monotonic() < deadline
            assert server.push(stills.one()).status == 202
            time.sleep(0.3)
            shown.add(server.get(f"/{CAMERA}/latest.jpg").body)
        (home / "recent.mp4").write_bytes(answer.body)
        judge("ffmpeg", "-v", "warning", "-xerror", "-i", home / "recent.mp4", "-f", "null", "-")
        make(home, "--record", "10m", "--server", f"http://127.0.0.1:{server.private}", "--operator-token", TOKEN)
        _, count = assert_well_formed(home)
        kept = b"".join((loop_of(home) / f"{index}.mjpeg").read_bytes() for index in range(count))
        assert any(jpeg in kept for jpeg in shown), "the loop has the pictures that latest.jpg showed"


def test_a_recording_of_the_same_settings_is_kept_as_it_was_coded(home, shown):
    body, settings, segments = shown
    with recorder(body, settings) as server:
        output = make(home, *record(server))
    target = urllib.parse.urlsplit(server.targets[0])
    assert target.path == f"/cameras/{CAMERA}/recent.mp4"
    assert urllib.parse.parse_qs(target.query) == {"for": ["90"]}
    path, count = assert_well_formed(home)
    assert count == 3 and "encoded again" not in output
    assert [(loop_of(home) / name).read_bytes() for name in segment_names(3)] == segments
    colours = [stills.colour_of((loop_of(home) / f"{index}.mjpeg").read_bytes()) for index in range(3)]
    assert all(stills.is_near(*pair) for pair in zip(colours, (RED, GREEN, BLUE), strict=True))
    assert manifest(home)["source"]["kind"] == "recording"


def test_a_recording_of_another_size_is_coded_anew(home, shown):
    body, settings, _ = shown
    with recorder(body, settings | {"size": "96x72"}) as server:
        output = make(home, *record(server), options=[*OPTIONS, "--size", "160x120"])
    assert "encoded again" in output
    path, count = assert_well_formed(home)
    assert count == 3
    for step, colour in ((0, RED), (PICTURES, GREEN), (2 * PICTURES, BLUE)):
        assert stills.is_near(picture_at(path, step), colour), step


@pytest.mark.parametrize(
    ("change", "arguments", "says"),
    [
        (lambda body, settings: (body, settings), ["--operator-token", "another-token"], "operator-token"),
        (lambda body, settings: (body, settings | {"masks": "0badf00d"}), [], "other picture settings (masks)"),
        (lambda body, settings: (body[:-7], settings), [], "is not a recording"),
        (lambda body, settings: (b"<html>", settings), [], "is it another server?"),
        (lambda body, settings: (body[: body.index(b"uuid") - 4], settings), [], "no complete segment of this camera yet"),
        (lambda body, settings: (body[: body.index(b"moof") - 4], settings), [], "no complete segment of this camera yet"),
        (lambda body, settings: (body.replace(b"uuid", b"free"), settings), [], "is not a recording"),
    ],
)
def test_a_recording_that_must_not_be_taken_leaves_the_old_loop(home, shown, change, arguments, says):
    before = {path.name: path.read_bytes() for path in loop_of(home).iterdir()}
    with recorder(*change(*shown[:2])) as server:
        code, _, errors = run(home, *record(server), *arguments)
    assert code != 0 and says in errors, errors
    assert {path.name: path.read_bytes() for path in loop_of(home).iterdir()} == before


def test_progress_is_told_on_standard_error_only(home, photos):
    code, output, errors = run(home, photos)
    assert code == 0 and "made" in errors and output.count("\n") == 1
