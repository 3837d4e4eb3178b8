"""The <quiet-cam> element as a guest: it asks for nothing that is not seen, and breaks nothing on the page it stands on."""

import asyncio
import gzip
import re

import brotli
import pytest

import quietcam
import stage
from browsers import BROWSERS

STILLNESS = """{ const ask = window.matchMedia;
  window.matchMedia = (query) => query.includes("reduced-motion")
    ? { matches: true, addEventListener() {}, removeEventListener() {} } : ask.call(window, query); }"""
SAVING = "Object.defineProperty(navigator, 'connection', { value: { saveData: true }, configurable: true });"
HIDING = """window.isAway = false;
  Object.defineProperty(document, "hidden", { get: () => isAway });
  window.leave = (is) => { isAway = is; document.dispatchEvent(new Event("visibilitychange")); return true; };"""
SMALL = 'style="width:9%"'
TALL = '<div style="height: 3000px"></div>'
# The scripts of the frames way, gzipped: 10 KiB. All of the element's scripts, without hls.js, have some 15.4 kB; the other
# ways, the waves and the fading by scrolling are loaded only where they are used.
MOST_BYTES = 10_240


def of_the_camera(on):
    """The requests for the camera, without the picture that stands on the page itself."""
    return [one for one in on.server.log if "/desk/" in one.path and one.name != "latest.jpg"]


async def is_quiet(on):
    """No request is open, and none comes."""
    await on.until(lambda: not on.server.open(), "the requests end", 2)
    asked = len(on.server.log)
    await asyncio.sleep(1.5)
    assert len(on.server.log) == asked, on.names()[asked:]


async def comes_back(on, away, back):
    """Within half a second of coming back a newer picture shows; the best of five, as the machine may be busy."""
    times = []
    for _ in range(5):
        await on.page.eval(away)
        await is_quiet(on)
        last = await on.page.eval("cams.number()")
        assert last >= 0, "the last picture has gone"
        took = await on.page.eval(
            f"(async () => {{ const begun = performance.now(); {back};"
            f" return await cams.until(() => cams.number() > {last}) && performance.now() - begun; }})()"
        )
        assert took, f"no newer picture came; {await on.report()}"
        times.append(took)
        if took <= 500:
            return
        await asyncio.sleep(1)
    raise AssertionError(f"newer pictures came {times} ms after coming back")


async def nothing_before_it_is_seen(on):
    await on.show(TALL + on.element(inner=""))
    await asyncio.sleep(1)
    assert of_the_camera(on) == [] and "latest.jpg" not in on.names(), on.names()
    await on.page.eval("scrollTo(0, 3000)")
    await on.plays("frames", fresh=1)


async def a_margin_counts_as_seen(on):
    await on.show(TALL + on.element('visible="3000px"'))
    await on.plays("frames", fresh=1)
    await on.show(on.element('visible="never"'))
    await asyncio.sleep(1)
    assert of_the_camera(on) == [], on.names()
    await on.show(TALL + on.element('visible="always"'))
    await on.plays("frames", fresh=1)


async def eager_loads_one_picture_before_it_is_seen(on):
    for _ in range(3):
        await on.show(TALL + on.element('loading="eager"'))
        await on.until(lambda: on.page.eval("cams.events('still').length"), "a picture")
        # A still that a busy machine sends late has no number yet: the picture of a camera that is off is shown.
        if await on.page.eval("cams.until(() => cams.number() >= 0, 2000)"):
            break
    assert await on.page.eval("cams.number()") >= 0
    await is_quiet(on)


async def nothing_when_scrolled_away(on):
    await on.show(on.element() + TALL)
    await on.plays("frames", fresh=1)
    await comes_back(on, "scrollTo(0, 3000)", "scrollTo(0, 0)")


async def nothing_in_a_hidden_tab(on):
    await on.show(before=HIDING)
    await on.plays("frames", fresh=1)
    await comes_back(on, "leave(true)", "leave(false)")


async def nothing_when_paused_by_the_keyboard(on):
    await on.show(on.element("controls"))
    await on.plays("frames", fresh=1)
    await on.listens()
    await on.page.press("Tab")
    await on.page.press("Tab")
    label = "cams.one.shadowRoot.activeElement?.getAttribute('aria-label')"
    assert await on.page.eval(label) == "Pause the live picture"
    if on.page.name == "chromium":
        await on.page.press("Enter")
    else:  # Firefox takes no key of a driver for an order to any button, but moves the focus.
        await on.page.eval("cams.one.shadowRoot.activeElement.click()")
    await on.until(lambda: on.page.eval("cams.one.paused && cams.one.state === 'paused'"), "it is paused")
    assert await on.page.eval("cams.one.hasAttribute('paused')")
    assert await on.page.eval(label) == "Play the live picture"
    await is_quiet(on)
    assert await on.page.eval("cams.number()") >= 0, "the last picture has gone"
    await comes_back(on, "cams.one.pause()", "cams.one.play()")
    assert {"play", "pause"} <= {kind for kind in await on.page.eval("cams.told.map(({ kind }) => kind)")}


async def reduced_motion(on):
    await on.show(on.element(inner=""), before=STILLNESS)
    await on.until(lambda: on.page.eval("cams.number() >= 0"), "a still")
    await is_quiet(on)
    assert await on.page.eval("cams.one.paused && cams.one.state") == "paused"
    assert on.names().count("latest.jpg") == 1 and "live.m3u8" not in on.names(), on.names()
    await on.page.eval("cams.one.play()")
    await on.plays("frames", fresh=1)
    # Nothing fades.
    fading = "cams.until(() => cams.one.shadowRoot.getAnimations().length, 1500)"
    assert not await on.page.eval(fading)


async def a_new_picture_fades_in(on):
    await on.show(on.element('fade="300"'))
    await on.plays("frames", fresh=1)
    durations = "cams.one.shadowRoot.getAnimations().map((one) => one.effect.getComputedTiming().duration)"
    assert await on.page.eval(f"cams.until(() => {durations}[0])") == 300
    style = "quiet-cam { --quiet-cam-fade: 0.2s; }"
    await on.page.eval(f"(cams.one.removeAttribute('fade'), document.head.append(Object.assign("
                       f"document.createElement('style'), {{ textContent: '{style}' }})), 1)")  # fmt: skip
    assert await on.page.eval(f"cams.until(() => {durations}[0] === 200)")
    await on.page.eval("cams.one.fade = '0'")
    await asyncio.sleep(0.4)
    assert not await on.page.eval("cams.until(() => cams.one.shadowRoot.getAnimations().length, 1500)")


async def save_data(on):
    await on.show(on.element(inner=""), before=SAVING)
    await asyncio.sleep(1.5)
    assert of_the_camera(on) == [] and "latest.jpg" not in on.names(), on.names()
    shown = "getComputedStyle(cams.one.shadowRoot.querySelector('.controls')).opacity"
    assert await on.page.eval(f"cams.until(() => {shown} === '1')"), "there is no play button"
    await on.page.eval("cams.one.shadowRoot.querySelector('button').click()")
    await on.plays("frames", fresh=1)


def without_style(on, attributes):
    """The page without what the policies forbid, and with an icon that they allow."""
    icon = f'<link rel="icon" href="{on.server.url}/_/icon.svg">'
    return re.sub("<style>.*</style>", icon, on.html(on.element(attributes)))


async def a_strict_policy(on):
    """A stated minimum, no inline style, no markup in strings, no worker; embedded by a page that is isolated."""
    own = on.server.url
    policy = (
        f"default-src 'none'; script-src {own}; connect-src {own}; img-src {own}; style-src 'none';"
        " require-trusted-types-for 'script'"
    )
    fields = {"Content_Security_Policy": policy, "Cross_Origin_Embedder_Policy": "require-corp"}
    await on.page.goto("about:blank")
    on.server.log.clear()
    await on.page.goto(on.site.page("/", without_style(on, "controls scroll-fade"), **fields))
    await on.plays("frames")
    assert await on.page.eval("cams.violations") == []
    assert await on.page.eval("document.querySelector('quiet-cam img').naturalWidth") == 320
    assert await on.page.eval("cams.one.shadowRoot.querySelector('[part=wave-button]') !== null")


async def a_strict_policy_with_hls(on):
    own = on.server.url
    policy = f"default-src 'none'; script-src {own}; connect-src {own}; img-src {own}; media-src {own} blob:"
    await on.page.goto("about:blank")
    on.server.log.clear()
    await on.page.goto(on.site.page("/", without_style(on, 'mode="hls"'), Content_Security_Policy=policy))
    await on.plays("hls", fresh=1, seconds=30)
    assert await on.page.eval("cams.violations") == []


async def a_sandboxed_frame(on):
    telling = (
        "<script>onmessage = null; addEventListener('loadeddata', () => 0);"
        "document.addEventListener('still', ({ target }) => parent.postMessage(target.currentMode, '*'), true);</script>"
    )
    inner = on.site.page("/inner", on.html(before=telling))
    outer = f'<!doctype html><title>x</title><script>heard = []; onmessage = ({{ data }}) => heard.push(data)</script>' \
        f'<iframe sandbox="allow-scripts" src="{inner}" width="640" height="480"></iframe>'  # fmt: skip
    await on.page.goto(on.site.page("/", outer))
    await on.until(lambda: on.page.eval("heard.length >= 3 && heard.every((mode) => mode === 'frames')"), "pictures")


async def many_cameras_leave_connections(on):
    """Ten cameras of one host over HTTP/1.1: all show pictures, and two of the six connections stay free."""
    cams = "".join(on.element('style="width:20%"', src=f"{on.server.url}/c{number}/desk/") for number in range(10))
    await on.show(f'<div style="display:flex;flex-wrap:wrap">{cams}</div>')
    await on.until(lambda: on.page.eval("cams.all().every((cam) => cams.number(cam) >= 0)"), "ten pictures", 20)
    modes = await on.page.eval("cams.all().map((cam) => cam.currentMode)")
    assert modes.count("frames") == 4 and modes.count("still") == 6, modes
    for _ in range(20):
        lasting = [one for one in on.server.open() if stage.GROWING.match(one.name) or one.name == "events"]
        assert len(lasting) <= 4, [one.path for one in lasting]
        await asyncio.sleep(0.1)
    answer = await on.page.eval(
        f"(async () => {{ const begun = performance.now(); await fetch('{on.camera}latest.jpg');"
        " return performance.now() - begun; })()"
    )
    assert answer < 3000, f"the page itself waits {answer} ms for the host"


async def fifty_of_one_camera_share_one_connection(on):
    await on.show(f'<div style="display:flex;flex-wrap:wrap">{on.element(SMALL, inner="") * 50}</div>')
    await on.until(lambda: on.page.eval("cams.all().every((cam) => cams.number(cam) >= 0)"), "fifty pictures", 20)
    first = await on.page.eval("cams.number()")
    await on.until(lambda: on.page.eval(f"cams.all().every((cam) => cams.number(cam) > {first})"), "fifty newer ones")
    assert on.names().count("live.m3u8") == 1, on.names()
    assert len(on.server.open()) <= 1, [one.path for one in on.server.open()]


async def nothing_jumps(on):
    before = "<h1>Above</h1>"
    await on.show(before + on.element() + "<p>below</p>")
    top = "document.querySelector('p').getBoundingClientRect().top"
    await on.plays("frames", fresh=2)
    width, height = await on.page.eval("[cams.one.offsetWidth, cams.one.offsetHeight]")
    assert abs(width / height - 4 / 3) < 0.02, (width, height)
    at = await on.page.eval(top)
    await asyncio.sleep(1.2)
    assert await on.page.eval(top) == at
    if on.page.name == "chromium":
        assert await on.page.eval("cams.shift") < 0.001


async def bad_pages_do_it_no_harm(on):
    """Whatever a page writes or does, nothing is thrown into it."""
    bodies = [
        on.element(src="http://["), on.element(src=""), "<quiet-cam></quiet-cam>",
        on.element('mode="nonsense" visible="nonsense" fade="x" loading="never"'),
        on.element(src=f"{on.server.url}/nobody/", inner=""), on.element(src="data:text/plain,x", inner=""),
        f'<quiet-cam poster="{on.camera}latest.jpg" src="{on.camera}" paused controls>text<b>bold</b></quiet-cam>',
    ]  # fmt: skip
    await on.show("".join(bodies))
    await on.page.eval("cams.all()[3].scrollIntoView()")
    await on.until(lambda: on.page.eval("cams.number(cams.all()[3]) >= 0"), "the one with odd attributes plays")
    script = f"""(async () => {{
      const cam = cams.all()[3];
      for (const src of ["{on.camera}", "x", "{on.camera}?a=b#c", "{on.camera}index.m3u8"]) cam.src = src;
      for (const mode of ["photos", "still", "hls", "auto"]) {{ cam.mode = mode; await 0; }}
      for (let i = 0; i < 20; i++) {{ cam.remove(); document.body.prepend(cam); cam.paused = i % 2 === 0; }}
      cam.paused = false;
      for (const each of cams.all().slice(1)) each.remove();
      await import("{on.server.url}/quietcam.js?again");
      return true;
    }})()"""
    assert await on.page.eval(script)
    await on.plays("frames", fresh=1)
    assert await on.page.eval("cams.all().length") == 1
    await on.page.eval("cams.one.remove()")
    await is_quiet(on)


async def properties_before_the_upgrade_count(on):
    before = f"""addEventListener("DOMContentLoaded", () => {{
      const cam = document.createElement("quiet-cam");
      Object.assign(cam, {{ src: "{on.camera}", mode: "photos", controls: true, scrollFade: true, alt: "The desk" }});
      document.body.append(cam);
    }});"""
    await on.show(" ", before=before)
    await on.plays("photos", fresh=1)
    assert await on.page.eval("['src', 'mode', 'controls', 'scroll-fade', 'alt'].every((name) => cams.one.hasAttribute(name))")
    role = "cams.one.shadowRoot.querySelector('[part=picture]')"
    assert await on.page.eval(f"[{role}.getAttribute('role'), {role}.getAttribute('aria-label')]") == ["img", "The desk"]


async def it_fades_out_as_the_page_scrolls(on):
    await on.show(on.element("scroll-fade") + TALL)
    await on.plays("frames", fresh=1)
    box = "getComputedStyle(cams.one.shadowRoot.querySelector('.box')).opacity"
    height = await on.page.eval("cams.one.offsetHeight")
    await on.page.eval(f"scrollTo(0, {height} / 2)")
    assert await on.page.eval(f"cams.until(() => Math.abs({box} - 0.5) < 0.05)")
    await on.page.eval("scrollTo(0, 0)")
    assert await on.page.eval(f"cams.until(() => {box} === '1')")


async def a_wave_is_seen_on_every_page(on):
    await on.show(on.element("controls"))
    await on.plays("frames", fresh=1)
    note = "cams.one.shadowRoot.querySelector('.note.on')?.textContent"
    await on.until(lambda: on.page.eval("cams.one.shadowRoot.querySelector('[part=wave-button]') !== null"), "a button")
    await on.listens()
    await on.page.eval(f"fetch('{on.site.url}/desk/wave', {{ method: 'POST' }})")
    assert await on.page.eval(f"cams.until(() => {note})") == "Somebody waves"
    await on.until(lambda: on.page.eval(f"!{note}"), "the note goes")
    await on.page.eval("cams.one.shadowRoot.querySelector('[part=wave-button]').click()")
    assert await on.page.eval(f"cams.until(() => {note})") == "You waved"
    assert [one.status for one in on.server.log if one.name == "wave"] == [202]


async def fragments_in_any_pieces(on):
    """The reader of fragmented MP4 finds the same pictures however the bytes are cut."""
    await on.show()
    script = f"""(async () => {{
      const {{ FragmentReader, readInit }} = await import("{on.server.url}/_/fmp4.js");
      const {{ readEdge }} = await import("{on.server.url}/_/stream.js");
      const get = async (name) => (await fetch("{on.camera}" + name)).arrayBuffer();
      const edge = readEdge(new TextDecoder().decode(await get("live.m3u8")));
      const init = readInit(await get(edge.init));
      const bytes = new Uint8Array(await get(edge.before + ".mp4"));
      const read = (size) => {{
        const found = [];
        const reader = new FragmentReader(init, (samples) => found.push(...samples.map((s) => [s.timestamp, s.isKey, s.data.length])));
        for (let at = 0; at < bytes.length; at += size) reader.push(bytes.slice(at, at + size));
        return JSON.stringify(found);
      }};
      const whole = read(bytes.length);
      return [JSON.parse(whole), [1, 2, 3, 7, 8, 9, 100, 1001].every((size) => read(size) === whole), init.config.codec];
    }})()"""
    samples, is_same, codec = await on.page.eval(script)
    assert is_same and len(samples) == 2 * stage.SEGMENT, samples
    assert [is_key for _, is_key, _ in samples] == [True] + [False] * (len(samples) - 1)
    assert {round((b[0] - a[0]) / 1e6, 3) for a, b in zip(samples, samples[1:])} == {0.5}
    assert codec.startswith("avc1.64"), codec


SCENARIOS = [
    nothing_before_it_is_seen, a_margin_counts_as_seen, eager_loads_one_picture_before_it_is_seen,
    nothing_when_scrolled_away, nothing_in_a_hidden_tab, nothing_when_paused_by_the_keyboard, reduced_motion,
    a_new_picture_fades_in, save_data, a_strict_policy, a_strict_policy_with_hls, a_sandboxed_frame,
    many_cameras_leave_connections, fifty_of_one_camera_share_one_connection, nothing_jumps, bad_pages_do_it_no_harm,
    properties_before_the_upgrade_count, it_fades_out_as_the_page_scrolls, a_wave_is_seen_on_every_page,
    fragments_in_any_pieces,
]  # fmt: skip


@pytest.fixture(scope="module")
def outcomes():
    return stage.play_all(SCENARIOS)


@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_good_guest(browser, scenario, outcomes):
    error = outcomes[browser][scenario]
    if error:
        raise error


def test_the_scripts_of_the_frames_way_are_small(live, note):
    """What a page loads for the frames way: quietcam.js and all that it imports."""
    sizes, packed, wanted = {}, 0, ["quietcam.js"]
    while wanted:
        path = wanted.pop()
        if path in sizes:
            continue
        status, body = quietcam.get(f"{live.public}/{path}")
        assert status == 200, path
        sizes[path] = len(gzip.compress(body, 9))
        packed += len(brotli.compress(body))
        for name in re.findall(r'^(?:import|export)[^;]*?"([^"]+\.js)"', body.decode(), re.MULTILINE):
            wanted.append(("_/" + name.rsplit("/", 1)[1]))
    note(f"the frames way: {sum(sizes.values())} bytes gzipped, {packed} with brotli, in {len(sizes)} files: {sizes}")
    assert sum(sizes.values()) <= MOST_BYTES, sizes
