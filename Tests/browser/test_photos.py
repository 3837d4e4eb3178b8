"""Photos that are put into a folder, on a page of another site that is written as the handbook says."""

import asyncio
import functools
import http.server
import io
import pathlib
import sys
import threading
import time

import pytest
from PIL import Image

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import recipes  # noqa: E402  (these need the path above)
import stills  # noqa: E402
from browsers import BROWSERS  # noqa: E402
from dropping import dropping  # noqa: E402

GREEN, BLUE = (20, 200, 20), (20, 20, 220)


@pytest.fixture(scope="module")
def studio():
    """A camera whose parts take longer than anyone would wait for a photo."""
    with dropping("--part", 6, "--segment", 6, "--hold", "forever", prepare=lambda folder: None) as drop:
        yield drop


@pytest.fixture(scope="module")
def page(studio, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    text = recipes.recipe("photos", {"https://YOUR-HOST/studio": f"http://127.0.0.1:{studio.server.public}/desk"})
    (folder / "index.html").write_text(f"<!DOCTYPE html><title>photos</title><style>img {{ width: 100% }}</style>{text}")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_photo_is_on_the_page_before_its_part_begins(studio, page, browser, tmp_path):
    asyncio.run(look(studio, page, BROWSERS[browser], tmp_path / "seen.png"))


async def look(studio, address, browser, picture):
    async with browser() as page:
        await page.goto(address)
        await shown(page, picture, None)
        for _ in range(3):  # A part may begin in between by chance.
            for colour in (GREEN, BLUE):
                before = studio.server.get("/desk/live.m3u8").body
                data = io.BytesIO()
                Image.new("RGB", (6000, 4000), colour).save(data, "JPEG")
                (studio.folder / "DSC_0001.JPG").write_bytes(data.getvalue())
                await shown(page, picture, colour)
                if studio.server.get("/desk/live.m3u8").body == before:
                    return
        raise AssertionError("photos came with their parts only")


async def shown(page, picture, colour, within=20):
    """Waits until the picture on the page has this colour, or is there at all."""
    deadline = time.monotonic() + within
    while True:
        if await page.eval("document.getElementById('photo').naturalWidth") > 0:
            await page.screenshot(picture)
            with Image.open(picture) as seen:
                middle = seen.convert("RGB").getpixel((seen.width // 2, 200))
            if colour is None or stills.is_near(middle, colour):
                return
        assert time.monotonic() < deadline, f"{colour} is not on the page: {page.errors}, {page.messages[-5:]}"
        await asyncio.sleep(0.1)
