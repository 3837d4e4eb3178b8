"""A server that takes stills from a folder, and what tests do with such a folder."""

import contextlib
import pathlib
import tempfile
import time

import stills
from serving import serving

# Slots of 0.2 s: what becomes of a still is known soon.
QUICK = ["--size", "128x96", "--rate", 30, "--part", 0.2, "--segment", 1, "--preset", "ultrafast"]


class Drop:
    """A watched folder and the server that watches it."""

    def __init__(self, folder, server):
        self.folder = folder
        self.server = server

    def stills(self):
        return self.server.status()["stills"]

    def wait_until_shown(self, colour, within=30):
        """Waits until the newest picture has this colour."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            seen = stills.colour_of(self.server.get("/desk/latest.jpg").body)
            if stills.is_near(seen, colour):
                return
            time.sleep(0.03)
        raise AssertionError(f"{colour} is not shown but {seen}: {self.stills()}\n{self.server.log()}")

    def wait_for_log(self, text, times=1, within=30):
        deadline = time.monotonic() + within
        while self.server.log().count(text) < times:
            assert time.monotonic() < deadline, f"{text!r} is not in the log:\n{self.server.log()}"
            time.sleep(0.03)

    def settle(self):
        """Shows a still of a colour of its own, after which all that came before it has been dealt with."""
        (self.folder / "settled.jpg").write_bytes(stills.solid(90, 90, 90))
        self.wait_until_shown((90, 90, 90))


@contextlib.contextmanager
def dropping(*arguments, prepare=None, folder=None):
    """A server with a camera that has a folder, which `prepare` fills before."""
    with tempfile.TemporaryDirectory(prefix="quietcam-drop-") as home:
        folder = folder or pathlib.Path(home) / "drop"
        if prepare:
            folder.mkdir()
            prepare(folder)
        with serving(*QUICK, "--folder", folder, *arguments) as server:
            drop = Drop(folder, server)
            drop.wait_for_log("taking stills from" if prepare else "cannot read the folder")
            yield drop
