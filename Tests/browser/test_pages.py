"""The server's own pages in real browsers: one camera, the photo frame, several cameras, the sample home page."""

import asyncio
import contextlib
import importlib.util
import io
import pathlib
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import numpy
import pytest
from PIL import Image

import front
import numbered
import splices
import stage
from browsers import BROWSERS, at_once

AXE = pathlib.Path(importlib.util.find_spec("axe_playwright_python").submodule_search_locations[0]) / "axe.min.js"
STAND_INS = """window.awake = [];
  Object.defineProperty(navigator, "wakeLock", { value: { request: async (kind) => awake.push(kind) } });"""
NOTE = "cams.one.shadowRoot.querySelector('.note.on')?.textContent"
STATUS = "document.querySelector('.status').textContent"
WINDOWS = {"phone": (390, 844), "laptop": (1440, 900), "wall": (3840, 2160), "low": (1200, 400)}


async def complaints(on):
    """What axe finds on the page."""
    await on.page.run(AXE.read_text())
    found = await on.page.eval(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>"
        " violations.map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) => [target.join(' '), failureSummary])]))"
    )
    return found


def wave(address):
    request = urllib.request.Request(address, method="POST")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5).close()


async def settle(on, path, what="cams.number() >= 0"):
    await on.page.goto("about:blank")
    await on.until(lambda: not on.server.open(), "the last page's requests end")
    on.server.log.clear()
    await on.page.goto(on.server.url + path)
    await on.until(lambda: on.page.eval(what), f"{path} shows a picture", 20)


async def the_camera_page(on):
    """What it is, below the picture; pause; the lines to copy work on another site."""
    await settle(on, "/desk/")
    await on.plays("frames", fresh=2)
    await on.until(lambda: on.page.eval(f"/^live, 0\\.\\d s$/.test({STATUS})"), "it says how late it is")
    await on.page.eval("(cams.one.shadowRoot.querySelector('[part=pause-button]').click(), 1)")
    await on.until(lambda: on.page.eval(f"{STATUS} === 'paused'"), "it says that it is paused")
    assert await on.page.eval("cams.violations") == []
    lines = await on.page.eval("document.querySelector('.embed').textContent")
    assert await on.page.eval("document.querySelector('.playlist').href") == f"{on.camera}index.m3u8"
    await on.page.goto(on.site.page("/", f"<!doctype html><title>x</title>{lines}"))
    await on.plays("frames", fresh=1)
    assert await on.page.eval("cams.one.querySelector('img').alt") == "Live picture of desk"


async def the_picture_fits_the_window(on):
    if on.page.name != "chromium":
        return
    for name, (width, height) in WINDOWS.items():
        await on.page.size(width, height)
        await settle(on, "/desk/")
        box = await on.page.eval("cams.one.getBoundingClientRect().toJSON()")
        assert box["top"] >= 0 and box["left"] >= 0 and box["bottom"] <= height and box["right"] <= width + 1, (name, box)
        assert abs(box["width"] / box["height"] - 4 / 3) < 0.01, (name, box)
        # As large as the window lets it be: one side of the picture, and the line of words, fill it.
        bar = await on.page.eval("document.querySelector('.bar').offsetHeight")
        assert box["width"] > width - 2 or box["height"] > height - bar - 2, (name, box, bar)
        scrolls = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert await on.page.eval(scrolls) == [width, height], name
    await on.page.size(1024, 768)


async def full_screen(on):
    await settle(on, "/desk/")
    click = "document.querySelector('.full').click()"
    if on.page.name == "firefox":
        # Without a screen it has no focus, and lets nothing fill it.
        await on.page.eval("Element.prototype.requestFullscreen = async function () { window.filled = this.localName; }")
        await on.page.eval(click)
        assert await on.page.eval("filled") == "quiet-cam"
        return
    await on.page.act(click)
    await on.until(lambda: on.page.eval("document.fullscreenElement === cams.one"), "full screen")
    await on.plays("frames", fresh=1)
    await on.page.eval("document.exitFullscreen()")


async def a_wave_on_the_page(on):
    await settle(on, "/desk/")
    await on.listens()
    note = None
    # A page that begins to play asks for its events anew, and what was waved in between is not told.
    for _ in range(3):
        with contextlib.suppress(urllib.error.HTTPError):
            await asyncio.to_thread(wave, f"http://127.0.0.1:{on.rig.public}/desk/wave")
        if note := await on.page.eval(f"cams.until(() => {NOTE}, 8000)"):
            break
    assert note == "Somebody waves"


async def the_photo_frame(on):
    await settle(on, "/desk/?frame")
    await on.plays("photos", fresh=2)
    assert await on.page.eval("getComputedStyle(document.querySelector('.bar')).display") == "none"
    box = await on.page.eval("cams.one.getBoundingClientRect().toJSON()")
    inner = await on.page.eval("[innerWidth, innerHeight]")
    assert [round(box["width"]), round(box["height"])] == inner
    assert await on.page.eval("cams.until(() => getComputedStyle(document.body).cursor === 'none')")
    assert await on.page.eval("awake") == ["screen"]


async def the_photo_frame_of_kept_photos(on):
    await on.until(lambda: on.page.eval(f"fetch('{on.camera}photos.json').then((a) => a.json()).then((j) => j.photos.length > 3)"), "photos")  # fmt: skip
    await settle(on, "/desk/?frame&every=2&fit=cover", "document.querySelector('.kept canvas') !== null")
    await on.until(lambda: len({name for name in on.names() if name.startswith("photo-")}) >= 2, "two photos", 10)
    await on.until(lambda: not on.server.open(), "nothing else is asked for", 2)


async def several_cameras(on):
    await settle(on, "/")
    assert await on.page.eval("cams.all().length") == 2
    await on.until(lambda: on.page.eval("cams.all().every(({ state }) => state === 'playing')"), "both play")
    assert await on.page.eval("[...document.querySelectorAll('.grid a')].map(({ href }) => new URL(href).pathname)") == \
        ["/desk/", "/demo/"]  # fmt: skip
    # The tile leads to the camera, its button does not.
    at = "((box) => document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2).closest('a, quiet-cam').localName)"
    assert await on.page.eval(f"{at}(cams.one.getBoundingClientRect())") == "a"
    button = "cams.one.shadowRoot.querySelector('button').getBoundingClientRect()"
    assert await on.page.eval(f"{at}({button})") == "quiet-cam"


async def the_sample_home_page(on):
    await settle(on, "/sample/", "cams.one?.state === 'playing'")
    assert await on.page.eval("cams.violations") == []
    filter = "getComputedStyle(cams.one.shadowRoot.querySelector('[part=picture]')).filter"
    assert "grayscale(1)" in await on.page.eval(filter)
    box = "getComputedStyle(cams.one.shadowRoot.querySelector('.box')).opacity"
    await on.page.eval("scrollTo(0, cams.one.offsetHeight / 2)")
    assert await on.page.eval(f"cams.until(() => {box} < 0.7)")
    await on.page.eval("scrollTo(0, document.body.scrollHeight)")
    # Whoever reads the text pays for no picture.
    is_past = "cams.one.getBoundingClientRect().bottom <= 0"
    if await on.page.eval(is_past):
        await on.until(lambda: not on.server.open(), "the requests end")
    await on.page.eval("scrollTo(0, 0)")
    await on.page.eval("cams.until(() => cams.one.shadowRoot.querySelector('[part=wave-button]') !== null)")
    for part in ("pause-button", "wave-button"):
        button = f"cams.one.shadowRoot.querySelector('[part={part}]').getBoundingClientRect()"
        top = f"document.elementFromPoint({button}.left + 10, {button}.top + 20).localName"
        assert await on.page.eval(top) == "quiet-cam", f"the {part} is covered"


async def axe_finds_nothing(on):
    for path in ("/desk/", "/", "/sample/", "/desk/?frame"):
        await settle(on, path, "cams.one.state === 'playing'")
        assert await complaints(on) == [], path
    await settle(on, "/desk/")
    await on.page.eval("document.querySelector('.share').open = true")
    assert await complaints(on) == [], "share"
    if on.page.name == "chromium":
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        await on.page._send("Emulation.setEmulatedMedia", features=dark)
        for path in ("/desk/", "/", "/sample/"):
            await settle(on, path, "cams.one.state === 'playing'")
            assert await complaints(on) == [], f"{path}, dark"
        await on.page._send("Emulation.setEmulatedMedia", features=[])


async def below_a_path_prefix(on):
    upstream = f"http://127.0.0.1:{on.rig.public}"
    async with front.front(upstream, "/some/where") as prefixed:
        own, on.server = on.server, prefixed
        try:
            await settle(on, "/desk/")
            await on.plays("frames", fresh=1)
            await settle(on, "/", "cams.one?.state === 'playing'")
            await settle(on, "/sample/", "cams.one?.state === 'playing'")
            await settle(on, "/desk/?mode=hls")
            await on.plays("hls", fresh=1, seconds=30)
            lines = await on.page.eval("document.querySelector('.embed').textContent")
            assert f'src="{prefixed.url}/quietcam.js"' in lines and f'src="{prefixed.url}/desk/"' in lines, lines
            missed = [one.path for one in prefixed.log if one.status >= 400]
            assert missed == [], missed
        finally:
            await on.page.goto("about:blank")
            on.server = own


async def without_javascript(on):
    """A picture that reloads, on each page."""
    if on.page.name != "chromium":
        return
    await on.page._send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        for path in ("/sample/", "/", "/desk/"):
            on.server.log.clear()
            await on.page.goto(on.server.url + path)
            await on.until(
                lambda: [one for one in on.server.log if one.name == "latest.jpg" and one.status in (200, 304)],
                f"{path} loads its picture",
            )
        numbers = set()
        # It reloads every ten seconds, and a shot can show a picture that is half there.
        deadline = time.monotonic() + 45
        while len(numbers) < 2 and time.monotonic() < deadline:
            with Image.open(io.BytesIO(await on.page.shot())) as image:
                gray = numpy.asarray(image.convert("L"))
            # As large as it fits above the line of words, which are not in the middle.
            height = int(numpy.nonzero(gray[:, gray.shape[1] // 2] < 225)[0].max()) + 1
            left = max(0, round((gray.shape[1] - height * 4 / 3) / 2))
            assert height < gray.shape[0] - 20, "the picture covers the line of words"
            numbers.add(numbered.read(gray[:height, left : gray.shape[1] - left]))
            await asyncio.sleep(0.5)
        assert len({number for number in numbers if number >= 0}) >= 2, f"the picture does not reload: {numbers}"
    finally:
        await on.page._send("Emulation.setScriptExecutionDisabled", value=False)


SCENARIOS = [
    the_camera_page, the_picture_fits_the_window, full_screen, a_wave_on_the_page, the_photo_frame,
    the_photo_frame_of_kept_photos, several_cameras, the_sample_home_page, axe_finds_nothing, below_a_path_prefix,
    without_javascript,
]  # fmt: skip


@pytest.fixture(scope="module")
def outcomes():
    return stage.play_all(SCENARIOS, "--demo", script=STAND_INS)


@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_page(browser, scenario, outcomes):
    error = outcomes[browser][scenario]
    if error:
        raise error


class SecureRig(splices.Rig):
    """A server that speaks HTTPS, and so HTTP/2."""

    def __init__(self, home):
        certificate, key = pathlib.Path(home) / "certificate.pem", pathlib.Path(home) / "key.pem"
        made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        made += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run([*made, "-out", certificate, "-keyout", key], check=True, capture_output=True)
        options = ["--public-certificate", certificate, "--public-key", key]
        super().__init__(home, *options, loop=False, segment=stage.SEGMENT, part=stage.PART)
        self.base = self.base.replace("http:", "https:")

    def wait_until_ready(self):
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting))
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                opener.open(self.base.replace("/desk/", "/readyz"), timeout=5).close()
                return
            assert time.monotonic() < deadline and self.process.poll() is None, self.log_path.read_text()[-3000:]
            time.sleep(0.05)


@pytest.fixture(scope="module")
def over_http2(tmp_path_factory):
    """What each browser asked the page's server for, and how."""

    async def look(browser, rig):
        async with BROWSERS[browser]() as page:
            await page.preload(stage.SCRIPT)
            await page.goto(rig.base)
            assert await page.eval("cams.until(() => cams.number() > 0)"), page.messages
            first = await page.eval("cams.number()")
            # Into the next segment.
            assert await page.eval(f"cams.until(() => cams.number() > {first + stage.SEGMENT}, 15000)")
            assert await page.eval("cams.one.currentMode") == "frames"
            return await page.eval("performance.getEntriesByType('resource').map((one) => [one.name, one.nextHopProtocol])")

    with SecureRig(tmp_path_factory.mktemp("secure")).running() as rig:
        return at_once(lambda browser: look(browser, rig))


@pytest.mark.parametrize("browser", BROWSERS)
def test_the_page_plays_over_http2(browser, over_http2):
    asked = over_http2[browser]
    names = [name.rsplit("/", 1)[-1] for name, protocol in asked if protocol == "h2"]
    # Once more where a busy machine let nothing come for three seconds.
    assert [name for name in names if stage.GROWING.match(name)] and 1 <= names.count("live.m3u8") <= 2, asked
