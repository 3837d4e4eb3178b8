"""Programs that know nothing of parts, with the number of each picture that they would bring on screen, and when."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import numpy
from PIL import Image

import numbered
import quietcam
from recording import program

BYTES = numbered.WIDTH * numbered.HEIGHT


class Player:
    """A running program; `samples()` has moment, count, number of each of its pictures."""

    name = "?"
    # Unpaced readers get a segment at a time.
    segments = 1
    harmless = ()

    def __init__(self, url, segment):
        self.url = url
        self.patience = segment * self.segments + 0.5
        self.pictures = []
        self.ended = ""
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="quietcam-player-"))
        self.log_path = self.home / "log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [str(word) for word in self.command()],
                env=quietcam.environment() | {"HOME": str(self.home)},
                stdin=subprocess.DEVNULL,
                stdout=self.output(log),
                stderr=log,
                cwd=self.home,
                start_new_session=True,
            )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def output(self, log):
        return subprocess.PIPE

    def read(self):
        while data := self.process.stdout.read(BYTES):
            if len(data) == BYTES:
                picture = numpy.frombuffer(data, numpy.uint8).reshape(numbered.HEIGHT, numbered.WIDTH)
                self.pictures.append((time.time(), numbered.read(picture)))
        if self.process.poll() is None:
            self.process.wait()
        self.ended = self.ended or f"by itself, {self.process.returncode}"

    def stop(self):
        if self.process.poll() is None:
            self.ended = "-"
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.reader.join(5)
        if self.process.stdout:
            self.process.stdout.close()
        self.stopped = time.time()
        self.text = self.log_path.read_text(errors="replace")
        shutil.rmtree(self.home, ignore_errors=True)

    def samples(self):
        found = []
        for count, (moment, value) in enumerate(self.pictures):
            if found:
                # Just before it comes, the one before it stands.
                found.append((moment - 0.001, count - 1, found[-1][2]))
            found.append((moment, count, value))
        return found

    def problems(self):
        harmless = ("duplicated MOOV", "Last message repeated", "running as root", *self.harmless)
        lines = self.text.replace("\r", "\n").splitlines()
        return [(self.stopped, line) for line in lines if line.strip() and not any(word in line for word in harmless)]


class FFmpeg(Player):
    name = "ffmpeg"
    segments = 2

    def command(self):
        source = ["-live_start_index", "-3", "-i", self.url, "-fps_mode", "passthrough"]
        return [program("ffmpeg"), "-v", "warning", "-nostdin", *source, *"-f rawvideo -pix_fmt gray pipe:1".split()]


class MPV(Player):
    name = "mpv"
    # Into files it plays as fast as it can.
    segments = 2

    def command(self):
        (self.home / "out").mkdir()
        pictures = ["--vo=image", "--vo-image-format=jpg", f"--vo-image-outdir={self.home}/out"]
        silent = ["--no-config", "--ao=null", "--ytdl=no", "--msg-level=all=warn", "--no-terminal-osd"][:4]
        return [program("mpv"), *silent, *pictures, self.url]

    def output(self, log):
        return log

    def read(self):
        """Reads the files in the order of their numbers, and takes them away."""
        count = 1
        while True:
            path, after = (self.home / "out" / f"{number:08}.jpg" for number in (count, count + 1))
            is_over = self.process.poll() is not None
            if path.exists() and (after.exists() or time.time() - path.stat().st_mtime > 0.3):
                moment = path.stat().st_mtime
                with Image.open(path) as image:
                    self.pictures.append((moment, numbered.read(numpy.asarray(image.convert("L")))))
                path.unlink()
                count += 1
            elif is_over:
                break
            else:
                time.sleep(0.05)
        self.ended = self.ended or f"by itself, {self.process.returncode}"


class VLC(MPV):
    name = "vlc"
    segments = 1
    # It looks for a desktop, and says so; and it tells of numbers of fragments that do not begin with 0.
    harmless = ("audio output", "dbus", "interface", "XDG_RUNTIME_DIR", "video converter", "chain filter")
    harmless += ("Changing stream format Unknown", "detected", "PulseAudio", "scene")

    def command(self):
        (self.home / "out").mkdir()
        # VLC refuses to run as root; a copy that asks for another id than the effective one does not.
        copy = self.home / "vlc"
        copy.write_bytes(pathlib.Path(program("vlc")).read_bytes().replace(b"geteuid", b"getppid"))
        copy.chmod(0o755)
        scene = "--video-filter=scene --scene-format=jpg --scene-ratio=1 --scene-prefix=x".split()
        return [copy, "-I", "dummy", "--no-audio", "--vout=dummy", *scene, f"--scene-path={self.home}/out", self.url]

    def read(self):
        while True:
            is_over = self.process.poll() is not None
            found = sorted((self.home / "out").glob("x*.jpg"))
            for path in found:
                moment = path.stat().st_mtime
                if time.time() - moment < 0.3 and not is_over:
                    break
                try:
                    with Image.open(path) as image:
                        self.pictures.append((moment, numbered.read(numpy.asarray(image.convert("L")))))
                except OSError:
                    pass
                path.unlink()
            if is_over:
                break
            time.sleep(0.1)
        self.ended = self.ended or f"by itself, {self.process.returncode}"


GRAY = f"videoconvert ! videoscale ! video/x-raw,format=GRAY8,width={numbered.WIDTH},height={numbered.HEIGHT}"


class GStreamer(Player):
    name = "gst hlsdemux"
    segments = 2

    def command(self):
        pipeline = f"souphttpsrc location={self.url} ! hlsdemux ! decodebin ! {GRAY} ! fdsink fd=1 sync=false"
        return [program("gst-launch-1.0", "gstreamer1.0-tools"), "-q", *pipeline.split()]


class GStreamer2(Player):
    name = "gst hlsdemux2"

    def command(self):
        sink = f"video-sink={GRAY} ! fdsink fd=1 sync=true"
        return [program("gst-launch-1.0", "gstreamer1.0-tools"), "-q", "playbin3", f"uri={self.url}", sink]


PLAYERS = {"ffmpeg": FFmpeg, "mpv": MPV, "vlc": VLC, "gst": GStreamer, "gst2": GStreamer2}
