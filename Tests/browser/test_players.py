"""Programs that know nothing of parts play the live playlist; each is judged by what it says it has played."""

import concurrent.futures
import json
import re
import signal
import subprocess
import threading
import time

import pytest

from quietcam import environment
from recording import program

pytestmark = pytest.mark.calm

# Pictures a second on the server's grid.
RATE = 2
# Beyond the playing time: the start, and the wait for the next segment.
GRACE_SECONDS = 40

# ffmpeg 5.1 reads the init segment again after each reload of a live playlist, its own streams included, and says so.
HARMLESS = re.compile(r"Found duplicated MOOV Atom\. Skipped it|Last message repeated \d+ times|running as root")
ELEMENTS = {
    "avdec_h264": "gstreamer1.0-libav",
    "decodebin": "gstreamer1.0-plugins-base",
    "fakesink": "libgstreamer1.0-0",
    "hlsdemux": "gstreamer1.0-plugins-bad",
    "hlsdemux2": "gstreamer1.0-plugins-good",
    "playbin3": "gstreamer1.0-plugins-base",
    "souphttpsrc": "gstreamer1.0-plugins-good",
}


def complaints(text):
    """The lines of a program's output that are not known to be harmless."""
    lines = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).splitlines()
    return [line for line in lines if line.strip() and not HARMLESS.search(line)]


def run(*command, seconds):
    """The finished process with both outputs as text; one that still runs after its time and grace is ended."""
    return subprocess.run(
        [str(word) for word in command],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds + GRACE_SECONDS,
    )


def ffprobe(server):
    entries = "stream=codec_name,width,height,pix_fmt,color_range,has_b_frames"
    asked = ["-show_entries", entries, "-of", "json"]
    return run(program("ffprobe", "ffmpeg"), "-v", "warning", *asked, server.multivariant, seconds=10)


def ffmpeg(server):
    # From the last segment on, so that the time includes a reload of the playlist.
    source = ["-live_start_index", "-1", "-i", server.playlist, "-t", "20"]
    output = ["-fps_mode", "passthrough", "-progress", "pipe:1", "-nostats", "-f", "null", "-"]
    return run(program("ffmpeg"), "-v", "warning", *source, *output, seconds=20)


def mpv(server):
    silent = ["--no-config", "--vo=null", "--ao=null", "--ytdl=no", "--msg-level=all=warn,statusline=status"]
    status = "--term-status-msg=at=${=time-pos} size=${=width}x${=height}"
    begun = time.monotonic()
    ended = run(program("mpv"), *silent, status, "--length=10", server.multivariant, seconds=10)
    return ended, time.monotonic() - begun


def streamlink(server):
    """What ffprobe read from the pipe, and what streamlink wrote beside it."""
    options = ["--loglevel", "warning", "--stdout", "--hls-live-edge", "1"]
    command = [program("streamlink"), *options, server.multivariant, "best"]
    entries = "stream=codec_name,width,height:frame=pts_time"
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            # Longer than a segment: the playlist must have grown meanwhile.
            limit = ["-read_intervals", "%+14", "-show_entries", entries, "-of", "json", "-"]
            probe = subprocess.run(
                [program("ffprobe", "ffmpeg"), "-v", "warning", *limit],
                stdin=process.stdout,
                capture_output=True,
                text=True,
                timeout=14 + GRACE_SECONDS,
            )
            ended = process.poll()
        finally:
            process.terminate()
        _, errors = process.communicate(timeout=20)
    # The last line is about being told to end.
    return probe, ended, errors.decode(errors="replace").replace("Interrupted! Exiting...", "")


def gstreamer(pipeline, enough, seconds):
    """The output of a pipeline until there are `enough` pictures, each as its time of arrival and the time it carries.

    It is ended, and what came is handed back, when that takes longer than `seconds` and the grace.
    """
    inspect = program("gst-inspect-1.0", "gstreamer1.0-tools")
    for element, package in ELEMENTS.items():
        if subprocess.run([inspect, "--exists", element], env=environment()).returncode != 0:
            raise FileNotFoundError(f"GStreamer lacks {element}; install the Debian package {package}")
    launch = program("gst-launch-1.0", "gstreamer1.0-tools")
    lines, pictures, told = [], [], False
    with subprocess.Popen(
        [launch, "-v", *pipeline],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        limit = threading.Timer(seconds + GRACE_SECONDS, process.kill)
        limit.start()
        try:
            for line in process.stdout:
                lines.append(line.rstrip())
                found = re.search(r"chain .*pts: (\d+):(\d+):([\d.]+)", line)
                if found:
                    hours, minutes, rest = found.groups()
                    pictures.append((time.monotonic(), 3600 * int(hours) + 60 * int(minutes) + float(rest)))
                    if enough(pictures) and not told:
                        process.send_signal(signal.SIGINT)
                        told = True
        finally:
            limit.cancel()
            process.kill()
    return lines, pictures


def has_waited(pictures):
    """Whether a picture came after a wait, as when the playlist had to grow first; a busy machine waits less."""
    return any(after[0] - before[0] > 5 for before, after in zip(pictures, pictures[1:]))


def gstreamer_old(server):
    # Not by the clock: this demuxer counts from the start of the playlist while the pictures carry the time of the
    # stream, so that with fMP4, whoever made it, a viewer would wait for as long as the stream is old.
    # A segment and a target duration may pass until it has one that was new.
    source = f"souphttpsrc location={server.playlist} ! hlsdemux ! decodebin ! fakesink sync=false silent=false"
    return gstreamer(source.split(), has_waited, seconds=60)


def gstreamer_new(server):
    pipeline = ["playbin3", f"uri={server.multivariant}", "video-sink=fakesink sync=true silent=false"]
    return gstreamer(pipeline, lambda pictures: len(pictures) > 10 * RATE, seconds=10)


PLAYERS = [ffprobe, ffmpeg, mpv, streamlink, gstreamer_old, gstreamer_new]


@pytest.fixture(scope="module")
def players(live):
    """All players at once: they wait for the stream most of the time, and one after the other takes a minute more."""
    with concurrent.futures.ThreadPoolExecutor(len(PLAYERS)) as pool:
        yield {player: pool.submit(player, live) for player in PLAYERS}


def test_ffprobe_reads_the_playlist(players, note):
    ended = players[ffprobe].result()
    assert complaints(ended.stderr) == []
    streams = json.loads(ended.stdout)["streams"]
    expected = {
        "codec_name": "h264",
        "width": 640,
        "height": 480,
        "pix_fmt": "yuv420p",
        "color_range": "tv",
        "has_b_frames": 0,
    }
    assert streams == [expected]
    note("ffprobe: " + ", ".join(f"{name} {value}" for name, value in expected.items()))


def test_ffmpeg_reads_on_without_a_warning(players, note):
    ended = players[ffmpeg].result()
    assert complaints(ended.stderr) == []
    assert ended.returncode == 0
    frames = int(re.findall(r"^frame=(\d+)", ended.stdout, re.MULTILINE)[-1])
    assert abs(frames - 20 * RATE) <= 1, f"{frames} pictures in 20 s of the stream"
    note(f"ffmpeg: {frames} pictures in 20 s of the stream")


def test_mpv_plays(players, note):
    ended, wall = players[mpv].result()
    states = re.findall(r"at=([\d.]+) size=(\w+)", ended.stdout + ended.stderr)
    others = [line for line in complaints(ended.stdout + "\n" + ended.stderr) if "at=" not in line]
    assert others == []
    assert ended.returncode == 0
    times = [float(at) for at, _ in states]
    assert times == sorted(times) and times[-1] - times[0] > 8, f"mpv played from {times[:1]} to {times[-1:]}"
    assert states[-1][1] == "640x480"
    assert wall > 8, f"mpv ended after {wall:.1f} s"
    note(f"mpv: {times[-1] - times[0]:.1f} s of the stream in {wall:.1f} s")


def test_streamlink_hands_on_the_stream(players, note):
    probe, ended, errors = players[streamlink].result()
    assert complaints(probe.stderr) == []
    assert complaints(errors) == []
    assert ended is None, f"streamlink ended by itself with {ended}"
    read = json.loads(probe.stdout)
    assert read["streams"] == [{"codec_name": "h264", "width": 640, "height": 480}]
    times = [float(frame["pts_time"]) for frame in read["frames"]]
    steps = {round(after - before, 3) for before, after in zip(times, times[1:])}
    assert steps == {1 / RATE}, f"steps between pictures: {sorted(steps)}"
    assert len(times) >= 14 * RATE - 1
    note(f"streamlink: {len(times)} pictures at a steady {RATE} a second")


def judge_pictures(lines, pictures):
    """The output of a pipeline has no complaint, and its pictures keep the rate of the stream."""
    wrong = [line for line in lines if re.search(r"WARN|ERROR|CRITICAL", line)]
    assert wrong == [], "\n".join(wrong)
    assert len(pictures) > 10 * RATE, f"{len(pictures)} pictures came:\n" + "\n".join(lines[-20:])
    steps = {round(after[1] - before[1], 3) for before, after in zip(pictures, pictures[1:])}
    assert steps == {1 / RATE}, f"steps between pictures: {sorted(steps)}"


def test_gstreamer_hlsdemux_reads_on(players, note):
    lines, pictures = players[gstreamer_old].result()
    judge_pictures(lines, pictures)
    assert has_waited(pictures), "hlsdemux did not go on with a segment that was new in the playlist"
    note(f"gstreamer hlsdemux: {len(pictures)} pictures, the last after the playlist had grown")


def test_gstreamer_hlsdemux2_plays(players, note):
    lines, pictures = players[gstreamer_new].result()
    judge_pictures(lines, pictures)
    assert any("GstHLSDemux2" in line for line in lines), "playbin3 did not take hlsdemux2"
    wall = pictures[10 * RATE][0] - pictures[0][0]
    assert 9 < wall < 12, f"10 s of the stream took {wall:.1f} s"
    note(f"gstreamer hlsdemux2: {10 * RATE} pictures in {wall:.1f} s")
