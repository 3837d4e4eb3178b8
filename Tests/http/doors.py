"""What the tests of the doors share: their servers, who asks, signatures and links."""

import contextlib
import hashlib
import hmac
import re
import subprocess
import time

import pytest

import quietcam
import wire
from serving import FREE_PORTS, TOKEN, launched, serving

INGEST = "/ingest/desk"
SMALL = ["--size", "128x96", "--rate", "5", "--part", "0.2", "--segment", "1"]
KEY = "link-key-of-the-tests"
PHOTO = "/photo-1-64x48-0123456789abcdef.jpg"


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


def quiet(*arguments, environment=None, code=0):
    done = subprocess.run(
        [str(part) for part in [quietcam.binary(), *arguments]], capture_output=True, text=True, timeout=30,
        env=quietcam.environment() | (environment or {}))
    assert done.returncode == code, done
    return done.stdout if code == 0 else done.stderr


def signed(body, token=TOKEN, camera="desk", at=None, tell=None):
    at = at or f"{time.time():.6f}"
    key = hashlib.sha256(token.encode()).hexdigest()
    message = f"{at}\n{camera}\n{hashlib.sha256(body).hexdigest()}"
    signature = hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()
    return {"X-Quietcam-Time": tell or at, "X-Quietcam-Signature": signature}


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


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """A server that has little room and no patience, and cameras that no two tests share."""
    text = "defaults: {max-rate: 5, max-still-bytes: 900000}\ncameras:\n"
    text += "".join(f"  {name}: {{token: {TOKEN}}}\n" for name in ("desk", "fast", "left", "right", "late"))
    limits = ["--public-connections", 20, "--private-connections", 10, "--patience", "1s", "--upload-megabytes", 1]
    with configured(tmp_path_factory.mktemp("narrow"), text, *SMALL, *limits) as server:
        yield server


def eventually(look, within=30):
    deadline = time.monotonic() + within
    while True:
        try:
            return look()
        except (AssertionError, OSError, wire.Broken):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
