"""`quietcam push` of a camera, and `push` and `loop` of a file, that name another host of the network: nothing of that host
is fetched or published."""

import contextlib
import http.server
import subprocess
import threading

import pytest

import quietcam
from dropping import QUICK
from serving import ONE_CAMERA, serving
from test_pull import pulling, wait_for_taken

# The address that is given is localhost, and this is another host by name.
OTHER = "127.0.0.1"


@pytest.fixture(scope="module")
def server():
    with serving(*QUICK, "--interval", 0.2) as server:
        yield server


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A short film: its bytes as MPEG-TS and as MP4."""
    folder = tmp_path_factory.mktemp("film")
    made = {}
    for name in ("film.ts", "film.mp4"):
        command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=128x96:rate=10:duration=3",
                   "-c:v", "libx264", "-g", "10", "-pix_fmt", "yuv420p", str(folder / name)]
        subprocess.run(command, check=True, timeout=60)
        made[name] = (folder / name).read_bytes()
    return made


@contextlib.contextmanager
def host(answers):
    """A web server: `answers` by path, each a type and bytes or the address of a redirect. Its list says what was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            type_, body = answers.get(self.path, ("text/plain", b"no"))
            self.send_response(302 if isinstance(body, str) else 200 if self.path in answers else 404)
            if isinstance(body, str):
                self.send_header("Location", body)
                body = b""
            self.send_header("Content-Type", type_)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None
    server.asked, server.answers = asked, answers
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def playlist(address):
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{address}\n#EXT-X-ENDLIST\n".encode()


def master(address):
    return f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\n{address}\n".encode()


CONCAT = "application/octet-stream"
HLS = "application/vnd.apple.mpegurl"


def hostile(kind, inner):
    """What a camera answers that wants the film of the inner host."""
    away = f"http://{OTHER}:{inner}"
    return {
        "redirect": ("video/mp4", f"{away}/film.mp4"),
        "segment": (HLS, playlist(f"{away}/film.ts")),
        "variant": (HLS, master(f"{away}/live.m3u8")),
        "encrypted": (HLS, playlist(f"crypto+{away}/film.ts")),
        "concat": (CONCAT, f"ffconcat version 1.0\nfile {away}/film.mp4\n".encode()),
        "file": (HLS, playlist("file:///etc/hostname")),
        "sdp": ("application/sdp", f"v=0\no=- 0 0 IN IP4 {OTHER}\ns=x\nc=IN IP4 {OTHER}\nt=0 0\n"
                f"m=video {inner} RTP/AVP 96\na=rtpmap:96 H264/90000\n".encode()),
        "dash": ("application/dash+xml", f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
                 f'mediaPresentationDuration="PT3S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet '
                 f'contentType="video" mimeType="video/mp4"><Representation id="1" bandwidth="1000"><BaseURL>{away}/film.mp4'
                 f"</BaseURL></Representation></AdaptationSet></Period></MPD>".encode()),
    }[kind]


@contextlib.contextmanager
def two_hosts(film, kind):
    inner_answers = {f"/{name}": ("video/mp4", body) for name, body in film.items()}
    inner_answers["/live.m3u8"] = (HLS, playlist("film.ts"))
    with host(inner_answers) as inner, host({}) as camera:
        camera.answers["/live"] = hostile(kind, inner.server_port)
        yield inner, f"http://localhost:{camera.server_port}/live"


@pytest.mark.parametrize("kind", ["redirect", "segment", "variant", "encrypted", "concat", "file", "sdp", "dash"])
def test_a_camera_cannot_have_another_hosts_film_published(server, film, kind):
    before = server.status()["stills"]["taken"]
    with two_hosts(film, kind) as (inner, address), pulling(server, address) as process:
        process.wait(30)
    assert process.returncode == 1, process.output
    assert inner.asked == [], "the inner host was asked"
    assert server.status()["stills"]["taken"] == before
    if kind in ("redirect", "segment", "variant"):
        assert f"leads to another host, {OTHER}" in process.output and "--follow" in process.output


@pytest.mark.parametrize("kind", ["redirect", "segment", "variant"])
def test_who_trusts_the_camera_lets_it_lead_anywhere(server, film, kind):
    with two_hosts(film, kind) as (inner, address), pulling(server, address, "--follow", "--loop") as process:
        wait_for_taken(server, 2, process)
    assert inner.asked


def test_a_film_is_read_where_its_own_host_leads(server, film):
    """A redirect to a playlist, which names its segments by themselves and by their whole address."""
    with host({"/film.ts": ("video/mp2t", film["film.ts"])}) as camera:
        here = f"http://localhost:{camera.server_port}"
        for name, address in (("a", "film.ts"), ("b", f"{here}/film.ts")):
            camera.answers[f"/{name}.m3u8"] = (HLS, playlist(address))
            camera.answers[f"/{name}"] = ("text/html", f"/{name}.m3u8")
            with pulling(server, f"{here}/{name}", "--loop") as process:
                wait_for_taken(server, 2, process)


def test_a_segment_that_redirects_elsewhere_is_not_followed(server, film):
    with host({"/film.ts": ("video/mp2t", film["film.ts"])}) as inner, host({}) as camera:
        camera.answers["/live"] = (HLS, playlist("film.ts"))
        camera.answers["/film.ts"] = ("video/mp2t", f"http://{OTHER}:{inner.server_port}/film.ts")
        with pulling(server, f"http://localhost:{camera.server_port}/live") as process:
            process.wait(30)
        assert process.returncode == 1 and inner.asked == [], process.output


@pytest.mark.parametrize("kind, name", [
    ("segment", "film.m3u8"), ("variant", "film.m3u8"), ("encrypted", "film.m3u8"), ("concat", "film.ffconcat"),
    ("sdp", "film.sdp"), ("dash", "film.mpd"),
])
@pytest.mark.parametrize("command", ["loop", "push"])
def test_a_file_leads_to_no_host(server, film, kind, name, command, tmp_path):
    """What was downloaded as a film can be a list that names addresses."""
    with two_hosts(film, kind) as (inner, _):
        (tmp_path / name).write_bytes(hostile(kind, inner.server_port)[1])
        if command == "push":
            before = server.status()["stills"]["taken"]
            with pulling(server, str(tmp_path / name)) as process:
                process.wait(30)
            assert process.returncode == 1, process.output
            assert server.status()["stills"]["taken"] == before
        else:
            made = subprocess.run(
                [quietcam.binary(), "loop", tmp_path / name, "--store", tmp_path / "store", *ONE_CAMERA],
                env=quietcam.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
            assert made.returncode not in (0, None), made.stdout
            assert "is not a video that FFmpeg can read" in made.stderr, made.stderr
            assert not list((tmp_path / "store").glob("*/loop/*.mp4"))
        assert inner.asked == [], "the inner host was asked"
