"""A camera that sends pictures which are costly to decode: its neighbours' parts come in time.

| attack | neighbour's parts | before |
|---|---|---|
| progressive JPEGs of 10 MB and more, just under four megapixels | within two parts of one another | 1.9 s late |
| small progressive JPEGs with forty-one scans | the same | |
"""

import os
import subprocess
import threading

import pytest

from doors import SMALL, configured
from load import PART, Viewer
from serving import TOKEN
from timing import again_if_late, in_time

CAMERAS = f"cameras:\n  desk: {{token: {TOKEN}}}\n  roof: {{token: {TOKEN}}}\n"
# Just below the size from which a picture is costly by its pixels alone.
SIZE = (2300, 1730)


def cjpeg(kind, pixels, *options):
    """A JPEG of bytes of pixels, gray (P5) or colour (P6)."""
    image = b"%s %d %d 255\n" % (kind, *SIZE) + pixels
    return subprocess.run(["cjpeg", *map(str, options)], input=image, capture_output=True, check=True).stdout


def heavy(folder):
    """Noise in the best quality, progressive: each coefficient is coded."""
    (folder / "scans").write_text("0,1,2: 0-0, 0, 0;\n" + "".join(f"{plane}: 1-63, 0, 0;\n" for plane in range(3)))
    noise = os.urandom(3 * SIZE[0] * SIZE[1])
    return cjpeg(b"P6", noise, "-quality", 100, "-sample", "1x1", "-scans", folder / "scans")


def many_scans(folder):
    """A plain picture whose coefficients come bit by bit, band by band."""
    bands = [(1, 12), (13, 25), (26, 38), (39, 63)]
    script = ["0: 0-0, 0, 0;"] + [f"0: {first}-{last}, 0, 9;" for first, last in bands]
    script += [f"0: {first}-{last}, {bit + 1}, {bit};" for bit in reversed(range(9)) for first, last in bands]
    (folder / "scans").write_text("\n".join(script))
    return cjpeg(b"P5", b"\x64" * (SIZE[0] * SIZE[1]), "-scans", folder / "scans")


@pytest.mark.parametrize("make, least, most", [(heavy, 10_000_000, 16_777_216), (many_scans, 0, 1_000_000)])
@again_if_late
def test_a_neighbours_parts_are_in_time(make, least, most, tmp_path):
    jpeg = make(tmp_path)
    assert least < len(jpeg) < most
    with configured(tmp_path, CAMERAS, *SMALL, "--part", PART, "--segment", 4) as server:
        viewer = Viewer(server)
        viewer.start()
        is_over = threading.Event()
        statuses = []

        def push():
            while not is_over.is_set():
                statuses.append(server.push(jpeg, camera="roof").status)

        attack = threading.Thread(target=push)
        attack.start()
        try:
            threading.Event().wait(8 * PART)
        finally:
            is_over.set()
            attack.join()
            viewer.end()
        assert set(statuses) <= {202, 429} and statuses.count(202) >= 3, statuses
        assert server.status("roof")["stills"]["shown"] >= 1
        gaps = [later - earlier for earlier, later in zip(viewer.times, viewer.times[1:], strict=False)]
        assert len(gaps) >= 4
        in_time(max(gaps) < 2 * PART, gaps)
