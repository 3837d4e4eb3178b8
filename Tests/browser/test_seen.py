"""What the element says of its viewer to the server: for how many seconds the picture was visible, and nothing else."""

import asyncio
import re
import time

import pytest

import stage
from browsers import BROWSERS
from test_element_guest import HIDING, TALL

# A browser that a program steers says nothing; here it has to pass for one that nobody steers.
PERSON = "Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => window.isSteered ?? false });"
SECONDS = re.compile(r"^/desk/seen\?seconds=(\d+)(&last)?$")


def words(on):
    """Seconds, and whether it was the last word."""
    found = [SECONDS.match(one.path) for one in on.server.log if one.method == "POST" and one.name == "seen"]
    assert all(found), [one.path for one in on.server.log if one.name == "seen"]
    return [(int(match[1]), bool(match[2])) for match in found]


async def is_said_after_five_seconds_and_at_the_end(on):
    await on.show(before=HIDING)
    await on.plays("frames", fresh=1)
    await on.until(lambda: words(on), "the first word")
    # It looks once a second, and a little later on a busy machine.
    assert words(on) in ([(5, False)], [(6, False)])
    await asyncio.sleep(2.5)
    assert len(words(on)) == 1
    await on.page.eval("leave(true)")
    await on.until(lambda: len(words(on)) == 2, "the last word")
    seconds, is_last = words(on)[1]
    assert is_last and 1 <= seconds <= 6
    # What is hidden is not seen, however long it lasts.
    await asyncio.sleep(3)
    assert len(words(on)) == 2
    asked = next(one for one in on.server.log if one.name == "seen")
    assert asked.status == 204, asked


async def a_page_that_is_left_says_the_rest(on):
    await on.show()
    await on.plays("frames", fresh=1)
    await on.until(lambda: words(on), "the first word")
    await asyncio.sleep(2)
    await on.page.goto("about:blank")
    await on.until(lambda: len(words(on)) == 2, "the last word")
    assert words(on)[1][1]


async def nothing_is_said_of_less_than_five_seconds(on):
    for _ in range(3):
        await on.show(before=HIDING)
        began = time.monotonic()
        await on.plays("frames", fresh=1)
        await asyncio.sleep(1)
        await on.page.eval("leave(true)")
        # A busy machine may take longer.
        if time.monotonic() - began < 5:
            break
    await asyncio.sleep(1)
    assert words(on) == []


async def nothing_is_said_of_what_is_not_seen(on):
    await on.show(on.element("paused"))
    await asyncio.sleep(7)
    assert words(on) == []
    await on.show(TALL + on.element())
    await asyncio.sleep(7)
    assert words(on) == [] and "seen.js" not in on.names()


async def who_asks_for_it_is_not_counted(on):
    for wish in (
        "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });",
        "Object.defineProperty(navigator, 'doNotTrack', { value: '1' });",
        "window.isSteered = true;",
    ):
        await on.show(before=wish)
        await on.plays("frames", fresh=1)
        await asyncio.sleep(7)
        assert words(on) == [], wish


SCENARIOS = [
    is_said_after_five_seconds_and_at_the_end, a_page_that_is_left_says_the_rest,
    nothing_is_said_of_less_than_five_seconds, nothing_is_said_of_what_is_not_seen, who_asks_for_it_is_not_counted,
]  # fmt: skip


@pytest.fixture(scope="module")
def outcomes():
    return stage.play_all(SCENARIOS, script=PERSON)


@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_seen(browser, scenario, outcomes):
    error = outcomes[browser][scenario]
    if error:
        raise error
