"""Who gets in and who does not: tokens, signatures, links, limits, and what the doors tell nobody.

The attacks that are tried, and what each gets:

| attack | gets | tried by |
|---|---|---|
| no token, another camera's, the operator's, a digest for a token | 401 | `test_ingest`, here |
| guessing tokens, by every form and address | 401, after ten of them 429; a right token or signature is heard all the same | here |
| a page of another site that switches, or sends stills or wrong tokens | 403, and nothing is counted | here |
| reading what was shown from logs, answers, status, metrics | nothing | here |
| a signed still changed, replayed (also after a restart), of another time, camera or key; a token where a signature is due | 401 | here |
| a signature over two pictures, or over a stream | 400, 401 | here |
| a link forged, altered, of another camera or key | 404, to the byte that of a camera that is not there | here |
| a link that has ended; events that outlive their link | 403; they end | here |
| the private door's addresses at the public one, by ten methods | 404, 405 | here, `test_delivery` |
| 27 traversals in 3 forms at both doors, files of their names in place | 400, 404, and no byte of a file; no request makes the server ask the file system | here |
| another site's script or frame | what `allow-origin` and `embed` let it | here |
| switches, status, metrics and pictures without the operator's token | 401 | here, `test_private_door` |
| the private door by a name that others can lead here (DNS rebinding) | 421 | `test_private_door` |
| headers too large, too many, too slow | 431, 408, and closed | here |
| a body that stops; one that trickles | 408; taken, and nobody waits for it | here |
| readers that stop reading | closed; others play on | here, `load.py` |
| connections without end, from one address or many | 503; neither door takes the other's; at the private one the oldest without a secret end | here, `test_networks` |
| a TLS handshake that does not come | closed | `test_tls` |
| more stills than the camera may send, single or in a stream | 429, counted as refused | here |
| bodies that fill the memory together | 503 | here |
| signed bodies without a secret that are never finished | the oldest of that address end; who signs is heard | here |
| the memory, by a core dump or another process of the same user | nothing | here |
| a withdrawn picture in the memory of the process, read by the superuser | nothing | `test_memory` |
| many addresses of one IPv6 network: connections, guesses, waves, unfinished bodies | what one address gets | `test_networks` |
| waves without end from an IPv6 site, and from all over the world | the site's share, one event a second, no memory | `test_waves` |
| small pictures that take long to decode | 422, or decoded beside the loop: no part is late | `EarlyStillTests`, `CostlyPictureTests` |
| `state.json`, the folder of a camera with `access: signed`, by another user | nothing | here |
| pictures that announce 900 or 4,300 megapixels | 413 by their header, in no memory | here |
| extensions of chunks up to 3 MB; 200 application segments of 64 KiB in a still | no memory; taken | here |
| lengths that lie, chunks that break, smuggled second requests | 400, and closed | `test_ingest` |
| pictures, bodies and requests damaged at random | refused; the viewer plays on | `make fuzz` |
| place, serial number, thumbnail, comment planted in stills | in no public byte, nor on disk | `test_delivery` |
| 5,000 idle connections, 500 uploads that trickle, 500 readers that stop, all at once | no stall | `make load` |
| a camera's address with another's certificate | no login is shown | `test_pull` |
"""

import base64
import contextlib
import hashlib
import hmac
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

import pytest

import quietcam
import recipes
import stills
import wire
from serving import BEARER, FREE_PORTS, ONE_CAMERA, TOKEN, launched, serving
from timing import Late, again_if_late, in_time

INGEST = "/ingest/desk"
SMALL = ["--size", "128x96", "--rate", "5", "--part", "0.2", "--segment", "1"]
KEY = "link-key-of-the-tests"
FORMS = {
    "Bearer": {"Authorization": f"Bearer {TOKEN}"},
    "bare": {"Authorization": TOKEN},
    "Basic": {"Authorization": "Basic " + base64.b64encode(f"camera:{TOKEN}".encode()).decode()},
    "X-API-Key": {"X-API-Key": TOKEN},
    "APIKEY": {"APIKEY": TOKEN},
    "query": {},
}


def configuration(folder, text):
    path = folder / "quietcam.yaml"
    path.write_text(text)
    return path


@contextlib.contextmanager
def configured(folder, text, *arguments, environment=None):
    options = [*FREE_PORTS, "--store", "memory", "--config", configuration(folder, text), *arguments]
    with launched(*options, environment=environment) as server:
        yield server.wait_until_ready()


@pytest.fixture(scope="module")
def server():
    with serving(*SMALL, "--log", "trace", "--operator-token", "operator-secret") as server:
        server.operator = {"Authorization": "Bearer operator-secret"}
        yield server


def ask(server, target, fields, body=None, method="POST"):
    return wire.ask(server.private, method, target, fields, body)


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


def quiet(*arguments, environment=None, code=0):
    done = subprocess.run(
        [str(part) for part in [quietcam.binary(), *arguments]], capture_output=True, text=True, timeout=30,
        env=quietcam.environment() | (environment or {}))
    assert done.returncode == code, done
    return done.stdout if code == 0 else done.stderr


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


# Signatures


def signed(body, token=TOKEN, camera="desk", at=None, tell=None):
    at = at or f"{time.time():.6f}"
    key = hashlib.sha256(token.encode()).hexdigest()
    message = f"{at}\n{camera}\n{hashlib.sha256(body).hexdigest()}"
    signature = hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()
    return {"X-Quietcam-Time": tell or at, "X-Quietcam-Signature": signature}


@pytest.fixture(scope="module")
def signing(tmp_path_factory):
    text = (
        f"cameras:\n  desk: {{token: {TOKEN}, signature: required}}\n  roof: {{token: {TOKEN}, signature: optional}}\n"
        f"  shed: {{token: {TOKEN}}}\n")
    with configured(tmp_path_factory.mktemp("signing"), text, *SMALL) as server:
        yield server


def test_a_signed_still_is_taken_once(signing):
    body = stills.one()
    fields = signed(body)
    assert ask(signing, INGEST, fields, body).status == 202
    again = ask(signing, INGEST, fields, body)
    assert again.status == 401 and "used before" in again.json["detail"]
    assert ask(signing, INGEST, signed(body), body).status == 202
    chunked = signed(body) | {"Transfer-Encoding": "chunked"}
    assert ask(signing, INGEST, chunked, wire.chunked(body, 1000)).status == 202


@pytest.mark.parametrize("store", ["memory", "folder"])
def test_a_signed_still_is_not_taken_again_after_a_restart(tmp_path, store):
    text = f"cameras:\n  desk: {{token: {TOKEN}, signature: required}}\n"
    options = [*FREE_PORTS, "--config", configuration(tmp_path, text), *SMALL]
    options += ["--store", "memory" if store == "memory" else tmp_path / "store"]
    body = stills.one()
    with launched(*options) as server:
        server.wait_until_ready()
        # With a store also those of a camera whose clock is ahead by half a minute.
        used = [signed(body, at=f"{time.time() + ahead:.6f}") for ahead in ((0, 0.1) if store == "memory" else (0, 32, 5))]
        for fields in used:
            assert ask(server, INGEST, fields, body).status == 202
            assert ask(server, INGEST, fields, body).status == 401
    with launched(*options) as server:
        server.wait_until_ready()
        for fields in used:
            answer = ask(server, INGEST, fields, body)
            assert answer.status == 401 and "before the server was started" in answer.json["detail"]
        # The camera's own next still is taken at once.
        ahead = 33 if store == "folder" else 0
        assert ask(server, INGEST, signed(body, at=f"{time.time() + ahead:.6f}"), body).status == 202
    if store == "folder":
        file = tmp_path / "store" / "desk" / "signed-until"
        assert file.stat().st_mode & 0o777 == 0o600


def test_who_cannot_sign_uses_up_no_rate(tmp_path):
    text = f"cameras:\n  desk: {{token: {TOKEN}, signature: required, max-rate: 2}}\n"
    body = stills.one()
    with configured(tmp_path, text, *SMALL) as server:
        fields = signed(body)
        assert ask(server, INGEST, fields, body).status == 202
        junk = [ask(server, INGEST, signed(body, token=f"guess-{n}"), body).status for n in range(30)]
        assert set(junk) <= {401, 429}
        # Nor does a copy of a right one that is sent again.
        assert {ask(server, INGEST, fields, body).status for _ in range(20)} == {401}
        assert [ask(server, INGEST, signed(body), body).status for _ in range(3)] == [202, 202, 202]
        fast = [ask(server, INGEST, signed(body), body) for _ in range(10)]
        assert fast[-1].status == 429 and fast[-1].json["error"] == "tooFast"


def test_nothing_of_a_signed_still_can_be_changed(signing):
    body, now = stills.one(), time.time()
    assert ask(signing, INGEST, signed(body), body).status == 202
    before = signing.status()["stills"]["taken"]
    wrong = [
        (signed(body), body + b"\0"), (signed(body), stills.solid(1, 2, 3)), (signed(body, token="other-token"), body),
        (signed(body, camera="roof"), body), (signed(body, tell=f"{now + 1:.6f}"), body),
        (signed(body, at=f"{now - 90:.0f}"), body), (signed(body, at=f"{now + 90:.0f}"), body),
        (signed(body, at="yesterday"), body), ({"X-Quietcam-Signature": signed(body)["X-Quietcam-Signature"]}, body),
        (signed(body) | {"X-Quietcam-Signature": "00"}, body),
    ]
    for fields, sent in wrong:
        answer = ask(signing, INGEST, fields, sent)
        assert (answer.status, answer.json["error"]) == (401, "unsigned"), answer
    late = ask(signing, INGEST, wrong[5][0], body)
    assert re.search(r"is \d+ s behind", late.json["detail"]) and late["Date"]
    assert signing.status()["stills"]["taken"] == before


def test_a_camera_that_has_to_sign_must_not_show_its_token(signing):
    body = stills.one()
    answer = ask(signing, INGEST, BEARER, body)
    assert answer.status == 401 and "has to sign" in answer.json["detail"]
    for target, fields in (("/ingest/roof", BEARER), ("/ingest/roof", signed(body, camera="roof")), ("/ingest/shed", BEARER)):
        assert ask(signing, target, fields, body).status == 202
    assert ask(signing, "/ingest/shed", signed(body, camera="shed"), body).status == 401


def test_the_examples_of_the_handbook_are_taken(signing, tmp_path):
    page = (recipes.HANDBOOK / "access.md").read_text()
    examples = re.findall(r"```(sh|python) signed\n(.+?)```", page, re.S)
    assert [language for language, _ in examples] == ["sh", "python"]
    (tmp_path / "newest.jpg").write_bytes(stills.one())
    for language, text in examples:
        for old, new in (("SECRET-OF-YOURS", TOKEN), ("127.0.0.1:8081", f"127.0.0.1:{signing.private}")):
            assert old in text
            text = text.replace(old, new)
        done = subprocess.run(
            ["sh" if language == "sh" else os.environ.get("PYTHON", "python3"), "-c", text], cwd=tmp_path,
            capture_output=True, text=True, timeout=20, env=quietcam.environment())
        assert done.returncode == 0 and '"seq"' in done.stdout, done


def test_a_signature_is_of_one_still_alone(signing):
    part = b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + stills.one() + b"\r\n"
    stream = part * 2 + b"--b--\r\n"
    replace = {"Content-Type": "multipart/x-mixed-replace; boundary=b"}
    answer = ask(signing, INGEST, signed(stream) | replace, stream)
    assert answer.status == 401 and "stream" in answer.json["detail"]
    form = part.replace(b"Content-Type", b'Content-Disposition: form-data; name="f"\r\nContent-Type', 1) + b"--b--\r\n"
    fields = {"Content-Type": "multipart/form-data; boundary=b"}
    assert ask(signing, INGEST, signed(form) | fields, form).status == 202
    before = signing.status()["stills"]["taken"]
    assert ask(signing, INGEST, signed(form + b" ") | fields, form).status == 401
    twice = stills.one() * 2
    assert ask(signing, INGEST, signed(twice) | {"Transfer-Encoding": "chunked"}, wire.chunked(twice, 999)).status == 400
    assert signing.status()["stills"]["taken"] == before


def test_the_stills_of_a_stream_have_the_same_pace(tmp_path):
    with serving(*SMALL, "--max-rate", 2) as server:
        part = b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + stills.one() + b"\r\n"
        answer = ask(server, INGEST, BEARER | {"Content-Type": "multipart/x-mixed-replace; boundary=b"},
                     part * 20 + b"--b--\r\n")
        assert answer.status == 202 and 4 <= answer.json["stills"] < 20
        assert answer.json["stills"] + answer.json["refused"] == 20


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


# Links


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    folder = tmp_path_factory.mktemp("private")
    text = (
        f"link-key: {KEY}\nembed: https://a.example https://b.example\nallow-origin: https://a.example\n"
        f"cameras:\n  desk: {{token: {TOKEN}, access: signed}}\n  roof: {{token: {TOKEN}}}\n")
    with configured(folder, text, *SMALL) as server:
        server.config = folder / "quietcam.yaml"
        server.link = link_of(server)
        yield server


def link_of(server, *arguments):
    said = quiet("link", "--config", server.config, "--camera", "desk", "--base", "https://cam.example/", *arguments)
    assert said.startswith("https://cam.example/desk/~"), said
    return said.removeprefix("https://cam.example").strip().rstrip("/")


def forged(expiry, key=KEY, camera="desk"):
    key = hashlib.sha256(key.encode()).digest()
    code = hmac.new(key, f"link\n{camera}\n{expiry}".encode(), hashlib.sha256).hexdigest()
    return f"/{camera}/~{expiry}.{code[:32]}"


def uris(text):
    return re.findall(r'URI="([^"]+)"', text) + [line for line in text.splitlines() if line and line[0] != "#"]


def test_a_link_opens_everything_below_it_by_relative_addresses_alone(private):
    page = private.get(private.link + "/")
    assert page.status == 200
    for address in re.findall(r'(?:src|href|data-base|poster)="([^"]+)"', page.text):
        if address != "data:,":
            path = os.path.normpath(f"{private.link}/{address}") + ("/" if address.endswith("/") else "")
            assert private.get(path).status in (200, 503), path
    multivariant = private.get(private.link + "/index.m3u8")
    assert uris(multivariant.text) and not [uri for uri in uris(multivariant.text) if "/" in uri]
    media = private.get(f"{private.link}/{uris(multivariant.text)[0]}")
    assert media.status == 200
    for uri in uris(media.text):
        assert private.get(f"{private.link}/{uri}").status == 200, uri
    assert private.viewer("POST", private.link + "/wave").status == 202
    redirect = private.get(private.link)
    assert redirect.status == 308
    assert urllib.parse.urljoin(private.link, redirect["Location"]) == private.link + "/"
    assert private.get(private.link.replace("~", "%7E") + "/live.m3u8").status == 200
    with wire.Wire(private.public) as client:
        client.send(wire.request_bytes("GET", private.link + "/events"))
        assert client.head().status == 200


def test_photos_are_kept_by_caches_for_no_longer_than_the_link_lasts(private):
    assert private.push(stills.one()).status == 202
    private_photos, deadline = [], time.monotonic() + 15
    while not private_photos:
        assert time.monotonic() < deadline
        private_photos = private.get(private.link + "/photos.json").json["photos"]
        time.sleep(0.1)
    path = "/" + private_photos[0]["name"]
    answer = private.get(private.link + path)
    age = int(re.search(r"^public, max-age=(\d+), immutable$", answer["Cache-Control"])[1])
    assert age <= int(re.search(r"~(\d+)", private.link)[1]) - time.time() + 1
    assert private.get("/desk" + path).status == 404 == private.get(forged(1, key="another") + path).status
    assert private.get(forged(int(time.time()) - 1) + path).status == 403
    # The other camera has no such photo.
    assert private.get("/roof" + path).status == 404


def test_all_who_have_a_link_share_what_caches_keep(private):
    assert link_of(private) == private.link
    name = uris(private.get(f"{private.link}/live.m3u8").text)[0]
    answer = private.get(f"{private.link}/{name}")
    age = int(re.search(r"^public, max-age=(\d+), immutable$", answer["Cache-Control"])[1])
    left = int(re.search(r"~(\d+)", private.link)[1]) - time.time()
    assert left - 5 <= age <= left + 5 and 23 * 3600 < left <= 25 * 3600


PHOTO = "/photo-1-64x48-0123456789abcdef.jpg"
PRIVATE = ["", "/", "/index.m3u8", "/live.m3u8", "/latest.jpg", "/events", "/wave", "/1.mp4", "/about.json", "/photos.json", PHOTO]


def test_without_a_link_a_private_camera_is_like_one_that_is_not_there(private):
    def told(answer):
        return answer.status, answer.body, [name for name, _ in answer.fields]

    soon = int(time.time()) + 1000
    wrong = ["/desk", forged(soon, key="another-link-key"), forged(1, key="another-link-key"), "/desk/~1.2", "/desk/~"]
    wrong += [forged(soon)[:-1] + ("0" if forged(soon)[-1] != "0" else "1"), forged(soon).replace(str(soon), str(soon + 1))]
    wrong += ["/roof" + forged(soon).removeprefix("/desk"), forged(soon, camera="roof"), "/roof" + "/~1." + "0" * 32]
    for prefix in wrong:
        for path in PRIVATE:
            method = "POST" if path == "/wave" else "GET"
            absent = private.viewer(method, prefix.replace("desk", "none").replace("roof", "none") + path)
            answer = private.viewer(method, prefix + path)
            assert answer.status == 404 and told(answer) == told(absent), prefix + path
    assert private.get(forged(soon) + "/live.m3u8").status == 200, "the forger of this test knows how"
    for address in ("desk/", "desk", private.link.lstrip("/") + "/"):
        assert private.get(f"/oembed?url=http%3A%2F%2F127.0.0.1%2F{address}").status == 404
    home = private.get("/")
    assert "roof" in home.text and "desk" not in home.text
    for target in ("/readyz", "/healthz", "/oembed", "/quietcam.js"):
        assert b"desk" not in private.get(target).body


def test_a_link_that_has_ended_says_so(private):
    for path in PRIVATE:
        method = "POST" if path == "/wave" else "GET"
        answer = private.viewer(method, forged(int(time.time()) - 1) + path)
        assert (answer.status, answer.json["error"], answer["Cache-Control"]) == (403, "linkEnded", "no-store")


def test_events_end_with_the_link(private):
    end = int(time.time()) + 3
    with wire.Wire(private.public) as client:
        client.send(wire.request_bytes("GET", forged(end) + "/events"))
        assert client.head().status == 200
        while client.chunk():
            pass
    assert end - 1 <= time.time() < end + 4


@again_if_late
def test_a_segment_that_is_being_made_ends_with_the_link(private):
    end = int(time.time()) + 3
    with wire.Wire(private.public) as client:
        while time.time() < end - 0.3:
            hint = re.search(r'PRELOAD-HINT:.*URI="([^"]+)"', private.get(forged(end) + "/live.m3u8").text)[1]
            client.send(wire.request_bytes("GET", f"{forged(end)}/{hint.rsplit('.', 2)[0]}.mp4"))
            head = client.head()
            if head.status == 403:
                assert time.time() >= end
                break
            assert head.status == 200
            if head["Transfer-Encoding"] != "chunked":
                # It became whole since the playlist was read.
                client.exactly(int(head["Content-Length"]))
                continue
            age = int(re.search(r"max-age=(\d+)", head["Cache-Control"])[1])
            assert age <= 3, "a cache keeps it for longer than the link lasts"
            try:
                while client.chunk():
                    in_time(time.time() < end + 0.7, "parts come after the end")
            except wire.Broken:
                break
    in_time(time.time() < end + 2, "it goes on after the end")


def test_the_only_camera_is_not_at_home_where_it_is_private(tmp_path):
    text = f"link-key: {KEY}\ncameras:\n  desk: {{token: {TOKEN}, access: signed}}\n"
    with configured(tmp_path, text, *SMALL) as server:
        assert "desk" not in server.get("/").text
        flags = ["--link-key", KEY, "--camera", "desk", "--for", "30m"]
        link = quiet("link", *flags).strip().removeprefix("http://127.0.0.1:8080")
        assert server.get(link).status == 200
        left = int(re.search(r"~(\d+)", link)[1]) - time.time()
        assert 1795 < left <= 1865
    assert "everyone sees it" in quiet("link", "--config", configuration(tmp_path, "cameras: {desk: {token: 12345678}}"),
                                       "--link-key", KEY, "--camera", "desk", code=64)


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
    deadline = time.monotonic() + 5
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
            deadline = time.monotonic() + 10
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


# Limits


def test_headers_have_a_size_and_a_count(server):
    for port in (server.public, server.private):
        for fields in ([("X-Long", "x" * 9000)], [(f"X-{n}", "x") for n in range(100)], [("X-Y", "x" * 4000)] * 5):
            with wire.Wire(port) as client:
                client.send(wire.request_bytes("GET", "/healthz", fields))
                assert client.answer().status == 431
                assert client.is_ended()
        with wire.Wire(port) as client:
            client.send(wire.request_bytes("GET", "/" + "x" * 100_000))
            assert client.answer().status in (400, 414, 431)
            assert client.is_ended()
    assert wire.ask(server.public, "GET", "/healthz", [(f"X-{n}", "x" * 100) for n in range(30)]).status == 200


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """A server that has little room and no patience, and cameras that no two tests share."""
    text = "defaults: {max-rate: 5, max-still-bytes: 900000}\ncameras:\n"
    text += "".join(f"  {name}: {{token: {TOKEN}}}\n" for name in ("desk", "fast", "left", "right", "late"))
    limits = ["--public-connections", 20, "--private-connections", 10, "--patience", "1s", "--upload-megabytes", 1]
    with configured(tmp_path_factory.mktemp("narrow"), text, *SMALL, *limits) as server:
        yield server


def eventually(look, within=5):
    deadline = time.monotonic() + within
    while True:
        try:
            return look()
        except (AssertionError, OSError, wire.Broken):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_who_is_too_slow_is_told_so_and_closed(narrow):
    """Whom this concerns and when is tried with the handlers' own clock (`OriginTests`); here, that they are there."""
    header = b"GET /healthz HTTP/1.1\r\nX-Slow: "
    body = wire.request_bytes("POST", INGEST, BEARER | {"Content-Length": 5000}, stills.one()[:100])
    sent = [(narrow.public, header, "slowHeader"), (narrow.private, header, "slowHeader"), (narrow.private, body, "slowBody")]
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(wire.Wire(port)) for port, _, _ in sent]
        for client, (_, request, _) in zip(clients, sent, strict=True):
            client.send(request)
        for client, (_, _, error) in zip(clients, sent, strict=True):
            answer = client.answer()
            assert (answer.status, answer.json["error"]) == (408, error)
            assert client.is_ended()
    assert time.monotonic() - began < 5


def test_a_reader_that_stops_is_closed_and_others_play_on(narrow):
    narrow.push(stills.solid(90, 9, 9))
    with contextlib.ExitStack() as stack:
        stuck = []
        for _ in range(5):
            client = stack.enter_context(contextlib.closing(socket.socket()))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", narrow.public))
            client.settimeout(5)
            with contextlib.suppress(OSError):
                # More answers than fit between the two ends, and none is read.
                client.sendall(wire.request_bytes("GET", "/_/hls-1.6.15.mjs") * 40 + wire.request_bytes("GET", "/_/player.js") * 2000)
            stuck.append(client)
        assert narrow.get("/desk/live.m3u8").status == 200

        def gone():
            assert narrow.operators("/status").json["doors"]["public"]["connections"] <= 1

        eventually(gone, 15)


def test_connections_are_limited_at_each_door_by_itself(narrow):
    with contextlib.ExitStack() as stack:
        viewers = [stack.enter_context(wire.Wire(narrow.public)) for _ in range(20)]
        for client in viewers:
            assert client.ask("GET", "/healthz").status == 200
        with wire.Wire(narrow.public) as late:
            answer = late.answer()
            assert (answer.status, answer.json["error"], answer["Retry-After"]) == (503, "tooManyConnections", "5")
            assert late.is_ended()
        assert viewers[0].ask("GET", "/desk/live.m3u8").status == 200
        # No number of viewers keeps a camera out.
        assert narrow.push(stills.one()).status in (202, 429)
        doors = narrow.operators("/status").json["doors"]
        assert doors["public"]["connections"] == 20 and doors["public"]["turnedAway"] >= 1
    assert eventually(lambda: narrow.get("/healthz")).status == 200


def test_connections_without_a_secret_keep_no_camera_and_no_operator_out():
    options = ["--private-connections", 20, "--operator-token", "operator-secret", "--signature", "optional"]
    with serving(*SMALL, *options) as server, contextlib.ExitStack() as stack:
        body = stills.one()
        cameras = [stack.enter_context(wire.Wire(server.private)) for _ in range(3)]
        operator = stack.enter_context(wire.Wire(server.private))
        assert cameras[0].ask("POST", INGEST, BEARER, body).status == 202
        assert cameras[1].ask("POST", INGEST, signed(body), body).status == 202
        assert operator.ask("GET", "/status", server.asked).status == 200
        # The third has shown nothing yet.
        assert cameras[2].ask("POST", INGEST, {"Authorization": "Bearer guess"}).status == 401
        idle = [stack.enter_context(wire.Wire(server.private)) for _ in range(100)]

        def full():
            doors = operator.ask("GET", "/status", server.asked).json["doors"]["private"]
            assert doors["connections"] == 20 and doors["turnedAway"] >= 80

        eventually(full)
        assert idle[0].is_ended() and cameras[2].is_ended()
        # All who have a secret go on, on their old connections and on new ones, also from the same address.
        for _ in range(3):
            assert cameras[0].ask("POST", INGEST, BEARER, body).status == 202
            assert cameras[1].ask("POST", INGEST, signed(body), body).status == 202
            assert server.push(body).status == 202
            assert operator.ask("GET", "/status", server.asked).status == 200
            stack.enter_context(wire.Wire(server.private))


def test_connections_of_an_address_are_limited():
    with serving(*SMALL, "--connections-per-address", 5) as server, contextlib.ExitStack() as stack:
        held = [stack.enter_context(wire.Wire(server.public)) for _ in range(5)]
        assert all(client.ask("GET", "/healthz").status == 200 for client in held)
        with wire.Wire(server.public) as late:
            assert late.answer().status == 503
        other = socket.create_connection(("127.0.0.1", server.public), 5, source_address=("127.0.0.2", 0))
        with contextlib.closing(other):
            other.sendall(wire.request_bytes("GET", "/healthz"))
            assert other.recv(100).startswith(b"HTTP/1.1 200")


def test_a_camera_that_is_too_fast_is_told_so_and_then_taken_again(narrow):
    statuses = [narrow.push(stills.one(), camera="fast") for _ in range(40)]
    slow = [answer for answer in statuses if answer.status == 429]
    assert 10 <= len([answer for answer in statuses if answer.status == 202]) < 40
    assert slow and slow[0].json["error"] == "tooFast" and slow[0]["Retry-After"] == "1"

    def taken():
        assert narrow.push(stills.one(), camera="fast").status == 202

    eventually(taken, 3)


@again_if_late
def test_bodies_on_their_way_in_share_a_bounded_memory(narrow):
    with contextlib.ExitStack() as stack:
        for camera in ("left", "right"):
            client = stack.enter_context(wire.Wire(narrow.private))
            body = stills.one()[:-2] + bytes(480_000)
            client.send(wire.request_bytes("POST", f"/ingest/{camera}", BEARER | {"Content-Length": 800_000}, body))

        def full():
            assert narrow.operators("/status").json["doors"]["uploads"]["bytes"] > 900_000

        # A body that stops is given up after a second.
        began = time.monotonic()
        try:
            eventually(full, 0.9)
        except AssertionError as error:
            raise Late(error) from error
        with wire.Wire(narrow.private) as client:
            client.send(wire.request_bytes("POST", "/ingest/late", BEARER, stills.one()[:-2] + bytes(200_000)))
            answer = client.answer()
            in_time(answer.status == 503 or time.monotonic() < began + 0.9, "the others were given up")
            assert (answer.status, answer.json["error"], answer["Retry-After"]) == (503, "noRoom", "1")

    def free():
        assert narrow.operators("/status").json["doors"]["uploads"]["bytes"] == 0

    eventually(free)
    assert narrow.push(stills.one(), camera="late").status == 202


def test_unfinished_bodies_without_a_secret_starve_no_camera_that_signs(tmp_path):
    text = f"upload-megabytes: 4\ncameras:\n  desk: {{token: {TOKEN}, signature: required}}\n  roof: {{token: {TOKEN}}}\n"
    body = stills.one()
    with configured(tmp_path, text, *SMALL) as server, contextlib.ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(wire.Wire(server.private))
            junk = signed(body, token="guess") | {"Content-Length": 900_000}
            with contextlib.suppress(OSError):
                client.send(wire.request_bytes("POST", INGEST, junk, body[:-2] + bytes(800_000)))

        def full():
            assert server.operators("/status").json["doors"]["uploads"]["bytes"] > 1_500_000

        eventually(full)
        large = body[:-2] + bytes(700_000) + body[-2:]
        for _ in range(5):
            # From the same address, and before the camera was ever known there.
            assert ask(server, INGEST, signed(large), large).status == 202
            assert server.push(body, camera="roof").status == 202


@pytest.fixture
def stack():
    with contextlib.ExitStack() as stack:
        yield stack


def test_no_core_is_dumped_and_no_other_process_of_the_user_reads_the_memory(stack):
    """A process that is not dumpable has its files in /proc belong to the superuser (proc(5)), here for another user."""
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    tmp_path = quietcam.pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quietcam-http-", dir="/tmp")))
    tmp_path.chmod(0o777)
    if subprocess.run([*as_nobody, "test", "-x", str(quietcam.binary())]).returncode != 0:
        pytest.skip("another user cannot run the program where it lies")
    command = [*as_nobody, quietcam.binary(), "serve", *FREE_PORTS, "--store", "memory", *ONE_CAMERA, *SMALL]
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=tmp_path, env=quietcam.environment(), stdin=subprocess.DEVNULL,
            stdout=log, stderr=log)
    try:

        def ready():
            assert "viewers:" in (tmp_path / "log").read_text(), (tmp_path / "log").read_text()

        eventually(ready)
        proc = quietcam.pathlib.Path("/proc", str(process.pid))
        assert re.search(r"Max core file size +0 +0 ", (proc / "limits").read_text())
        assert (proc / "mem").stat().st_uid == 0
        if as_nobody:
            read = subprocess.run([*as_nobody, "head", "-c1", str(proc / "environ")], capture_output=True)
            assert read.returncode != 0 and b"denied" in read.stderr
    finally:
        process.terminate()
        process.wait(15)


def test_what_viewers_must_not_see_is_readable_by_its_owner_alone(tmp_path):
    text = f"link-key: {KEY}\ncameras:\n  desk: {{token: {TOKEN}, access: signed}}\n  roof: {{token: {TOKEN}}}\n"
    store = tmp_path / "store"
    (store / "desk").mkdir(parents=True, mode=0o755)
    options = [*FREE_PORTS, "--config", configuration(tmp_path, text), *SMALL, "--store", store]
    with launched(*options) as server:
        server.wait_until_ready()
        for camera in ("desk", "roof"):
            assert server.push(stills.one(), camera=camera).status == 202

        def written():
            assert (store / "roof" / "state.json").exists() and (store / "roof" / "live.m3u8").exists()

        eventually(written)
    assert (store / "desk").stat().st_mode & 0o777 == 0o700
    assert (store / "roof").stat().st_mode & 0o777 == 0o755
    modes = {path.name: path.stat().st_mode & 0o777 for path in (store / "roof").iterdir() if path.is_file()}
    assert {mode for name, mode in modes.items() if name.endswith(".json")} == {0o600}, modes
    assert modes["live.m3u8"] == 0o644 and {mode for name, mode in modes.items() if name.endswith(".mp4")} == {0o644}


def memory_of(server):
    """The resident memory of a server's process in KiB, now and at most."""
    status = (quietcam.pathlib.Path("/proc") / str(server.process.pid) / "status").read_text()
    return tuple(int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) for name in ("VmRSS", "VmHWM"))


def bomb(width, height):
    """A JPEG that announces a huge picture and has next to nothing in it."""
    still = bytearray(stills.solid(1, 2, 3))
    at = still.index(b"\xff\xc0")
    still[at + 5 : at + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(still)


def test_a_huge_picture_in_a_few_bytes_costs_no_memory(server):
    server.push(stills.one())
    _, before = memory_of(server)
    for size in [(30_000, 30_000), (65_535, 65_535), (65_535, 1_600), (60_000, 2_000)] * 5:
        answer = server.push(bomb(*size))
        assert (answer.status, answer.json["error"]) == (413, "tooLarge"), size
    _, after = memory_of(server)
    assert after - before < 20_000


# What a body or a visitor can be made of


@pytest.mark.parametrize("size", [100, 100_000, 3_000_000])
def test_extensions_of_chunks_cost_no_memory(server, size):
    server.push(stills.one())
    _, before = memory_of(server)
    body = stills.one()
    with wire.Wire(server.private) as client:
        sent = wire.chunked(body, len(body), ";x=" + "y" * size)
        with contextlib.suppress(OSError):
            client.send(wire.request_bytes("POST", INGEST, BEARER | {"Transfer-Encoding": "chunked"}, sent))
        with contextlib.suppress(OSError, wire.Broken):
            assert client.answer().status in (202, 400, 413)
    _, after = memory_of(server)
    assert after - before < 20_000
    assert server.push(body).status == 202


def test_a_still_with_huge_application_segments_is_taken_and_costs_little(server):
    still = stills.one()
    large = still[:2] + (b"\xff\xef\xff\xff" + bytes(65_533)) * 200 + still[2:]
    began = time.monotonic()
    answers = [server.push(large).status for _ in range(3)]
    assert answers == [202] * 3 and time.monotonic() - began < 5
    server.settled()
