"""Makes small JPEGs of every kind by every encoder that is here: the pictures that `make fuzz` damages.

    python corpus.py FOLDER
"""

import itertools
import pathlib
import random
import shutil
import subprocess
import sys

from PIL import Image

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def sources(folder):
    """A photograph, noise and flat areas, in sizes that fill blocks and that do not."""
    photo = Image.open(sorted((FIXTURES / "desk").rglob("*.jpg"))[0]).convert("RGB")
    dice = random.Random(1)
    noise = Image.frombytes("RGB", (61, 45), dice.randbytes(61 * 45 * 3))
    flat = Image.new("RGB", (64, 48), (200, 30, 90))
    pictures = {"photo": photo.resize((96, 64)), "odd": photo.resize((71, 53)), "noise": noise, "flat": flat}
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.ppm")
        picture.convert("L").save(folder / f"{name}.pgm")
    return pictures


def by_pillow(folder, pictures):
    for (name, picture), sampling, progressive, quality in itertools.product(
        pictures.items(), (0, 1, 2), (False, True), (30, 90)
    ):
        picture.save(
            folder / f"pil-{name}-{sampling}-{progressive}-{quality}.jpg", quality=quality, subsampling=sampling,
            progressive=progressive, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
        )
        picture.convert("L").save(folder / f"pil-{name}-gray-{progressive}.jpg", progressive=progressive)


def by_cjpeg(folder):
    kinds = {
        "420": ["-sample", "2x2"], "422": ["-sample", "2x1"], "440": ["-sample", "1x2"], "444": ["-sample", "1x1"],
        "411": ["-sample", "4x1"], "mixed": ["-sample", "2x2,1x2,2x1"], "gray": ["-grayscale"],
        "restart": ["-restart", "1"], "restart-mcu": ["-restart", "3B"], "progressive": ["-progressive"],
        "optimized": ["-optimize"], "rgb": ["-rgb"], "float": ["-dct", "float"],
        "progressive-restart": ["-progressive", "-restart", "2B"], "coarse": ["-quality", "5"],
    }
    for source, (kind, options) in itertools.product(sorted(folder.glob("*.ppm")), kinds.items()):
        run("cjpeg", *options, "-outfile", folder / f"cjpeg-{source.stem}-{kind}.jpg", source)


def by_ffmpeg(folder):
    formats = ("yuvj420p", "yuvj422p", "yuvj444p", "gray")
    for source, pixels, huffman in itertools.product(sorted(folder.glob("*.ppm")), formats, ("default", "optimal")):
        run(
            "ffmpeg", "-v", "error", "-y", "-i", source, "-pix_fmt", pixels, "-huffman", huffman, "-q:v", "4",
            folder / f"ffmpeg-{source.stem}-{pixels}-{huffman}.jpg",
        )


def by_imagemagick(folder):
    for source, (kind, options) in itertools.product(
        sorted(folder.glob("*.ppm")),
        {"422": ["-sampling-factor", "2x1"], "plane": ["-interlace", "plane"], "comment": ["-comment", "fuzz"]}.items(),
    ):
        run("/usr/bin/convert", source, *options, folder / f"im-{source.stem}-{kind}.jpg")


def by_gstreamer(folder):
    for source in sorted(folder.glob("*.ppm")):
        run(
            "gst-launch-1.0", "filesrc", f"location={source}", "!", "pnmdec", "!", "videoconvert", "!", "jpegenc", "!",
            "filesink", f"location={folder / f'gst-{source.stem}.jpg'}",
        )


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    pictures = sources(folder)
    by_pillow(folder, pictures)
    by_cjpeg(folder)
    by_ffmpeg(folder)
    if pathlib.Path("/usr/bin/convert").exists():
        by_imagemagick(folder)
    if shutil.which("gst-launch-1.0"):
        by_gstreamer(folder)
    for path in (FIXTURES / "jpeg" / "good").glob("*.jpg"):
        if path.stat().st_size < 8000:
            shutil.copy(path, folder / f"fixture-{path.name}")
    for source in [*folder.glob("*.ppm"), *folder.glob("*.pgm")]:
        source.unlink()
    print(len(list(folder.glob("*.jpg"))), "pictures")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
