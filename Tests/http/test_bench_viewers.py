"""`quietcam bench viewers`: a small crowd before a server of its own, and before the address of another."""

import subprocess

import pytest

import quietcam
from serving import serving

LENGTHS = ["--size", "128x96", "--part", "0.5", "--segment", "2"]


def bench(*arguments):
    return subprocess.run(
        [quietcam.binary(), "bench", "viewers", "--for", "5s", *map(str, arguments)], env=quietcam.environment(),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90)


@pytest.mark.parametrize("way", ["low-latency", "plain", "frames", "polling"])
def test_a_crowd_sees_everything(way):
    with serving(*LENGTHS, "--hold", "forever") as server:
        done = bench("-n", 30, "--way", way, "--url", f"http://127.0.0.1:{server.public}/desk/index.m3u8")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "30 of 30 " in done.stdout and "no error" in done.stdout


def test_a_server_of_its_own_is_measured_too():
    done = bench("-n", 20, "--set", "part=0.5", "--set", "segment=2", "--set", "size=128x96")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "of a core" in done.stdout


def test_what_is_no_stream_is_said():
    with serving(*LENGTHS) as server:
        done = bench("-n", 2, "--url", f"http://127.0.0.1:{server.public}/desk/about.json")
    assert done.returncode not in (0, None) and "there is no HLS stream at" in done.stderr
