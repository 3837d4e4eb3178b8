"""Stills that are signed: taken once, as they are, at their time; see `test_doors` for all attacks."""

import os
import re
import subprocess
import time

import pytest

import quietcam
import recipes
import stills
import wire
from doors import INGEST, SMALL, ask, configuration, configured, signed
from serving import BEARER, FREE_PORTS, TOKEN, launched

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
