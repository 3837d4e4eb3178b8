"""What of a withdrawn picture is left in the memory of the server's process, read from /proc/PID/mem by the superuser."""

import array
import io
import itertools
import os
import pathlib
import re
import subprocess
import time

import pytest
from PIL import Image

import playlist
import stills
import wire
from serving import BEARER, CAMERA, FREE_PORTS, OPERATOR, TOKEN, launched, serving

WIDTH, HEIGHT = SIZE = (320, 240)
OPTIONS = ["--size", "320x240", "--rate", "2", "--part", "0.5", "--segment", "2", "--denoise", "0", "--keep-photos", "5"]
# A piece of memory that is looked for; noise of this length is nowhere by chance.
PIECE = 48

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may read the memory of a server")


def pieces(data, count=4):
    """Pieces from all over some bytes, none of them constant or repeated."""
    step = max(PIECE, len(data) // count)
    found = {bytes(data[at : at + PIECE]) for at in range(0, len(data) - PIECE, step)}
    return {piece for piece in found if len(set(piece)) > 12}


def luma_rows(data, kind):
    """Pieces of the rows of the pictures that `data` decodes to, as a decoder of the same FFmpeg has them in memory."""
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", kind, "-i", "-", "-map", "0:v:0", "-f", "rawvideo", "-"],
        input=data, capture_output=True, check=True)
    frame = WIDTH * HEIGHT * 3 // 2
    return set().union(*(
        pieces(done.stdout[at : at + WIDTH * HEIGHT]) for at in range(0, len(done.stdout) - frame + 1, frame)))


def left_in_memory(server, needles):
    """How many of the pieces of each kind are somewhere in the writable memory of the server."""
    found = {kind: set() for kind in needles}
    for data in written_memory(server.process.pid):
        for kind, wanted in needles.items():
            found[kind] |= {needle for needle in wanted if needle in data}
    return {kind: len(hits) for kind, hits in found.items()}


def written_memory(pid):
    """The runs of pages of a process that are in memory and are no file's."""
    page = os.sysconf("SC_PAGE_SIZE")
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory, \
            open(f"/proc/{pid}/pagemap", "rb", 0) as pages:
        for line in maps:
            begin, end, rights, name = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)", line).groups()
            if "w" not in rights or name.startswith(("/", "[v")):
                continue
            first, count = int(begin, 16) // page, (int(end, 16) - int(begin, 16)) // page
            pages.seek(first * 8)
            # The highest bit says that a page is in memory, the next that it is swapped out.
            words = array.array("Q", pages.read(count * 8))
            for is_there, run in itertools.groupby(range(len(words)), lambda index: words[index] >> 62 != 0):
                run = list(run)
                if is_there:
                    memory.seek((first + run[0]) * page)
                    yield memory.read(len(run) * page)


def planted(seed, size=SIZE, tiles=(80, 60)):
    """A picture that no coder makes small, and that a picture of the stream's size keeps as it is."""
    tiles = stills.noise(seed, tiles)
    data = io.BytesIO()
    Image.open(io.BytesIO(tiles)).resize(size, Image.Resampling.BICUBIC).save(data, "JPEG", quality=92)
    return data.getvalue()


def test_a_withdrawn_picture_is_overwritten_in_the_memory_of_the_process():
    """Each picture is new noise, so that nothing of it is small.

    While a camera's connection is open, its buffer has bytes of what came last, which the handbook says.
    """
    kinds = ("still", "still decoded", "latest.jpg", "media", "media decoded", "photo")
    with serving(*OPTIONS, "--operator-token", OPERATOR) as server, wire.Wire(server.private) as camera:
        needles, names, seed = {kind: set() for kind in kinds}, [], 0
        slate = server.get(f"/{CAMERA}/latest.jpg").body
        while True:
            still = planted(seed)
            assert camera.ask("POST", f"/ingest/{CAMERA}", BEARER, still).status == 202
            time.sleep(0.4)
            now = playlist.parse(server.get(f"/{CAMERA}/live.m3u8").text)
            live = [segment for segment in now.segments if segment.parts and segment.duration]
            if seed > 12 and len(live) > 2:
                break
            if seed % 3 == 0:
                needles["still"] |= pieces(still[700:])
                needles["still decoded"] |= luma_rows(still, "mjpeg")
                latest = server.get(f"/{CAMERA}/latest.jpg").body
                # The first still may not be shown yet, and the slate is no secret.
                needles["latest.jpg"] |= pieces(latest[700:]) if latest != slate else set()
            seed += 1
        header = server.get(f"/{CAMERA}/{live[-1].map}").body
        for segment in live[-2:]:
            media = server.get(f"/{CAMERA}/{segment.uri}").body
            names.append(segment.uri)
            needles["media"] |= pieces(media)
            needles["media decoded"] |= luma_rows(header + media, "mp4")
        for photo in server.get(f"/{CAMERA}/photos.json").json["photos"]:
            names.append(photo["name"])
            needles["photo"] |= pieces(server.get(f"/{CAMERA}/{photo['name']}").body[700:])
        before = left_in_memory(server, needles)
        assert server.operators(f"/cameras/{CAMERA}/withdraw", "POST").status == 200
        assert {server.get(f"/{CAMERA}/{name}").status for name in names} <= {404, 410}
        after = left_in_memory(server, needles)
        print({kind: (len(needles[kind]), before[kind], after[kind]) for kind in needles})
        assert before["latest.jpg"] and before["media"] and before["photo"], before
        assert not [kind for kind in kinds[2:] if after[kind]], after
        camera.close()
        deadline = time.monotonic() + 30
        while any(after.values()):
            assert time.monotonic() < deadline, after
            time.sleep(0.2)
            after = left_in_memory(server, needles)


def own_memory(server):
    """The memory of a server of its own, in MiB."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"^RssAnon:\s+(\d+) kB$", status, re.M)[1]) / 1024


def test_a_camera_takes_at_most_twelve_megabytes(tmp_path):
    """A camera of 640x480 with the default settings, besides the pictures that it remembers, and its share of what all have in common."""
    names = [f"camera{number}" for number in range(12)]
    config = tmp_path / "quietcam.yaml"
    lines = ["defaults: {rate: 2, part: 0.5, segment: 2, remember: 0}", "cameras:"]
    config.write_text("\n".join(lines + [f"  {name}: {{token: {TOKEN}}}" for name in names]))
    with launched(*FREE_PORTS, "--store", "memory", "--config", config) as server:
        server.wait_until_ready()
        before = own_memory(server)
        each = (full_memory(server, names) - before) / len(names)
    assert 9 < each <= 12, f"{each:.2f} MiB a camera"


def full_memory(server, cameras):
    """The memory once the encoder of each of these cameras has coded several pictures, and has all that it refers to."""
    still, count = [planted(seed, (640, 480)) for seed in range(4)], 0
    missing, deadline = cameras, time.monotonic() + 90
    while missing:
        assert time.monotonic() < deadline, missing
        for name in missing:
            assert server.push(still[count % len(still)], camera=name).status == 202
        count += 1
        time.sleep(0.5)
        made = dict(re.findall(r'quietcam_part_bytes_total{camera="(\w+)"} (\d+)', server.operators("/metrics").text))
        missing = [name for name in missing if int(made[name]) < 300_000]
    return own_memory(server)


def test_memory_comes_in_pages_of_the_ordinary_size():
    """libx264 asks for huge pages, of which a part is never used."""
    with serving() as server:
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    assert re.search(r"^THP_enabled:\s+0$", status, re.M) or "THP_enabled" not in status
