"""Who gets in and who does not: tokens, signatures, links, limits, and what the doors tell nobody.

The attacks that are tried, and what each gets:

| attack | gets | tried by |
|---|---|---|
| no token, another camera's, the operator's, a digest for a token | 401 | `test_ingest`, here |
| guessing tokens, by every form and address | 401, after ten of them 429; a right token or signature is heard all the same | here |
| a page of another site that switches, or sends stills or wrong tokens | 403, and nothing is counted | here |
| reading what was shown from logs, answers, status, metrics | nothing | here |
| a signed still changed, replayed (also after a restart), of another time, camera or key; a token where a signature is due | 401 | `test_signatures` |
| a signature over two pictures, or over a stream | 400, 401 | `test_signatures` |
| a link forged, altered, of another camera or key | 404, to the byte that of a camera that is not there | `test_links` |
| a link that has ended; events that outlive their link | 403; they end | `test_links` |
| the private door's addresses at the public one, by ten methods | 404, 405 | here, `test_delivery` |
| 27 traversals in 3 forms at both doors, files of their names in place | 400, 404, and no byte of a file; no request makes the server ask the file system | here |
| another site's script or frame | what `allow-origin` and `embed` let it | here |
| switches, status, metrics and pictures without the operator's token | 401 | here, `test_private_door` |
| the private door by a name that others can lead here (DNS rebinding) | 421 | `test_private_door` |
| headers too large, too many, too slow | 431, 408, and closed | `test_limits` |
| a body that stops; one that trickles | 408; taken, and nobody waits for it | `test_limits` |
| readers that stop reading | closed; others play on | `test_limits`, `load.py` |
| connections without end, from one address or many | 503; neither door takes the other's; at the private one the oldest without a secret end | `test_limits`, `test_networks` |
| a TLS handshake that does not come | closed | `test_tls` |
| HTTP/2: floods of frames, streams opened and reset without end, windows of 0, much asked for and nothing read, heads that grow when unpacked | GOAWAY and closed, or RST_STREAM; others play on, little memory | `test_http2`, `FrameGuardTests`, `SlowStreamTests` |
| more stills than the camera may send, single or in a stream | 429, counted as refused | `test_limits` |
| bodies that fill the memory together | 503 | `test_limits` |
| signed bodies without a secret that are never finished | the oldest of that address end; who signs is heard | `test_limits` |
| the memory, by a core dump or another process of the same user | nothing | `test_limits` |
| a withdrawn picture in the memory of the process, read by the superuser | nothing | `test_memory` |
| many addresses of one IPv6 network: connections, guesses, waves, unfinished bodies | what one address gets | `test_networks` |
| waves without end from an IPv6 site, and from all over the world | the site's share, one event a second, no memory | `test_waves` |
| small pictures that take long to decode, and large ones just below the limits | 422, or decoded beside the loop: no neighbour's part is late | `test_costly_pictures`, `EarlyStillTests`, `CostlyPictureTests` |
| no `Host`, or two, at either door | 400, and closed | `test_private_door` |
| a camera, or a film, that names another host's film | that host is asked for nothing | `test_leading_away`, `test_rtsp` |
| `state.json`, the folder of a camera with `access: signed`, by another user | nothing | `test_limits` |
| pictures that announce 900 or 4,300 megapixels | 413 by their header, in no memory | `test_limits` |
| extensions of chunks up to 3 MB; 200 application segments of 64 KiB in a still | no memory; taken | `test_limits` |
| lengths that lie, chunks that break, smuggled second requests | 400, and closed | `test_ingest` |
| pictures, bodies and requests damaged at random | refused; the viewer plays on | `make fuzz` |
| place, serial number, thumbnail, comment planted in stills | in no public byte, nor on disk | `test_delivery` |
| 5,000 idle connections, 500 uploads that trickle, 500 readers that stop, all at once | no stall | `make load` |
| a camera's address with another's certificate | no login is shown | `test_pull` |
"""

import base64
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import time

import pytest

import stills
import wire
from doors import INGEST, PHOTO, SMALL, ask, configured, quiet, signed, uris
from doors import narrow, private, server  # noqa: F401  (fixtures)
from serving import BEARER, TOKEN, serving

FORMS = {
    "Bearer": {"Authorization": f"Bearer {TOKEN}"},
    "bare": {"Authorization": TOKEN},
    "Basic": {"Authorization": "Basic " + base64.b64encode(f"camera:{TOKEN}".encode()).decode()},
    "X-API-Key": {"X-API-Key": TOKEN},
    "APIKEY": {"APIKEY": TOKEN},
    "query": {},
}


# Tokens


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_token_that_cameras_have_opens_the_door(server, form):
    target = INGEST + (f"?x=1&token={TOKEN}" if form == "query" else "")
    assert ask(server, target, FORMS[form], stills.one()).status == 202
    wrong = {name: value.replace(TOKEN, TOKEN + "s") for name, value in FORMS[form].items()}
    if form == "Basic":
        wrong = {"Authorization": "Basic " + base64.b64encode(b"camera:wrong-token").decode()}
    answer = ask(server, target.replace(TOKEN, "wrong-token"), wrong, stills.one())
    assert answer.status == 401
    assert "Basic realm" in answer["WWW-Authenticate"]
    assert TOKEN.encode() not in answer.body and b"wrong-token" not in answer.body


def test_no_token_is_ever_logged_or_repeated(server):
    for form, fields in FORMS.items():
        target = INGEST + (f"?token={TOKEN}" if form == "query" else "")
        for path in (target, target.replace("desk", "roof"), "/status?token=operator-secret"):
            answer = ask(server, path, fields, stills.one())
            assert TOKEN.encode() not in answer.body and "operator-secret" not in answer.text
    for target in ("/status", "/metrics"):
        body = ask(server, target, server.operator, method="GET").body
        assert TOKEN.encode() not in body and hashlib.sha256(TOKEN.encode()).hexdigest().encode() not in body
    said = server.log().lower()
    for secret in (TOKEN, "operator-secret", base64.b64encode(f"camera:{TOKEN}".encode()).decode(), "wrong-token"):
        assert secret.lower() not in said


def test_the_operator_shows_a_token_of_their_own(server):
    assert ask(server, "/status", server.operator, method="GET").status == 200
    assert ask(server, "/status?token=operator-secret", {}, method="GET").status == 200
    for fields in ({}, BEARER):
        assert ask(server, "/metrics", fields, method="GET").status == 401
    assert ask(server, INGEST, server.operator, stills.one()).status == 401


def test_pages_of_other_sites_read_nothing_at_the_private_door(server):
    for target, fields in (("/status", server.operator), ("/status", {}), (INGEST, BEARER), ("/nowhere", {})):
        answer = ask(server, target, fields | {"Origin": "https://evil.example"}, method="GET")
        assert answer["Access-Control-Allow-Origin"] is None
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert ask(server, INGEST, BEARER, stills.one())["Access-Control-Allow-Origin"] is None


def test_a_token_that_quietcam_makes_is_kept_as_a_digest_only(tmp_path):
    said = quiet("token", "--camera", "desk")
    token, digest = re.search(r"^  ([0-9a-f]{32})$", said, re.M)[1], re.search(r"sha256:[0-9a-f]{64}", said)[0]
    assert digest == "sha256:" + hashlib.sha256(token.encode()).hexdigest()
    (tmp_path / "operator").write_text("operator-in-a-file\n")
    text = said[said.index("cameras:"):] + f"operator-token-file: {tmp_path}/operator\n"
    with configured(tmp_path, text, *SMALL) as server:
        assert ask(server, INGEST, {"Authorization": f"Bearer {token}"}, stills.one()).status == 202
        for wrong in (digest, digest.removeprefix("sha256:")):
            assert ask(server, INGEST, {"Authorization": f"Bearer {wrong}"}, stills.one()).status == 401
        operator = {"Authorization": "Bearer operator-in-a-file"}
        assert ask(server, "/status", operator, method="GET").status == 200
    assert re.search(r"operator-token: sha256:[0-9a-f]{64}", quiet("token"))


def test_wrong_tokens_are_slowed_and_who_has_a_right_one_never(tmp_path):
    text = f"operator-token: operator-secret\ncameras:\n  desk: {{token: {TOKEN}}}\n  roof: {{token: roof-token, signature: required}}\n"
    operator, body = {"Authorization": "Bearer operator-secret"}, stills.one()
    with configured(tmp_path, text, *SMALL) as server:
        statuses = []
        for n in range(60):
            target = (INGEST, "/cameras/desk/pause", f"/status?token=guess-{n}")[n % 3]
            guess = {"X-API-Key": f"guess-{n}"} if n % 3 < 2 else {}
            answer = ask(server, target, guess, method="GET" if n % 3 == 2 else "POST")
            statuses.append(answer.status)
            assert answer.status == 401 or answer["Retry-After"] == "1"
            # Nobody who has a secret waits for those who guess from the same address: not even the first time.
            if n % 6 == 5:
                assert ask(server, "/cameras/desk/pause", operator).status == 200
                assert ask(server, "/cameras/desk/resume", operator).status == 200
                assert server.push(body).status == 202
                assert ask(server, "/ingest/roof", signed(body, "roof-token", "roof"), body).status == 202
                assert ask(server, "/ingest/roof", signed(body, f"guess-{n}", "roof"), body).status in (401, 429)
        assert set(statuses) == {401, 429} and statuses.count(429) >= 40
        doors = ask(server, "/status", operator, method="GET").json["doors"]["wrongTokens"]
        assert doors["slowed"] >= statuses.count(429) and doors["lookedAt"] + doors["slowed"] == 70
        assert doors["addresses"] == [{"address": "127.0.0.1", "wrong": 70}]
        metrics = ask(server, "/metrics", operator, method="GET").text
        assert f'quietcam_wrong_tokens_total{{looked="yes"}} {doors["lookedAt"]}' in metrics


@pytest.mark.parametrize("page", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
])
def test_a_page_of_another_site_changes_nothing_even_with_a_token(server, page):
    for target, fields in (("/cameras/desk/pause", server.operator), (INGEST, BEARER)):
        for method in ("POST", "PUT"):
            answer = ask(server, target, fields | page, stills.one(), method=method)
            assert (answer.status, answer.json["error"]) == (403, "otherSite"), (page, target)
    # A wrong token from there counts against nobody.
    counted = ask(server, "/status", server.operator, method="GET").json["doors"]["wrongTokens"]
    ask(server, "/cameras/desk/pause", {"Authorization": "Bearer guess"} | page)
    assert ask(server, "/status", server.operator, method="GET").json["doors"]["wrongTokens"] == counted


@pytest.mark.parametrize("page", [
    {"Origin": "http://127.0.0.1"}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://desk.example"},
    {"Sec-Fetch-Site": "none"}, {"Origin": "https://cam.example", "X-Forwarded-Host": "cam.example"},
])
def test_a_page_of_this_address_can_switch(server, page):
    assert ask(server, "/cameras/desk/resume", server.operator | page).status == 200


def test_only_an_operator_with_a_token_may_switch(narrow):
    # A server of its own: its address has as many wrong tokens free as are sent here.
    with serving(*SMALL, "--operator-token", "operator-secret") as server:
        operator = {"Authorization": "Bearer operator-secret"}
        for path in ("pause", "resume", "veil", "unveil", "withdraw"):
            target = f"/cameras/desk/{path}"
            assert ask(server, target, {}).status == 401
            assert ask(server, target, BEARER).status == 401
            assert ask(narrow, target, BEARER).status in (401, 429)
        assert ask(server, "/cameras/desk/veil", operator).status == 200
        assert ask(server, "/cameras/desk/unveil", operator).status == 200


# Other sites, and paths


def test_pages_may_load_their_own_and_be_framed_by_whom_the_operator_names(private, server):
    for path in (private.link + "/", "/"):
        page = private.get(path)
        policy = page["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors https://a.example https://b.example" in policy
        assert page["X-Content-Type-Options"] == "nosniff" and page["Referrer-Policy"] == "no-referrer"
        assert "camera=()" in page["Permissions-Policy"]
    assert "frame-ancestors *" in server.get("/desk/")["Content-Security-Policy"]
    inline = re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=", server.get("/desk/").text)
    assert inline is None, "the policy forbids what is written into the page"


def test_scripts_of_other_sites_load_what_the_operator_lets_them(private, server):
    for path in ("index.m3u8", "live.m3u8", "latest.jpg", uris(private.get(f"{private.link}/live.m3u8").text)[0]):
        assert private.get(f"{private.link}/{path}")["Access-Control-Allow-Origin"] == "https://a.example"
    assert server.get("/desk/live.m3u8")["Access-Control-Allow-Origin"] == "*"


def test_the_public_door_answers_its_table_and_nothing_else(server):
    table = {
        "/": 200, "/desk/": 200, "/desk": 308, "/desk/index.m3u8": 200, "/desk/live.m3u8": 200, "/desk/latest.jpg": 200,
        "/healthz": 200, "/readyz": 200, "/_/player.js": 200, "/_/player.css": 200, "/desk/wave": 405,
        "/desk/about.json": 200, "/desk/photos.json": 200, "/quietcam.js": 200, "/favicon.svg": 200,
        "/oembed?url=http://127.0.0.1/desk/": 200,
    }
    assert server.push(stills.one()).status == 202
    server.get("/desk/live.m3u8?_HLS_msn=0")
    deadline = time.monotonic() + 30
    while server.get("/desk/latest.jpg").status != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    for path, status in table.items():
        assert server.get(path).status == status, path
    others = [
        "/ingest/desk", "/status", "/metrics", "/cameras/desk/pause", "/cameras/desk/veil", "/cameras", "/config",
        "/desk/state.json", "/desk/status", "/desk/x.mp4", "/desk/desk/", "/_/", "/_", "/favicon.ico", "/robots.txt",
        "/index.html", "/.git/config", "/debug/pprof", "/admin", "*", "/desk/live.m3u", "/desk/LIVE.m3u8", "/DESK/",
        "/hls-out/desk/live.m3u8", "/player.html", "/_/player.html", "/_/cameras.html", "/_/quietcam.js",
        "/favicon.png", "/favicon.", "/desk/photos", "/desk/about", "/desk" + PHOTO, "/desk/photos-withdrawn",
        "/desk/pictures.json",
    ]
    for path in others:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "QUERY"):
            answer = server.viewer(method, path)
            # What has the form of an address of ours may be told that only GET is possible there.
            is_ours = path.startswith("/_/") or path in ("/desk/x.mp4", "/desk" + PHOTO)
            allowed = (404, 405) if is_ours and method not in ("GET", "HEAD") else (400, 404)
            if method == "OPTIONS" and (is_ours or path == "*"):
                allowed = (204,)
            assert answer.status in allowed, (method, path, answer)
    for path in [path for path in table if path != "/desk/wave"]:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert server.viewer(method, path, body=b"x").status == 405, (method, path)
        assert server.viewer("OPTIONS", path).status == 204, path
    taken = server.camera("GET", "/status", server.operator).json["cameras"][0]["stills"]["taken"]
    assert server.viewer("POST", INGEST, BEARER, stills.one()).status == 404
    assert server.camera("GET", "/status", server.operator).json["cameras"][0]["stills"]["taken"] == taken


TRAVERSALS = [
    "/../../../../etc/passwd", "/desk/../../../../etc/passwd", "/desk/..%2f..%2f..%2fetc%2fpasswd", "/_/../player.html",
    "/_/..%2fplayer.html", "/_/%2e%2e/%2e%2e/etc/passwd", "/desk/%2e%2e%2fsecret.mp4", "/desk/....//secret.mp4",
    "/desk/..\\..\\secret.mp4", "/desk/secret.mp4%00.jpg", "/desk/\u00ff.mp4", "/desk//etc/passwd", "//etc/passwd",
    "/_//etc/passwd", "/desk/secret.mp4", "/desk/photo-1-1x1-/../../etc/passwd", "/favicon.svg/../../etc/passwd", "/desk/../secret.mp4", "/file:///etc/passwd", "file:///etc/passwd",
    "http://127.0.0.1/etc/passwd", "/desk/state.json", "/desk/secret", "/_/secret", "/_/.", "/_/..",
    "/desk/~/secret.mp4", "/desk/~1.00000000000000000000000000000000/../secret.mp4", "/%2e%2e/%2e%2e/etc/passwd",
]


def test_no_path_of_a_request_touches_the_file_system(tmp_path):
    """A file of every name that is tried lies where it would be found, in the store and around it."""
    store = tmp_path / "store"
    for folder in (tmp_path, tmp_path / "work", store, store / "desk"):
        folder.mkdir(exist_ok=True)
        for name in ("secret", "secret.mp4", "state.json.bak", "x.mp4"):
            (folder / name).write_text("QUIETCAM-FILE")
    with serving(*SMALL, store=store, home=tmp_path) as server:
        for port in (server.public, server.private):
            for path in TRAVERSALS:
                for target in (path, f"/ingest{path}", f"{path}?x=../../secret"):
                    try:
                        answer = wire.ask(port, "GET", target)
                    except wire.Broken:
                        continue
                    assert answer.status in (400, 404), (target, answer)
                    assert b"QUIETCAM-FILE" not in answer.body and b"root:" not in answer.body
        # What is served is the memory's: files that change under it change nothing.
        media = server.get("/desk/live.m3u8").text
        name = uris(media)[-1]
        before = server.get(f"/desk/{name}")
        for path in (store / "desk").glob("*.mp4"):
            path.write_text("QUIETCAM-FILE")
        after = server.get(f"/desk/{name}")
        assert after.body == before.body or after.status == 404


def test_no_request_makes_the_server_ask_the_file_system_for_anything(tmp_path):
    strace = shutil.which("strace") or pytest.skip("strace is not installed")
    said = tmp_path / "calls"
    with serving(*SMALL) as server:
        assert server.push(stills.one()).status == 202
        server.settled()
        command = [strace, "-f", "-e", "trace=%file,accept4", "-o", said, "-p", str(server.process.pid)]
        tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            while tracer.poll() is None and (not said.exists() or "accept4(" not in said.read_text()):
                assert time.monotonic() < deadline, "nothing is traced"
                server.get("/healthz")
                time.sleep(0.1)
            if tracer.poll() is not None:
                pytest.skip("no process may be traced here")
            for port in (server.public, server.private):
                for path in [*TRAVERSALS, "/", "/desk/", "/desk/live.m3u8", "/desk/latest.jpg", "/_/player.js", "/status"]:
                    for target in (path, f"/ingest{path}"):
                        with contextlib.suppress(wire.Broken):
                            wire.ask(port, "GET", target)
            assert server.push(stills.one()).status == 202
            server.settled()
            own = set(os.listdir(f"/proc/{server.process.pid}/task"))
        finally:
            tracer.terminate()
            tracer.wait(10)
    calls = [line for line in said.read_text().splitlines() if "(" in line]
    assert sum("accept4(" in line for line in calls) > 100
    # libdispatch looks now and then whether its own worker threads are running.
    threads = {line.split()[0] for line in calls} | own
    looks = re.compile(r'open(?:at)?\((?:AT_FDCWD, )?"/proc/(\d+)/stat", O_RDONLY')
    # An encoder that is opened for the still writes its pictures to a file in memory.
    memory = re.compile(r'(?:open(?:at)?|f?access(?:at2?)?)\((?:AT_FDCWD, )?"/proc/self/fd/\d+"|fstat(?:at)?\(\d+, "",')
    others = [line for line in calls if "accept4" not in line and not memory.search(line)]
    assert not [line for line in others if not (look := looks.search(line)) or look[1] not in threads]
