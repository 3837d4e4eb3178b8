"""Cameras copied to S3-compatible storage: SeaweedFS holds them, and players and `check` ask it and nobody else."""

import contextlib
import io
import json
import pathlib
import re
import subprocess
import threading
import time

import pytest
from PIL import Image

import playlist
import quietcam
import recipes
import stills
import test_machine
import weed
from ports import free_ports
from serving import CAMERA, OPERATOR, TOKEN, launched, serving
from test_machine import wrapped  # noqa: F401  (a fixture)
from timing import again_if_late, in_time

QUICK = [
    "--operator-token", OPERATOR, "--size", "128x96", "--rate", 2, "--part", 0.5, "--segment", 2, "--hold", "forever",
    "--steady", 0,
]
WRAPPER = pathlib.Path("/usr/lib/x86_64-linux-gnu/libnss_wrapper.so")
RED, GREEN, BLUE = (200, 20, 20), (20, 200, 20), (20, 20, 220)


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    if not weed.PROGRAM:
        pytest.skip("weed is not there: .ci/setup.sh test installs it")
    with weed.running(tmp_path_factory.mktemp("weed")) as server:
        yield server


def copied(storage, prefix, key=f"{weed.KEY}:{weed.SECRET}"):
    return [
        "--bucket", f"s3://{weed.BUCKET}/{prefix}", "--bucket-endpoint", storage.endpoint, "--bucket-key", key,
    ]


class Pusher:
    """Pushes stills of one colour, which can be changed."""

    def __init__(self, server, colour=RED, every=0.4):
        self.server, self.colour, self.every = server, colour, every
        self.isOver = threading.Event()
        self.thread = threading.Thread(target=self._push)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.isOver.set()
        self.thread.join()

    def _push(self):
        while not self.isOver.wait(self.every):
            self.server.push(stills.solid(*self.colour))


def listed(storage, prefix, camera=CAMERA):
    """The playlist in the bucket; `None` where there is none."""
    answer = storage.get(f"{prefix}/{camera}/plain.m3u8")
    return playlist.parse(answer.text) if answer.status == 200 else None


def wait_for(condition, what, within=30):
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.1)
    return found


def listed_with(storage, prefix, count):
    def look():
        now = listed(storage, prefix)
        return now if now and len(now.segments) >= count else None

    return wait_for(look, lambda: f"no playlist of {count} segments: {listed(storage, prefix)}")


def bucket_of(server, camera=CAMERA):
    return server.status(camera)["bucket"]


def everything_is_there(storage, prefix):
    """Reads the playlist again and again, and all that it lists."""
    now = listed(storage, prefix)
    for uri in now.uris():
        answer = storage.get(f"{prefix}/{CAMERA}/{uri}")
        assert answer.status == 200 and answer.body, f"{uri} is listed and answers {answer.status}"
    return now


@pytest.fixture(scope="module")
def live(storage):
    with serving(*QUICK, *copied(storage, "live"), "--keep-photos", 5, "--photo-size", "200x200") as server:
        with Pusher(server):
            listed_with(storage, "live", 9)
            wait_for(lambda: len(listed_photos(storage, "live")) == 5, "five photos do not come")
            yield server


def listed_photos(storage, prefix):
    answer = storage.get(f"{prefix}/{CAMERA}/photos.json")
    return [photo["name"] for photo in json.loads(answer.body)["photos"]] if answer.status == 200 else []


def test_the_bucket_has_all_with_its_types_and_times(storage, live):
    now = everything_is_there(storage, "live")
    types = {uri: ("video/mp4", "public, max-age=31536000, immutable") for uri in now.uris()}
    types |= {name: ("image/jpeg", "public, max-age=31536000, immutable") for name in listed_photos(storage, "live")[:3]}
    types["plain.m3u8"] = ("application/vnd.apple.mpegurl", "public, max-age=1")
    types["photos.json"] = ("application/json", "public, max-age=1")
    types["latest.jpg"] = ("image/jpeg", "public, max-age=1")
    for name, (kind, caching) in types.items():
        answer = storage.get(f"live/{CAMERA}/{name}")
        assert (answer.status, answer["Content-Type"], answer["Cache-Control"]) == (200, kind, caching), name
    assert not any(segment.discontinuity for segment in now.segments)
    assert "RENDITION-REPORT" not in storage.get(f"live/{CAMERA}/plain.m3u8").text
    # Whole segments of plain.m3u8 and nothing else: parts and low latency are the server's own.
    names = storage.names(f"live/{CAMERA}")
    pattern = r"p\d+\.mp4|init-[0-9a-f]+\.mp4|photo-[0-9a-fx-]+\.jpg|plain\.m3u8|photos\.json|latest\.jpg"
    assert [name for name in names if not re.fullmatch(pattern, name)] == []


def test_pictures_and_photos_are_those_of_the_server(storage, live):
    assert stills.is_near(stills.colour_of(storage.get(f"live/{CAMERA}/latest.jpg").body), RED)
    for name in listed_photos(storage, "live")[:2]:
        body = storage.get(f"live/{CAMERA}/{name}").body
        assert Image.open(io.BytesIO(body)).size == (128, 96) and stills.is_near(stills.colour_of(body), RED)
        shown = live.get(f"/{CAMERA}/{name}")
        assert shown.status == 404 or shown.body == body


def test_what_has_left_is_removed(storage, live):
    def old():
        photos = [name for name in storage.names(f"live/{CAMERA}") if name.endswith(".mp4") and name.startswith("p")]
        return len(photos)

    # 12 segments of a second are listed, and 16 seconds more may players want them.
    first = everything_is_there(storage, "live").segments[0].uri
    wait_for(lambda: first not in storage.names(f"live/{CAMERA}"), f"{first} stays", within=60)
    assert old() <= 12 + 16 + 6
    status = bucket_of(live)
    assert status["removed"] > 0 and status["skipped"] == 0 and status["failures"] == 0 and status["trouble"] is None


def check(storage, prefix):
    """Lets `quietcam check` judge the bucket's own address."""
    address = f"{storage.endpoint}/{weed.BUCKET}/{prefix}/{CAMERA}/plain.m3u8"
    done = subprocess.run(
        [quietcam.binary(), "check", address, "--for", "10s"], capture_output=True, text=True, timeout=60,
        env=quietcam.environment())
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_is_green_on_the_buckets_own_address(storage, live):
    check(storage, "live")


@pytest.mark.skipif(not WRAPPER.exists(), reason="needs libnss-wrapper, for a host name that leads to this machine")
def test_the_bucket_may_be_named_before_the_host(storage, tmp_path):
    """Only the bucket's own host has an address, so no request can have named it in its path."""
    host, port = f"{weed.BUCKET}.{weed.DOMAIN}", storage.ports["s3"]
    (tmp_path / "hosts").write_text(f"127.0.0.1 {host}\n")
    names = {"LD_PRELOAD": str(WRAPPER), "NSS_WRAPPER_HOSTS": str(tmp_path / "hosts")}
    options = [
        "--bucket", f"s3://{weed.BUCKET}/hosted", "--bucket-endpoint", f"http://{weed.DOMAIN}:{port}", "--bucket-style", "host",
        "--bucket-key", f"{weed.KEY}:{weed.SECRET}",
    ]
    with serving(*QUICK, *options, home=tmp_path, environment=names) as server, Pusher(server):
        wait_for(lambda: listed(storage, "hosted"), lambda: f"nothing is copied:\n{server.log()}")
        now = everything_is_there(storage, "hosted")
        status = bucket_of(server)
        assert status["failures"] == 0 and status["trouble"] is None
    # Viewers find the same at that host.
    address = f"http://{host}:{port}/hosted/{CAMERA}/{now.segments[-1].uri}"
    body = subprocess.run(
        ["curl", "-fsS", "--noproxy", "*", "--resolve", f"{host}:{port}:127.0.0.1", address], capture_output=True, check=True).stdout
    assert body[4:8] == b"moof"


def test_ffmpeg_plays_it(storage, live):
    address = f"{storage.endpoint}/{weed.BUCKET}/live/{CAMERA}/plain.m3u8"
    done = subprocess.run(
        ["ffmpeg", "-v", "warning", "-xerror", "-i", address, "-t", "8", "-f", "framemd5", "-"], capture_output=True,
        text=True, timeout=60, env=quietcam.environment())
    frames = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert done.returncode == 0 and len(frames) >= 14, done.stdout + done.stderr


def test_the_operator_sees_how_it_goes(storage, live):
    status = bucket_of(live)
    assert status["written"] > 20 and status["bytes"] > 1000 and status["lastWritten"].startswith("20")
    # Stills come all the time, and their photos and lists with them.
    assert wait_for(lambda: bucket_of(live)["waiting"] <= 6, "more and more is owed")
    text = live.operators("/metrics").text
    values = dict(re.findall(rf'^quietcam_(bucket_\w+){{camera="{CAMERA}"}} (\d+)$', text, re.MULTILINE))
    assert set(values) == {
        "bucket_waiting", "bucket_written_total", "bucket_written_bytes_total", "bucket_removed_total",
        "bucket_failures_total", "bucket_skipped_total", "bucket_written_timestamp_seconds",
    }
    assert abs(int(values["bucket_written_timestamp_seconds"]) - time.time()) < 60
    assert f"cameras are copied to s3://{weed.BUCKET}/live" in live.log() and weed.SECRET not in live.log()


@again_if_late
def test_a_withdrawal_empties_it(storage):
    with serving(*QUICK, *copied(storage, "withdrawn"), "--keep-photos", 5) as server, Pusher(server) as pusher:
        listed_with(storage, "withdrawn", 9)
        wait_for(lambda: listed_photos(storage, "withdrawn"), "no photo comes")
        wait_for(lambda: stills.is_near(stills.colour_of(storage.get(f"withdrawn/{CAMERA}/latest.jpg").body), RED), "not red")
        pusher.colour = BLUE
        before = listed(storage, "withdrawn")
        gone = {name for name in storage.names(f"withdrawn/{CAMERA}") if re.match(r"p\d|photo-", name)}
        statuses = set()
        began = time.monotonic()
        assert server.operators(f"/cameras/{CAMERA}/withdraw", "POST").status == 200

        def is_empty():
            statuses.add(storage.get(f"withdrawn/{CAMERA}/plain.m3u8").status)
            return not gone & storage.names(f"withdrawn/{CAMERA}")

        wait_for(is_empty, "what was withdrawn stays")
        in_time(time.monotonic() - began < 15, "it took long")
        # It goes where the next one does not come in two seconds.
        in_time(statuses == {200}, "the playlist was away")
        after = everything_is_there(storage, "withdrawn")
        assert not {segment.uri for segment in after.segments} & gone
        assert after.segments[0].discontinuity and after.sequence > before.sequence
        latest = storage.get(f"withdrawn/{CAMERA}/latest.jpg").body
        assert not stills.is_near(stills.colour_of(latest), RED) and not stills.is_near(stills.colour_of(latest), BLUE)
        # It goes on as the stream does.
        newest = after.segments[-1].sequence
        wait_for(lambda: listed(storage, "withdrawn").segments[-1].sequence > newest + 2, "it stands still")
        assert listed_photos(storage, "withdrawn") == []


@pytest.mark.long
def test_what_a_veil_hides_never_comes(storage, tmp_path):
    (tmp_path / "loop").mkdir()
    for index in range(8):
        (tmp_path / "loop" / f"{index}.jpg").write_bytes(stills.solid(20, 20, 200 + index))
    store = ["--store", tmp_path / "store"]
    command = [quietcam.binary(), "loop", tmp_path / "loop", "--every", "0.5s", *store, "--camera", CAMERA]
    shape = ["--size", "128x96", "--rate", 2, "--part", 0.5, "--segment", 2]
    subprocess.run([str(word) for word in [*command, *shape]], env=quietcam.environment(), cwd=tmp_path, check=True)
    options = [*QUICK, *copied(storage, "veiled"), "--photo-size", "stream", "--keep-photos", 20]
    with serving(*options, store=tmp_path / "store", home=tmp_path) as server, Pusher(server) as pusher:
        # The loop goes on until the camera's stills fit to it, for up to 90 s.
        wait_for(lambda: server.status()["source"] == "live", "it does not begin", within=100)
        listed_with(storage, "veiled", 6)
        assert server.operators(f"/cameras/{CAMERA}/veil", "POST").status == 200
        wait_for(lambda: server.status()["source"] == "veiled", lambda: f"no veil:\n{server.log()}")
        time.sleep(1)
        pusher.colour = GREEN
        time.sleep(6)
        assert server.status()["source"] == "veiled"
        names = {name for name in storage.names(f"veiled/{CAMERA}") if name.endswith(".jpg")}
        for name in names:
            answer = storage.get(f"veiled/{CAMERA}/{name}")
            assert answer.status == 404 or not stills.is_near(stills.colour_of(answer.body), GREEN), name
        now = everything_is_there(storage, "veiled")
        for segment in now.segments:
            data = storage.get(f"veiled/{CAMERA}/{segment.map}").body + storage.get(f"veiled/{CAMERA}/{segment.uri}").body
            picture = subprocess.run(
                ["ffmpeg", "-v", "error", "-i", "-", "-frames:v", "1", "-f", "image2pipe", "-c:v", "mjpeg", "-"],
                input=data, capture_output=True, check=True, env=quietcam.environment()).stdout
            assert not stills.is_near(stills.colour_of(picture), GREEN), segment.uri


@pytest.mark.long
def test_a_bucket_that_is_away_gets_what_is_owed_and_nothing_else(tmp_path):
    """Two servers: segments of six seconds are owed for longer than the bucket is away, and segments of one for 27 s."""
    owed = 27
    with weed.running(tmp_path) as storage, contextlib.ExitStack() as stack:
        # SeaweedFS takes a while to come back.
        options = [*QUICK, *copied(storage, "away"), "--keep-photos", 5, "--plain-segment", 6]
        server = stack.enter_context(serving(*options, home=tmp_path))
        short = stack.enter_context(serving(*QUICK, *copied(storage, "short"), home=tmp_path))
        for each in (server, short):
            stack.enter_context(Pusher(each))
        listed_with(storage, "away", 3)
        listed_with(storage, "short", 3)
        storage.kill()
        before = own_segments(short)[-1]
        time.sleep(owed + 4)
        assert bucket_of(server)["waiting"] > 2 and "connection refused" in bucket_of(server)["trouble"]
        away = own_segments(server)
        storage.start()
        back = own_segments(short)
        all_are_there(storage, "away", away, server)
        all_are_there(storage, "short", back, short)
        status = bucket_of(server)
        assert status["skipped"] == 0 and status["failures"] > 0
        assert not any(segment.discontinuity for segment in listed(storage, "away").segments)
        assert "the bucket takes objects again" in server.log() and "cannot copy to the bucket" in server.log()
        # What was made first without the bucket had left before it came back. One may have been on its way.
        begin, end = (int(re.fullmatch(r"p(\d+)\.mp4", name)[1]) for name in (before, back[-1]))
        left = {f"p{number}.mp4" for number in range(begin + 2, end - owed)}
        assert len(left) >= 2 and bucket_of(short)["skipped"] > 0
        assert not left & storage.names(f"short/{CAMERA}")
        check(storage, "short")


def own_segments(server):
    """The files of the server's own playlist without parts."""
    return [segment.uri for segment in playlist.parse(server.get(f"/{CAMERA}/plain.m3u8").text).segments]


def all_are_there(storage, prefix, files, server):
    """Waits until a bucket has these files, and its playlist the last of them."""
    def missing():
        return set(files) - storage.names(f"{prefix}/{CAMERA}")

    wait_for(lambda: not missing(), lambda: f"{missing()} do not come:\n{server.log()}", within=60)
    wait_for(lambda: listed(storage, prefix).segments[-1].uri >= files[-1], "the playlist stands still")
    everything_is_there(storage, prefix)


def test_a_restart_goes_on_without_a_hole(storage, tmp_path):
    options = [*QUICK, *copied(storage, "again"), "--keep-photos", 5]
    with serving(*options, store=tmp_path) as server, Pusher(server):
        before = listed_with(storage, "again", 12)
    last = listed(storage, "again").segments[-1]
    with serving(*options, store=tmp_path) as server, Pusher(server, BLUE):
        wait_for(lambda: listed(storage, "again").segments[-1].sequence > last.sequence + 2, lambda: server.log())
        now = everything_is_there(storage, "again")
        numbers = {segment.uri: segment.sequence for segment in before.segments}
        for segment in now.segments:
            assert numbers.get(segment.uri, segment.sequence) == segment.sequence, "a segment has another number"
        assert last.uri in [segment.uri for segment in now.segments], "the old ones are not listed any more"
        assert sum(segment.discontinuity for segment in now.segments) == 1
        for one, other in zip(now.segments, now.segments[1:]):
            gap = (other.date - one.date).total_seconds() - float(one.duration)
            assert abs(gap) <= 1.6, f"{gap} s between {one.uri} and {other.uri}"


@pytest.mark.long
def test_a_withdrawal_while_the_bucket_is_away_outlives_the_process(tmp_path):
    (tmp_path / "weed").mkdir()
    with weed.running(tmp_path / "weed") as storage:
        options = [*QUICK, *copied(storage, "late"), "--keep-photos", 5]
        with serving(*options, store=tmp_path / "store") as server, Pusher(server):
            listed_with(storage, "late", 9)
            wait_for(lambda: listed_photos(storage, "late"), "no photo comes")
            gone = {name for name in storage.names(f"late/{CAMERA}") if re.match(r"p\d|photo-", name)}
            storage.kill()
            assert server.operators(f"/cameras/{CAMERA}/withdraw", "POST").status == 200
        storage.start()
        with serving(*options, store=tmp_path / "store") as server:
            wait_for(lambda: not gone & storage.names(f"late/{CAMERA}"), lambda: f"it stays:\n{server.log()}")
            latest = storage.get(f"late/{CAMERA}/latest.jpg")
            assert latest.status == 404 or not stills.is_near(stills.colour_of(latest.body), RED)


def test_a_signed_camera_is_copied_only_if_the_operator_says_so(storage, tmp_path):
    config = tmp_path / "quietcam.yaml"
    lines = [
        "store: memory", "public: 127.0.0.1:0", "private: 127.0.0.1:0", f"operator-token: {OPERATOR}",
        "link-key: 0123456789abcdef", f"bucket: s3://{weed.BUCKET}/signed", f"bucket-endpoint: {storage.endpoint}",
        f"bucket-key: '{weed.KEY}:{weed.SECRET}'", "defaults: {size: 128x96, part: 0.5, segment: 2, hold: forever}", "cameras:",
    ]
    cameras = {"open": "", "private": ", access: signed", "shared": ", access: signed, bucket-copy: always",
               "own": ", bucket-copy: never"}
    rows = [f"  {name}: {{token: {TOKEN}{more}}}" for name, more in cameras.items()]
    config.write_text("\n".join(lines + rows) + "\n")
    with launched("--config", config) as server:
        server.wait_until_ready()
        for name in ("open", "shared"):
            wait_for(lambda name=name: listed(storage, "signed", name), f"{name} is not copied:\n{server.log()}")
        assert storage.names("signed/private") == storage.names("signed/own") == set()
        assert bucket_of(server, "private") is None and bucket_of(server, "own") is None
        # What is closed later is taken back.
        config.write_text("\n".join(lines + [row.replace(f"{TOKEN}}}", f"{TOKEN}, access: signed}}") for row in rows]) + "\n")
        assert server.operators("/reload", "POST").status == 200
        wait_for(lambda: storage.names("signed/open") == set(), lambda: f"{storage.names('signed/open')} stay")
        assert listed(storage, "signed", "shared")


@pytest.mark.parametrize("what, changes, words", [
    ("a wrong secret", {weed.SECRET: "another-secret"}, ["SignatureDoesNotMatch", "secret half of bucket-key"]),
    ("an unknown key", {weed.KEY: "AKIDNOBODY"}, ["InvalidAccessKeyId", "bucket-key-file", "AKIDNOBODY"]),
    ("no bucket", {f"s3://{weed.BUCKET}/": "s3://another-bucket/"}, ["NoSuchBucket", "no bucket another-bucket"]),
    ("nobody there", {"ENDPOINT": ""}, ["connection refused", "bucket-endpoint"]),
])
def test_errors_say_what_to_do(storage, tmp_path, what, changes, words):
    arguments = copied(storage, "wrong")
    if "ENDPOINT" in changes:
        arguments[3] = f"http://127.0.0.1:{free_ports(1)[0]}"
    for old, new in changes.items():
        arguments = [argument.replace(old, new) for argument in arguments]
    with serving(*QUICK, *arguments, home=tmp_path) as server:
        wait_for(lambda: "cannot copy to the bucket" in server.log(), f"nothing is said of {what}")
        assert all(word in server.log() for word in words), server.log()
        assert wait_for(lambda: bucket_of(server)["trouble"], "the status says nothing")
        time.sleep(2)
        assert server.log().count("cannot copy to the bucket") == 1, "it is said again and again"
        # The server itself goes on.
        assert server.get(f"/{CAMERA}/live.m3u8").status == 200
    assert weed.SECRET not in server.log() and "another-secret" not in server.log()


@test_machine.fakes
def test_a_clock_that_differs_too_much_is_said(storage, wrapped, tmp_path):
    """The machine's clock is an hour ahead."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 3600))
    with serving(*QUICK, *copied(storage, "early"), environment=test_machine.at(moment), home=tmp_path) as server:
        wait_for(lambda: "cannot copy to the bucket" in server.log(), "nothing is said of the clock")
        assert "RequestTimeTooSkewed" in server.log() and "set this machine's clock" in server.log(), server.log()


def test_the_handbooks_recipe(storage, tmp_path):
    (tmp_path / "key").write_text(f"{weed.KEY}:{weed.SECRET}\n")
    text = recipes.recipe(
        "bucket",
        {
            "s3://my-cameras/live": f"s3://{weed.BUCKET}/recipe",
            "https://s3.example.org": storage.endpoint,
            "/etc/quietcam/bucket-key": tmp_path / "key",
            "SECRET-OF-YOURS": TOKEN,
        },
    )
    (tmp_path / "quietcam.yaml").write_text(text)
    ports = ["--public", "127.0.0.1:0", "--private", "127.0.0.1:0", "--store", "memory"]
    with launched("--config", tmp_path / "quietcam.yaml", *ports) as server:
        server.wait_until_ready()
        with Pusher(server):
            listed_with(storage, "recipe", 4)
        everything_is_there(storage, "recipe")
