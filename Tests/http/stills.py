"""The stills of /fixtures/jpeg, and stills of one colour."""

import functools
import io
import json
import pathlib
import random

from PIL import Image

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "jpeg"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
GOOD = [entry for entry in MANIFEST if entry["accepted"]]
BAD = [entry for entry in MANIFEST if not entry["accepted"] and entry["stage"] == "check"]
# Damage that libavcodec decodes without a word cannot be noticed.
DAMAGED = [
    entry for entry in MANIFEST if not entry["accepted"] and entry["stage"] == "decode" and not entry.get("silent")
]
PLANTED = [entry for entry in GOOD if entry.get("markers")]
SECRET = b"QUIETCAM-SECRET"


def name_of(entry):
    return entry["file"]


def bytes_of(entry):
    return (FOLDER / entry["file"]).read_bytes()


@functools.cache
def one(file="good/esp32cam.jpg"):
    return (FOLDER / file).read_bytes()


@functools.cache
def solid(red, green, blue, size=(64, 48)):
    data = io.BytesIO()
    Image.new("RGB", size, (red, green, blue)).save(data, "JPEG", quality=90)
    return data.getvalue()


def noise(seed, size=(64, 48)):
    """A still that no encoder makes small; another one for each seed."""
    pixels = random.Random(seed).randbytes(3 * size[0] * size[1])
    data = io.BytesIO()
    Image.frombytes("RGB", size, pixels).save(data, "JPEG", quality=90)
    return data.getvalue()


def colour_of(jpeg):
    """The mean colour of a picture's middle."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        picture.load()
        assert picture.format == "JPEG"
        width, height = picture.size
        middle = picture.convert("RGB").crop((width // 4, height // 4, width * 3 // 4, height * 3 // 4))
    return middle.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))


def rows_of(jpeg):
    """The mean colours of a picture's four quarters from top to bottom."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        small = picture.convert("RGB").resize((1, 4), Image.Resampling.BOX)
    return [small.getpixel((0, row)) for row in range(4)]


def is_near(left, right, tolerance=24):
    return all(abs(a - b) <= tolerance for a, b in zip(left, right, strict=True))


def segments_of(jpeg):
    """The markers before the first scan of a JPEG with their contents."""
    assert jpeg[:2] == b"\xff\xd8" and jpeg[-2:] == b"\xff\xd9"
    at, found = 2, []
    while True:
        assert jpeg[at] == 0xFF, at
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4])
        found.append((marker, jpeg[at + 4 : at + 2 + length]))
        if marker == 0xDA:
            return found
        at += 2 + length
