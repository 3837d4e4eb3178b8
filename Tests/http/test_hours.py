"""A camera outside its hours: viewers see its loop as when it is paused, and the operator is told why."""

import datetime
import re
import time

import pytest

import stills
from serving import ASKED, CAMERA, FREE_PORTS, ONE_CAMERA, OPERATOR, refusal, serving
from test_absence import QUICK, fetch_all, live, order, push_until, wait_until
from test_machine import at, fakes, wrapped  # noqa: F401  (a fixture)

RED = (220, 40, 40)


def window(begins, ends):
    """Hours around now, in whole minutes; `begins` and `ends` are minutes from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return "{:%H:%M}-{:%H:%M} UTC".format(*(now + datetime.timedelta(minutes=shift) for shift in (begins, ends)))


def public_face(server):
    """What viewers get, without names, times and numbers that differ from one server to the next."""
    face = {}
    for path in ("", "live.m3u8", "plain.m3u8", "about.json", "photos.json", "latest.jpg"):
        answer = server.get(f"/{CAMERA}/{path}")
        fields = {name for name, _ in answer.fields}
        body = "" if path == "latest.jpg" else re.sub(r"[0-9a-zA-Z_-]*\d[0-9a-zA-Z_.:-]*", "N", answer.text)
        face[path] = (answer.status, frozenset(name.lower() for name in fields), "" if "m3u8" in path else body)
    return face


def test_a_camera_outside_its_hours_is_not_shown_and_the_operator_sees_why():
    hours = window(120, 180)
    with serving(*QUICK, "--hours", hours) as server:
        for _ in range(8):
            assert server.push(stills.solid(*RED)).status == 202
            time.sleep(0.2)
        status = server.status()
        assert status["source"] == "paused" and status["pausedBy"] == ["hours"]
        assert status["hours"]["text"] == hours and not status["hours"]["shown"] and not status["hours"]["clockUnknown"]
        until = datetime.datetime.fromisoformat(status["hours"]["until"])
        assert until.strftime("%H:%M") == hours[:5] and until > datetime.datetime.now(datetime.timezone.utc)
        assert not stills.is_near(stills.colour_of(server.get(f"/{CAMERA}/latest.jpg").body), RED)
        answer = order(server, "resume")
        assert answer.json["outsideHours"] is True and answer.json["until"] == status["hours"]["until"]
        order(server, "pause")
        assert server.status()["pausedBy"] == ["operator", "hours"]
        order(server, "withdraw")
        assert server.status()["source"] == "paused"
        fetch_all(server, live(server))
        assert "outside its hours" in server.log()


def test_a_camera_within_its_hours_is_shown():
    with serving(*QUICK, "--hours", window(-60, 60)) as server:
        push_until(server, "live")
        status = server.status()
        assert status["pausedBy"] == [] and status["hours"]["shown"]
        order(server, "pause")
        wait_until(server, "paused")
        assert server.status()["pausedBy"] == ["operator"]
        assert "outsideHours" not in order(server, "resume").json
        push_until(server, "live")


def test_nothing_public_tells_hours_from_a_pause():
    with serving(*QUICK, "--hours", window(120, 180)) as closed, serving(*QUICK) as paused:
        order(paused, "pause")
        for server in (closed, paused):
            for _ in range(6):
                server.push(stills.solid(*RED))
                time.sleep(0.2)
            wait_until(server, "paused")
        assert public_face(closed) == public_face(paused)


@fakes
def test_a_camera_opens_and_closes_by_the_clock_of_its_zone(wrapped):  # noqa: F811
    # It is nearly six in Berlin.
    environment = at("2027-06-30 15:59:38")
    with serving(*QUICK, "--hours", "mon-fri 08:00-18:00 Europe/Berlin", environment=environment) as server:
        push_until(server, "live", within=8)
        wait_until(server, "paused", within=20)
        status = server.status()
        assert status["pausedBy"] == ["hours"] and status["hours"]["until"] == "2027-07-01T06:00:00.000Z"
        assert not any(segment.discontinuity for segment in live(server).segments)
    # The night in which the clocks go forward: 02:30 does not come, so the camera opens at 03:00, and ten seconds
    # before it is closed.
    environment = at("2027-03-28 00:59:50")
    with serving(*QUICK, "--hours", "02:30-04:00 Europe/Berlin", environment=environment) as server:
        assert server.status()["hours"]["until"] == "2027-03-28T01:00:00.000Z"
        push_until(server, "live", within=30)
        assert server.status()["hours"]["until"] == "2027-03-28T02:00:00.000Z"


@fakes
def test_a_clock_that_cannot_be_right_opens_nothing(wrapped):  # noqa: F811
    with serving(*QUICK, "--hours", "00:00-24:00 UTC", environment=at("1970-01-01 00:00:20")) as server:
        server.push(stills.solid(*RED))
        time.sleep(1.5)
        status = server.status()
        assert status["source"] == "paused" and status["hours"]["clockUnknown"] and status["hours"]["until"] is None
        assert "set the clock" in server.log()


@pytest.mark.parametrize("hours, reason", [
    ("08:00-18:00", "need a time zone"), ("08:00-18:00 Europe/Berln", "did you mean Europe/Berlin?"),
    ("sunrise to sunset", "such as at 52.52,13.40"),
])
def test_wrong_hours_are_refused_with_an_example(hours, reason):
    text = refusal(*FREE_PORTS, *ONE_CAMERA, "--store", "memory", "--hours", hours)
    assert f'--hours: found "{hours}"' in text and reason in text and "mon-fri 08:00-18:00 Europe/Berlin" in text
