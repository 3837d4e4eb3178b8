"""`quietcam bench cameras`: a few small cameras on a server of its own."""

import json
import os
import subprocess

import pytest

import quietcam

SMALL = ["--set", "size=128x96", "--set", "part=0.5", "--set", "segment=2"]


def bench(*arguments):
    return subprocess.run(
        [quietcam.binary(), "bench", "cameras", *map(str, arguments)], env=quietcam.environment(),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


@pytest.mark.calm
def test_a_few_cameras_are_measured(tmp_path):
    figures = tmp_path / "figures.json"
    done = bench(quietcam.ROOT / "fixtures" / "desk", "-n", 3, "--for", "6s", "--settle", "4s", "--json", figures, *SMALL)
    assert "3 cameras, " in done.stdout, done.stdout + done.stderr
    assert "ms a still" in done.stdout and "SSIM" in done.stdout and "This machine " in done.stdout
    result, = json.loads(figures.read_text())
    # Each camera has a still every two seconds and a part every half second; a machine that tests load may miss some.
    stills, parts = (3 * result["seconds"] / every for every in (2, 0.5))
    assert stills / 2 <= result["taken"] <= stills + 6 and not result["refused"]
    assert parts / 2 <= len(result["lateness"]) <= parts + 12
    assert result["mistakes"] == {}
    assert result["memoryKiB"] > 1000 and result["serverSeconds"] > 0
    assert 0.5 < result["similarity"] <= 1
    assert all(0 < size < 10_000_000 for size in result["viewerBytes"].values())
    # A machine that tests load may be late; then it is said.
    assert (done.returncode == 0) == ("This machine carries 3 cameras" in done.stdout)


def test_no_camera_is_refused():
    done = bench("-n", 0)
    assert done.returncode not in (0, None) and "--number: found 0" in done.stderr


@pytest.mark.greedy
def test_cameras_that_are_too_many_are_stepped_down_and_told_so():
    """Several times the work that this machine can do: the server says what it does."""
    desk = quietcam.ROOT / "fixtures" / "desk"
    count = 12 * (os.cpu_count() or 1)
    done = bench(
        desk, "-n", count, "--every", "0.5", "--for", "10s", "--settle", "25s", "--set", "size=1280x960", "--set",
        "preset=veryslow", "--set", "part=1", "--set", "segment=4")
    assert f"{count} cameras, " in done.stdout, done.stdout + done.stderr
    assert "stepped down: level " in done.stdout
