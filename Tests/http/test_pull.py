"""`quietcam push http://…/snapshot.jpg`: cameras that are asked for their picture, with every kind of login."""

import contextlib
import hashlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest

import quietcam
import stills
from dropping import QUICK
from ports import free_ports
from serving import TOKEN, serving
from snapshots import SnapshotCamera
from test_tls import make_certificate

GREEN = (20, 200, 20)


@pytest.fixture(scope="module")
def server():
    with serving(*QUICK, "--interval", 0.2) as server:
        yield server


@contextlib.contextmanager
def pulling(server, address, *arguments):
    to = f"http://127.0.0.1:{server.private}/ingest/desk"
    process = subprocess.Popen(
        [quietcam.binary(), "push", address, "--to", to, "--token", TOKEN, *map(str, arguments)],
        env=quietcam.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.output, _ = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


def wait_for_taken(server, count, process, within=15):
    began = server.status()["stills"]["taken"]
    deadline = time.monotonic() + within
    while server.status()["stills"]["taken"] < began + count:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "no stills came"
        time.sleep(0.05)


def address_of(camera):
    login = ":".join(urllib.parse.quote(part, safe="") for part in (camera.user, camera.password))
    return f"http://{login}@127.0.0.1:{camera.port}/snap%20shot.jpg?channel=1&x=%2F"


@pytest.mark.parametrize("scheme", ["basic", "MD5", "SHA-256", "MD5-sess", "SHA-256-sess"])
def test_a_camera_with_a_login(server, scheme):
    with SnapshotCamera(stills.solid(*GREEN), scheme) as camera:
        with pulling(server, address_of(camera)) as process:
            wait_for_taken(server, 5, process)
        assert process.returncode == 0, process.output
        assert camera.wrong == []
        # One question at first, and one whenever a nonce has grown stale: no login costs a request of its own.
        stale = camera.served // camera.uses if scheme != "basic" else 0
        assert camera.asked <= 1 + stale
        assert "pass" not in process.output


def test_the_password_may_stand_in_a_file(server, tmp_path):
    with SnapshotCamera(stills.solid(*GREEN), "SHA-256") as camera:
        secret = tmp_path / "password"
        secret.write_text(camera.password + "\n")
        address = f"http://127.0.0.1:{camera.port}/snapshot.jpg"
        with pulling(server, address, "--user", camera.user, "--password-file", secret) as process:
            wait_for_taken(server, 2, process)
        assert camera.wrong == []


@pytest.mark.parametrize("scheme", ["basic", "MD5", "SHA-256"])
def test_a_wrong_password_is_told_and_tried_once(server, scheme):
    with SnapshotCamera(stills.solid(*GREEN), scheme, password="another") as camera:
        address = f"http://viewer:wr0ng-secret@127.0.0.1:{camera.port}/snapshot.jpg"
        with pulling(server, address) as process:
            assert process.wait(15) != 0
        assert "user and password" in process.output and "wr0ng-secret" not in process.output
        assert len(camera.wrong) == 1


def test_without_a_user_the_camera_gets_none(server):
    with SnapshotCamera(stills.solid(*GREEN), "MD5") as camera:
        with pulling(server, f"http://127.0.0.1:{camera.port}/snapshot.jpg") as process:
            assert process.wait(15) != 0
        assert camera.asked == 1 and camera.wrong == []
        assert "--password-file" in process.output


def test_apaches_digest(server, tmp_path):
    apache = shutil.which("apache2", path="/usr/sbin:/usr/bin") or pytest.skip("apache2-bin is not installed")
    (port,) = free_ports(1)
    (tmp_path / "snapshot.jpg").write_bytes(stills.solid(*GREEN))
    secret = hashlib.md5(b"viewer:cam:secret").hexdigest()
    (tmp_path / "users").write_text(f"viewer:cam:{secret}\n")
    modules = ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_digest", "mime"]
    config = [f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in modules]
    config += [
        f"ServerRoot {tmp_path}",
        f"ServerName 127.0.0.1\nListen 127.0.0.1:{port}",
        f"PidFile {tmp_path}/pid\nErrorLog {tmp_path}/error.log\nMutex file:{tmp_path}\nTypesConfig /dev/null",
        f"DocumentRoot {tmp_path}",
        "AddType image/jpeg .jpg",
        f'<Directory {tmp_path}>\nAuthType Digest\nAuthName cam\nAuthUserFile "{tmp_path}/users"',
        "AuthDigestQop auth\nAuthDigestNonceLifetime 1\nRequire valid-user\n</Directory>",
    ]
    (tmp_path / "apache.conf").write_text("\n".join(config) + "\n")
    for path in [tmp_path, *tmp_path.parents[:2]]:
        path.chmod(0o755)
    process = subprocess.Popen([apache, "-X", "-f", str(tmp_path / "apache.conf")])
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "error.log").read_text()
            time.sleep(0.05)
        with pulling(server, f"http://viewer:secret@127.0.0.1:{port}/snapshot.jpg", "--every", "250ms") as push:
            wait_for_taken(server, 6, push)
    finally:
        process.terminate()
        process.wait(10)


def test_the_servers_interval_holds_where_none_is_given(server):
    with SnapshotCamera(stills.solid(*GREEN), "basic") as camera:
        with pulling(server, address_of(camera)) as process:
            wait_for_taken(server, 6, process)  # At 2 s each, the pusher's own pace, these took 10 s.
            began = camera.served
            time.sleep(1)
            assert camera.served - began >= 2
        with pulling(server, address_of(camera), "--every", "30s") as process:
            wait_for_taken(server, 1, process)
            began = camera.served
            time.sleep(1)
            assert camera.served == began


# TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A camera's certificate, which bears no name that anyone would call it by, and a stranger's."""
    folder = tmp_path_factory.mktemp("certificates")
    return [make_certificate(folder, name, "DNS:ipcam.invalid") for name in ("camera", "stranger")]


def secure(certificate, body=None, type_="image/jpeg"):
    return SnapshotCamera(body or stills.solid(*GREEN), "basic", type_=type_, certificate=certificate)


@pytest.mark.parametrize("trusted", [None, 1], ids=["nobody", "another"])
def test_a_camera_whose_certificate_nobody_vouches_for_gets_no_login(server, certificates, trusted):
    with secure(certificates[0]) as camera:
        flags = [] if trusted is None else ["--source-ca", certificates[trusted][0]]
        with pulling(server, address_of(camera).replace("http:", "https:"), *flags) as process:
            assert process.wait(20) != 0
        assert "--source-ca FILE" in process.output and "pass" not in process.output
        assert (camera.asked, camera.served, camera.wrong) == (0, 0, [])


def test_a_camera_is_trusted_by_its_own_certificate(server, certificates):
    with secure(certificates[0]) as camera:
        address = address_of(camera).replace("http:", "https:")
        with pulling(server, address, "--source-ca", certificates[0][0]) as process:
            wait_for_taken(server, 3, process)


@pytest.mark.parametrize("is_trusted", [False, True], ids=["not trusted", "trusted"])
def test_a_video_over_tls_needs_a_certificate_that_is_trusted(server, tmp_path, is_trusted):
    certificate = make_certificate(tmp_path, "video", "IP:127.0.0.1")
    part = b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + stills.solid(*GREEN) + b"\r\n"
    with secure(certificate, part * 20 + b"--b--\r\n", "multipart/x-mixed-replace;boundary=b") as camera:
        address = address_of(camera).replace("http:", "https:")
        with pulling(server, address, *(["--source-ca", certificate[0]] if is_trusted else [])) as process:
            if is_trusted:
                wait_for_taken(server, 1, process)
            else:
                assert process.wait(20) != 0
        assert (camera.served > 0) == is_trusted
