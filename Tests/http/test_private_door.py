"""Who is heard at the private address: by which host names, and with which operator's token where the settings have none.

| attack | gets | before |
|---|---|---|
| a page whose own name was led to this machine (DNS rebinding) asks for anything | 421 | 200 from `/status`, `recent.mp4` |
| a process without the token reads the status, the metrics, the last pictures | 401 | 200 |
| a process gives commands with a guess, a camera's token, or none | 401 | 403, and the operator could not either |
| another user reads the token that the server made | nothing (mode 0600; no log has it) | |
| a web server that serves the store as the handbook says is asked for it | 404 | |
| a loop is recorded from an address that is not this machine | the token stays here | |
| no `Host`, two of them, at either door | 400, and the connection ends | the first one counted |
"""

import contextlib
import http.server
import os
import re
import shutil
import stat
import subprocess
import threading
import time

import pytest

import recipes
import serving
import stills
import wire
from doors import SMALL
from serving import BEARER, CAMERA, FREE_PORTS, ONE_CAMERA, launched, refusal
from test_loop import OPTIONS, run
from test_tls import Secure, make_certificate

NAMES = "Cam.example.org, quiet_cam"
TARGETS = [
    ("GET", "/status"), ("GET", "/metrics"), ("GET", "/cameras/desk/recent.mp4"), ("POST", "/cameras/desk/pause"),
    ("POST", "/ingest/desk"), ("OPTIONS", "/status"), ("GET", "/"), ("GET", "/nowhere"),
]


@pytest.fixture(scope="module")
def server():
    with serving.serving(*SMALL, "--private-hosts", NAMES) as server:
        yield server


def ask_as(port, host, method, target, fields=(), body=b"", version="HTTP/1.1"):
    """A request with exactly this `Host`; `None` sends none."""
    head = f"{method} {target} {version}\r\n" + ("" if host is None else f"Host: {host}\r\n")
    head += "".join(f"{name}: {value}\r\n" for name, value in dict(fields).items())
    with wire.Wire(port) as client:
        client.send(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return client.answer(method)


# Hosts


@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "evil.localhost", "127.1",
    "2130706433", "0x7f.1", "user@127.0.0.1", "127.0.0.1:{port}@evil.example", "[::1].evil.example", "[::1", "::1",
    "cam.example.org.evil.example", "evil.example#.cam.example.org", "127.0.0.1:http", "",
])
def test_a_name_that_others_can_lead_here_gets_nothing_whatever_it_shows(server, host):
    host = host.format(port=server.private)
    for method, target in TARGETS:
        for fields in ({}, server.asked, BEARER, {"X-Forwarded-Host": "127.0.0.1", "Sec-Fetch-Site": "same-origin"}):
            answer = ask_as(server.private, host, method, target, fields, stills.one() if method == "POST" else b"")
            assert (answer.status, answer.json["error"]) == (421, "unknownHost"), (host, method, target, fields)
            assert "private-hosts" in answer.json["detail"]
            assert CAMERA not in answer.text and answer["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.0.0.1:{port}", "10.1.2.3:8081", "[::1]", "[::1]:{port}", "[fe80::1%25eth0]:1", "localhost",
    "LocalHost:{port}", "localhost.", "cam.example.org", "CAM.example.org:443", "cam.example.org.", "quiet_cam:8081",
])
def test_addresses_localhost_and_names_of_the_settings_are_heard(server, host):
    host = host.format(port=server.private)
    assert ask_as(server.private, host, "GET", "/status", server.asked).status == 200
    assert ask_as(server.private, host, "POST", "/ingest/desk", BEARER, stills.one()).status == 202
    assert ask_as(server.private, host, "GET", "/status").status == 401


def test_a_request_without_a_host_is_no_browsers(server):
    assert ask_as(server.private, None, "GET", "/status", server.asked, version="HTTP/1.0").status == 200
    assert ask_as(server.private, None, "GET", "/status", version="HTTP/1.0").status == 401
    assert ask_as(server.private, None, "GET", "/status", server.asked).status == 400


@pytest.mark.parametrize("door", ["public", "private"])
@pytest.mark.parametrize("hosts", [
    [], ["127.0.0.1", "evil.example"], ["evil.example", "127.0.0.1"], ["127.0.0.1", "127.0.0.1"], ["127.0.0.1", ""],
], ids=lambda hosts: "+".join(hosts) or "none")
def test_a_request_has_one_host(server, door, hosts):
    """What stands in front may read the other one (RFC 9112, section 3.2). What comes behind it is not read either."""
    target = "/status" if door == "private" else f"/{CAMERA}/live.m3u8"
    lines = [f"GET {target} HTTP/1.1", *(f"Host: {host}" for host in hosts)]
    lines += [f"{name}: {value}" for name, value in server.asked.items()]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    good = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with wire.Wire(getattr(server, door)) as client:
        client.send(request + good)
        answer = client.answer()
        assert answer.status == 400 and CAMERA not in answer.text, answer
        assert client.is_ended()


def test_a_name_is_told_once_in_the_log_and_nothing_else_of_it():
    with serving.serving(*SMALL) as server:
        for host in ["nas.lan"] * 5 + [f"made-up-{n}.example" for n in range(40)] + ["a\x1b[31mred", "x y", "q" * 300]:
            ask_as(server.private, host, "GET", "/status")
        lines = [line for line in server.log().splitlines() if "private-hosts" in line]
    assert len([line for line in lines if "nas.lan" in line]) == 1
    assert len(lines) == 16 and not [line for line in lines if "red" in line or "q" * 100 in line]


def test_the_host_of_the_private_address_itself_is_heard():
    with launched("--public", "127.0.0.1:0", "--private", "localhost:0", "--store", "memory", *ONE_CAMERA, *SMALL) as server:
        deadline = time.monotonic() + serving.START_SECONDS
        while (found := re.search(r"stills: +http://localhost:(\d+)/", server.log())) is None:
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.02)
        assert ask_as(int(found[1]), "localhost", "GET", "/status").status == 401


def test_http_2_names_hosts_too(tmp_path):
    certificate, key = make_certificate(tmp_path, "door", "IP:127.0.0.1,DNS:evil.example,DNS:cam.example.org")
    files = [f"--{door}-{part}={path}" for door in ("public", "private")
             for part, path in (("certificate", certificate), ("key", key))]
    options = [*FREE_PORTS, "--store", "memory", *ONE_CAMERA, *SMALL, *files, "--private-hosts", "cam.example.org"]
    with launched(*options) as server:
        secure = Secure(server, certificate)
        for name, expected in (("evil.example", "421"), ("cam.example.org", "200"), ("127.0.0.1", "200")):
            said = subprocess.run(
                ["curl", "-sS", "--http2", "--cacert", certificate, "--connect-to", f"::127.0.0.1:{secure.private}", "-H",
                 f"Authorization: {server.asked['Authorization']}", "-o", os.devnull, "-w", "%{http_version} %{http_code}",
                 f"https://{name}/status"], capture_output=True, text=True, check=True, timeout=30).stdout
            assert said == f"2 {expected}", name


@pytest.mark.parametrize("names", ["10.0.0.1", "evil.example:80", "http://cam.example.org", "*", "a..b", "a b/c", "é.example"])
def test_names_that_are_none_are_told(names):
    text = refusal(*FREE_PORTS, "--store", "memory", *ONE_CAMERA, *SMALL, "--private-hosts", names)
    assert "--private-hosts" in text and "host names" in text


# The token


def test_nothing_of_the_private_address_is_read_or_switched_without_the_token(server):
    for method, target in (
        ("GET", "/status"), ("GET", "/metrics"), ("GET", "/cameras/desk/recent.mp4"), ("GET", "/cameras/nobody/recent.mp4"),
        ("POST", "/cameras/desk/pause"), ("POST", "/cameras/desk/withdraw"),
    ):
        for fields in ({}, BEARER):
            assert server.camera(method, target, fields).status in (401, 429), target
    assert server.operators("/status").status == server.operators("/metrics").status == 200
    assert server.operators("/cameras/desk/pause", "POST").status == 200
    assert server.operators("/cameras/desk/resume", "POST").status == 200


def test_the_server_makes_a_token_once_and_says_where_it_is(tmp_path):
    store, file = tmp_path / "kept" / "store", tmp_path / "kept" / "store" / "operator-token"
    tokens = []
    for start in range(2):
        with serving.serving(*SMALL, store=store, home=tmp_path) as server:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            token = file.read_text()
            assert re.fullmatch(r"[0-9a-f]{32}\n", token)
            assert server.camera("GET", "/status", {"Authorization": f"Bearer {token.strip()}"}).status == 200
            assert server.camera("GET", "/status").status == 401
            assert f"operator: {'new ' if start == 0 else ''}token in {file}" in server.log()
            assert token.strip() not in server.log()
            # Viewers get no file of the store by its name.
            assert server.get("/operator-token").status == 404
            tokens.append(token)
    assert tokens[0] == tokens[1]
    assert sorted(path.name for path in store.iterdir() if path.is_file() and not path.name.startswith("quietcam.")) == [
        "operator-token"]


def test_a_token_of_the_settings_leaves_the_file_alone(tmp_path):
    with serving.serving(*SMALL, "--operator-token", serving.OPERATOR, store=tmp_path) as server:
        assert server.status()["camera"] == CAMERA
        assert not (tmp_path / "operator-token").exists() and "token in" not in server.log()
    (tmp_path / "operator-token").write_text("an-older-one-of-the-file\n")
    with serving.serving(*SMALL, "--operator-token", serving.OPERATOR, store=tmp_path) as server:
        old = {"Authorization": "Bearer an-older-one-of-the-file"}
        assert server.camera("GET", "/status", old).status == 401


def test_a_token_that_the_owner_put_there_is_used(tmp_path):
    (tmp_path / "operator-token").write_text("my-own-long-secret\r\n")
    (tmp_path / "operator-token").chmod(0o644)
    with serving.serving(*SMALL, store=tmp_path) as server:
        assert server.asked == {"Authorization": "Bearer my-own-long-secret"}
        assert server.status()["camera"] == CAMERA
        assert "chmod 600" in server.log()


@pytest.mark.parametrize("content", [b"", b"\n", b"short\n", b"with a space in it\n", b"\x00" * 33, b"x" * 2000, "ü".encode() * 10,
                                     b"sha256:0123\n", None])
def test_a_file_without_a_token_is_told_and_kept(tmp_path, content):
    file = tmp_path / "operator-token"
    if content is None:
        file.symlink_to(tmp_path / "elsewhere")
    else:
        file.write_bytes(content)
    text = refusal(*FREE_PORTS, "--store", tmp_path, *ONE_CAMERA, *SMALL)
    assert str(file) in text and ("remove it" in text or "operator-token" in text) and "Fatal error" not in text
    assert content is None or file.read_bytes() == content


def test_many_starts_at_once_make_one_token(tmp_path):
    """Each has a camera of its own in the same store, so that none waits for another's lock."""
    with contextlib.ExitStack() as stack:
        options = [*FREE_PORTS, "--store", tmp_path, "--token", serving.TOKEN, *SMALL]
        servers = [stack.enter_context(launched(*options, "--camera", f"cam{n}", home=tmp_path)) for n in range(4)]
        asked = {server.wait_until_ready().asked["Authorization"] for server in servers}
    assert asked == {f"Bearer {(tmp_path / 'operator-token').read_text().strip()}"}
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".operator")]


def test_without_a_store_the_token_is_printed_once_and_ends_with_the_process():
    tokens = set()
    for _ in range(2):
        with serving.serving(*SMALL) as server:
            tokens |= set(found := re.findall(r"^operator: token (\S+) ", server.log(), re.M))
            assert len(found) == 1 and server.log().count(found[0]) == 1
    assert len(tokens) == 2


def test_no_camera_has_the_name_of_the_file():
    assert "operator-token" in refusal(*FREE_PORTS, "--store", "memory", "--camera", "operator-token", "--token", serving.TOKEN)


# Commands on the same machine


def test_a_loop_is_recorded_without_giving_the_token(tmp_path):
    (tmp_path / "work").mkdir()
    with serving.serving(*OPTIONS[2:], store=tmp_path / "work" / "hls-out", home=tmp_path) as server:
        while server.operators("/cameras/desk/recent.mp4").status == 404:
            assert server.push(stills.one()).status == 202
            time.sleep(0.2)
        code, said, errors = run(tmp_path / "work", "--record", "10m", "--server", f"http://127.0.0.1:{server.private}")
    assert code == 0 and "segments" in said, errors


class Listener(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.shown.append(self.headers["Authorization"])
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("host, shows", [("127.0.0.1", True), ("127.0.0.2", False)])
def test_the_token_of_the_store_is_not_shown_to_another_machine(tmp_path, host, shows):
    (tmp_path / "hls-out").mkdir()
    (tmp_path / "hls-out" / "operator-token").write_text("secret-of-this-store\n")
    with http.server.ThreadingHTTPServer((host, 0), Listener) as other:
        other.shown = []
        thread = threading.Thread(target=other.serve_forever, daemon=True)
        thread.start()
        try:
            code, _, _ = run(tmp_path, "--record", "10m", "--server", f"http://{host}:{other.server_port}")
        finally:
            other.shutdown()
            thread.join()
    assert code != 0 and other.shown == ["Bearer secret-of-this-store" if shows else None]


# The store, served by others


def test_a_web_server_that_serves_the_store_keeps_its_secrets(tmp_path):
    """nginx as the very user who runs the server, with the handbook's configuration."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert program, "nginx is not installed; install what .ci/test-packages.txt lists"
    store, port = tmp_path / "store", serving.free_ports(1)[0]
    paths = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    site = recipes.recipe("nginx-folder", {"/path/to/hls-out": store, "listen 80": f"listen 127.0.0.1:{port}"})
    user = "user root;" if os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(
        f"{user} daemon off; master_process off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;\n"
        f"events {{ worker_connections 64; }}\nhttp {{ access_log off; {paths}\n{site}\n}}\n")
    with serving.serving(*SMALL, store=store, home=tmp_path) as server:
        server.push(stills.one())
        process = subprocess.Popen(
            [program, "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            playlist, found = None, f"/{CAMERA}/live.m3u8"
            while playlist is None or playlist.status != 200:
                assert process.poll() is None, (tmp_path / "error.log").read_text()
                time.sleep(0.02)
                with contextlib.suppress(OSError):
                    playlist = wire.ask(port, "GET", found)
            assert wire.ask(port, "GET", f"/{CAMERA}/latest.jpg").status == 200
            secrets = [path for path in store.rglob("*") if path.is_file() and not path.stat().st_mode & 0o044]
            assert store / "operator-token" in secrets
            for path in [*secrets, store / "quietcam.sqlite"]:
                answer = wire.ask(port, "GET", f"/{path.relative_to(store)}")
                assert answer.status == 404, path
        finally:
            process.terminate()
            process.wait(10)
