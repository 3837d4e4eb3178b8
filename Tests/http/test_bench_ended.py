"""A bench that is told to end ends the server that it started, and leaves no file."""

import pathlib
import signal
import subprocess
import time

import pytest

import quietcam

PHOTOS = quietcam.ROOT / "fixtures" / "desk"
SMALL = ["--set", "size=128x96", "--set", "part=0.5", "--set", "segment=2"]
RIG = ["--size", "160x120", "--part", 0.5, "--segment", 2]
BENCHES = {
    "cameras": [PHOTOS, "-n", 3, "--for", "5m", *SMALL],
    "latency": ["--for", "5m", "--no-rival"],
    "start": ["--cameras", 2, "--count", 50],
    "veil": ["--source", PHOTOS, "--record", "60s", *RIG],
    "viewers": ["-n", 10, "--for", "5m"],
}


def servers(process):
    """The servers that it has started and that have not ended."""
    found = []
    for task in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
        for child in task.read_text().split():
            words = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            found += [int(child)] if b"serve" in words else []
    return found


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("bench", BENCHES)
def test_its_server_ends_and_no_file_is_left(bench, told, tmp_path):
    (tmp_path / "temporary").mkdir()
    environment = quietcam.environment() | {"TMPDIR": str(tmp_path / "temporary")}
    command = [quietcam.binary(), "bench", bench, *BENCHES[bench]]
    running = subprocess.Popen(
        [str(word) for word in command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while not (found := servers(running.pid)):
            assert running.poll() is None and time.monotonic() < deadline, "it started no server"
            time.sleep(0.05)
        time.sleep(1)
        running.send_signal(told)
        assert running.wait(30) == 128 + told
        assert not [server for server in found if pathlib.Path(f"/proc/{server}").exists()], "its server goes on"
        assert not list((tmp_path / "temporary").iterdir())
    finally:
        running.kill()
        running.wait()
