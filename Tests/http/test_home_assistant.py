"""What Home Assistant does with a generic camera and with webhooks, as its sources say it."""

import re
import subprocess

import recipes
from receiver import receiving
from serving import CAMERA, serving
from test_absence import QUICK, push_until
from test_notify import notified


def generic_camera(server):
    """The recipe's addresses, at this server."""
    text = recipes.recipe("home-assistant", {})
    entries = dict(re.findall(r"^(\w+): +(\S+)$", text, re.MULTILINE))
    here = f"http://127.0.0.1:{server.public}"
    return {name: value.replace("http://192.168.1.10:8080", here) for name, value in entries.items()}


def test_a_generic_camera_gets_its_still_and_its_stream(tmp_path):
    with serving(*QUICK, "--hold", "forever") as server:
        push_until(server, "live")
        camera = generic_camera(server)
        # homeassistant/components/generic/config_flow.py gets the still and looks at its bytes.
        assert camera["still_image_url"] == f"http://127.0.0.1:{server.public}/{CAMERA}/latest.jpg"
        still = server.get(f"/{CAMERA}/latest.jpg")
        assert still.status == 200 and still["Content-Type"] == "image/jpeg" and still.body[:3] == b"\xff\xd8\xff"
        # It opens the stream with PyAV, which is libavformat; homeassistant/components/stream asks for H.264 and copies
        # the packets into its own segments.
        source = camera["stream_source"]
        kind = subprocess.run(
            ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=codec_name,width,height", "-of",
             "csv=p=0", source], capture_output=True, text=True, timeout=60)
        assert kind.stdout.strip().split("\n")[0] == "h264,128,96", kind
        copy = subprocess.run(
            ["ffmpeg", "-v", "error", "-i", source, "-t", "2", "-c", "copy", "-f", "mp4", "-movflags",
             "frag_keyframe+empty_moov", "-y", tmp_path / "segment.mp4"], capture_output=True, text=True, timeout=60)
        assert copy.returncode == 0 and (tmp_path / "segment.mp4").stat().st_size > 1000, copy


def test_the_automation_names_what_messages_have():
    """The automation of the handbook reads events and fields that a real message has."""
    automation = recipes.recipe("home-assistant-webhook", {})
    assert "trigger: webhook" in automation and "allowed_methods: [POST]" in automation
    assert "\t" not in automation and "local_only: true" in automation
    with receiving() as receiver, serving(*QUICK, *notified(receiver)) as server:
        push_until(server, "live")
        message = receiver.wait_for("camera-off")
    fields = set(re.findall(r"trigger\.json\.(\w+)", automation))
    assert fields and fields <= set(message), f"{fields - set(message)} is not in {message}"
    events = set(re.findall(r"'([a-z]+-[a-z]+)'", automation))
    assert "camera-off" in events and events <= {"camera-off", "camera-back", "store-trouble", "certificate-ends", "token-guessed"}
