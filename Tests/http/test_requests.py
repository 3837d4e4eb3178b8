"""Requests as real cameras, players, proxies and browsers send them, and what each is told.

The heads that no specification knows are those of fixtures/requests, which fixtures/heads.py makes.
"""

import json
import re
import socket
import time

import pytest

import playlist
import quietcam
import stills
import wire
from serving import BEARER, TOKEN, serving
from timing import again_if_late, in_time

FOLDER = quietcam.ROOT / "fixtures" / "requests"
REQUESTS = json.loads((FOLDER / "manifest.json").read_text())
SMALL = ["--size", "128x96", "--rate", 5, "--part", 0.2, "--segment", 1]
SITE = {"Origin": "https://player.example"}
EXPOSED = {"date", "age", "content-range", "content-length", "link"}


@pytest.fixture(scope="module")
def server():
    # The requests of real cameras name this host.
    with serving(*SMALL, "--hold", "forever", "--private-hosts", "camera.example") as server:
        yield server


def unreadable(server, door="private"):
    return server.operators("/status").json["doors"][door]["unreadable"]


def names(text):
    return {name.strip().lower() for name in text.split(",")}


# Heads


@pytest.mark.parametrize("entry", REQUESTS, ids=lambda entry: entry["file"].removesuffix(".bin"))
def test_a_request_of_a_real_camera_is_taken_or_refused_with_a_sentence(server, entry):
    before, count, said = server.status()["stills"]["taken"], unreadable(server), len(server.log())
    with wire.Wire(server.private) as client:
        client.send((FOLDER / entry["file"]).read_bytes().replace(b"TOKEN", TOKEN.encode()))
        answer = client.answer()
        if entry["taken"]:
            assert answer.status == 202, answer
        else:
            assert (answer.status, answer.json["error"], answer["Connection"]) == (400, "badRequest", "close")
            assert entry["word"] in answer.json["detail"] and len(answer.json["detail"]) > 30, answer
            assert answer["Cache-Control"] == "no-store"
            assert client.is_ended()
    assert server.status()["stills"]["taken"] == before + entry["taken"]
    assert unreadable(server) == count + (not entry["taken"])
    lines = [line for line in server.log()[said:].splitlines() if "cannot be read" in line]
    assert len(lines) <= (not entry["taken"]) and not any(TOKEN in line for line in lines)


def test_a_viewer_whose_request_cannot_be_read_is_told_and_counted(server):
    count, said = unreadable(server, "public"), len(server.log())
    with wire.Wire(server.public) as client:
        client.send(b"GET /desk/ HTTP/1.1\r\nHost: a\r\nCookie : x\r\n\r\n")
        answer = client.answer()
        assert (answer.status, answer.json["error"]) == (400, "badRequest") and "colon" in answer.json["detail"]
        assert client.is_ended()
    assert unreadable(server, "public") == count + 1
    metrics = server.operators("/metrics").text
    assert f'quietcam_unreadable_requests_total{{door="public"}} {count + 1}' in metrics
    assert "from=" not in server.log()[said:] and "door=public" in server.log()[said:]


def test_the_answers_before_a_request_that_cannot_be_read_are_sent(server):
    with wire.Wire(server.public) as client:
        good = wire.request_bytes("GET", "/healthz")
        client.send(good + good + b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n" + good)
        assert [client.answer().status for _ in range(3)] == [200, 200, 400]
        assert client.is_ended()


def test_what_is_put_right_in_one_request_is_put_right_in_the_next_one_too(server):
    body = stills.one()
    head = f"POST /ingest/desk HTTP/1.1 \r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
    with wire.Wire(server.private) as client:
        for _ in range(3):
            client.send(head.encode() + body)
            assert client.answer().status == 202
        client.send((head.encode() + body) * 2 + head.replace("\r\n", "\n").encode() + body)
        assert [client.answer().status for _ in range(3)] == [202] * 3


def test_two_kinds_of_line_ends_smuggle_nothing(server):
    """A proxy that knows only CR LF sees one header here, and must not be answered twice."""
    with wire.Wire(server.public) as client:
        client.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: b\n\nGET /readyz HTTP/1.1\nHost: a\r\n\r\n")
        assert client.answer().status == 400
        assert client.is_ended()


@pytest.mark.parametrize("end", [b"\0", b"\x01", b"\x0b", b"\x0c", b"\x1f", b"\r", b" \r", b"\r "], ids=repr)
def test_no_control_character_stands_behind_the_version(server, end):
    with wire.Wire(server.public) as client:
        client.send(b"GET /healthz HTTP/1.1" + end + b"\r\nHost: a\r\n\r\n")
        assert client.answer().status == 400
        assert client.is_ended()


@pytest.mark.parametrize("framing", ["length", "chunks", "parts"])
def test_a_body_that_ends_early_is_told_so_and_whether_its_picture_was_taken(server, framing):
    jpeg = stills.one()
    part = b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n"
    fields, whole = {
        "length": ({"Content-Length": len(jpeg) + 999}, jpeg),
        "chunks": ({"Transfer-Encoding": "chunked"}, b"%x\r\n" % len(jpeg) + jpeg + b"\r\n"),
        "parts": ({"Content-Type": "multipart/x-mixed-replace; boundary=b", "Content-Length": 9 * len(part)}, part * 2),
    }[framing]
    taken = server.status()["stills"]["taken"]
    for sent, count in ((whole[: len(whole) // 3], 0), (whole, whole.count(jpeg))):
        with wire.Wire(server.private) as client:
            client.send(wire.request_bytes("POST", "/ingest/desk", BEARER | fields) + sent)
            client.socket.shutdown(socket.SHUT_WR)
            answer = client.answer()
            assert (answer.status, answer.json["error"], answer["Connection"]) == (408, "bodyEnded", "close"), answer
            now = server.status()["stills"]["taken"] - taken
            assert now in (0, count) and ("taken" in answer.json["detail"]) == (now > 0), (framing, answer)
            taken += now
            assert client.is_ended()


def test_a_body_that_stops_says_that_its_picture_was_taken():
    jpeg = stills.one()
    with serving(*SMALL, "--patience", "1s") as server, wire.Wire(server.private) as client:
        fields = BEARER | {"Transfer-Encoding": "chunked"}
        client.send(wire.request_bytes("POST", "/ingest/desk", fields) + b"%x\r\n" % len(jpeg) + jpeg + b"\r\n")
        answer = client.answer()
        assert (answer.status, answer.json["error"]) == (408, "slowBody") and "was taken" in answer.json["detail"]
        assert server.status()["stills"]["taken"] == 1


# Other sites, and health checks


@pytest.mark.parametrize("path", ["/", "/desk/", "/desk/live.m3u8", "/desk/plain.m3u8", "/desk/latest.jpg",
                                  "/desk/events", "/desk/1.mp4", "/_/player.js", "/desk/wave"])
def test_a_preflight_allows_what_a_player_of_another_site_does(server, path):
    method = "POST" if path == "/desk/wave" else "GET"
    asked = "authorization, cmcd-session,range, If-None-Match"
    answer = server.viewer("OPTIONS", path, SITE | {
        "Access-Control-Request-Method": method, "Access-Control-Request-Headers": asked})
    assert answer.status == 204 and answer.body == b""
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert method.lower() in names(answer["Access-Control-Allow-Methods"])
    assert names(answer["Access-Control-Allow-Headers"]) == names(asked)
    assert int(answer["Access-Control-Max-Age"]) >= 600
    assert names(answer["Allow"]) >= {method.lower(), "options"}


def test_a_preflight_repeats_only_names(server):
    for asked in ("a: b", "x" * 5000, "<script>", "a\tb"):
        answer = server.viewer("OPTIONS", "/desk/live.m3u8", SITE | {
            "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": asked})
        assert answer.status == 204 and answer["Access-Control-Allow-Headers"] is None


def test_what_other_sites_may_read_and_show_is_said(server):
    segment = playlist.parse(server.get("/desk/live.m3u8").text).segments[-1].uri
    for path in ("/desk/live.m3u8", f"/desk/{segment}", "/desk/latest.jpg", "/_/player.js", "/desk", "/nowhere/x"):
        answer = server.viewer("GET", path, SITE)
        assert answer["Access-Control-Allow-Origin"] == "*", path
        assert names(answer["Access-Control-Expose-Headers"]) >= EXPOSED, path
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin", path
    tag = server.get("/desk/latest.jpg")["ETag"]
    answer = server.get("/desk/latest.jpg", If_None_Match=tag)
    assert answer.status == 304 and answer["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("allowed", ["none", "https://a.example"])
def test_where_other_sites_are_not_allowed_a_preflight_says_nothing_to_them(allowed):
    asked = SITE | {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    with serving(*SMALL, "--allow-origin", allowed) as server:
        for method in ("OPTIONS", "GET"):
            answer = server.viewer(method, "/desk/live.m3u8", asked)
            assert answer.status == (204 if method == "OPTIONS" else 200)
            assert answer["Access-Control-Allow-Origin"] == (None if allowed == "none" else allowed)
            if allowed == "none":
                assert not [name for name, _ in answer.fields if name.startswith(("Access-Control", "Cross-Origin"))]


@pytest.mark.parametrize("door", ["public", "private"])
def test_a_bare_health_check_finds_the_server_well(server, door):
    """HAProxy's `option httpchk` without more asks by OPTIONS and HTTP/1.0, without a Host."""
    port = getattr(server, door)
    with wire.Wire(port) as client:
        client.send(b"OPTIONS / HTTP/1.0\r\n\r\n")
        answer = client.answer()
        assert answer.status == 204 and "GET" in answer["Allow"]
    assert wire.ask(port, "OPTIONS", "*").status == 204
    assert wire.ask(port, "OPTIONS", "/nowhere/at/all").status == 404


def test_options_of_the_private_door_let_no_other_site_in(server):
    for path, method in (("/ingest/desk", "POST"), ("/status", "GET"), ("/cameras/desk/pause", "POST")):
        answer = server.camera("OPTIONS", path, SITE | {"Access-Control-Request-Method": method})
        assert answer.status == 204 and method in answer["Allow"]
        assert not [name for name, _ in answer.fields if name.startswith("Access-Control")]


# Addresses


def test_signs_that_need_no_escape_may_be_escaped(server):
    for escaped, plain in (("/%64%65sk/", "/desk/"), ("/desk/live%2em3u8", "/desk/live.m3u8"),
                           ("/%5F/player%2Ejs", "/_/player.js"), ("/desk/index%2Em3u8?x=%2F", "/desk/index.m3u8")):
        answer = server.get(escaped)
        assert (answer.status, answer["Content-Type"]) == (200, server.get(plain)["Content-Type"])
    for other in ("/desk%2Flive.m3u8", "/%2564esk/", "/desk/%2e%2e/desk/", "/desk/live.m3u8%00", "/desk/live.m3u8%"):
        assert server.get(other).status == 404
    assert server.camera("POST", "/ingest/de%73k", BEARER, stills.one()).status == 202
    answer = server.get(f"/desk/live.m3u8?_HLS%5Fmsn={playlist.parse(server.get('/desk/live.m3u8').text).sequence}")
    assert answer.status == 200


def test_an_address_with_two_slashes_gets_a_telling_answer(server):
    for path, right in (("//desk/", "/desk/"), ("/desk//index.m3u8", "/desk/index.m3u8")):
        answer = server.get(path)
        assert answer.status == 404 and f"as in {right}," in answer.json["detail"]
    answer = server.camera("POST", "//ingest/desk", BEARER, stills.one())
    assert answer.status == 404 and "/ingest/desk" in answer.json["detail"]


def test_gzip_with_a_weight_of_nothing_is_not_taken_in_any_case(server):
    for header, packed in (("gzip;Q=0", False), ("gzip; q=0.0", False), ("gzip;Q=0.5", True)):
        assert (server.get("/desk/live.m3u8", Accept_Encoding=header)["Content-Encoding"] == "gzip") == packed


# Who closes their side


def test_a_viewer_that_closes_its_side_behind_a_whole_request_is_answered(server):
    segment = playlist.parse(server.get("/desk/live.m3u8").text).segments[-1].uri
    for path in ("/", "/desk/", "/desk/live.m3u8", f"/desk/{segment}", "/desk/latest.jpg", "/healthz", "/nowhere/x"):
        with wire.Wire(server.public) as client:
            client.send(wire.request_bytes("GET", path))
            client.socket.shutdown(socket.SHUT_WR)
            answer = client.answer()
            assert answer.status == (404 if "nowhere" in path else 200), path
            assert client.is_ended()
    with wire.Wire(server.public) as client:
        client.send(wire.request_bytes("GET", "/healthz") * 3)
        client.socket.shutdown(socket.SHUT_WR)
        assert [client.answer().status for _ in range(3)] == [200] * 3
        assert client.is_ended()


@again_if_late
def test_a_viewer_that_closes_its_side_is_not_waited_for(server):
    newest = playlist.parse(server.get("/desk/live.m3u8").text).segments[-1].sequence
    for path in (f"/desk/live.m3u8?_HLS_msn={newest + 2}", "/desk/events"):
        with wire.Wire(server.public) as client:
            client.send(wire.request_bytes("GET", path))
            time.sleep(0.1)
            client.socket.shutdown(socket.SHUT_WR)
            client.socket.settimeout(5)
            began = time.monotonic()
            while client.socket.recv(65536):
                pass
            in_time(time.monotonic() - began < 3, path)


# Events


@again_if_late
def test_the_first_byte_of_the_events_comes_at_once(server):
    with wire.Wire(server.public) as client:
        began = time.monotonic()
        client.send(wire.request_bytes("GET", "/desk/events"))
        client.head()
        assert re.match(rb"retry: \d+\n\n", client.chunk())
        in_time(time.monotonic() - began < 1)
