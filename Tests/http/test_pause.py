"""An operator's order is on screen with the next part, also for who asks for parts and segments before they are there."""

import subprocess
import threading
import time

import pytest

import quietcam
import stills
from serving import CAMERA, OPERATOR, serving
from test_absence import live, order, push_until, wait_until
from timing import again_if_late, in_time

pytestmark = pytest.mark.calm

PART, SEGMENT = 0.5, 6
OPTIONS = ["--operator-token", OPERATOR, "--size", "128x96", "--rate", 2, "--part", PART, "--segment", SEGMENT, "--steady", 0]


def inside(server):
    """Waits until the open segment has a few parts."""
    deadline = time.monotonic() + 3 * SEGMENT
    while not 2 <= len(live(server).open.parts) <= 5:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return live(server)


@again_if_late
def test_a_pause_ends_the_segment_and_the_hinted_part_never_comes():
    with serving(*OPTIONS, "--hold", "forever") as server:
        push_until(server, "live")
        before = inside(server)
        answers = {}
        names = [before.hint, before.hint.split(".")[0] + ".mp4"]
        readers = [
            threading.Thread(target=lambda name=name: answers.update({name: server.get(f"/{CAMERA}/{name}")}))
            for name in names
        ]
        for reader in readers:
            reader.start()
        time.sleep(0.1)
        began = time.monotonic()
        order(server, "pause")
        wait_until(server, "paused", within=2 * SEGMENT)
        in_time(time.monotonic() - began < 2 * PART + 1, "the pause is late")
        for reader in readers:
            reader.join(2 * SEGMENT)
        after = live(server)
        ended = [segment for segment in after.segments if segment.uri == names[1]][0]
        assert PART <= ended.duration < SEGMENT and ended.duration == len(ended.parts) * PART
        if answers[names[0]].status != 200:
            # The order came before the part, as it nearly always does.
            assert answers[names[0]].status == 404
            in_time(len(ended.parts) == len(before.open.parts), "a part came before the order")
            assert [part.uri for part in before.open.parts] == [part.uri for part in ended.parts]
        whole = server.get(f"/{CAMERA}/{names[1]}")
        assert answers[names[1]].status == 200 and answers[names[1]].body == whole.body
        assert not any(segment.discontinuity for segment in after.segments)


@pytest.mark.parametrize("style", ["seamless", "cached"])
@again_if_late
def test_check_finds_nothing_wrong_while_orders_come(tmp_path, style):
    with serving(*OPTIONS, "--hold", "forever", "--off", style) as server:
        push_until(server, "live")
        command = [quietcam.binary(), "check", f"http://127.0.0.1:{server.public}/{CAMERA}/live.m3u8", "--for", "16s"]
        report = tmp_path / "report"
        with report.open("w") as out:
            check = subprocess.Popen(
                list(map(str, command)), env=quietcam.environment(), stdout=out, stderr=subprocess.STDOUT)
        waits, now = [], 0
        while check.poll() is None:
            word, source = [("pause", "paused"), ("resume", "live")][now % 2]
            now += 1
            began = time.monotonic()
            order(server, word)
            deadline = began + 2 * SEGMENT
            while server.status()["source"] != source and check.poll() is None:
                assert time.monotonic() < deadline, f"{word} has no effect"
                server.push(stills.one())
                time.sleep(0.1)
            waits.append((word, round(time.monotonic() - began, 2)))
            for _ in range(6):
                server.push(stills.one())
                time.sleep(0.3)
        assert check.returncode == 0, report.read_text()
        assert len(waits) >= 2 and len({segment.duration for segment in live(server).segments}) > 1
        in_time(all(wait < 2 * PART + 1 for word, wait in waits if word == "pause"), waits)
