"""Photos: the pictures that were shown last, as large as they came, listed, served for good, and taken back."""

import io
import json
import os
import re
import signal
import threading
import time

import pytest
from PIL import Image

import stills
import test_events
import wire
from serving import ASKED, CAMERA, OPERATOR, serving

QUICK = ["--size", "128x96", "--rate", 4, "--part", 0.5, "--segment", 1, "--hold", "forever"]
FOREVER = "public, max-age=31536000, immutable"
NAME = r"photo-(\d+)-(\d+)x(\d+)-[0-9a-f]{16}\.jpg"


def size_of(jpeg):
    with Image.open(io.BytesIO(jpeg)) as picture:
        return picture.size


def listed(server):
    answer = server.get("/desk/photos.json")
    assert answer.status == 200
    return answer.json["photos"]


def show(server, colour=(200, 90, 40), size=(256, 192)):
    """Pushes a still and waits until it is on the screens."""
    before = server.settled()["shown"]
    assert server.push(stills.solid(*colour, size=size)).status == 202
    assert server.settled()["shown"] == before + 1


@pytest.fixture(scope="module")
def server():
    with serving(*QUICK, "--photo-size", "200x200") as server:
        yield server


@pytest.mark.parametrize("sent, shown", [
    ((400, 300), (200, 150)), ((1600, 200), (200, 24)), ((300, 600), (100, 200)), ((150, 112), (150, 112)),
    ((128, 96), (128, 96)), ((64, 48), (128, 96)), ((200, 200), (200, 200)),
])
def test_a_photo_keeps_its_shape_and_is_never_made_larger(server, sent, shown):
    with test_events.Listener(server) as listener:
        show(server, (40, 160, 80), sent)
        _, kind, data = listener.event()
    latest = server.get("/desk/latest.jpg").body
    assert size_of(latest) == shown == (data["width"], data["height"])
    assert data["bytes"] == len(latest)
    photo = server.get("/desk/" + data["photo"])
    assert photo.body == latest and photo["Content-Type"] == "image/jpeg"
    assert stills.is_near(stills.colour_of(latest), (40, 160, 80))


def test_photos_are_listed_the_newest_first_and_kept_for_good(server):
    names = []
    with test_events.Listener(server) as listener:
        for index in range(3):
            show(server, (index * 80, 10, 200))
            names.append(listener.event()[2]["photo"])
    photos = listed(server)
    assert [photo["name"] for photo in photos[:3]] == names[::-1]
    for photo in photos:
        match = re.fullmatch(NAME, photo["name"])
        assert match and (int(match[2]), int(match[3])) == (photo["width"], photo["height"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", photo["time"])
        answer = server.get("/desk/" + photo["name"])
        assert (answer.status, answer["Cache-Control"], len(answer.body)) == (200, FOREVER, photo["bytes"])
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert server.get("/desk/" + photo["name"], If_None_Match=answer["ETag"]).status == 304
        part = server.get("/desk/" + photo["name"], Range="bytes=0-9")
        assert (part.status, part.body) == (206, answer.body[:10])
    assert len({photo["name"] for photo in photos}) == len(photos)


def test_the_list_has_a_tag_and_changes_with_each_photo(server):
    show(server)
    first = server.get("/desk/photos.json")
    assert first["Cache-Control"] == "public, max-age=1" and first["Access-Control-Allow-Origin"] == "*"
    assert server.get("/desk/photos.json", If_None_Match=first["ETag"]).status == 304
    show(server)
    second = server.get("/desk/photos.json", If_None_Match=first["ETag"])
    assert second.status == 200 and second["ETag"] != first["ETag"]
    assert server.get("/desk/photos.json", Accept_Encoding="gzip")["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("name", [
    "photo-1-200x150-0123456789abcdef.jpg", "photo-x.jpg", "photo-1-200x150-0123456789abcdef.jpg/x", "photos",
    "photo-1-200x150-%30123456789abcdef.jpg", "photo-.jpg", "photos.json/", "photo-1-200x150-../../../etc.jpg",
])
def test_what_is_no_photo_is_not_there(server, name):
    assert server.get("/desk/" + name).status == 404


def test_nothing_of_the_stills_metadata_is_in_a_photo(server):
    for entry in stills.PLANTED[:6]:
        assert server.push(stills.bytes_of(entry)).status == 202
        server.settled()
        newest = server.get("/desk/" + listed(server)[0]["name"]).body
        assert stills.SECRET not in newest
        assert {marker for marker, _ in stills.segments_of(newest)} <= {0xDB, 0xC0, 0xC4, 0xDA, 0xE0, 0xFE}


def test_so_many_are_kept_and_no_more(tmp_path):
    with serving(*QUICK, "--keep-photos", 3, store=tmp_path / "store", home=tmp_path) as server:
        for index in range(6):
            show(server, (index * 40, 90, 120))
        photos = listed(server)
        assert len(photos) == 3
        deadline = time.monotonic() + 30
        while set(files(tmp_path)) != {photo["name"] for photo in photos}:
            assert time.monotonic() < deadline, files(tmp_path)
            time.sleep(0.05)
        for photo in photos:
            path = tmp_path / "store" / CAMERA / photo["name"]
            assert path.read_bytes() == server.get("/desk/" + photo["name"]).body
            assert path.stat().st_mode & 0o777 == 0o644


def test_none_are_kept_where_none_are_wanted(tmp_path):
    with serving(*QUICK, "--keep-photos", 0, store=tmp_path / "store", home=tmp_path) as server:
        with test_events.Listener(server) as listener:
            show(server)
            assert "photo" not in listener.event()[2]
        assert listed(server) == [] and files(tmp_path) == []
        assert server.get("/desk/about.json").json["photos"] is False


def files(home):
    return [path.name for path in (home / "store" / CAMERA).glob("photo-*.jpg")]


def test_photos_survive_a_restart_and_a_kill(tmp_path):
    told = None
    for end in (signal.SIGTERM, signal.SIGKILL):
        with serving(*QUICK, store=tmp_path / "store", home=tmp_path) as server:
            if told is not None:
                assert listed(server) == told
                latest = server.get("/desk/latest.jpg").body
                assert size_of(latest) == (256, 192), "the newest picture is as large as before"
            for photo in told or []:
                assert len(server.get("/desk/" + photo["name"]).body) == photo["bytes"]
            show(server, (90, 200, 20))
            show(server, (20, 90, 200))
            told = listed(server)
            deadline = time.monotonic() + 30
            while len(files(tmp_path)) < len(told):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            if end == signal.SIGKILL:
                server.process.kill()
                server.process.wait()
    with serving(*QUICK, "--keep-photos", 2, store=tmp_path / "store", home=tmp_path) as server:
        assert listed(server) == told[:2]


def test_a_withdrawal_takes_them_from_memory_and_disk_before_the_operator_is_told(tmp_path):
    operator = ["--operator-token", OPERATOR, "--photo-size", "640x480"]
    with serving(*QUICK, *operator, store=tmp_path / "store", home=tmp_path) as server:
        for index in range(3):
            show(server, (index * 60, 30, 90))
        names = [photo["name"] for photo in listed(server)]
        assert len(names) == 3
        stop, served = threading.Event(), []

        def look():
            with wire.Wire(server.public) as client:
                while not stop.is_set():
                    served.append((time.monotonic(), client.ask("GET", "/desk/" + names[0]).status))

        thread = threading.Thread(target=look)
        thread.start()
        assert server.camera("POST", "/cameras/desk/withdraw", ASKED, b"").status == 200
        answered = time.monotonic()
        assert files(tmp_path) == [] and not (tmp_path / "store" / CAMERA / "photos-withdrawn").exists()
        deadline = answered + 20
        while not any(at > answered + 0.1 for at, _ in list(served)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        stop.set()
        thread.join()
        assert listed(server) == []
        assert {status for at, status in served if at > answered + 0.1} == {404}
        for name in names:
            assert server.get("/desk/" + name).status == 404
        # What comes while it is withdrawn is hidden, and never becomes a photo.
        assert server.push(stills.solid(250, 0, 0)).status == 202
        server.settled()
        time.sleep(0.6)
        assert listed(server) == [] and files(tmp_path) == []
    with serving(*QUICK, *operator, store=tmp_path / "store", home=tmp_path) as server:
        assert listed(server) == []


@pytest.mark.parametrize("order", ["pause", "withdraw"])
def test_what_is_hidden_never_becomes_a_photo(tmp_path, order):
    with serving(*QUICK, "--operator-token", OPERATOR, "--steady", 0) as server:
        show(server, (0, 200, 0))
        before = listed(server)
        assert server.camera("POST", f"/cameras/desk/{order}", ASKED, b"").status == 200
        deadline = time.monotonic() + 30
        while server.status()["source"] != "paused":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        kept = before if order == "pause" else []
        with test_events.Listener(server) as listener:
            for _ in range(4):
                assert server.push(stills.solid(250, 0, 0, size=(256, 192))).status == 202
                time.sleep(0.4)
            assert listed(server) == kept
            assert "photo" not in listener.text
        for photo in kept:
            assert stills.is_near(stills.colour_of(server.get("/desk/" + photo["name"]).body), (0, 200, 0))


def test_a_camera_that_can_be_veiled_shows_all_pictures_in_one_size():
    with serving(*QUICK, "--operator-token", OPERATOR) as server:
        show(server, size=(640, 480))
        assert size_of(server.get("/desk/latest.jpg").body) == (128, 96)
        assert [(photo["width"], photo["height"]) for photo in listed(server)] == [(128, 96)]
        assert "photo_size" not in server.get("/desk/about.json").json
    with serving(*QUICK, "--operator-token", OPERATOR, "--photo-size", "1920x1280") as server:
        show(server, size=(640, 480))
        assert size_of(server.get("/desk/latest.jpg").body) == (640, 480)
        answer = server.camera("POST", "/cameras/desk/veil", ASKED, b"")
        assert (answer.status, answer.json["error"]) == (409, "showsPhotos")


def test_the_list_of_a_camera_that_can_be_veiled_has_no_size_twice():
    """A loop's pictures come again, with the same bytes: the list would show that one does."""
    with serving(*QUICK, "--operator-token", OPERATOR) as server:
        sent = set()
        for colour in ((200, 90, 40), (40, 90, 200), (90, 200, 40)):
            show(server, colour)
            photos = listed(server)
            sent.add(photos[0]["name"])
            sizes = [photo["bytes"] for photo in photos]
            assert len(set(sizes)) == len(sizes), sizes
            assert stills.is_near(stills.colour_of(server.get("/desk/" + photos[0]["name"]).body), colour)
        assert len(sent) == 3 and len(listed(server)) < 3, "stills of one colour have the same size"


def test_masks_crop_and_gray_hold_for_photos(tmp_path):
    (tmp_path / "quietcam.yaml").write_text(
        "cameras:\n  desk:\n    token: secret-token\n    crop: {x: 0, y: 0.5, width: 1, height: 0.5}\n"
        "    masks:\n      - rectangle: {x: 0.5, y: 0, width: 0.5, height: 1}\n    gray: true\n    size: 128x96\n"
        "    part: 0.5\n    segment: 1\n    rate: 4\n    hold: forever\n")
    with serving("--config", tmp_path / "quietcam.yaml") as server:
        picture = Image.new("RGB", (400, 400), (255, 0, 0))
        picture.paste((0, 0, 255), (0, 200, 400, 400))
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=95)
        assert server.push(data.getvalue()).status == 202
        server.settled()
        photo = server.get("/desk/" + listed(server)[0]["name"]).body
        assert photo == server.get("/desk/latest.jpg").body
        with Image.open(io.BytesIO(photo)) as shown:
            assert shown.size == (400, 200)
            colours = shown.convert("RGB")
            left, right = colours.getpixel((100, 100)), colours.getpixel((300, 100))
            assert max(left) - min(left) < 6 and 10 < left[0] < 60, left
            assert max(right) < 6 and max(colours.getpixel((398, 2))) < 6, right


def test_a_new_mask_reaches_the_pictures_of_an_earlier_process(tmp_path):
    config, folder = tmp_path / "quietcam.yaml", tmp_path / "store" / CAMERA
    plain = (
        "cameras:\n  desk:\n    token: secret-token\n    size: 128x96\n    part: 0.5\n    segment: 1\n    rate: 4\n"
        "    hold: forever\n")
    masked = plain + "    masks:\n      - rectangle: {x: 0, y: 0, width: 1, height: 1}\n"
    warning = "of an earlier process are removed"

    def restart(text):
        config.write_text(text)
        return serving("--config", config, store=tmp_path / "store", home=tmp_path)

    def wait_for_files(names):
        deadline = time.monotonic() + 30
        while set(files(tmp_path)) != set(names) or (folder / "photos-withdrawn").exists():
            assert time.monotonic() < deadline, files(tmp_path)
            time.sleep(0.05)

    with restart(plain) as server:
        show(server, (250, 0, 0))
        names = [photo["name"] for photo in listed(server)]
        wait_for_files(names)
    with restart(plain) as server:
        assert [photo["name"] for photo in listed(server)] == names and warning not in server.log()
        assert stills.is_near(stills.colour_of(server.get("/desk/latest.jpg").body), (250, 0, 0))
        assert (folder / "pictures.json").stat().st_mode & 0o777 == 0o600
    with restart(masked) as server:
        assert listed(server) == [] and server.get("/desk/" + names[0]).status == 404
        assert not stills.is_near(stills.colour_of(server.get("/desk/latest.jpg").body), (250, 0, 0))
        assert server.log().count(warning) == 1 and "masks" in server.log()
        wait_for_files([])
        show(server, (0, 250, 0))
        names = [photo["name"] for photo in listed(server)]
        wait_for_files(names)
    (folder / "pictures.json").unlink()
    with restart(masked) as server:
        assert listed(server) == [], "nobody knows what they were made with"
        assert server.log().count(warning) == 1
        wait_for_files([])


def test_a_photo_that_is_put_into_a_folder_is_there_at_once(tmp_path):
    folder = tmp_path / "studio"
    folder.mkdir()
    slow = ["--size", "128x96", "--part", 6, "--segment", 30, "--folder", folder]
    with serving(*slow, store=tmp_path / "store", home=tmp_path) as server:
        with test_events.Listener(server) as listener:
            listener.block()
            began = time.monotonic()
            (folder / "x.part").write_bytes(stills.solid(10, 90, 200, size=(3000, 2000)))
            os.rename(folder / "x.part", folder / "x.jpg")
            _, kind, data = listener.event()
            assert kind == "still" and time.monotonic() - began < 5
        assert (data["width"], data["height"]) == (1920, 1280)
        photo = server.get("/desk/" + data["photo"])
        assert size_of(photo.body) == (1920, 1280) and json.dumps(data) and photo.body == server.get("/desk/latest.jpg").body
