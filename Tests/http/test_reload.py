"""Changes without a restart: the configuration is read anew by request and by SIGHUP, and cameras are set over HTTP."""

import contextlib
import json
import signal
import ssl
import threading
import time

import pytest

import stills
import watching
import wire
from serving import ASKED, FREE_PORTS, OPERATOR, TOKEN, launched
from test_tls import Secure, make_certificate

pytestmark = pytest.mark.apart

OPTIONS = {"size": "96x64", "rate": 10, "part": 0.2, "segment": 1, "preset": "ultrafast", "hold": "forever"}


def yaml(cameras, top=(), defaults=OPTIONS):
    """A configuration: JSON is YAML too, and a line for each camera tells where mistakes are."""
    lines = [f"operator-token: {OPERATOR}", *top, "defaults:"]
    lines += [f"  {key}: {value}" for key, value in defaults.items()] + ["cameras:"]
    return "\n".join(lines + [f"  {name}: {json.dumps(settings)}" for name, settings in cameras.items()]) + "\n"


class Configured:
    """A server with a configuration that can be written anew."""

    def __init__(self, server, path):
        self.server, self.path = server, path

    def write(self, cameras, **options):
        self.path.write_text(yaml(cameras, **options))

    def reload(self):
        return self.ask("POST", "/reload")

    def ask(self, method, target, body=None):
        body = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return self.server.camera(method, target, ASKED, body)

    def statuses(self, *targets):
        return [self.server.get(target).status for target in targets]


@contextlib.contextmanager
def configured(folder, cameras, *arguments, store="memory", **options):
    path = folder / "quietcam.yaml"
    path.write_text(yaml(cameras, **options))
    with launched("--config", path, *FREE_PORTS, "--store", store, *arguments, home=folder) as server:
        server.wait_until_ready()
        yield Configured(server, path)


DESK = {"token": TOKEN}


class Follower(watching.MediaWatcher):
    """Follows a camera's parts until it is stopped; a request that fails is a mistake."""

    def __init__(self, server):
        self.stopped = threading.Event()
        super().__init__(server, 600)

    @property
    def is_over(self):
        return self.stopped.is_set()

    def stop(self):
        self.stopped.set()
        return self.wait()

    def check(self, per_segment=5):
        """Whether every part came, in whole segments but for the first and the last; returns them."""
        numbers = sorted({sequence for sequence, _ in self.parts})
        assert numbers == list(range(numbers[0], numbers[-1] + 1)), numbers
        for number in numbers[1:-1]:
            assert [index for sequence, index in sorted(self.parts) if sequence == number] == list(range(per_segment))
        return numbers


def test_a_hundred_reloads_are_not_noticed_by_who_watches_another_camera(tmp_path):
    with configured(tmp_path, {"desk": DESK}) as house:
        follower = Follower(house.server)
        deadline = time.monotonic() + 120
        while len(follower.parts) < 5:
            assert time.monotonic() < deadline and follower.problem is None, follower.problem
            time.sleep(0.05)
        for turn in range(100):
            cameras = {"desk": DESK}
            # One comes, changes its title, its encoder and its token, and goes.
            if turn % 5:
                size = "128x96" if turn % 5 > 2 else "96x64"
                cameras["door"] = {"token": f"door-token-{turn}", "title": f"Door {turn}", "size": size}
            house.write(cameras)
            answer = house.reload()
            assert answer.status == 200, answer
            assert answer.json["failures"] == []
            expected = {0: "removed", 1: "added"}.get(turn % 5, "changed")
            assert answer.json[expected] == (["door"] if turn else []), (turn, answer.json)
            assert house.statuses("/door/live.m3u8") == [200 if turn % 5 else 404]
        follower.stop()
        follower.check()
        text = house.server.get("/desk/live.m3u8").text
        assert "#EXT-X-DISCONTINUITY\n" not in text.split("#EXTINF", 2)[2]
        assert house.server.log().count("the settings were read anew") == 100


def test_a_camera_whose_encoder_changes_goes_on_behind_a_discontinuity(tmp_path):
    with configured(tmp_path, {"desk": DESK}) as house:
        follower = Follower(house.server)
        while len(follower.parts) < 10 and follower.problem is None:
            time.sleep(0.05)
        before = house.server.get("/desk/live.m3u8").text
        house.write({"desk": DESK | {"size": "128x96"}})
        assert house.reload().json["changed"] == ["desk"]
        reached = len(follower.segments)
        while len(follower.segments) < reached + 3 and follower.problem is None:
            time.sleep(0.05)
        numbers = sorted({sequence for sequence, _ in follower.stop().parts})
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        after = house.server.get("/desk/live.m3u8").text
        assert after.count("#EXT-X-DISCONTINUITY\n") == before.count("#EXT-X-DISCONTINUITY\n") + 1
        assert len(set(line for line in after.splitlines() if line.startswith("#EXT-X-MAP"))) == 2
        assert '"width":128' in house.server.get("/desk/about.json").text


def test_a_still_pushed_before_a_change_is_shown_after_it(tmp_path):
    with configured(tmp_path, {"desk": DESK}) as house:
        assert house.server.push(stills.solid(200, 30, 30)).status == 202
        house.write({"desk": DESK | {"crf": 30}})
        assert house.reload().status == 200
        deadline = time.monotonic() + 30
        while house.server.camera("GET", "/status", ASKED).json["cameras"][0]["stills"]["shown"] < 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_mistakes_change_nothing_and_are_all_told_with_their_lines(tmp_path):
    with configured(tmp_path, {"desk": DESK}) as house:
        first = len(yaml({}).splitlines()) + 1
        house.write({"desk": DESK | {"size": "huge"}, "new": {"token": TOKEN, "colour": "red"}})
        answer = house.reload()
        assert answer.status == 422 and answer.json["error"] == "mistakes"
        places = [mistake["place"] for mistake in answer.json["mistakes"]]
        assert places == [f"{house.path}:{first}", f"{house.path}:{first + 1}"]
        for place in places:
            assert f"{place}: " in house.server.log()
        assert "huge" in answer.text and "colour" in answer.text
        assert house.statuses("/desk/live.m3u8", "/new/live.m3u8") == [200, 404]
        house.path.unlink()
        assert house.reload().status == 422
        house.write({"desk": DESK, "new": {"token": TOKEN}})
        assert house.reload().json["added"] == ["new"]


def test_a_hang_up_reads_the_configuration_anew(tmp_path):
    with configured(tmp_path, {"desk": DESK}) as house:
        house.write({"desk": DESK, "new": {"token": TOKEN}})
        house.server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while house.statuses("/new/live.m3u8") != [200]:
            assert time.monotonic() < deadline, house.server.log()
            time.sleep(0.05)
        house.path.write_text("cameras: {")
        house.server.process.send_signal(signal.SIGHUP)
        while f"{house.path}:1" not in house.server.log():
            assert time.monotonic() < deadline, house.server.log()
            time.sleep(0.05)
        assert house.statuses("/new/live.m3u8", "/desk/live.m3u8") == [200, 200]


def test_settings_that_wait_for_a_restart_are_named(tmp_path):
    with configured(tmp_path, {"desk": DESK}) as house:
        house.write({"desk": DESK}, top=["patience: 9", "log: warning", "site-title: My house"])
        answer = house.reload()
        assert answer.json["needsRestart"] == ["log", "patience"] and answer.json["settings"] == ["site-title"]
        assert "log, patience: changed, and taken with the next restart" in house.server.log()
        assert "My house" in house.server.get("/oembed?url=http://127.0.0.1/desk/").text


def test_only_an_operator_can_reload(tmp_path):
    with configured(tmp_path, {"desk": DESK}) as house:
        server = house.server
        for method, target in [("POST", "/reload"), ("GET", "/cameras/desk"), ("PUT", "/cameras/desk"),
                               ("DELETE", "/cameras/desk")]:
            assert server.camera(method, target).status == 401
            assert server.camera(method, target, {"Authorization": f"Bearer {TOKEN}"}).status == 401
            assert server.camera(method, target, ASKED | {"Sec-Fetch-Site": "cross-site"}).status == 403
        assert house.ask("GET", "/reload").status == 405
        assert server.get("/reload").status == 404


# Files that a setting names


def test_a_certificate_behind_a_link_is_taken_with_a_reload(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        certificate, key = make_certificate(tmp_path / name, name)
        certificate.rename(tmp_path / name / "tls.crt")
        key.rename(tmp_path / name / "tls.key")
    (tmp_path / "now").symlink_to("old")
    files = [f"{door}-{part}: {tmp_path}/now/tls.{end}" for door in ("public", "private")
             for part, end in (("certificate", "crt"), ("key", "key"))]
    path = tmp_path / "quietcam.yaml"
    path.write_text(yaml({"desk": DESK}, top=files))
    with launched("--config", path, *FREE_PORTS, "--store", "memory", home=tmp_path) as server:
        secure = Secure(server, tmp_path / "old" / "tls.crt")

        def reload(certificate):
            secure.certificate = tmp_path / certificate / "tls.crt"
            return secure.curl(secure.private, "/reload", "-X", "POST", "-H", f"Authorization: Bearer {OPERATOR}")

        def shown():
            return ssl.get_server_certificate(("127.0.0.1", secure.public)).strip()

        assert shown() == (tmp_path / "old" / "tls.crt").read_text().strip()
        (tmp_path / "turned").symlink_to("new")
        (tmp_path / "turned").replace(tmp_path / "now")
        assert '"certificates":true' in reload("old")
        assert shown() == (tmp_path / "new" / "tls.crt").read_text().strip()
        # A key that does not belong to it changes nothing.
        path.write_text(yaml({"desk": DESK, "new": DESK}, top=[*files[:1], f"public-key: {tmp_path}/old/tls.key",
                                                                *files[2:]]))
        answer = reload("new")
        assert "do not belong together" in answer and answer.endswith("422")
        assert shown() == (tmp_path / "new" / "tls.crt").read_text().strip()
        assert secure.curl(secure.public, "/new/live.m3u8", "-o", "/dev/null") == "404"


def test_a_token_in_a_file_is_read_anew_and_ends_who_came_with_the_old_one(tmp_path):
    (tmp_path / "token").write_text("first-token\n")
    with configured(tmp_path, {"desk": {"token-file": str(tmp_path / "token")}}) as house:
        server = house.server

        def push(token):
            return server.camera("POST", "/ingest/desk", {"Authorization": f"Bearer {token}"}, stills.solid(1, 2, 3))

        assert push("first-token").status == 202
        with wire.Wire(server.private) as stream:
            still = stills.solid(9, 9, 9)
            part = b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(still), still)
            fields = {"Authorization": "Bearer first-token", "Transfer-Encoding": "chunked",
                      "Content-Type": "multipart/x-mixed-replace; boundary=b"}
            chunk = b"%x\r\n%s\r\n" % (len(part), part)
            stream.send(wire.request_bytes("POST", "/ingest/desk", fields) + chunk)
            deadline = time.monotonic() + 30
            while server.camera("GET", "/status", ASKED).json["cameras"][0]["stills"]["taken"] < 2:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            (tmp_path / "token").write_text("second-token\n")
            assert house.reload().json["changed"] == ["desk"]
            stream.send(chunk)
            assert stream.answer("POST").status == 401
        assert push("first-token").status == 401
        assert push("second-token").status == 202


def test_a_folder_that_comes_and_goes_is_watched_and_not(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with configured(tmp_path, {"desk": {"folder": str(tmp_path / "one")}}) as house:
        def taken():
            return house.server.camera("GET", "/status", ASKED).json["cameras"][0]["stills"]["taken"]

        def put(folder, name):
            (tmp_path / folder / name).write_bytes(stills.solid(1, 2, 3))

        house.write({"desk": {"folder": str(tmp_path / "two")}})
        assert house.reload().json["changed"] == ["desk"]
        deadline = time.monotonic() + 30
        number = 0
        while taken() == 0:
            put("two", f"{number}.jpg")
            number += 1
            assert time.monotonic() < deadline
            time.sleep(0.2)
        time.sleep(1)
        before = taken()
        put("one", "late.jpg")
        time.sleep(1)
        assert taken() == before


# Cameras over HTTP


def test_a_camera_that_is_put_is_there_at_once_and_after_a_restart(tmp_path):
    store = tmp_path / "store"
    with configured(tmp_path, {"desk": DESK}, store=store) as house:
        answer = house.ask("PUT", "/cameras/door", {"token": "door-token", "size": "128x96", "title": "Door"})
        assert answer.status == 201 and answer.json["added"] == ["door"], answer
        file = tmp_path / "cameras.d" / "door.yaml"
        assert answer.json["file"] == str(file)
        assert file.stat().st_mode & 0o777 == 0o600 and "door-token" not in file.read_text()
        assert house.statuses("/door/live.m3u8", "/desk/live.m3u8") == [200, 200]
        pushed = house.server.camera(
            "POST", "/ingest/door", {"Authorization": "Bearer door-token"}, stills.solid(1, 2, 3))
        assert pushed.status == 202
        told = house.ask("GET", "/cameras/door").json
        assert told["settings"] == {"size": "128x96", "title": "Door"} and told["hasToken"]
        assert told["from"] == [str(file)]
        # Without a token the one before stays.
        assert house.ask("PUT", "/cameras/door", b"title: Back door\nsize: 128x96\n").status == 200
        text = yaml({"desk": DESK})
        assert house.path.read_text() == text
    with launched("--config", house.path, *FREE_PORTS, "--store", store, home=tmp_path) as server:
        house = Configured(server.wait_until_ready(), house.path)
        assert house.statuses("/door/live.m3u8") == [200]
        assert "Back door" in house.server.get("/door/").text
        assert house.ask("DELETE", "/cameras/door").json["removed"] == ["door"]
        assert house.statuses("/door/live.m3u8", "/desk/live.m3u8") == [404, 200]
        assert not file.exists()
        assert house.ask("DELETE", "/cameras/door").status == 404
        assert house.ask("GET", "/cameras/door").status == 404


def test_what_is_put_wins_over_the_file_of_a_person_and_goes_with_a_delete(tmp_path):
    with configured(tmp_path, {"desk": DESK | {"title": "Of the file"}}) as house:
        assert house.ask("DELETE", "/cameras/desk").status == 409
        assert house.ask("PUT", "/cameras/desk", {"title": "Of the request"}).status == 200
        assert "Of the request" in house.server.get("/desk/about.json").text
        assert house.server.push(stills.solid(1, 2, 3)).status == 202
        # What a person writes meanwhile is taken when it is read, and not before.
        house.write({"desk": DESK | {"title": "Of the file"}, "later": DESK})
        assert house.ask("PUT", "/cameras/desk", {"title": "Again"}).json["added"] == []
        assert house.reload().json["added"] == ["later"]
        assert "Again" in house.server.get("/desk/about.json").text
        assert house.ask("DELETE", "/cameras/desk").json["changed"] == ["desk"]
        assert "Of the file" in house.server.get("/desk/about.json").text


@pytest.mark.parametrize("body, status, place", [
    (b"size: huge\ntoken: abcdefgh\n", 422, "request:1"), (b"[", 422, "request:1"), (b"\xff\xfe", 400, None),
    (b"title: No token\n", 422, None), (b"#" * 70_000, 413, None),
])
def test_a_put_with_a_mistake_changes_nothing(tmp_path, body, status, place):
    with configured(tmp_path, {"desk": DESK}) as house:
        answer = house.ask("PUT", "/cameras/door", body)
        assert answer.status == status, answer
        if place:
            assert answer.json["mistakes"][0]["place"] == place
        assert house.statuses("/door/live.m3u8", "/desk/live.m3u8") == [404, 200]
        assert not (tmp_path / "cameras.d" / "door.yaml").exists()


def test_a_put_is_kept_in_the_store_where_there_is_no_configuration(tmp_path):
    words = [*FREE_PORTS, "--camera", "desk", "--token", TOKEN, "--operator-token", OPERATOR, "--size", "96x64"]
    with launched(*words, "--store", tmp_path / "store", home=tmp_path) as server:
        house = Configured(server.wait_until_ready(), None)
        assert house.ask("PUT", "/cameras/door", {"token": "door-token"}).status == 201
        assert (tmp_path / "store" / "cameras.d" / "door.yaml").exists()
        assert house.statuses("/door/live.m3u8") == [200]
    with launched(*words, "--store", "memory", home=tmp_path) as server:
        house = Configured(server.wait_until_ready(), None)
        answer = house.ask("PUT", "/cameras/door", {"token": "door-token"})
        assert answer.status == 409 and answer.json["error"] == "nowhere"


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    # The rights of folders do not hold for root.
    (tmp_path / "cameras.d").symlink_to("/proc/none")
    with configured(tmp_path, {"desk": DESK}) as house:
        answer = house.ask("PUT", "/cameras/door", {"token": "door-token"})
        assert answer.status == 409 and answer.json["error"] == "notKept" and "cameras.d" in answer.json["detail"]
        assert house.statuses("/door/live.m3u8") == [404]
