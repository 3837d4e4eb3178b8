"""The stills that the tests push: a recorded street scene, and a test card."""

import gzip
import pathlib
import shutil
import subprocess
import tempfile

import numpy
from PIL import Image

WIDTH, HEIGHT = 640, 480
EVERY_FRAMES = 20
# The patches of the test card, four in a row, each 160x240.
PATCHES = [0, 16, 64, 128, 192, 235, 255, 96]
CLIP = pathlib.Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")


def program(name, package=None):
    """The path of a program that the tests need."""
    path = shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"{name} is missing; install the Debian package {package or name}")
    return path


def write_recording(folder):
    """Every 20th frame of OpenCV's vtest.avi (people on a street) as grey JPEGs of quality 50, 640x480."""
    packed = CLIP.with_name(CLIP.name + ".gz")
    if not CLIP.exists() and not packed.exists():
        raise FileNotFoundError(
            f"{CLIP} is missing; install the Debian package opencv-doc"
            " (a slim image leaves /usr/share/doc out: see path-exclude in /etc/dpkg/dpkg.cfg.d)"
        )
    with tempfile.TemporaryDirectory(prefix="quietcam-clip-") as directory:
        clip = CLIP
        if not CLIP.exists():
            clip = pathlib.Path(directory) / CLIP.name
            clip.write_bytes(gzip.decompress(packed.read_bytes()))
        select = f"select=not(mod(n\\,{EVERY_FRAMES})),scale={WIDTH}:{HEIGHT}:out_range=full,format=gray"
        command = [program("ffmpeg"), "-v", "error", "-i", clip, "-vf", select, "-fps_mode", "passthrough"]
        output = subprocess.run([*command, "-f", "rawvideo", "-"], check=True, stdout=subprocess.PIPE).stdout
    frames = numpy.frombuffer(output, dtype=numpy.uint8).reshape(-1, HEIGHT, WIDTH)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(pathlib.Path(folder) / f"still-{index:03}.jpg", quality=50)


def write_testcard(folder):
    """One JPEG with eight grey patches from black to white."""
    patches = numpy.array(PATCHES, dtype=numpy.uint8).reshape(2, 4)
    picture = numpy.kron(patches, numpy.ones((HEIGHT // 2, WIDTH // 4), dtype=numpy.uint8))
    Image.fromarray(picture).save(pathlib.Path(folder) / "testcard.jpg", quality=95)


def patch_means(picture):
    """The mean of the inner part of each patch of a picture of the test card, in any size."""
    height, width = picture.shape
    means = []
    for index in range(len(PATCHES)):
        top, left = index // 4 * height / 2, index % 4 * width / 4
        rows = slice(round(top + height * 0.1), round(top + height * 0.4))
        columns = slice(round(left + width * 0.05), round(left + width * 0.2))
        means.append(float(picture[rows, columns].mean()))
    return means
