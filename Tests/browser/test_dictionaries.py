"""A browser that keeps playlists as dictionaries (RFC 9842) gets each next one as what has changed, and plays on."""

import asyncio
import time

import pytest

from browsers import BROWSERS, at_once, firefox
from test_pages import SecureRig

PLAYLISTS = 12
PATIENCE_SECONDS = 90
# `contentEncoding` is null in browsers that do not tell it.
LOOK = """performance.getEntriesByType("resource").map((entry) => ({
  name: entry.name.split("/").pop().split("?")[0], isReload: entry.name.includes("_HLS_msn"),
  coding: entry.contentEncoding ?? null, sent: entry.encodedBodySize, text: entry.decodedBodySize,
}))"""


async def watch(browser, player):
    """The browser's version, the blocking reloads that hls.js made, and how many parts came with them."""
    async with browser as page:
        await page.goto(player)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            entries = await page.eval(LOOK)
            reloads = [entry for entry in entries if entry["isReload"] and entry["text"]]
            if len(reloads) >= PLAYLISTS:
                break
            assert time.monotonic() < deadline, (reloads, page.errors, page.messages[-10:])
            await asyncio.sleep(0.5)
        assert not page.errors, page.errors
        parts = [entry for entry in entries if entry["name"].endswith(".mp4") and entry["name"].count(".") == 2]
        return page.version, reloads, len(parts)


@pytest.fixture(scope="module")
def watched(live):
    return at_once(lambda browser: watch(BROWSERS[browser](), live.player))


@pytest.mark.parametrize("browser", BROWSERS)
def test_what_a_playlist_costs_in_a_browser(browser, watched, note):
    version, reloads, parts = watched[browser]
    assert parts >= PLAYLISTS / 2, parts
    sizes = [entry["sent"] for entry in reloads]
    note(f"{browser} {version}: {[entry['coding'] for entry in reloads]}, {sizes} bytes for playlists of "
         f"{reloads[-1]['text']}")
    if browser == "chromium":
        # The first reload may come before the browser has kept the first playlist.
        packed = [entry for entry in reloads[2:] if entry["coding"] == "dcz"]
        assert len(packed) >= len(reloads) - 4, reloads
        assert max(entry["sent"] for entry in packed) < 100, reloads
    else:
        # It may ask for dictionaries one day; brotli is the least that it gets.
        assert max(sizes) < reloads[-1]["text"] / 4, reloads


def test_firefox_that_is_told_to_takes_what_has_changed(note, tmp_path):
    """It is off in Firefox 153, and where it is on, it needs HTTPS also on the same machine."""
    with SecureRig(tmp_path).running() as rig:
        told = firefox(network_http_dictionaries_enable=True)
        version, reloads, _ = asyncio.run(watch(told, f"{rig.base}?mode=hls"))
    sizes = [entry["sent"] for entry in reloads]
    note(f"firefox {version}, with network.http.dictionaries.enable: {sizes} bytes for playlists of {reloads[-1]['text']}")
    # Only the first may come before it has kept a playlist.
    assert sum(size < 100 for size in sizes) >= len(sizes) - 4, reloads
