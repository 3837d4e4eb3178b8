"""`quietcam push http://…`: cameras whose answers are not as the specifications have them, and cameras that are not there."""

import contextlib
import subprocess
import threading
import time

import pytest

import odd_camera
import quietcam
import stills
from dropping import QUICK
from odd_camera import OK, TYPE, OddCamera, snapshots_of, stream_of
from ports import free_ports
from serving import TOKEN, serving
from snapshots import SnapshotCamera
from test_pull import pulling, wait_for_taken

GREEN = (20, 200, 20)
JPEG = stills.solid(*GREEN)
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Please log in</html>"


@pytest.fixture(scope="module")
def server():
    with serving(*QUICK, "--interval", 0.2) as server:
        yield server


def expect(server, camera, count=2, *arguments):
    began = server.status()["stills"]["refused"]
    with camera, pulling(server, camera.address, "--every", "200ms", *arguments) as process:
        wait_for_taken(server, count, process)
    assert process.returncode == 0, process.output
    assert server.status()["stills"]["refused"] == began, process.output
    return process.output


@pytest.mark.parametrize("case", odd_camera.snapshots(JPEG))
def test_a_snapshot_in_an_odd_answer(server, case):
    expect(server, snapshots_of(*odd_camera.snapshots(JPEG)[case]))


@pytest.mark.parametrize("case", odd_camera.streams(JPEG))
def test_a_stream_in_odd_parts(server, case):
    camera = stream_of(*odd_camera.streams(JPEG)[case])
    expect(server, camera, 3)
    # Pictures behind each other may come too slowly to be told from a snapshot at first.
    assert camera.connections == 1


def test_a_camera_keeps_its_connection(server):
    camera = snapshots_of(*odd_camera.snapshots(JPEG)["as it should be"])
    expect(server, camera, 4)
    assert camera.connections == 1


def test_a_connection_that_was_closed_meanwhile_is_no_trouble(server):
    def serve(number, client):
        camera.request(client)
        client.sendall(odd_camera.snapshots(JPEG)["as it should be"][0])
        time.sleep(0.05)  # And then it is closed, though nothing said so.

    camera = OddCamera(serve)
    output = expect(server, camera, 3)
    assert "0 tries failed" in output and "camera:" not in output, output


@pytest.mark.parametrize("scheme", ["SHA-256", "basic"])
def test_a_stream_with_a_login(server, scheme):
    body = (b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + JPEG + b"\r\n") * 200
    with SnapshotCamera(body, scheme, type_="multipart/x-mixed-replace;boundary=b", uses=1000) as camera:
        address = f"http://127.0.0.1:{camera.port}/video"
        login = f"http://{camera.user}:pass%3Aword%40%2F%3F@127.0.0.1:{camera.port}/video"
        with pulling(server, login, "--every", "200ms") as process:
            wait_for_taken(server, 2, process)
        assert camera.wrong == [] and address not in "".join(camera.wrong)


# Cameras that are not there


@contextlib.contextmanager
def telling(server, address, folder):
    """A push whose words can be read while it runs: `wait_for(words)` fails when it ends before it says them."""
    log = folder / "push.log"
    to = f"http://127.0.0.1:{server.private}/ingest/desk"
    with open(log, "wb") as file:
        process = subprocess.Popen(
            [quietcam.binary(), "push", address, "--to", to, "--token", TOKEN, "--every", "200ms"],
            env=quietcam.environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=file)

    def wait_for(words, within=30):
        deadline = time.monotonic() + within
        while words not in log.read_text():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)

    try:
        yield process, wait_for
        assert process.poll() is None, log.read_text()
        process.terminate()
        assert process.wait(10) == 0, log.read_text()
        assert "Usage" not in log.read_text() and "Input/output error" not in log.read_text(), log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_a_camera_that_is_busy_at_first(server):
    def serve(number, client):
        if camera.request(client):
            busy = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
            client.sendall(busy if number < 3 else OK + TYPE + b"\r\n" + JPEG)

    camera = OddCamera(serve)
    output = expect(server, camera, 2)
    assert "busy (answer 503)" in output and "trying again" in output, output


def test_a_camera_that_comes_later_than_its_host(server, tmp_path):
    (port,) = free_ports(1)
    with telling(server, f"http://127.0.0.1:{port}/shot.jpg", tmp_path) as (process, wait_for):
        wait_for("connection refused; trying again")
        with stream_of_at(port):
            wait_for_taken(server, 2, process, within=30)


def stream_of_at(port):
    def serve(number, client):
        if camera.request(client):
            client.sendall(OK + TYPE + b"\r\n" + JPEG)

    camera = OddCamera(serve, port)
    return camera


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_an_address_where_nobody_is_is_tried_until_the_end(server, tmp_path, scheme):
    (port,) = free_ports(1)
    with telling(server, f"{scheme}://127.0.0.1:{port}/live", tmp_path) as (_, wait_for):
        wait_for("connection refused; trying again")


def test_a_stream_that_breaks_off_is_asked_for_again(server):
    def serve(number, client):
        if camera.request(client):
            client.sendall(odd_camera.STREAM + b"--x\r\n" + TYPE + b"\r\n" + JPEG + b"\r\n--x\r\n\r\n" + JPEG[:500])

    camera = OddCamera(serve)
    expect(server, camera, 4)
    assert camera.connections >= 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answer 404"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "answer 403"),
        (HTML, 'begins with "<html>Please log in'),
        (b"HTTP/1.1 302 Found\r\nLocation: mailto:a@b\r\n\r\n", "302 leads nowhere"),
    ],
    ids=["404", "403", "html", "nowhere"],
)
def test_what_only_a_person_can_set_right_ends_the_command(server, answer, words):
    with snapshots_of(answer, False) as camera:
        with pulling(server, camera.address) as process:
            assert process.wait(15) != 0
        assert words in process.output, process.output
        assert "Input/output error" not in process.output and "Usage" not in process.output


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"220 ready\r\n", "220 ready"), (b"", "without an answer"), (b"HTTP/1.1 200 OK\r\n\r\n", "is empty")],
    ids=["no HTTP", "nothing", "empty"],
)
def test_each_error_says_what_was_read(server, tmp_path, answer, words):
    with snapshots_of(answer, False) as camera:
        with telling(server, camera.address, tmp_path) as (_, wait_for):
            wait_for(words)
            wait_for("trying again")


def test_a_redirect_to_itself_with_a_cookie_is_followed(server):
    def serve(number, client):
        while head := camera.request(client):
            if b"cookie: session=a1=" in head.lower():
                client.sendall(OK + TYPE + b"Content-Length: %d\r\n\r\n" % len(JPEG) + JPEG)
            else:
                client.sendall(
                    b"HTTP/1.1 302 Found\r\nSet-Cookie: session=a1=; path=/; HttpOnly\r\nLocation: /shot.jpg\r\n"
                    b"Content-Length: 0\r\n\r\n")

    camera = OddCamera(serve)
    expect(server, camera, 2)


def test_a_login_never_reaches_the_host_that_a_camera_leads_to(server):
    """The camera asks for a login, then leads to another server, whose connection stays open for the next request."""
    def lead(number, client):
        while head := camera.request(client):
            if b"authorization: basic" in head.lower():
                client.sendall(
                    b"HTTP/1.1 302 Found\r\nSet-Cookie: session=secret\r\nContent-Length: 0\r\n"
                    b"Location: %s\r\n\r\n" % other.address.encode())
            else:
                client.sendall(
                    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 0\r\n\r\n")

    def show(number, client):
        while other.request(client):
            client.sendall(OK + TYPE + b"Set-Cookie: session=theirs\r\nContent-Length: %d\r\n\r\n" % len(JPEG) + JPEG)

    camera, other = OddCamera(lead), OddCamera(show)
    with camera, other:
        with pulling(server, camera.address.replace("//", "//admin:geheim@"), "--every", "200ms") as process:
            wait_for_taken(server, 3, process)
    assert len(other.requests) >= 3 and len(camera.requests) >= 3
    for head in other.requests:
        assert b"authorization" not in head.lower() and b"cookie" not in head.lower(), head
        assert b"Host: 127.0.0.1:%d\r\n" % other.port in head, head
    for head in camera.requests:
        assert b"theirs" not in head and b"Host: 127.0.0.1:%d\r\n" % camera.port in head, head


def test_a_redirect_to_the_same_host_written_in_another_way_keeps_login_and_cookie(server):
    """Its port is the scheme's own, written out, and its name is in capital letters."""
    def serve(number, client):
        while head := camera.request(client):
            lower = head.lower()
            if b"authorization: basic" not in lower:
                client.sendall(
                    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 0\r\n\r\n")
            elif b"cookie: session=a1" in lower:
                client.sendall(OK + TYPE + b"Content-Length: %d\r\n\r\n" % len(JPEG) + JPEG)
            else:
                client.sendall(
                    b"HTTP/1.1 302 Found\r\nSet-Cookie: session=a1\r\nLocation: http://LOCALHOST:80/shot.jpg\r\n"
                    b"Content-Length: 0\r\n\r\n")

    try:
        camera = OddCamera(serve, 80)
    except OSError as error:
        pytest.skip(f"nothing can listen at port 80 here: {error}")
    with camera, pulling(server, "http://admin:geheim@localhost/shot.jpg", "--every", "200ms") as process:
        wait_for_taken(server, 2, process)


def test_a_camera_that_stalls_is_told_and_left(server):
    """The command ends at once, whatever it waits for."""
    gone = threading.Event()

    def serve(number, client):
        camera.request(client)
        gone.wait(20)

    camera = OddCamera(serve)
    with camera, pulling(server, camera.address) as process:
        time.sleep(0.7)
        began = time.monotonic()
        process.terminate()
        # Until the camera has said what it is nothing has begun that would have to be ended in good order.
        assert process.wait(5) in (0, -15)
        assert time.monotonic() - began < 2
    gone.set()
