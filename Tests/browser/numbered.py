"""Stills that carry a number, and the number read back from what a player shows."""

import functools
import io
import pathlib

import numpy
from PIL import Image

WIDTH, HEIGHT = 320, 240
COLUMNS, ROWS = 8, 6
CELL = WIDTH // COLUMNS
DARK, BRIGHT = 50, 200
# The picture of a loop has this added to its number.
LOOP = 1 << 12
NUMBERS = LOOP
# The script that reads it in a page.
READER = (pathlib.Path(__file__).parent / "numbered.js").read_text()


@functools.lru_cache(maxsize=64)
def still(value):
    """A JPEG of 16 bits: two rows of them, two rows of their contrary, two rows of them again."""
    bits = numpy.array([value >> (15 - place) & 1 for place in range(16)]).reshape(2, COLUMNS)
    cells = numpy.concatenate([bits, 1 - bits, bits]) * (BRIGHT - DARK) + DARK
    picture = numpy.kron(cells, numpy.ones((CELL, CELL))).astype(numpy.uint8)
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=85)
    return data.getvalue()


def read(picture):
    """The value of a grey picture of any size, -1 where it carries none."""
    height, width = picture.shape
    cells = numpy.array(
        [
            [
                picture[
                    height * (3 * row + 1) // (3 * ROWS) : height * (3 * row + 2) // (3 * ROWS),
                    width * (3 * column + 1) // (3 * COLUMNS) : width * (3 * column + 2) // (3 * COLUMNS),
                ].mean()
                for column in range(COLUMNS)
            ]
            for row in range(ROWS)
        ]
    )
    if numpy.abs(cells - (DARK + BRIGHT) / 2).min() < 25:
        return -1
    bits = cells > (DARK + BRIGHT) / 2
    if (bits[:2] == bits[2:4]).any() or (bits[:2] != bits[4:]).any():
        return -1
    return sum(int(bit) << (15 - place) for place, bit in enumerate(bits[:2].flatten()))
