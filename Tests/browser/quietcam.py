"""The program under test: `quietcam serve` on free ports with a store of its own, and `quietcam push`."""

import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from ports import free_ports

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAMERA = "desk"
TOKEN = "browser-test"
READY_SECONDS = 30
STOP_SECONDS = 15


def binary():
    """The path of quietcam: `QUIETCAM`, or the debug build of this repository."""
    path = ROOT / (os.environ.get("QUIETCAM") or ".build/debug/quietcam")
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise FileNotFoundError(
            f"there is no program {path}; run `swift build --product quietcam`, or set QUIETCAM to the binary"
        )
    return path


def environment():
    """The environment without proxies, which would come between a player and 127.0.0.1, and without QUIETCAM_*,
    which quietcam takes for its settings."""
    ours = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return {key: value for key, value in ours.items() if not key.startswith("QUIETCAM")}


def get(url):
    """Status and body of an HTTP request; (0, b"") when nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return 0, b""


class Quietcam:
    """A running server."""

    def __init__(self, home, public, private):
        self.public = f"http://127.0.0.1:{public}"
        self.ingest = f"http://127.0.0.1:{private}/ingest/{CAMERA}"
        self.page = f"{self.public}/{CAMERA}/"
        # The page, with a <video> and hls.js.
        self.player = f"{self.page}?mode=hls"
        self.playlist = f"{self.page}live.m3u8"
        self.multivariant = f"{self.page}index.m3u8"
        self.logs = {"serve": home / "serve.log", "push": home / "push.log"}

    def log(self):
        """The last lines that the server and the pusher wrote, for a report of a failure."""
        texts = []
        for name, path in self.logs.items():
            if path.exists():
                lines = path.read_text(errors="replace").splitlines()[-40:]
                texts.append("\n".join([f"-- quietcam {name}:", *lines]))
        return "\n".join(texts)


@contextlib.contextmanager
def serving(push_folder, every):
    """A server whose only camera gets the stills of a folder, one each `every` seconds and round and round."""
    program = binary()
    with tempfile.TemporaryDirectory(prefix="quietcam-serve-") as directory:
        home = pathlib.Path(directory)
        (home / "store").mkdir()
        public, private = free_ports(2)
        server = Quietcam(home, public, private)
        addresses = ["--public", f"127.0.0.1:{public}", "--private", f"127.0.0.1:{private}"]
        camera = ["--store", home / "store", "--camera", CAMERA, "--token", TOKEN, "--size", "640x480"]
        with _process([program, "serve", *addresses, *camera], home, server.logs["serve"], (0,)) as serve:
            _wait_until_ready(server, serve)
            source = ["push", push_folder, "--to", server.ingest, "--token", TOKEN, "--every", f"{every}s", "--loop"]
            # A pusher that is told to end may say so with 0 or with the signal.
            with _process([program, *source], home, server.logs["push"], (0, -signal.SIGTERM, 128 + signal.SIGTERM)):
                yield server


@contextlib.contextmanager
def _process(arguments, home, log, endings):
    name = f"quietcam {arguments[1]}"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(argument) for argument in arguments],
            cwd=home,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield process
        ended = process.poll()
        assert ended is None, f"{name} ended by itself with {ended}:\n{log.read_text(errors='replace')[-2000:]}"
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{name} still ran {STOP_SECONDS} s after SIGTERM") from None
        assert code in endings, f"{name} ended with {code} on SIGTERM:\n{log.read_text(errors='replace')[-2000:]}"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _wait_until_ready(server, process):
    deadline = time.monotonic() + READY_SECONDS
    status = None
    while time.monotonic() < deadline and process.poll() is None:
        status, _ = get(f"{server.public}/readyz")
        if status == 200:
            return
        time.sleep(0.1)
    what = "did not get ready" if process.poll() is None else f"ended with {process.returncode}"
    raise AssertionError(f"quietcam serve {what} (/readyz: {status}):\n{server.log()}")
