"""TLS and HTTP/2 on both doors, judged by curl and Python's own TLS."""

import contextlib
import json
import re
import ssl
import subprocess
import time

import pytest

import quietcam
import serving
import stills
import wire
from timing import again_if_late, in_time


def make_certificate(folder, name, names="IP:127.0.0.1"):
    """A self-signed certificate, for loopback if nothing else is said, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    return certificate, key


class Secure:
    """A server with TLS on both doors, asked by curl."""

    def __init__(self, server, certificate):
        self.server, self.certificate = server, certificate
        deadline = time.monotonic() + serving.START_SECONDS
        while time.monotonic() < deadline:
            viewers = re.search(r"viewers: +https://127\.0\.0\.1:(\d+)/", server.log())
            camera = re.search(r"stills: +https://127\.0\.0\.1:(\d+)/ingest/", server.log())
            if viewers and camera:
                self.public, self.private = int(viewers[1]), int(camera[1])
                break
            time.sleep(0.02)
        else:
            raise AssertionError(server.log())
        while self.curl(self.public, "/readyz", "-o", "/dev/null") != "200" or not server.finds_operator():
            time.sleep(0.02)

    def curl(self, port, path, *arguments, version="--http2", write="%{http_code}"):
        command = ["curl", "-sS", version, "--max-time", "30", "--cacert", str(self.certificate), "-w", write, *arguments]
        done = subprocess.run([*command, f"https://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True)
        return done.stdout


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = make_certificate(folder, "first")
    doors = [f"--{door}-{part}={path}" for door in ("public", "private")
             for part, path in (("certificate", certificate), ("key", key))]
    arguments = [*serving.FREE_PORTS, "--store", "memory", *serving.ONE_CAMERA, "--part", "0.5", "--segment", "2", *doors]
    with serving.launched(*arguments) as server:
        yield Secure(server, certificate)


def test_viewers_are_served_over_http_2_and_1_1(secure):
    for version, expected in (("--http2", "2"), ("--http1.1", "1.1")):
        answer = secure.curl(secure.public, "/desk/live.m3u8", version=version, write="\n%{http_version} %{http_code}")
        assert answer.startswith("#EXTM3U") and answer.endswith(f"\n{expected} 200")


def test_a_camera_pushes_over_http_2(secure, tmp_path):
    still = tmp_path / "still.jpg"
    still.write_bytes(stills.solid(20, 120, 220))
    answer = secure.curl(
        secure.private, "/ingest/desk", "-T", str(still), "-H", f"Authorization: Bearer {serving.TOKEN}",
        write="\n%{http_version} %{http_code}")
    body, _, status = answer.rpartition("\n")
    assert status == "2 202" and json.loads(body)["seq"] >= 1


@pytest.mark.parametrize("arguments", [["-H", "Content-Length:"], ["-F", "imageFile=@{};filename=a.jpg"]], ids=str)
def test_a_camera_pushes_a_body_without_length_or_a_form_over_http_2(secure, tmp_path, arguments):
    """Over HTTP/2 no body needs a length (RFC 9113, section 8.1.1)."""
    still = tmp_path / "still.jpg"
    still.write_bytes(stills.solid(20, 120, 220))
    how = [part.format(still) for part in arguments]
    answer = secure.curl(
        secure.private, "/ingest/desk", *how, *(["-T", str(still)] if "-F" not in how else []),
        "-H", f"Authorization: Bearer {serving.TOKEN}", write="\n%{http_version} %{http_code}")
    assert answer.endswith("\n2 202"), answer


def test_a_refusal_over_http_2_is_an_answer_and_no_broken_stream(secure, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(bytes(300_000))
    for token, expected in (("wrong-token", "2 401"), (serving.TOKEN, "2 415")):
        answer = secure.curl(
            secure.private, "/ingest/desk", "-T", str(large), "-H", f"Authorization: Bearer {token}",
            write="\n%{http_version} %{http_code}")
        assert answer.endswith(expected) and '"error"' in answer


def test_a_part_that_is_announced_comes_when_it_is_complete(secure):
    playlist = secure.curl(secure.public, "/desk/live.m3u8", write="")
    hint = re.search(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"', playlist)[1]
    assert secure.curl(secure.public, f"/desk/{hint}", "-o", "/dev/null") == "200"
    sequence, part, _ = hint.split(".")
    again = secure.curl(secure.public, f"/desk/live.m3u8?_HLS_msn={sequence}&_HLS_part={part}", write="")
    assert f'"{hint}"' in again


@again_if_late
def test_a_viewer_that_hangs_up_frees_its_place(secure):
    playlist = secure.curl(secure.public, "/desk/live.m3u8", write="")
    newest = re.findall(r"^(\d+)\.mp4$", playlist, re.M)[-1]
    url = f"https://127.0.0.1:{secure.public}/desk/live.m3u8?_HLS_msn={int(newest) + 3}"
    waiting = [subprocess.Popen(["curl", "-sk", "--http2", "-o", "/dev/null", url]) for _ in range(3)]

    def count():
        asked = f"Authorization: {secure.server.asked['Authorization']}"
        status = json.loads(secure.curl(secure.private, "/status", "-H", asked, write=""))
        return status["cameras"][0]["waiting"]["viewers"]

    deadline = time.monotonic() + 3
    while count() < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    seen = count()
    for process in waiting:
        process.kill()
        process.wait()
    in_time(seen == 3, "the segment came before all three had asked")
    deadline = time.monotonic() + 2
    while count() and time.monotonic() < deadline:
        time.sleep(0.05)
    in_time(count() == 0, "they wait on")


def test_one_connection_of_many_streams_takes_no_more_places_than_its_address_has(tmp_path):
    certificate, key = make_certificate(tmp_path, "one")
    options = ["--public-certificate", certificate, "--public-key", key, "--private-certificate", certificate]
    options += ["--private-key", key, "--part", 0.5, "--segment", 1, "--connections-per-address", 2]
    with serving.launched(*serving.FREE_PORTS, "--store", "memory", *serving.ONE_CAMERA, *options) as server:
        secure = Secure(server, certificate)
        newest = re.findall(r"^(\d+)\.mp4$", secure.curl(secure.public, "/desk/live.m3u8", write=""), re.M)[-1]
        # Far enough ahead that all have asked before the first is answered.
        url = f"https://127.0.0.1:{secure.public}/desk/live.m3u8?_HLS_msn={int(newest) + 3}&x="
        done = subprocess.run(
            ["curl", "-skZ", "--http2", "--parallel-max", "30", "-w", "%{http_code} %{num_connects}\n"]
            + [part for number in range(30) for part in ("-o", "/dev/null", url + str(number))],
            capture_output=True, text=True, timeout=60)
        seen = [line.split() for line in done.stdout.splitlines()]
        assert len(seen) == 30 and sum(int(connects) for _, connects in seen) <= 2
        assert [status for status, _ in seen].count("200") == 8, seen
        assert {status for status, _ in seen} == {"200", "503"}
        assert secure.curl(secure.public, "/desk/live.m3u8", "-o", "/dev/null") == "200"


def test_quietcam_push_trusts_the_certificate_it_is_given(secure, tmp_path):
    (tmp_path / "still.jpg").write_bytes(stills.solid(200, 20, 20))
    command = [quietcam.binary(), "push", tmp_path, "--to", f"https://127.0.0.1:{secure.private}/ingest/desk"]
    command += ["--token", serving.TOKEN, "--every", "0.2s"]
    done = subprocess.run([*command, "--ca", secure.certificate], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and "1 still taken" in done.stderr, done.stderr


def test_a_certificate_that_changes_is_taken_without_a_restart(secure):
    def shown():
        return ssl.get_server_certificate(("127.0.0.1", secure.public))

    before = shown()
    assert before.strip() == secure.certificate.read_text().strip()
    make_certificate(secure.certificate.parent, "second")
    for ending in ("pem", "key"):
        source = secure.certificate.parent / f"second.{ending}"
        source.replace(secure.certificate.parent / f"first.{ending}")
    deadline = time.monotonic() + 15
    while shown() == before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert shown().strip() == secure.certificate.read_text().strip() != before.strip()
    assert secure.curl(secure.public, "/healthz", "-o", "/dev/null") == "200"


def test_a_handshake_that_does_not_come_is_not_waited_for(tmp_path):
    certificate, key = make_certificate(tmp_path, "one")
    doors = [f"--{door}-{part}={path}" for door in ("public", "private")
             for part, path in (("certificate", certificate), ("key", key))]
    with serving.launched(
            *serving.FREE_PORTS, "--store", "memory", *serving.ONE_CAMERA, "--patience", "1s", "--public-connections", "3",
            *doors) as server:
        secure = Secure(server, certificate)
        with contextlib.ExitStack() as stack:
            clients, began = [], time.monotonic()
            for port in (secure.public, secure.private):
                for said in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
                    clients.append(stack.enter_context(wire.Wire(port)))
                    clients[-1].send(said)
            for client in clients:
                # What comes while the server closes is answered by a reset.
                with contextlib.suppress(ConnectionResetError):
                    while client.socket.recv(4096):
                        pass
            assert time.monotonic() - began < 10
        held = [wire.Wire(secure.public) for _ in range(3)]
        with wire.Wire(secure.public) as late:
            assert late.is_ended(), "who is turned away is not spoken to in the clear"
        for client in held:
            client.close()
        deadline = time.monotonic() + 10
        while True:
            try:
                assert secure.curl(secure.public, "/healthz", "-o", "/dev/null") == "200"
                break
            except subprocess.CalledProcessError:
                assert time.monotonic() < deadline
                time.sleep(0.2)


def test_files_that_do_not_belong_together_are_refused_by_name(tmp_path):
    certificate, _ = make_certificate(tmp_path, "one")
    _, key = make_certificate(tmp_path, "two")
    arguments = [*serving.FREE_PORTS, "--store", "memory", *serving.ONE_CAMERA]
    said = serving.refusal(*arguments, "--public-certificate", certificate, "--public-key", key)
    assert str(certificate) in said and str(key) in said
    said = serving.refusal(*arguments, "--public-certificate", certificate)
    assert "found without public-key; accepted: both or none" in said


# Files as authorities, orchestrators and operators leave them


def openssl(*words):
    subprocess.run(["openssl", *[str(word) for word in words]], check=True, capture_output=True)


def tls_of(certificate, key):
    return [f"--{door}-{part}={path}" for door in ("public", "private")
            for part, path in (("certificate", certificate), ("key", key))]


MEMORY = [*serving.FREE_PORTS, "--store", "memory", *serving.ONE_CAMERA, "--size", "128x96"]


def shown(port, within, expected):
    """Waits until the server shows this certificate."""
    deadline = time.monotonic() + within
    while (now := ssl.get_server_certificate(("127.0.0.1", port)).strip()) != expected.read_text().strip():
        assert time.monotonic() < deadline, now
        time.sleep(0.2)


def test_a_certificate_behind_a_link_is_taken_when_the_link_is_turned(tmp_path):
    """Kubernetes turns the link of a folder, certbot those of the files; what they lead to may be older."""
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        certificate, key = make_certificate(tmp_path / name, name)
        certificate.rename(tmp_path / name / "tls.crt")
        key.rename(tmp_path / name / "tls.key")
    data = tmp_path / "..data"
    data.symlink_to("old")
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    with serving.launched(*MEMORY, *tls_of(tmp_path / "tls.crt", tmp_path / "tls.key")) as server:
        secure = Secure(server, tmp_path / "old" / "tls.crt")
        shown(secure.public, 5, tmp_path / "old" / "tls.crt")
        (tmp_path / "..tmp").symlink_to("new")
        (tmp_path / "..tmp").replace(data)
        shown(secure.public, 15, tmp_path / "new" / "tls.crt")
        assert "was read anew" in server.log()


def test_a_certificate_that_is_wrong_later_is_told_once_and_the_old_one_is_kept(tmp_path):
    certificate, key = make_certificate(tmp_path, "one")
    before = certificate.read_text()
    with serving.launched(*MEMORY, *tls_of(certificate, key)) as server:
        secure = Secure(server, certificate)
        certificate.write_text("nothing")
        deadline = time.monotonic() + 15
        while "old certificate is kept" not in server.log():
            assert time.monotonic() < deadline
            time.sleep(0.2)
        time.sleep(6)
        assert server.log().count("old certificate is kept") == 2, "one line a door"
        assert ssl.get_server_certificate(("127.0.0.1", secure.public)).strip() == before.strip()


def authority(folder):
    """A root, an intermediate that it signed, and a leaf that the intermediate signed, with the leaf's key."""
    (folder / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\n")
    (folder / "leaf.ext").write_text("subjectAltName=IP:127.0.0.1\n")
    signer = []
    for name, extension in (("root", "ca.ext"), ("middle", "ca.ext"), ("leaf", "leaf.ext")):
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-days", "30", "-extfile", folder / extension, "-out",
                folder / f"{name}.pem", *(signer or ["-signkey", folder / "root.key"]))
        signer = ["-CA", folder / f"{name}.pem", "-CAkey", folder / f"{name}.key", "-CAcreateserial"]
    return [(folder / f"{name}.pem").read_text() for name in ("leaf", "middle", "root")]


def test_a_chain_in_the_wrong_order_is_told(tmp_path):
    leaf, middle, _ = authority(tmp_path)
    chain, key = tmp_path / "chain.pem", tmp_path / "leaf.key"
    chain.write_text(middle + leaf)
    said = serving.refusal(*MEMORY, "--public-certificate", chain, "--public-key", key)
    assert "wrong order" in said and str(chain) in said and "certificate 2" in said
    chain.write_text(leaf + middle)
    with serving.launched(*MEMORY, *tls_of(chain, key)) as server:
        secure = Secure(server, tmp_path / "root.pem")
        assert secure.curl(secure.public, "/healthz", "-o", "/dev/null") == "200"


@pytest.mark.parametrize("form", ["PKCS#8", "traditional"])
def test_a_key_with_a_password_is_told(tmp_path, form):
    certificate, key = make_certificate(tmp_path, "one")
    locked = tmp_path / "locked.key"
    openssl("pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked,
            *(["-traditional"] if form == "traditional" else []))
    said = serving.refusal(*MEMORY, "--public-certificate", certificate, "--public-key", locked)
    assert "has a password" in said and str(locked) in said and "openssl pkey" in said


def test_files_that_are_exchanged_are_told(tmp_path):
    certificate, key = make_certificate(tmp_path, "one")
    said = serving.refusal(*MEMORY, "--public-certificate", key, "--public-key", certificate)
    assert "no certificate" in said and "but a key" in said and str(key) in said


@pytest.mark.parametrize("days, word", [(-1, "has expired"), (3, "expires on"), (300, None)])
def test_a_certificate_that_ends_is_told_with_its_day(tmp_path, days, word):
    certificate, key = make_certificate(tmp_path, "one")
    openssl("req", "-new", "-key", key, "-subj", "/CN=one", "-out", tmp_path / "one.csr")
    (tmp_path / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", tmp_path / "one.csr", "-signkey", key, "-days", days, "-extfile", tmp_path / "ext", "-out",
            certificate)
    with serving.launched(*MEMORY, *tls_of(certificate, key)) as server:
        secure = Secure(server, certificate) if days > 0 else None
        deadline = time.monotonic() + 20
        while "stills:" not in server.log():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        lines = [line for line in server.log().splitlines() if "certificate" in line]
        assert bool(lines) == bool(word) and all(word in line and str(certificate) in line for line in lines)
        assert all(re.search(r"20\d\d-\d\d-\d\dT", line) for line in lines)
        assert secure is None or secure.curl(secure.public, "/healthz", "-o", "/dev/null") == "200"
