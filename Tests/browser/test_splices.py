"""A camera that comes and goes, is veiled, withdrawn and killed: what is on screen goes on, in order and without error.

`splices.py` plays more rounds of the same to more players and prints a table.
"""

import asyncio

import pytest

import numbered
import splices

pytestmark = pytest.mark.calm

SEGMENT = 2
# How long a browser's own player takes to find its place, in seconds.
BEGINNING = 5
STORIES = {
    # Chromium's own player too: it takes a splice without a discontinuity, and no other.
    "seamless": (["off", "veil"], ["chromium", "firefox"], ["live.m3u8", "plain.m3u8"], []),
    "cached": (["off", "withdraw"], ["chromium"], [], ["--off", "cached"]),
}


def of_one_segment(last, value):
    """Whether two pictures of the loop, a second each, are of the same segment."""
    return value >= numbered.LOOP and (last - numbered.LOOP) // SEGMENT == (value - numbered.LOOP) // SEGMENT


@pytest.fixture(scope="module")
def shown():
    """Both styles at once: players wait most of the time."""

    async def play(names, players, own, options):
        stories = [splices.STORIES[name][0] for name in names]
        return await splices.show(stories, 1, players, options, own=own, rig_options={"segment": SEGMENT})

    async def both():
        return await asyncio.gather(*(play(*story) for story in STORIES.values()))

    return dict(zip(STORIES, asyncio.run(both())))


@pytest.mark.parametrize("style", STORIES)
def test_nothing_breaks_where_recorded_pictures_come_and_go(style, shown, note):
    rig, seen = shown[style]
    note(f"{style}:\n" + splices.table([player.row(rig) for player in seen]))
    for player in seen:
        fatal = [problem for problem in player.problems if problem[1] in ("fatal", "error", "ended")]
        assert not fatal, f"{player.name}: {fatal}"
        # A withdrawal fills the window at once, with a segment of the loop again where the next one is not read yet.
        backward = [step for step in player.backward() if style != "cached" or not of_one_segment(*step[1:])]
        # A browser's own player may seek once more while it begins, if the machine is busy.
        if player.name.endswith(".m3u8"):
            backward = [step for step in backward if step[0] > player.playing()[0][0] + BEGINNING]
        assert not backward, f"{player.name}: older pictures after newer ones: {backward}"
        broken = [problem for problem in player.problems if "ParsingError" in problem[2] or "TimeOut" in problem[2]]
        assert not broken, f"{player.name}: {broken}"
        # The cached loop moves once in nearly a segment, and a busy machine adds to it.
        stalls = [stall for stall in player.pauses() if stall[1] > SEGMENT + splices.PART]
        assert not stalls, f"{player.name}: {stalls}"


def test_a_kill_is_not_seen_where_the_sockets_are_kept(note):
    """Not by ffmpeg and mpv either, which take a refused connection for the end."""
    players = ["chromium", "ffmpeg", "mpv"]
    rig, seen = asyncio.run(
        splices.show("kill", 1, players, own=["live.m3u8"], rig_options={"segment": SEGMENT, "kept": True})
    )
    killed = next(moment for moment, word in rig.notes if word == "kill -9")
    note("kill:\n" + splices.table([player.row(rig) for player in seen]))
    assert len(seen) == 5
    for player in seen:
        assert player.ended in ("", "-"), f"{player.name} ended: {player.ended} {player.problems}"
        assert not player.fatal, f"{player.name}: {player.problems}"
        assert not player.backward(), f"{player.name}: older pictures after newer ones: {player.backward()}"
        after = [value for moment, _, value in player.playing() if moment > killed + SEGMENT and value >= 0]
        assert len(set(after)) > 1, f"{player.name} shows nothing new after the kill"


@pytest.mark.parametrize("style", STORIES)
def test_both_kinds_of_pictures_are_seen_by_every_player(style, shown):
    rig, seen = shown[style]
    last_order = rig.notes[-1][0]
    for player in seen:
        loop = [moment for moment, _, value in player.playing() if value >= numbered.LOOP]
        live = [moment for moment, _, value in player.playing() if 0 <= value < numbered.LOOP]
        assert loop and live, f"{player.name} saw the loop {len(loop)} times and the camera {len(live)} times"
        is_behind = player.name.endswith("live.m3u8")
        assert is_behind or max(live) > last_order, f"{player.name} did not come back to the camera"
