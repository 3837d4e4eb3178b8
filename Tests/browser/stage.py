"""A camera with numbered stills behind a counting proxy, another site that shows it, and a browser before both."""

import asyncio
import contextlib
import pathlib
import re
import tempfile
import time

import front
import numbered
import splices
from browsers import BROWSERS

SCRIPT = numbered.READER + (pathlib.Path(__file__).parent / "cams.js").read_text()
PART, SEGMENT, EVERY = 1, 6, 1.0
# What Firefox says of a connection that failed, as if it were an error of a script.
NETWORK = re.compile(r"^Cross-Origin Request Blocked|^Firefox can’t establish|^The connection to .* was interrupted")
GROWING = re.compile(r"^\d+\.mp4$")
PARTS = re.compile(r"^\d+\.\d+\.mp4$")


class Stage:
    """What a scenario plays on."""

    def __init__(self, rig, server, site, page):
        self.rig = rig
        # The way to the server, and another site.
        self.server, self.site, self.page = server, site, page

    @property
    def camera(self):
        return f"{self.server.url}/desk/"

    def element(self, attributes="", inner=None, src=None):
        src = src or self.camera
        inner = f'<img src="{src}latest.jpg" alt="The desk" width="320" height="240">' if inner is None else inner
        return f'<quiet-cam src="{src}" {attributes}>{inner}</quiet-cam>'

    def html(self, body=None, before="", server=None):
        server = server or self.server
        style = "<style>body{margin:0}quiet-cam,quiet-cam img{display:block;width:100%;height:auto}</style>"
        script = f'<script type="module" src="{server.url}/quietcam.js"></script>'
        return f"<!doctype html><html lang=en><title>site</title>{style}{before}{script}<body>{body or self.element()}"

    async def show(self, body=None, before="", **fields):
        """Opens a page of the other site with the element; `before` are inline scripts that run first."""
        # What the last page left open belongs to nobody.
        await self.page.goto("about:blank")
        await self.until(lambda: not self.server.open(), "the last page's requests end")
        self.server.log.clear()
        before = f"<script>{before}</script>" if before else ""
        await self.page.goto(self.site.page("/", self.html(body, before), **fields))

    async def until(self, check, what, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            value = check()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"not in {seconds} s: {what}; {await self.report()}")
            await asyncio.sleep(0.05)

    async def report(self):
        state = await self.page.eval("window.cams?.one?.shadowRoot ? cams.state() : document.title")
        asked = [f"{one.method} {one.path} {one.status}{' open' if one.is_open else ''}" for one in self.server.log]
        return f"{state}; requests {asked[-15:]}; errors {self.page.errors}; console {self.page.messages[-5:]}"

    async def plays(self, mode, fresh=2, seconds=30):
        """Waits until so many new numbers have been shown in this way, and that they are the newest."""
        await self.page.eval("cams.watch()")
        start = self.rig.number

        async def check():
            state = await self.page.eval("cams.state()")
            seen = [number for _, number in state["numbers"] if number > start]
            return state if state["mode"] == mode and len(seen) >= fresh else None

        state = await self.until(check, f"{fresh} new pictures by {mode}", seconds)
        numbers = [number for _, number in state["numbers"] if number >= 0]
        assert numbers == sorted(numbers), f"older pictures after newer ones: {numbers}"
        return state

    async def listens(self):
        """Waits until the page is told of events: all that come once the answer has begun."""
        await self.until(lambda: [one for one in self.server.open() if one.name == "events" and one.status], "it listens")

    async def state(self):
        return await self.page.eval("cams.state()")

    def names(self):
        return [one.name for one in self.server.log]


@contextlib.asynccontextmanager
async def stage(browser, *options, script=""):
    """Opens all of it in one browser; `script` runs in each page before its own."""
    with tempfile.TemporaryDirectory(prefix="quietcam-stage-") as home:
        # The recorded pictures are not what is tested here.
        rig = splices.Rig(home, *options, loop=False, segment=SEGMENT, part=PART, every=EVERY)
        with contextlib.ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, rig.running())
            upstream = f"http://127.0.0.1:{rig.public}"
            async with front.front(upstream) as server, front.front(upstream) as site:
                async with BROWSERS[browser]() as page:
                    await page.preload(SCRIPT + script)
                    yield Stage(rig, server, site, page)
            await asyncio.to_thread(stack.close)


async def play(browser, scenarios, *options, **more):
    """Plays scenarios one after the other; hands back for each the exception that ended it, or nothing."""
    outcomes = {}
    async with stage(browser, *options, **more) as made:
        for scenario in scenarios:
            made.server.is_down, made.server.delay = False, 0
            made.server.holds = lambda asked: False
            made.server.refuses = lambda asked: None
            made.server.fields = {}
            made.page.errors.clear()
            made.page.messages.clear()
            began = time.monotonic()
            try:
                await scenario(made)
                # Nothing is ever thrown into the page that it stands on.
                thrown = [error for error in made.page.errors if not NETWORK.search(error)]
                assert not thrown, f"uncaught in the page: {thrown}"
                outcomes[scenario] = None
            except Exception as error:
                outcomes[scenario] = error
            print(f"{browser}: {scenario.__name__} {time.monotonic() - began:.1f} s")
    return outcomes


def play_all(scenarios, *options, **more):
    """Plays them in both browsers at once."""

    async def both():
        return await asyncio.gather(*(play(browser, scenarios, *options, **more) for browser in BROWSERS))

    return dict(zip(BROWSERS, asyncio.run(both())))
