"""A camera that goes off, is paused, or whose pictures are withdrawn; and the playlist without parts."""

import itertools
import re
import time

import pytest

import playlist
import stills
import wire
from serving import ASKED, CAMERA, OPERATOR, serving
from timing import again_if_late, in_time

pytestmark = pytest.mark.apart

QUICK = ["--operator-token", OPERATOR, "--size", "128x96", "--rate", 2, "--part", 0.5, "--segment", 1, "--hold", 1, "--steady", 0]


def live(server, query=""):
    answer = server.get(f"/{CAMERA}/live.m3u8{query}")
    assert answer.status == 200, answer
    return playlist.parse(answer.text)


def wait_until(server, source, within=30):
    deadline = time.monotonic() + within
    while server.status()["source"] != source:
        assert time.monotonic() < deadline, f"still {server.status()['source']}, not {source}"
        time.sleep(0.05)


def order(server, word):
    answer = server.camera("POST", f"/cameras/{CAMERA}/{word}", ASKED)
    assert answer.status == 200, answer
    return answer


def push_until(server, source, within=30):
    """Pushes stills until this is shown, and a second longer."""
    deadline = time.monotonic() + within
    while server.status()["source"] != source:
        assert time.monotonic() < deadline, f"still {server.status()['source']}, not {source}"
        assert server.push(stills.one()).status == 202
        time.sleep(0.2)
    for _ in range(4):
        assert server.push(stills.one()).status == 202
        time.sleep(0.25)


def fetch_all(server, now):
    for uri in now.uris():
        assert server.get(f"/{CAMERA}/{uri}").status == 200, uri


def test_a_silent_camera_gives_way_to_its_loop_and_comes_back_without_a_break():
    with serving(*QUICK) as server:
        push_until(server, "live")
        before = live(server)
        wait_until(server, "off")
        fetch_all(server, live(server))
        push_until(server, "live")
        after = live(server)
        assert not any(segment.discontinuity for segment in after.segments)
        assert after.header["DISCONTINUITY-SEQUENCE"] == before.header["DISCONTINUITY-SEQUENCE"] == "0"
        assert len({segment.map for segment in before.segments + after.segments if segment.map}) == 1
        fetch_all(server, after)


def test_a_cached_loop_keeps_its_names_and_breaks_only_at_its_seams():
    with serving(*QUICK, "--off", "cached") as server:
        wait_until(server, "off")
        names, deadline = [], time.monotonic() + 4
        while time.monotonic() < deadline:
            now = live(server)
            fetch_all(server, now)
            names += [part.uri for segment in [*now.segments, now.open] for part in segment.parts]
            time.sleep(0.3)
        assert any(name.startswith("loop-") for name in names)
        push_until(server, "live")
        time.sleep(1.2)
        segments = live(server).segments
        kinds = [segment.uri.startswith("loop-") for segment in segments]
        for index in range(1, len(segments)):
            if kinds[index] != kinds[index - 1]:
                assert segments[index].discontinuity, "the loop and the camera meet without a discontinuity"


@again_if_late
def test_half_of_a_recorded_segment_is_there_at_once_for_who_follows_by_blocking_reloads():
    options = ["--size", "128x96", "--part", 0.5, "--segment", 4, "--hold", 1]
    with serving(*options) as server:
        wait_until(server, "off")
        now = live(server)
        sequence, part = now.newest
        reload = live(server, f"?_HLS_msn={sequence}&_HLS_part={part}")
        began = time.monotonic()
        ahead = live(server, f"?_HLS_msn={sequence + 1}&_HLS_part=1")
        answered = time.monotonic()
        plain = live(server)
        in_time(time.monotonic() < answered + 1, "the time of the parts that came ahead may have come")
        in_time(answered - began < 4 + 0.5, "the next segment is late")
        assert ahead.newest >= (sequence + 1, 3), "half of the segment comes at once"
        assert plain.newest < ahead.newest, "who asks plainly gets the parts when their time comes"
        fetch_all(server, ahead)
        assert reload.newest >= (sequence, part)


def test_the_operator_pauses_and_resumes_a_camera():
    with serving(*QUICK) as server:
        push_until(server, "live")
        order(server, "pause")
        push_until(server, "paused")
        order(server, "resume")
        push_until(server, "live")
        assert server.camera("POST", f"/cameras/{CAMERA}/dance", ASKED).status == 404
        assert server.camera("POST", "/cameras/nobody/pause", ASKED).status == 404
        assert server.camera("GET", f"/cameras/{CAMERA}/pause", ASKED).status == 405
        assert server.camera("POST", f"/cameras/{CAMERA}/pause").status == 401
        assert server.get(f"/cameras/{CAMERA}/pause").status == 404, "the public door has no switches"


def test_withdrawn_pictures_vanish_everywhere_at_once(tmp_path):
    with serving(*QUICK, "--hold", "forever", store=tmp_path) as server:
        push_until(server, "live")
        time.sleep(2.5)
        before = live(server)
        plain = playlist.parse(server.get(f"/{CAMERA}/plain.m3u8").text)
        latest = server.get(f"/{CAMERA}/latest.jpg").body
        kept = {segment.uri for segment in before.segments + plain.segments}
        deadline = time.monotonic() + 30
        while not all((tmp_path / CAMERA / name).exists() for name in kept):
            assert time.monotonic() < deadline, "the mirror does not hold what is served"
            time.sleep(0.02)
        order(server, "withdraw")
        left = [name for name in kept if (tmp_path / CAMERA / name).exists()]
        assert left == [], "the operator is told before the mirror is rid of it"
        now = live(server)
        gone = {segment.uri for segment in before.segments + plain.segments}
        gone |= {part.uri for segment in [*before.segments, before.open] for part in segment.parts}
        for name in gone:
            assert server.get(f"/{CAMERA}/{name}").status == 404, f"{name} can still be fetched"
        assert server.get(f"/{CAMERA}/latest.jpg").body != latest
        assert server.status()["source"] == "paused"
        # The playlist goes on: higher numbers, a full window, a discontinuity before it.
        assert len(now.segments) >= 6 and now.sequence > before.newest[0]
        assert now.segments[0].discontinuity or int(now.header["DISCONTINUITY-SEQUENCE"]) > 0
        fetch_all(server, now)
        deadline = time.monotonic() + 30
        while any((tmp_path / CAMERA / name).exists() for name in gone):
            assert time.monotonic() < deadline, "withdrawn media lies in the mirror"
            time.sleep(0.05)
        assert server.camera("GET", f"/cameras/{CAMERA}/recent.mp4", ASKED).status == 404
        assert not {uri.split("?")[0] for uri in now.uris()} & gone, "a name is used again"
        # Stills that come meanwhile are not shown, and nothing comes back with the camera.
        assert server.push(stills.one()).status == 202
        time.sleep(1)
        assert server.status()["source"] == "paused"
        order(server, "resume")
        push_until(server, "live")
        assert all(server.get(f"/{CAMERA}/{name}").status == 404 for name in gone)


@pytest.mark.parametrize("word", ["pause", "withdraw"])
def test_a_pause_outlives_the_process(tmp_path, word):
    with serving(*QUICK, store=tmp_path) as server:
        order(server, word)
        deadline = time.monotonic() + 30
        while '"isPaused":true' not in (tmp_path / CAMERA / "state.json").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        server.process.kill()
        server.process.wait()
    with serving(*QUICK, store=tmp_path) as server:
        assert server.push(stills.one()).status == 202
        time.sleep(1.5)
        assert server.status()["source"] == "paused"


def test_a_delay_keeps_stills_back():
    with serving(*QUICK, "--hold", "forever", "--delay", 2) as server:
        before = server.get(f"/{CAMERA}/latest.jpg")["ETag"]
        pushed = time.monotonic()
        assert server.push(stills.one()).status == 202
        while server.get(f"/{CAMERA}/latest.jpg")["ETag"] == before:
            assert time.monotonic() - pushed < 10
            time.sleep(0.05)
        assert time.monotonic() - pushed >= 2


@again_if_late
def test_a_withdrawal_comes_in_time_for_stills_that_are_kept_back():
    with serving(*QUICK, "--hold", "forever", "--delay", 3) as server:
        house = server.get(f"/{CAMERA}/latest.jpg").body
        pushed = time.monotonic()
        assert server.push(stills.one()).status == 202
        order(server, "withdraw")
        in_time(time.monotonic() < pushed + 2.5, "the still may have been shown before")
        order(server, "resume")
        while time.monotonic() < pushed + 5:
            assert server.get(f"/{CAMERA}/latest.jpg").body == house
            time.sleep(0.1)
        assert server.status()["stills"]["shown"] == 0


def test_who_listens_is_told_what_is_recorded_where_the_operator_wants_it():
    with serving(*QUICK, "--mark-recorded", "true") as server, wire.Wire(server.public) as events:
        events.send(wire.request_bytes("GET", f"/{CAMERA}/events"))
        assert events.head().status == 200
        push_until(server, "live")
        order(server, "pause")
        push_until(server, "paused")
        order(server, "resume")
        push_until(server, "live")
        text = ""
        while '{"source":"live"}' not in text.partition('{"source":"recorded"}')[2]:
            text += events.chunk().decode()
        told = [line for line in text.splitlines() if '"source"' in line]
        assert all(one != other for one, other in itertools.pairwise(told)), "told where nothing changed"


@pytest.mark.parametrize("is_told", [True, False])
def test_recorded_pictures_are_marked_where_the_operator_wants_it(is_told):
    # Nothing is told where nothing is said.
    with serving(*QUICK, *(["--mark-recorded", "true"] if is_told else [])) as server:
        wait_until(server, "off")
        # Until a segment is whole that began after that.
        begun, newest, deadline = None, 0, time.monotonic() + 20
        while begun is None or newest < begun + 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
            text = server.get(f"/{CAMERA}/live.m3u8").text
            newest = int(re.search(r'PRELOAD-HINT:.*URI="(\d+)\.', text)[1])
            begun = begun or newest
        assert ('CLASS="recorded"' in text) == is_told
        ids = [line.split('ID="')[1].split('"')[0] for line in text.splitlines() if "DATERANGE" in line]
        assert len(ids) == len(set(ids))


def test_the_playlist_without_parts_begins_at_once_and_ends_quietly():
    with serving("--size", "128x96", "--part", 1, "--hold", "forever") as server:
        assert server.status()["plainPlaylist"] is False
        server.push(stills.one())
        time.sleep(1.2)
        first = playlist.parse(server.get(f"/{CAMERA}/plain.m3u8").text)
        assert len(first.segments) >= 3 and first.header["TARGETDURATION"] == "1"
        assert "PART-INF" not in first.header
        fetch_all(server, first)
        time.sleep(2.2)
        reports = [line for line in server.get(f"/{CAMERA}/live.m3u8").text.splitlines() if "RENDITION-REPORT" in line]
        assert len(reports) == 1 and 'URI="plain.m3u8"' in reports[0]
        text = server.get(f"/{CAMERA}/plain.m3u8").text
        (report,) = [line for line in text.splitlines() if "RENDITION-REPORT" in line]
        told = int(report.split("LAST-MSN=")[1].split(",")[0])
        assert 'URI="live.m3u8"' in report and told in range(live(server).newest[0] - 1, live(server).newest[0] + 1)
        second = playlist.parse(text)
        assert second.segments[-1].sequence > first.segments[-1].sequence
        assert second.sequence >= first.sequence
        fetch_all(server, second)
        assert server.status()["plainPlaylist"] is True
