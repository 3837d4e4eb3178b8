"""The media judged by strangers: what ffprobe and ffmpeg find in a stream of stills that come as they like."""

import json
import re
import subprocess

import pytest

import playlist
import quietcam
import stills
from serving import serving
from watching import IrregularCamera, MediaWatcher

SECONDS = 20
RATE, PART, SEGMENT = 4, 0.5, 2
STEP = 90_000 // RATE
PICTURES = RATE * SEGMENT


@pytest.fixture(scope="module")
def server():
    with serving("--size", "160x120", "--rate", RATE, "--part", PART, "--segment", SEGMENT) as server:
        yield server


@pytest.fixture(scope="module")
def irregular_camera(server):
    camera = IrregularCamera(server)
    yield camera
    camera.stop()


@pytest.fixture(scope="module", autouse=True)
def watcher(server, irregular_camera):
    """Looks on from the first test on; the later ones judge what it has seen."""
    watcher = MediaWatcher(server, SECONDS)
    yield watcher
    watcher.thread.join(SECONDS + 30)


@pytest.fixture
def viewer(watcher):
    watcher.wait()
    assert len(watcher.segments) >= 6 + (SECONDS - 1) // SEGMENT - 1
    return watcher


# FFmpeg 5.1 reads the init segment again whenever it has reloaded a live playlist, its own ones too.
FFMPEG_SAYS_ALWAYS = [
    r"^\[mov,mp4,m4a,3gp,3g2,mj2 @ \w+\] Found duplicated MOOV Atom\. Skipped it$",
    r"^ +Last message repeated \d+ times$",
]


def judge(*arguments, within=60):
    """What a program of FFmpeg says; it must succeed and have nothing to complain of."""
    done = subprocess.run(
        [str(argument) for argument in arguments],
        env=quietcam.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=within,
    )
    lines = done.stderr.decode(errors="replace").splitlines()
    complaints = [line for line in lines if not any(re.search(pattern, line) for pattern in FFMPEG_SAYS_ALWAYS)]
    assert (done.returncode, complaints) == (0, []), arguments
    return done.stdout


def packets(path):
    """Presentation times, sizes and key flags of all pictures of a file."""
    output = judge("ffprobe", "-v", "warning", "-show_packets", "-of", "json", path)
    found = json.loads(output)["packets"]
    assert all(packet["pts"] == packet["dts"] for packet in found)
    return [(packet["pts"], packet["flags"].startswith("K")) for packet in found]


def assert_continuous(found, segments):
    assert len(found) == segments * PICTURES
    times = [pts for pts, _ in found]
    assert times == list(range(times[0], times[0] + len(times) * STEP, STEP))
    assert [is_key for _, is_key in found] == [index % PICTURES == 0 for index in range(len(found))]


# While the stills come


def test_ffmpeg_plays_the_live_stream_without_a_word(server):
    url = f"http://127.0.0.1:{server.public}/desk"
    judge("ffmpeg", "-v", "warning", "-xerror", "-i", f"{url}/live.m3u8", "-t", 8, "-f", "null", "-")


def test_ffmpeg_plays_the_multivariant_playlist_and_counts_every_picture(server):
    url = f"http://127.0.0.1:{server.public}/desk/index.m3u8"
    output = judge(
        *["ffmpeg", "-v", "warning", "-xerror", "-i", url, "-t", 6, "-fps_mode", "passthrough"],
        *["-f", "framecrc", "-"],
    )
    lines = [line for line in output.decode().splitlines() if not line.startswith("#")]
    assert len(lines) == 6 * RATE


# When they have come


def test_every_segment_alone_begins_with_its_only_key_picture(viewer, tmp_path):
    previous = None
    for sequence in sorted(viewer.segments)[-4:]:
        path = tmp_path / f"{sequence}.mp4"
        path.write_bytes(viewer.init + viewer.segments[sequence])
        found = packets(path)
        assert [is_key for _, is_key in found] == [True] + [False] * (PICTURES - 1)
        assert previous is None or found[0][0] == previous + STEP
        previous = found[-1][0]


def test_all_segments_together_have_no_gap_and_no_overlap_and_every_picture(viewer, tmp_path):
    sequences = sorted(viewer.segments)
    assert sequences == list(range(sequences[0], sequences[-1] + 1))
    path = tmp_path / "segments.mp4"
    path.write_bytes(viewer.init + b"".join(viewer.segments[sequence] for sequence in sequences))
    assert_continuous(packets(path), len(sequences))
    judge("ffmpeg", "-v", "warning", "-xerror", "-i", path, "-f", "null", "-")


def test_all_parts_together_are_the_same_stream(viewer, tmp_path):
    count = int(SEGMENT / PART)
    whole = [s for s in sorted(viewer.segments) if all((s, index) in viewer.parts for index in range(count))]
    assert whole == sorted(viewer.segments)[-len(whole) :] and len(whole) >= SECONDS / SEGMENT
    path = tmp_path / "parts.mp4"
    path.write_bytes(viewer.init + b"".join(viewer.parts[s, index] for s in whole for index in range(count)))
    assert_continuous(packets(path), len(whole))
    for sequence in whole:
        assert b"".join(viewer.parts[sequence, index] for index in range(count)) == viewer.segments[sequence]


def test_the_pictures_are_what_browsers_play(viewer, tmp_path):
    path = tmp_path / "one.mp4"
    path.write_bytes(viewer.init + viewer.segments[max(viewer.segments)])
    output = judge("ffprobe", "-v", "warning", "-show_streams", "-count_frames", "-of", "json", path)
    [stream] = json.loads(output)["streams"]
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("h264", 160, 120)
    assert (stream["pix_fmt"], stream["color_range"], stream["has_b_frames"]) == ("yuv420p", "tv", 0)
    assert stream["r_frame_rate"] == f"{RATE}/1"
    assert int(stream["nb_read_frames"]) == PICTURES


def test_repeated_pictures_cost_next_to_nothing(viewer):
    """The stream begins with the slate again and again: a part of two repeats is some boxes and two skips."""
    first = min(viewer.segments)
    # Six segments are listed when it begins, and one may have passed before the viewer came.
    sizes = [len(viewer.parts[key]) for key in sorted(viewer.parts) if key[0] <= first + 4 and key[1] > 0]
    assert sizes and max(sizes) < 250


def test_irregular_stills_are_all_taken_and_accounted_for(viewer, irregular_camera, server):
    with irregular_camera.quiet:
        assert irregular_camera.problem is None, irregular_camera.problem
        assert set(irregular_camera.statuses) == {202}
        counts = server.settled()
        assert counts["taken"] == irregular_camera.statuses[202] >= 20
        assert counts["undecodable"] == 0
        assert counts["shown"] >= 10


def test_the_last_still_is_the_last_picture(viewer, irregular_camera, server, tmp_path):
    colour = (200, 60, 20)
    with irregular_camera.quiet:
        server.push(stills.solid(*colour, size=(160, 120)))
        # Counted as taken by no one else.
        server.settled()
        now = playlist.parse(server.get("/desk/live.m3u8").text)
        # The segment after the one that it came into begins with it.
        following = playlist.parse(server.get(f"/desk/live.m3u8?_HLS_msn={now.newest[0] + 1}").text)
    path = tmp_path / "last.mp4"
    path.write_bytes(viewer.init + server.get(f"/desk/{following.segments[-1].uri}").body)
    pixel = judge("ffmpeg", "-v", "error", "-i", path, "-vf", "scale=1:1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    assert len(pixel) == 3 * PICTURES
    assert stills.is_near(pixel[-3:], colour)
