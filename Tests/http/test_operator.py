"""The operator's page at the private address: what it asks for, sessions, and what other sites get.

| attack | gets |
|---|---|
| no session, no token | 401 for everything but the page and its files, and those say nothing of the cameras |
| guessing the token to sign in | 401, after ten 429; the right one is heard all the same |
| a page of another site, or of another port of this host, with the operator's cookie | 403 or 401, nothing is changed |
| a cookie alone, by a program that does not say where it comes from | reads, and changes nothing |
| a session that was ended, or an id that was made up | 401 |
| a token that was revoked | 401, and sessions begun with it end |
| events that are listened to when the session ends or the token is revoked | end, without one more event |
"""

import contextlib
import re
import stat
import time

import pytest

import stills
import wire
from serving import ASKED, OPERATOR, TOKEN, serving

SMALL = ["--size", "128x96", "--rate", "5", "--part", "0.2", "--segment", "1", "--photo-size", "stream"]
ASSETS = ["operator.js", "operator-access.js", "operator-camera.js", "operator-cards.js", "operator-chart.js",
          "operator-log.js", "operator-text.js", "operator.css", "icon.svg"]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("operator")
    options = ["--operator-token", OPERATOR, "--link-key", "some-link-key-of-ours", "--access", "signed"]
    with serving(*SMALL, *options, store=home / "store") as server:
        server.store = home / "store"
        server.push(stills.solid(90, 120, 40))
        server.settled()
        yield server


def ours(server):
    """What a browser says of a request of the page itself."""
    return {"Sec-Fetch-Site": "same-origin", "Origin": f"http://127.0.0.1:{server.private}"}


def sign_in(server, token=OPERATOR):
    answer = server.camera("POST", "/session", ours(server) | {"Authorization": f"Bearer {token}"})
    assert answer.status == 200, answer
    return answer["Set-Cookie"].split(";")[0], answer


def overview(server, fields=ASKED):
    answer = server.camera("GET", "/overview", fields)
    assert answer.status == 200, answer
    return answer.json


# The page


def test_the_page_and_its_files_say_nothing_and_load_nothing_else(server):
    page = server.camera("GET", "/")
    assert page.status == 200 and page["Content-Type"] == "text/html; charset=utf-8"
    policy = page["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert page["X-Content-Type-Options"] == "nosniff" and page["Referrer-Policy"] == "no-referrer"
    assert page["Access-Control-Allow-Origin"] is None
    text = page.text
    for name in ASSETS:
        answer = server.camera("GET", f"/_/{name}")
        assert answer.status == 200, name
        text += answer.text
    assert "desk" not in re.sub(r"--camera desk", "", text)
    # Nothing is loaded from elsewhere.
    assert set(re.findall(r"https?://[^\"'` )$]+", text)) <= {"http://www.w3.org/2000/svg"}


def test_the_public_door_has_no_operators_page(server):
    for path in ("/overview", "/session", "/tokens", "/links", "/actions", "/history", "/cameras/desk/latest.jpg"):
        assert server.get(path).status == 404, path


@pytest.mark.parametrize(
    "method, path",
    [("GET", "/overview"), ("GET", "/history"), ("GET", "/actions"), ("GET", "/tokens"), ("POST", "/tokens?for=operator"),
     ("DELETE", "/tokens/00000000"), ("POST", "/links?camera=desk&for=60"), ("GET", "/cameras/desk/latest.jpg"),
     ("GET", "/cameras/desk/events"), ("POST", "/cameras/desk/pause")],
)  # fmt: skip
def test_everything_else_needs_the_token_or_a_session(server, method, path):
    for fields in ({}, {"Cookie": f"quietcam-{server.private}={'0' * 32}"}, {"Authorization": f"Bearer {TOKEN}"}):
        answer = server.camera(method, path, ours(server) | fields)
        assert answer.status in (401, 429), (fields, answer)
        # A browser that is told of Basic would ask in a window of its own.
        assert answer.status == 429 or answer["WWW-Authenticate"] == "Bearer", answer


def test_the_overview_says_how_a_camera_is(server):
    deadline = time.monotonic() + 15
    while True:
        server.push(stills.solid(int(time.monotonic() * 40) % 256, 120, 40))
        shown = overview(server)
        (camera,) = shown["cameras"]
        if camera["state"] == "live" and camera["minute"] and camera["minute"]["stills"] >= 3:
            break
        assert time.monotonic() < deadline, camera
        time.sleep(0.2)
    assert camera["camera"] == camera["title"] == "desk" and camera["access"] == "signed"
    assert camera["why"] == "Stills come." and camera["since"] <= shown["time"]
    assert camera["minute"]["stillBytes"] > 0 and camera["minute"]["partBytes"] > 0 and camera["stillAge"] < 5000
    assert (camera["isPaused"], camera["isVeiled"], camera["veilRefusal"]) == (False, False, None)
    assert shown["store"]["freeBytes"] > 0 and shown["public"]["port"] == server.public and shown["makesLinks"]
    picture = server.camera("GET", "/cameras/desk/latest.jpg", ASKED)
    assert picture.status == 200 and picture.body[:3] == b"\xff\xd8\xff"
    assert picture["Cross-Origin-Resource-Policy"] == "same-origin"
    assert picture["Etag"].strip('"')
    assert server.camera("GET", "/cameras/attic/latest.jpg", ASKED).status == 404


def test_viewers_are_counted_and_drawn(server):
    link = "/" + server.camera("POST", "/links?camera=desk&for=3600", ASKED).json["path"]
    browser = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
    assert server.get(link + "latest.jpg").status == 200
    assert server.viewer("POST", link + "seen?seconds=10", browser).status == 204
    deadline = time.monotonic() + 15
    while overview(server)["cameras"][0]["viewers"] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert overview(server)["cameras"][0]["visitorsToday"] == 1
    day = server.camera("GET", "/history?span=day&camera=desk", ASKED).json["bars"][-1]
    assert day["viewers"] == 1 and day["bytes"] > 0 and day["stills"] > 0 and day["visitors"] is None, day
    deadline = time.monotonic() + 25
    for span in ("month", "year"):
        while (bar := server.camera("GET", f"/history?span={span}", ASKED).json["bars"][-1])["visitors"] != 1:
            assert time.monotonic() < deadline, bar
            time.sleep(0.5)
        assert bar["viewers"] == 1, bar


def test_a_state_has_its_reason_and_time(server):
    before = overview(server)["cameras"][0]
    assert server.camera("POST", "/cameras/desk/pause", ASKED).status == 200
    deadline = time.monotonic() + 30
    while (camera := overview(server)["cameras"][0])["state"] != "paused":
        assert time.monotonic() < deadline, camera
        time.sleep(0.1)
    assert camera["isPaused"] and camera["why"].startswith("Paused by the operator.") and camera["since"] > before["since"]
    assert server.camera("POST", "/cameras/desk/resume", ASKED).status == 200


def test_wrong_questions_get_an_answer(server):
    for path, status, word in [
        ("/history?span=week", 400, "badSpan"), ("/history?camera=attic", 404, "unknownCamera"),
        ("/actions?camera=attic", 404, "unknownCamera"),
    ]:  # fmt: skip
        answer = server.camera("GET", path, ASKED)
        assert (answer.status, answer.json["error"]) == (status, word), path
    for path, status, word in [
        ("/tokens", 400, "badScope"), ("/tokens?for=camera:attic", 404, "unknownCamera"),
        ("/links?camera=desk", 400, "badTime"), ("/links?camera=desk&for=0", 400, "badTime"),
        ("/links?camera=attic&for=60", 404, "unknownCamera"),
    ]:  # fmt: skip
        answer = server.camera("POST", path, ASKED)
        assert (answer.status, answer.json["error"]) == (status, word), path
    assert server.camera("DELETE", "/tokens/zz", ASKED).status == 404
    for span, count in (("day", 24), ("month", 30), ("year", 12)):
        bars = server.camera("GET", f"/history?span={span}", ASKED).json["bars"]
        assert len(bars) == count and [bar["begin"] for bar in bars] == sorted(bar["begin"] for bar in bars)


# Sessions


def test_a_session_opens_what_the_token_opens_until_it_ends(server):
    cookie, answer = sign_in(server)
    assert re.fullmatch(rf"quietcam-{server.private}=[0-9a-f]{{32}}", cookie)
    assert re.search(r"; Path=/; HttpOnly; SameSite=Strict$", answer["Set-Cookie"])
    page = ours(server) | {"Cookie": cookie}
    assert overview(server, page)["sessions"] >= 1
    assert server.camera("GET", "/status", page).status == 200
    assert server.camera("POST", "/cameras/desk/pause", page).status == 200
    assert server.camera("POST", "/cameras/desk/resume", page).status == 200
    assert server.camera("GET", "/session", page).json == {"signedIn": True}
    ended = server.camera("DELETE", "/session", page)
    assert ended.status == 200 and "Max-Age=0" in ended["Set-Cookie"]
    assert server.camera("GET", "/session", page).json == {"signedIn": False}
    assert server.camera("GET", "/overview", page).status == 401


def test_another_site_or_port_can_do_nothing_with_the_cookie(server):
    cookie, _ = sign_in(server)
    foreign = [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": f"http://127.0.0.1:{server.public}"},
        {"Origin": f"http://127.0.0.1:{server.public}"},
        {"Origin": "null"},
    ]
    for fields in foreign:
        fields = fields | {"Cookie": cookie}
        for path in ("/cameras/desk/withdraw", "/tokens?for=operator", "/links?camera=desk&for=60"):
            assert server.camera("POST", path, fields).status == 403, (path, fields)
        assert server.camera("DELETE", "/tokens/00000000", fields).status == 403
        assert server.camera("DELETE", "/session", fields).status == 403
        for path in ("/overview", "/tokens", "/cameras/desk/latest.jpg", "/cameras/desk/events"):
            answer = server.camera("GET", path, fields)
            assert answer.status == 401 and answer["Access-Control-Allow-Origin"] is None, (path, fields)
        # Nor can it sign anybody in, not even with the right token.
        assert server.camera("POST", "/session", fields | ASKED).status == 403
    # A program with the cookie alone changes nothing either.
    assert server.camera("POST", "/cameras/desk/pause", {"Cookie": cookie}).status == 401
    assert server.camera("GET", "/session", ours(server) | {"Cookie": cookie}).json == {"signedIn": True}
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    asks["Access-Control-Request-Headers"] = "authorization"
    for path in ("/session", "/tokens", "/overview", "/"):
        assert server.camera("OPTIONS", path, asks)["Access-Control-Allow-Origin"] is None, path


def test_guesses_are_slow_and_the_right_token_is_heard():
    with serving(*SMALL, "--operator-token", OPERATOR) as server:
        statuses = [
            server.camera("POST", "/session", ours(server) | {"Authorization": f"Bearer guess-number-{number}"}).status
            for number in range(15)
        ]
        assert statuses[:10] == [401] * 10 and 429 in statuses[10:], statuses
        assert server.camera("POST", "/session", ours(server))["Set-Cookie"] is None
        cookie, _ = sign_in(server)
        assert overview(server, ours(server) | {"Cookie": cookie})["wrongTokens"] >= 10
        # No token goes into an address, so none is looked for there.
        assert server.camera("POST", "/session?guess=1", ours(server)).status in (401, 429)


@pytest.mark.parametrize("way", ["signs out", "is revoked"])
def test_who_has_lost_the_right_to_events_gets_no_more(server, way):
    if way == "signs out":
        cookie, _ = sign_in(server)
        fields = ours(server) | {"Cookie": cookie}
        end = lambda: server.camera("DELETE", "/session", fields)  # noqa: E731
    else:
        made = server.camera("POST", "/tokens?for=operator", ASKED).json
        fields = {"Authorization": f"Bearer {made['token']}"}
        end = lambda: server.camera("DELETE", f"/tokens/{made['kept']['id']}", ASKED)  # noqa: E731
    listener, text = wire.Wire(server.private, timeout=20), b""
    listener.send(wire.request_bytes("GET", "/cameras/desk/events", fields))
    assert listener.head().status == 200
    server.push(stills.solid(10, 20, 30))
    while b"event: still" not in text:
        text += listener.chunk()
    assert end().status == 200
    server.push(stills.solid(200, 20, 30))
    rest = b""
    while chunk := listener.chunk():
        rest += chunk
    listener.close()
    assert b"event:" not in rest, rest


def test_nothing_of_a_session_is_written_down(server):
    cookie, _ = sign_in(server)
    identity = cookie.split("=")[1]
    for file in server.store.rglob("*"):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            assert identity.encode() not in file.read_bytes(), file
    assert identity not in server.log() and OPERATOR not in server.log()


# What was done


def test_the_log_says_what_was_done_and_from_where(server):
    cookie, _ = sign_in(server)
    page = ours(server) | {"Cookie": cookie}
    assert server.camera("POST", "/cameras/desk/pause", page).status == 200
    assert server.camera("POST", "/cameras/desk/resume", ASKED).status == 200
    answer = server.camera("GET", "/actions?camera=desk&most=2", ASKED)
    done = [(one["what"], one["how"], one["outcome"], one["camera"]) for one in answer.json["actions"]]
    assert done == [("resume", "api", "done", "desk"), ("pause", "page", "done", "desk")]
    assert server.camera("GET", "/actions?most=3", ASKED).json["actions"][2]["what"] == "sign-in"


# Tokens


def test_a_token_is_shown_once_works_at_once_and_is_gone_when_revoked(server):
    made = server.camera("POST", "/tokens?for=camera:desk&note=Attic%20%22camera%22", ASKED)
    assert made.status == 201
    token, kept = made.json["token"], made.json["kept"]
    assert kept["note"] == 'Attic "camera"' and kept["for"] == "camera:desk"
    jpeg = stills.solid(10, 200, 90)
    bearer = {"Authorization": f"Bearer {token}"}
    assert server.camera("POST", "/ingest/desk", bearer, jpeg).status == 202
    # It opens nothing else, and the old one still works.
    assert server.camera("POST", "/cameras/desk/pause", bearer).status == 401
    assert server.push(jpeg).status == 202
    listed = server.camera("GET", "/tokens", ASKED)
    assert kept in listed.json["tokens"] and token not in listed.text
    text = (server.store / "tokens.txt").read_text()
    assert token not in text and kept["id"] in text
    assert stat.S_IMODE((server.store / "tokens.txt").stat().st_mode) == 0o600
    assert server.camera("DELETE", f"/tokens/{kept['id']}", ASKED).status == 200
    assert server.camera("POST", "/ingest/desk", bearer, jpeg).status in (401, 429)
    assert kept["id"] not in (server.store / "tokens.txt").read_text()
    assert token not in server.log()


def test_an_operators_token_that_is_revoked_ends_its_sessions(server):
    made = server.camera("POST", "/tokens?for=operator&note=wall", ASKED).json
    cookie, _ = sign_in(server, made["token"])
    own, _ = sign_in(server)
    page = ours(server) | {"Cookie": cookie}
    assert server.camera("GET", "/overview", page).status == 200
    assert server.camera("GET", "/status", {"Authorization": f"Bearer {made['token']}"}).status == 200
    assert server.camera("DELETE", f"/tokens/{made['kept']['id']}", ASKED).status == 200
    assert server.camera("GET", "/overview", page).status == 401
    assert server.camera("GET", "/overview", ours(server) | {"Cookie": own}).status == 200


def test_tokens_and_the_log_outlive_a_restart(tmp_path):
    options = [*SMALL, "--operator-token", OPERATOR]
    with serving(*options, store=tmp_path / "store") as server:
        token = server.camera("POST", "/tokens?for=camera:desk", ASKED).json["token"]
        server.camera("POST", "/cameras/desk/pause", ASKED)
    with serving(*options, store=tmp_path / "store") as server:
        bearer = {"Authorization": f"Bearer {token}"}
        assert server.camera("POST", "/ingest/desk", bearer, stills.solid(1, 2, 3)).status == 202
        done = [one["what"] for one in server.camera("GET", "/actions", ASKED).json["actions"]]
        assert done == ["pause", "token-made"]
        camera = overview(server)["cameras"][0]
        assert camera["isPaused"]


# Links


def test_a_link_opens_a_signed_camera(server):
    made = server.camera("POST", "/links?camera=desk&for=3600", ASKED)
    assert made.status == 201, made
    assert server.get("/desk/").status == 404
    assert server.get("/" + made.json["path"]).status == 200
    assert server.get("/" + made.json["path"] + "latest.jpg").status == 200


def test_an_open_camera_has_no_links():
    with serving(*SMALL, "--operator-token", OPERATOR) as server:
        answer = server.camera("POST", "/links?camera=desk&for=3600", ASKED)
        assert (answer.status, answer.json["error"]) == (409, "notSigned")
