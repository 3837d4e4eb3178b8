"""`quietcam serve` on free ports, started and ended by its own process id."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

import quietcam
import wire

CAMERA = "desk"
TOKEN = "secret-token"
# Where an operator's token is given, it is this one. Elsewhere the server makes one, and `asked` has it.
OPERATOR = "operator-secret"
ASKED = {"Authorization": f"Bearer {OPERATOR}"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
START_SECONDS = 30
STOP_SECONDS = 20


class Server:
    """A running server and short words for what tests ask of it."""

    def __init__(self, home, arguments, environment):
        self.home = pathlib.Path(home)
        self.log_path = self.home / f"serve-{time.monotonic_ns()}.log"
        self.asked = ASKED
        self.work = self.home / "work"
        self.work.mkdir(exist_ok=True)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in [quietcam.binary(), "serve", *arguments]],
                cwd=self.work,
                env=quietcam.environment() | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_until_ready(self):
        """Waits until both doors are open, which tells their ports, and something is published."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            viewers = re.search(r"viewers: +http://127\.0\.0\.1:(\d+)/", self.log())
            stills = re.search(r"stills: +http://127\.0\.0\.1:(\d+)/ingest/", self.log())
            if viewers and stills:
                self.public, self.private = int(viewers[1]), int(stills[1])
                if self.get("/readyz").status == 200 and self.finds_operator():
                    return self
            time.sleep(0.02)
        raise AssertionError(f"the server did not get ready ({self.process.poll()}):\n{self.log()}")

    def finds_operator(self):
        """Takes the operator's token where the server made one; it says where as its last word of the start."""
        if "operator-token" in " ".join(map(str, self.process.args)) or self.has_operator_in_config:
            return True
        if made := re.search(r"^operator: token ([0-9a-f]{32}) ", self.log(), re.M):
            token = made[1]
        elif kept := re.search(r"operator: (?:new )?token in (.+)$", self.log(), re.M):
            token = pathlib.Path(kept[1]).read_text().strip()
        else:
            return False
        self.asked = {"Authorization": f"Bearer {token}"}
        return True

    @property
    def has_operator_in_config(self):
        arguments = [str(part) for part in self.process.args]
        path = arguments[arguments.index("--config") + 1] if "--config" in arguments else os.devnull
        return "operator-token" in (pathlib.Path(path).read_text() if os.path.isfile(path) else "")

    def stop(self, with_signal=signal.SIGTERM):
        """Ends the server and returns how long it took; anything but exit code 0 in time is a mistake."""
        began = time.monotonic()
        self.process.send_signal(with_signal)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running {STOP_SECONDS} s after {with_signal.name}:\n{self.log()}") from None
        assert code == 0, f"exit code {code} after {with_signal.name}:\n{self.log()}"
        return time.monotonic() - began

    # The public door

    def get(self, target, **fields):
        return self.viewer("GET", target, {name.replace("_", "-"): value for name, value in fields.items()})

    def viewer(self, method, target, fields=(), body=None):
        return wire.ask(self.public, method, target, fields, body)

    # The private door

    def camera(self, method, target, fields=(), body=None):
        return wire.ask(self.private, method, target, fields, body)

    def push(self, jpeg, method="POST", fields=(), camera=CAMERA):
        return self.camera(method, f"/ingest/{camera}", BEARER | dict(fields), jpeg)

    def operators(self, target, method="GET", body=None):
        """An operator's request."""
        return self.camera(method, target, self.asked, body)

    def status(self, camera=CAMERA):
        answer = self.operators("/status")
        assert answer.status == 200, answer
        return next(item for item in answer.json["cameras"] if item["camera"] == camera)

    def settled(self, camera=CAMERA, within=30):
        """The counters of stills, once it is known of each that was taken what became of it."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            stills = self.status(camera)["stills"]
            if stills["taken"] == stills["shown"] + stills["displaced"] + stills["undecodable"] + stills["unseen"]:
                return stills
            time.sleep(0.03)
        raise AssertionError(f"stills got lost: {stills}")


ONE_CAMERA = ["--camera", CAMERA, "--token", TOKEN]
FREE_PORTS = ["--public", "127.0.0.1:0", "--private", "127.0.0.1:0"]


@contextlib.contextmanager
def launched(*arguments, home=None, environment=None):
    """A process with exactly these arguments, which may have ended already."""
    with contextlib.ExitStack() as stack:
        home = home or stack.enter_context(tempfile.TemporaryDirectory(prefix="quietcam-http-"))
        server = Server(home, arguments, environment or {})
        try:
            yield server
            if server.process.poll() is None:
                server.stop()
        finally:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()


@contextlib.contextmanager
def serving(*arguments, store="memory", **options):
    """A server with one camera that is ready, and is ended in good order after use."""
    with launched(*FREE_PORTS, "--store", store, *ONE_CAMERA, *arguments, **options) as server:
        yield server.wait_until_ready()


def refusal(*arguments, **options):
    """What `serve` says when it cannot begin with these arguments; it must end by itself and not with 0."""
    with launched(*arguments, **options) as server:
        try:
            code = server.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server runs:\n{server.log()}") from None
        assert code > 0, f"ended with {code}:\n{server.log()}"
        return server.log()
