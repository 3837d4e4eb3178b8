"""What the operator hears of by webhooks: signed, in order, again after a failure, and nothing private."""

import json
import re
import subprocess
import time

import pytest

import quietcam
import recipes
import stills
import wire
from receiver import SECRET, is_signed, receiving
from ports import free_ports
from serving import CAMERA, FREE_PORTS, ONE_CAMERA, TOKEN, launched, refusal, serving
from test_absence import QUICK, order, push_until, wait_until
from test_reload import DESK, OPTIONS, configured
from test_store import small_disk  # noqa: F401  (a fixture)
from test_tls import make_certificate

pytestmark = pytest.mark.apart


def notified(*receivers):
    return ["--notify", " ".join(receiver.url for receiver in receivers), "--notify-secret", SECRET]


def test_a_camera_that_goes_off_and_comes_back_is_told_and_signed():
    with receiving() as receiver, serving(*QUICK, *notified(receiver), "--title", "My desk") as server:
        push_until(server, "live")
        off = receiver.wait_for("camera-off")
        assert off["camera"] == CAMERA and off["title"] == "My desk" and off["number"] == 1 and off["dropped"] == 0
        assert off["since"] == server.status()["lastStill"] and off["since"] in off["text"]
        # Without the public address there is no link.
        assert "picture" not in off and "page" not in off
        push_until(server, "live")
        assert receiver.wait_for("camera-back")["number"] == 2
        for fields, body in receiver.messages:
            assert is_signed(fields, body) and not is_signed(fields, body + b" ")
            assert not is_signed(fields, body, "another secret, as long")
            assert fields["Content-Type"] == "application/json"
        assert "secret-path" not in server.log() and SECRET not in server.log()


def test_a_receiver_that_fails_gets_everything_in_order_when_it_comes_back():
    with receiving() as receiver, receiving() as other, serving(*QUICK, *notified(receiver, other)) as server:
        receiver.status = 503
        push_until(server, "live")
        wait_until(server, "off")
        other.wait_for("camera-off")
        push_until(server, "live")
        other.wait_for("camera-back")
        wait_until(server, "off")
        other.wait_for("camera-off", count=2)
        assert receiver.tries >= 2 and receiver.messages == []
        receiver.status = 200
        receiver.wait_for("camera-off", count=2, within=60)
        assert receiver.events() == other.events() == ["camera-off", "camera-back", "camera-off"]
        ids = [fields["webhook-id"] for fields, _ in receiver.messages]
        assert len(set(ids)) == 3 and not set(ids) & {fields["webhook-id"] for fields, _ in other.messages}
        assert [json.loads(body)["number"] for _, body in receiver.messages] == [1, 2, 3]
        assert "did not arrive: the receiver answers 503" in server.log() and "arrived at the" in server.log()


def test_a_receiver_that_hangs_or_is_away_costs_nothing_else():
    with receiving() as hanging, receiving() as other:
        hanging.awake.clear()
        away = free_ports(1)[0]
        addresses = f"{hanging.url} http://127.0.0.1:{away}/ {other.url}"
        with serving(*QUICK, "--notify", addresses, "--notify-secret", SECRET) as server:
            push_until(server, "live")
            other.wait_for("camera-off")
            for _ in range(20):
                began = time.monotonic()
                assert server.get(f"/{CAMERA}/latest.jpg").status == 200
                assert time.monotonic() - began < 2
            push_until(server, "live")
            other.wait_for("camera-back")
            assert hanging.tries >= 1 and hanging.messages == []
            # The end does not wait for it either.
            assert server.stop() < 5


def test_waves_are_gathered_and_guesses_are_told():
    with receiving() as receiver, serving(*QUICK, *notified(receiver), "--hold", "forever") as server:
        push_until(server, "live")
        time.sleep(1.5)
        for number in range(12):
            if number < 3:
                assert server.viewer("POST", f"/{CAMERA}/wave").status < 300
            server.push(stills.one(), fields={"Authorization": f"Bearer not-the-token-{number}"})
        guessed = receiver.wait_for("token-guessed")
        assert guessed["count"] >= 5 and guessed["addresses"] == ["127.0.0.1"] and "camera" not in guessed
        waves = receiver.wait_for("waves")
        assert waves["count"] == 3 and waves["camera"] == CAMERA
        text = b"".join(body for _, body in receiver.messages)
        assert TOKEN.encode() not in text and b"not-the-token" not in text


def test_a_full_disk_and_a_certificate_that_ends_are_told(small_disk, tmp_path):  # noqa: F811
    certificate, key = make_certificate(tmp_path, "short")
    with receiving() as receiver:
        options = [*QUICK, *notified(receiver), "--private-certificate", certificate, "--private-key", key]
        # The private address speaks TLS, so `serving` would wait for the wrong line.
        with launched(*FREE_PORTS, "--store", small_disk, *ONE_CAMERA, *options):
            ends = receiver.wait_for("certificate-ends")
            assert ends["file"] == str(certificate) and ends["since"] in ends["text"] and "camera" not in ends
            with open(small_disk / "filler", "wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
                while True:
                    filler.write(bytes(4096))
            trouble = receiver.wait_for("store-trouble")
            assert trouble["camera"] == CAMERA and trouble["count"] >= 1
            assert len(receiver.bodies("certificate-ends")) == 1


@pytest.mark.parametrize("access", ["open", "signed"])
def test_pictures_are_at_links_and_private_ones_at_links_that_end(access):
    port = free_ports(1)[0]
    base = f"http://127.0.0.1:{port}/"
    key = [] if access == "open" else ["--access", "signed", "--link-key", "0123456789abcdef"]
    with receiving() as receiver:
        options = [*QUICK, *notified(receiver), *key, "--base-url", base]
        with serving(*options, "--public", f"127.0.0.1:{port}") as server:
            for _ in range(8):
                assert server.push(stills.solid(220, 40, 40)).status == 202
                time.sleep(0.25)
            off = receiver.wait_for("camera-off")
            assert off["picture"].startswith(off["page"]) and off["page"].startswith(f"{base}{CAMERA}/")
            # The last picture, and not the loop that is shown now.
            picture = wire.ask(port, "GET", off["picture"].removeprefix(base[:-1]))
            assert picture.status == 200 and stills.is_near(stills.colour_of(picture.body), (220, 40, 40))
            assert wire.ask(port, "GET", off["page"].removeprefix(base[:-1])).status == 200
            if access == "signed":
                expiry = int(re.search(r"/~(\d+)\.", off["page"])[1])
                assert 86_000 < expiry - time.time() < 86_400 + 3700
                assert wire.ask(port, "GET", f"/{CAMERA}/latest.jpg").status == 404
            else:
                assert "~" not in off["page"]
            # Paused, the link leads to what viewers see.
            order(server, "pause")
            push_until(server, "paused")
            back = receiver.wait_for("camera-back")
            assert back["picture"] == back["page"] + "latest.jpg"
            shown = wire.ask(port, "GET", back["picture"].removeprefix(base[:-1]))
            assert shown.status == 200 and not stills.is_near(stills.colour_of(shown.body), (220, 40, 40))
        for _, body in receiver.messages:
            assert len(body) < 1000, "no picture is within a message"
            message = json.loads(body)
            assert not {"source", "veiled", "pausedBy", "hours"} & set(message)
            assert "paus" not in message["text"] and "veil" not in message["text"]


def test_a_reload_takes_other_receivers_and_links(tmp_path):
    defaults = OPTIONS | {"hold": 1, "steady": 0}

    def top(receiver, *more):
        return [f"notify: {receiver.url}", f"notify-secret: {SECRET}", "base-url: http://cam.example/", *more]

    with receiving() as first, receiving() as second:
        with configured(tmp_path, {CAMERA: DESK}, top=top(first), defaults=defaults) as house:
            push_until(house.server, "live")
            assert first.wait_for("camera-off")["page"] == f"http://cam.example/{CAMERA}/"
            cameras = {CAMERA: DESK | {"access": "signed"}}
            house.write(cameras, top=top(second, "link-key: 0123456789abcdef"), defaults=defaults)
            answer = house.reload()
            assert answer.status == 200, answer
            push_until(house.server, "live")
            assert second.wait_for("camera-back")["page"].startswith(f"http://cam.example/{CAMERA}/~")
            assert first.events() == ["camera-off"]


def notify(*arguments):
    return subprocess.run(
        [quietcam.binary(), "notify", *map(str, arguments)], env=quietcam.environment(), capture_output=True, text=True,
        timeout=60)


def test_a_message_can_be_tried():
    with receiving() as receiver:
        run = notify("--test", *notified(receiver))
        assert run.returncode == 0 and run.stdout == f"http://127.0.0.1:{receiver.port}: it was taken (204)\n", run
        assert receiver.events() == ["test"] and is_signed(*receiver.messages[0])
        receiver.status = 404
        run = notify("--test", *notified(receiver))
        assert run.returncode == 1 and "the receiver answers 404" in run.stdout and "secret-path" not in run.stdout
        run = notify(*notified(receiver))
        assert run.returncode == 0 and run.stdout == f"http://127.0.0.1:{receiver.port}\n" and receiver.tries == 2
    assert "connection refused" in notify("--test", *notified(receiver)).stdout
    assert "no address is given" in notify("--test").stderr


def test_receivers_without_a_secret_are_refused():
    text = refusal(*FREE_PORTS, *ONE_CAMERA, "--store", "memory", "--notify", "https://example.org/hook")
    assert "--notify: found without notify-secret" in text and "quietcam token" in text


def test_the_handbooks_receiver_checks_signatures(tmp_path):
    """The script of the handbook takes what is signed and refuses what is not."""
    port = free_ports(1)[0]
    (tmp_path / "secret").write_text(SECRET + "\n")
    script = recipes.recipe("webhook", {"8765": port, "/etc/quietcam/notify-secret": tmp_path / "secret"})
    process = subprocess.Popen(
        ["python3", "-u", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + 20
        arguments = ["--test", "--notify", f"http://127.0.0.1:{port}/", "--notify-secret"]
        while (run := notify(*arguments, SECRET)).returncode != 0:
            assert time.monotonic() < deadline, run
            time.sleep(0.2)
        assert "401" in notify(*arguments, "another-secret-as-long").stdout
    finally:
        process.kill()
        output = process.communicate()[0]
    assert "test: This is a test of Quietcam's notifications." in output
