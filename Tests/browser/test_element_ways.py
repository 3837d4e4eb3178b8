"""The <quiet-cam> element on another site's page: each way plays, and gives way to the next when its need is taken away."""

import asyncio
import statistics
import time

import pytest

import stage
from browsers import BROWSERS

# A still waits for its slot, of one second, at most.
LATE = 1.5
NO_CODECS = "delete window.VideoDecoder;"
NO_SOURCES = "delete window.MediaSource; delete window.ManagedMediaSource;"
NO_NATIVE = "HTMLMediaElement.prototype.canPlayType = () => '';"
NO_EVENTS = "delete window.EventSource;"
NO_PLAY = "HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException('no', 'NotAllowedError'));"


async def frames(on):
    """Each picture is there soon, of one answer a segment, without a playlist in between; the best of three, as the
    machine may be busy."""
    for _ in range(3):
        await on.show()
        began = time.monotonic()
        state = await on.plays("frames", fresh=stage.SEGMENT + 2)
        segments = (time.monotonic() - began) / stage.SEGMENT
        names = on.names()
        late = [moment - on.rig.pushed[number] for moment, number in state["numbers"][1:] if number in on.rig.pushed]
        # Where nothing comes for three seconds, the element has to look.
        if names.count("live.m3u8") == 1 and statistics.median(late) < LATE and state["delay"] < 1:
            break
    assert names.count("live.m3u8") == 1, " ".join(names)
    growing = [name for name in names if stage.GROWING.match(name)]
    assert len(growing) == len(set(growing)) and 2 <= len(growing) <= segments + 3, names
    assert not [name for name in names if stage.PARTS.match(name)], names
    assert not {"hls-1.6.15.mjs", "video.js", "photos.js", "events"} & set(names), names
    assert statistics.median(late) < LATE, late
    assert 0 <= state["delay"] < 1, state
    assert state["told"][:3] == ["statechange", "loadeddata", "statechange"], state


async def frames_behind_a_proxy_that_holds_back(on):
    """Answers that grow come when they have ended; the element asks for parts instead."""
    on.server.holds = lambda asked: stage.GROWING.match(asked.name)
    await on.show()
    await on.plays("frames", fresh=3, seconds=20)
    assert [name for name in on.names() if stage.PARTS.match(name)], on.names()
    assert not [one for one in on.server.open() if stage.GROWING.match(one.name)], on.names()


async def hls_without_codecs(on):
    await on.show(before=NO_CODECS)
    await on.plays("hls", fresh=2, seconds=30)
    assert "hls-1.6.15.mjs" in on.names()


async def below_hls(on):
    """Without Media Source Extensions Chromium plays by itself, and Firefox shows photos."""
    await on.show(before=NO_CODECS + NO_SOURCES)
    if on.page.name == "chromium":
        await on.until(lambda: on.page.eval("cams.number() >= 0 && cams.one.currentMode === 'native'"), "native", 30)
    else:
        await on.plays("photos")
    assert "hls-1.6.15.mjs" not in on.names()


async def photos_without_video(on):
    await on.show(before=NO_CODECS + NO_SOURCES + NO_NATIVE)
    await on.plays("photos")


async def still_without_events(on):
    await on.show(before=NO_CODECS + NO_SOURCES + NO_NATIVE + NO_EVENTS)
    await on.plays("still", fresh=1, seconds=15)


async def photos_where_play_is_refused(on):
    """As a phone does that saves power: what is seen goes on, and the button is there."""
    await on.show(before=NO_CODECS + NO_PLAY)
    await on.plays("photos", seconds=20)
    box = await on.page.eval("cams.one.shadowRoot.querySelector('button').getBoundingClientRect().toJSON()")
    assert box["width"] >= 24, box


async def photos_when_asked(on):
    await on.show(on.element('mode="photos"'))
    await on.plays("photos", fresh=3)
    assert on.names().count("events") == 1 and "live.m3u8" not in on.names(), on.names()


async def photos_that_are_gone(on):
    """Withdrawn, or no longer among the kept ones: each is asked for once, and the newest picture takes its place."""
    on.server.refuses = lambda asked: 404 if asked.name.startswith("photo-") else None
    await on.show(on.element('mode="photos"'))
    await on.plays("photos", fresh=2)
    photos = [name for name in on.names() if name.startswith("photo-")]
    assert photos and len(photos) == len(set(photos)), on.names()


async def events_that_are_refused(on):
    on.server.refuses = lambda asked: 502 if asked.name == "events" else None
    await on.show(on.element('mode="photos"'))
    await on.plays("still", fresh=1, seconds=15)


async def events_in_a_buffer(on):
    """A proxy that keeps events for itself: the element sees that pictures change though nothing says so."""
    on.server.holds = lambda asked: asked.name == "events"
    # It looks once a minute; a test does not wait for that.
    sooner = "{ const set = setInterval; window.setInterval = (does, ms) => set(does, ms === 60000 ? 1500 : ms); }"
    await on.show(on.element('mode="photos"'), before=sooner)
    await on.plays("still", fresh=1, seconds=15)


async def a_network_that_goes_and_comes(on):
    await on.show()
    await on.plays("frames", fresh=1)
    on.server.is_down = True
    on.server.cut()
    await on.until(lambda: on.page.eval("cams.one.state === 'waiting'"), "it waits")
    assert await on.page.eval("cams.number()") >= 0, "the last picture has gone"
    await asyncio.sleep(1)
    on.server.is_down = False
    await on.plays("frames", seconds=12)


async def a_server_that_restarts(on):
    await on.show()
    await on.plays("frames", fresh=1)
    await asyncio.to_thread(on.rig.kill)
    await asyncio.sleep(0.5)
    on.rig.start()
    await asyncio.to_thread(on.rig.wait_until_ready)
    assert await on.page.eval("cams.number()") >= 0, "the last picture has gone"
    await on.plays("frames", seconds=20)
    assert [one.path for one in on.server.log if one.status == 404] == [], on.names()


async def a_camera_that_goes(on):
    """Recorded pictures come ahead of their time, and are not hurried through."""
    await on.show()
    await on.plays("frames", fresh=1)
    on.rig.off()
    await asyncio.sleep(5)
    asked = len(on.server.log)
    await asyncio.sleep(1.5 * stage.SEGMENT)
    assert len(on.server.log) - asked <= 5, on.names()[asked:]
    on.rig.on()
    await on.plays("frames", seconds=3 * stage.SEGMENT)


SCENARIOS = [
    frames, frames_behind_a_proxy_that_holds_back, hls_without_codecs, below_hls, photos_without_video,
    still_without_events, photos_where_play_is_refused, photos_when_asked, photos_that_are_gone,
    events_that_are_refused,
    events_in_a_buffer,
    a_network_that_goes_and_comes, a_server_that_restarts, a_camera_that_goes,
]  # fmt: skip


@pytest.fixture(scope="module")
def outcomes():
    return stage.play_all(SCENARIOS)


@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_picture_goes_on(browser, scenario, outcomes):
    error = outcomes[browser][scenario]
    if error:
        raise error
