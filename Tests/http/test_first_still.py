"""An idle camera shows a slate that was encoded in advance; the first still follows it as if one encoder had made both."""

import subprocess
import time

import playlist
import stills
from serving import serving


def frames(data):
    """Of each frame whether it is a key frame, and its picture's mean luma, by ffmpeg."""
    probe = ["ffprobe", "-v", "error", "-f", "mp4", "-i", "pipe:0", "-show_entries", "frame=key_frame", "-of", "csv=p=0"]
    keys = subprocess.run(probe, input=data, capture_output=True, check=True)
    assert not keys.stderr, keys.stderr
    decode = ["ffmpeg", "-v", "error", "-f", "mp4", "-i", "pipe:0", "-vf", "scale=1:1", "-pix_fmt", "gray",
              "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"]
    lumas = subprocess.run(decode, input=data, capture_output=True, check=True)
    assert not lumas.stderr, lumas.stderr
    return [line.strip(b",") == b"1" for line in keys.stdout.split()], list(lumas.stdout)


def test_the_first_still_follows_the_slate_in_its_segment():
    with serving("--size", "128x96", "--rate", 4, "--part", 0.5, "--segment", 4, "--hold", "forever") as server:
        deadline = time.monotonic() + 30

        def wait(accepts):
            while not accepts(now := playlist.parse(server.get("/desk/live.m3u8").text)):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            return now

        number = wait(lambda now: len(now.open.parts) == 2).open.sequence
        assert server.push(stills.solid(250, 250, 250)).status == 202
        now = wait(lambda now: any(segment.sequence == number for segment in now.segments))
        segment = next(segment for segment in now.segments if segment.sequence == number)
        data = server.get(f"/desk/{segment.map}").body + server.get(f"/desk/{segment.uri}").body
        keys, lumas = frames(data)
        assert len(keys) == len(lumas) == 16
        assert keys == [True] + [False] * 15
        assert lumas[0] < 100 and lumas[-1] > 200
