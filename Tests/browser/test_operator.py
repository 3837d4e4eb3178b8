"""The operator's page in real browsers: signing in, each switch, tokens, links, charts; none, one, three and sixty cameras."""

import asyncio
import contextlib
import importlib.util
import io
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

import pytest
from PIL import Image

import quietcam
from browsers import BROWSERS

AXE = pathlib.Path(importlib.util.find_spec("axe_playwright_python").submodule_search_locations[0]) / "axe.min.js"
TOKEN, OPERATOR = "token-of-the-cameras", "token-of-the-operator"
WINDOWS = [("phone", "light", 390, 844), ("laptop", "dark", 1440, 900), ("wall", "light", 3840, 2160)]
PRELOAD = """window.violations = [];
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    if (!blockedURI.endsWith("/favicon.ico")) violations.push(`${violatedDirective} ${blockedURI}`);
  });"""
CAMERA = [f"token: {TOKEN}", "rate: 5", "part: 0.2", "segment: 1", "size: 128x96"]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def still(number):
    picture = Image.new("RGB", (128, 96), (number * 37 % 256, number * 91 % 256, 120))
    body = io.BytesIO()
    picture.save(body, "JPEG", quality=80)
    return body.getvalue()


class Rig:
    """A server with these cameras; those that are busy get a still twice a second."""

    def __init__(self, home, cameras, busy):
        lines = "".join(f"  {name}:\n" + "".join(f"    {line}\n" for line in CAMERA + more) for name, more in cameras.items())
        config = home / "quietcam.yaml"
        config.write_text(f"operator-token: {OPERATOR}\nlink-key: some-link-key-of-ours\ncameras:\n{lines}")
        config.chmod(0o600)
        self.log, self.busy, self.isEnding = home / "log", busy, threading.Event()
        self.make_loop(home, config, busy)
        options = ["--config", config, "--public", "127.0.0.1:0", "--private", "127.0.0.1:0", "--store", home / "store"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in [quietcam.binary(), "serve", *options]], env=quietcam.environment(),
                cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip

    @staticmethod
    def make_loop(home, config, busy):
        """Without a loop there is no veil."""
        (home / "stills").mkdir()
        for number in range(4):
            (home / f"stills/{number}.jpg").write_bytes(still(number))
        for name in busy[:1]:
            options = [home / "stills", "--camera", name, "--config", config, "--store", home / "store", "--every", "500ms"]
            subprocess.run([str(part) for part in [quietcam.binary(), "loop", *options]], env=quietcam.environment(),
                           cwd=home, check=True, capture_output=True)  # fmt: skip

    def start(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            text = self.log.read_text(errors="replace")
            viewers = re.search(r"viewers: +http://127\.0\.0\.1:(\d+)/", text)
            operator = re.search(r"stills: +http://127\.0\.0\.1:(\d+)/", text)
            if viewers and operator:
                self.public, self.page = f"http://127.0.0.1:{viewers[1]}/", f"http://127.0.0.1:{operator[1]}/"
                if quietcam.get(self.public + "readyz")[0] == 200:
                    self.pusher = threading.Thread(target=self._push, daemon=True)
                    self.pusher.start()
                    return
            time.sleep(0.1)
        raise AssertionError(f"the server did not get ready ({self.process.poll()}):\n{self.log.read_text()}")

    def _push(self):
        number = 0
        while not self.isEnding.wait(0.5):
            for name in self.busy:
                number += 1
                with contextlib.suppress(OSError):
                    self.ask("POST", f"ingest/{name}", TOKEN, still(number)).close()

    def ask(self, method, path, token=OPERATOR, body=None):
        fields = {"Authorization": f"Bearer {token}"}
        return OPENER.open(urllib.request.Request(self.page + path, body, fields, method=method), timeout=10)

    def stop(self):
        self.isEnding.set()
        if hasattr(self, "pusher"):
            self.pusher.join()
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(15) == 0, self.log.read_text()[-2000:]
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()


class Play:
    """A browser before the operator's page of a server."""

    def __init__(self, rig, page):
        self.rig, self.page = rig, page

    def eval(self, text):
        return self.page.eval(text)

    async def until(self, text, seconds=30):
        deadline = time.monotonic() + seconds
        while not (value := await self.eval(text)):
            if time.monotonic() > deadline:
                shown = await self.eval("document.body.innerText")
                raise AssertionError(f"not in {seconds} s: {text}\nshown: {shown}\nconsole: {self.page.messages[-5:]}")
            await asyncio.sleep(0.05)
        return value

    async def says(self, text, where="main", **more):
        return await self.until(f"document.querySelector({where!r})?.innerText.includes({text!r})", **more)

    async def click(self, text, where="main"):
        """Clicks the button or link with this text, or with this label."""
        found = (f"[...document.querySelectorAll({where!r} + ' :is(button, a, summary)')].find((one) => one.offsetParent && "
                 f"(one.innerText.trim() === {text!r} || one.getAttribute('aria-label') === {text!r}))")  # fmt: skip
        await self.until(f"!!({found}) && !({found}).disabled")
        await self.eval(f"({found}).click()")

    async def fill(self, selector, text):
        await self.until(f"!!document.querySelector({selector!r})")
        await self.eval(f"(document.querySelector({selector!r}).value = {text!r}, 1)")

    async def visit(self, view=""):
        await self.page.goto("about:blank")
        await self.page.goto(f"{self.rig.page}#/{view}")

    async def sign_in(self, token=OPERATOR):
        await self.visit()
        await self.until("!!document.querySelector('.sign') || !document.querySelector('.top').hidden")
        if not await self.eval("!!document.querySelector('.sign')"):
            return
        await self.fill("#token", token)
        await self.click("Sign in")
        await self.until("!document.querySelector('.top').hidden")

    async def complaints(self):
        """What axe finds."""
        await self.page.run(AXE.read_text())
        return await self.eval(
            "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>"
            " violations.map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) => [target.join(' '), failureSummary])]))"
        )

    async def is_fine(self, what):
        """Nothing for axe, nothing against the policy, nothing beside the window."""
        assert await self.complaints() == [], what
        assert await self.eval("violations") == [], what
        assert await self.eval("document.documentElement.scrollWidth - innerWidth") <= 0, f"{what}: it is wider than the window"


# Three cameras


async def signing_in_and_out(on):
    await on.visit()
    await on.until("document.activeElement?.id === 'token'")
    await on.is_fine("sign in")
    await on.fill("#token", "a-wrong-token")
    await on.click("Sign in")
    await on.says("This is not the token.")
    await on.sign_in()
    await on.says("Watching now")
    stored = "[document.cookie, location.href, ...Object.values(localStorage), ...Object.values(sessionStorage)].join()"
    assert OPERATOR not in await on.eval(stored) and await on.eval("document.cookie") == ""
    # The session outlives the page.
    await on.visit()
    await on.says("Watching now")
    await on.click("Sign out", ".top")
    await on.until("!!document.querySelector('#token')")
    await on.visit("access")
    await on.until("!!document.querySelector('#token')")
    await on.sign_in()


async def all_cameras(on):
    await on.visit()
    await on.until("document.querySelectorAll('.card').length === 3")
    states = "Object.fromEntries([...document.querySelectorAll('.card')].map((card) => [card.querySelector('.name').innerText, card.dataset.state]))"
    await on.until(f"{states}.desk === 'live' && {states}['The attic'] === 'live' && {states}.yard === 'off'")
    await on.until("document.querySelector('.card .line').innerText.match(/^[\\d.]+ k?B a viewer-minute, not [\\d.]+ k?B$/)")
    # Its picture is live.
    await on.until("document.querySelector('.card img').naturalWidth === 128")
    first = await on.eval("document.querySelector('.card img').src")
    await on.until(f"document.querySelector('.card img').src !== {first!r}")
    assert await on.eval("document.querySelector('.card img').alt") == "Newest picture of desk"
    await on.is_fine("cameras")
    await on.click("Pause desk")
    await on.says("Paused", ".card")
    await on.says("desk paused at", ".told")
    await on.click("Resume desk")
    await on.says("Live", ".card")


async def each_switch(on):
    await on.visit("camera/desk")
    await on.says("Live since")
    await on.says("Stills come.")
    await on.click("Pause")
    await on.says("Paused by the operator. The loop is shown.")
    await on.click("Resume")
    await on.says("Stills come.")
    await on.click("Veil")
    await on.says("Veiled by the operator.")
    await on.click("Unveil")
    # The loop goes on until the stills fit to it. On a busy machine they come irregularly, and that takes up to 90 s.
    await on.says("Stills come.", seconds=120)
    # A withdrawal takes a second look.
    await on.click("Withdraw…")
    await on.until("document.querySelector('dialog').open")
    await on.is_fine("withdraw")
    assert await on.eval("document.activeElement.innerText") == "Keep it"
    await on.click("Keep it")
    await on.until("!document.querySelector('dialog').open")
    assert await on.eval("document.querySelector('.pill').innerText") == "Live"
    await on.click("Withdraw…")
    await on.click("Withdraw now")
    await on.says("Paused by the operator.")
    await on.says("desk withdrawn at", ".told")
    await on.click("Resume")
    await on.says("Stills come.")
    log = "[...document.querySelectorAll('[aria-labelledby=log-title] tbody tr')].map((row) => row.children[1]?.innerText)"
    await on.until(f"{log}.length >= 6")
    done = await on.eval(log)
    assert done[:6] == ["Resumed", "Withdrawn", "Unveiled", "Veiled", "Resumed", "Paused"], done
    await on.is_fine("camera")


async def a_veil_that_would_be_seen(on):
    await on.visit("camera/yard")
    await on.says("Veil: Not possible while latest.jpg is larger than the stream.")
    assert await on.eval("[...document.querySelectorAll('.switches button')].map(({ disabled }) => disabled)") == [False, True, False]
    await on.is_fine("a camera that is off")


async def tokens_are_shown_once(on):
    await on.visit("access")
    await on.fill("#note", "In the attic")
    await on.click("Make a token")
    token = await on.until("document.querySelector('.new-token .secret')?.textContent")
    assert re.fullmatch("[0-9a-f]{32}", token)
    await on.says("In the attic", "table")
    await on.is_fine("access")
    with await asyncio.to_thread(on.rig.ask, "POST", "ingest/desk", token, still(1)) as answer:
        assert answer.status == 202
    await on.click("Hide")
    assert token not in await on.eval("document.documentElement.outerHTML")
    await on.click("Revoke In the attic")
    await on.says("Revoke this token?", "dialog")
    await on.click("Revoke", "dialog")
    await on.says("No token was made here yet.")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        await asyncio.to_thread(on.rig.ask, "POST", "ingest/desk", token, still(1))


async def links_to_a_signed_camera(on):
    await on.visit("camera/attic")
    await on.click("Make a link")
    link = await on.until("document.querySelector('.secret')?.textContent")
    assert link.startswith(on.rig.public + "attic/~"), link
    assert (await asyncio.to_thread(quietcam.get, link))[0] == 200
    assert (await asyncio.to_thread(quietcam.get, on.rig.public + "attic/"))[0] == 404
    await on.is_fine("a signed camera")


async def charts_and_their_table(on):
    await on.visit("visits")
    for name, count in (("24 hours", 24), ("30 days", 30), ("12 months", 12)):
        await on.click(name)
        await on.until(f"document.querySelectorAll('.visits tbody tr').length === {count}")
        await on.until(f"document.querySelector('.chart:not([hidden])').querySelectorAll('.bar').length === {count}")
        label = await on.eval("document.querySelector('.chart:not([hidden]) svg').getAttribute('aria-label')")
        assert name in label, label
    await on.click("As a table")
    await on.is_fine("visits")


async def the_log(on):
    await on.visit("log")
    await on.says("Signed in")
    await on.is_fine("log")


async def a_server_that_does_not_answer(on):
    await on.visit()
    await on.says("Watching now")
    await on.eval("(window.own = fetch, window.fetch = async () => { throw new TypeError('away'); }, 1)")
    await on.says("No answer from the server since", ".trouble")
    await on.is_fine("no answer")
    await on.eval("(window.fetch = own, 1)")
    await on.until("document.querySelector('.trouble').hidden")


async def each_window(on):
    if on.page.name != "chromium":
        return
    for name, theme, width, height in WINDOWS:
        await on.page._send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        await on.page.size(width, height)
        for view in [""] if name == "wall" else ["", "camera/desk", "visits", "log", "access"]:
            await on.visit(view)
            await on.until("!!document.querySelector('main h1')")
            await on.is_fine(f"{name}, {theme}: {view}")
    await on.page._send("Emulation.setEmulatedMedia", features=[])
    await on.page.size(1024, 768)


async def no_camera(on):
    """The server has one at least; the page does not count on it."""
    await on.visit()
    await on.says("Watching now")
    await on.eval("(window.own = fetch, window.fetch = async (...all) => { const answer = await own(...all); if (all[0] !== 'overview') return answer;"
                  " return new Response(JSON.stringify({ ...(await answer.json()), cameras: [] })); }, 1)")  # fmt: skip
    await on.says("No camera yet")
    await on.is_fine("no camera")


THREE = [
    signing_in_and_out, all_cameras, each_switch, a_veil_that_would_be_seen, tokens_are_shown_once,
    links_to_a_signed_camera, charts_and_their_table, the_log, a_server_that_does_not_answer, no_camera, each_window,
]  # fmt: skip


# One camera, and sixty


async def the_only_camera_is_the_first_view(on):
    await on.sign_in()
    await on.says("No still since the start. The loop is shown.")
    assert await on.eval("document.querySelector('h1').innerText") == "desk"
    await on.is_fine("one camera")


async def sixty_cameras(on):
    await on.sign_in()
    await on.until("document.querySelectorAll('.card').length === 60", 30)
    await on.until("document.querySelector('.card img').naturalWidth === 128", 30)
    # Pictures that nobody can see are not loaded.
    assert await on.eval("[...document.querySelectorAll('.card img')].filter((image) => image.src).length") < 60
    await on.until("document.querySelectorAll('.filters button').length === 3")
    await on.click("Live 1", ".filters")
    await on.until("[...document.querySelectorAll('.card')].filter(({ hidden }) => !hidden).length === 1")
    await on.click("All 60", ".filters")
    await on.is_fine("sixty cameras")


RIGS = {
    "three": (
        {"desk": [], "attic": ["access: signed", "title: The attic"], "yard": ["photo-size: 320x240", "hold: 1"]},
        ["desk", "attic"], THREE,
    ),
    "one": ({"desk": ["hold: 1"]}, [], [the_only_camera_is_the_first_view]),
    "sixty": ({f"cam-{number}": ["hold: 1"] if number else [] for number in range(60)}, ["cam-0"], [sixty_cameras]),
}


async def play(browser, name):
    """Plays its scenarios one after the other; hands back for each the exception that ended it, or nothing."""
    cameras, busy, scenarios = RIGS[name]
    outcomes = {}
    with tempfile.TemporaryDirectory(prefix="quietcam-operator-") as home:
        rig = Rig(pathlib.Path(home), cameras, busy)
        try:
            await asyncio.to_thread(rig.start)
            async with BROWSERS[browser]() as page:
                await page.preload(PRELOAD)
                for scenario in scenarios:
                    page.errors.clear()
                    began = time.monotonic()
                    try:
                        await scenario(Play(rig, page))
                        assert not page.errors, f"uncaught in the page: {page.errors}"
                        outcomes[scenario] = None
                    except Exception as error:
                        outcomes[scenario] = error
                    print(f"{browser}: {scenario.__name__} {time.monotonic() - began:.1f} s")
        finally:
            await asyncio.to_thread(rig.stop)
    return outcomes


@pytest.fixture(scope="module")
def outcomes():
    async def all_of_them():
        keys = [(browser, name) for browser in BROWSERS for name in ("three", "one")]
        results = dict(zip(keys, await asyncio.gather(*(play(*key) for key in keys))))
        # Sixty encoders are enough for this machine.
        for browser in BROWSERS:
            results[browser, "sixty"] = await play(browser, "sixty")
        return results

    return asyncio.run(all_of_them())


CASES = [(name, scenario) for name, (_, _, scenarios) in RIGS.items() for scenario in scenarios]


@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize("name, scenario", CASES, ids=lambda value: getattr(value, "__name__", value))
def test_the_operators_page(browser, name, scenario, outcomes):
    error = outcomes[browser, name][scenario]
    if error:
        raise error
