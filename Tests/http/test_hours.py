"""A camera outside its hours: viewers see its loop as when it is paused, and the operator is told why."""

import datetime
import re
import time

import pytest

import stills
from serving import CAMERA, FREE_PORTS, ONE_CAMERA, refusal, serving
from test_absence import QUICK, fetch_all, live, order, push_until, wait_until
from test_machine import at, fakes, wrapped  # noqa: F401  (a fixture)

pytestmark = pytest.mark.apart

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
@pytest.mark.parametrize("now, hours, shown, until", [
    ("2027-06-30 15:59:10", "mon-fri 08:00-18:00 Europe/Berlin", True, "2027-06-30T16:00"),
    ("2027-07-02 16:00:00", "mon-fri 08:00-18:00 Europe/Berlin", False, "2027-07-05T06:00"),
    # The clocks go forward: 02:30 does not come. They go back: 02:30 counts the first time.
    ("2027-03-28 00:59:10", "02:30-04:00 Europe/Berlin", False, "2027-03-28T01:00"),
    ("2027-10-31 00:10:00", "02:30-04:00 Europe/Berlin", False, "2027-10-31T00:30"),
])
def test_the_next_change_is_that_of_the_zone(wrapped, now, hours, shown, until):  # noqa: F811
    with serving(*QUICK, "--hours", hours, environment=at(now)) as server:
        told = server.status()["hours"]
        assert told["shown"] is shown and told["until"] == f"{until}:00.000Z"


def sunset_near():
    """A longitude on the equator where the sun sets about now, and when it does, as the server has it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    longitude = (18 - now.hour - now.minute / 60) * 15
    longitude = round((longitude + 180) % 360 - 180, 2)
    # From before dawn until long after sunset: shown now, whatever the equation of time is.
    with serving(*QUICK, "--hours", f"dawn-5h to sunset+5h at 0,{longitude}") as server:
        until = datetime.datetime.fromisoformat(server.status()["hours"]["until"])
    return longitude, until - datetime.timedelta(hours=5)


def test_a_camera_closes_and_opens_with_the_part_in_which_its_time_comes():
    longitude, sunset = sunset_near()
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=15)
    offset = f"{round((moment - sunset).total_seconds()):+d}s"
    closing, opening = (f"dawn-5h to sunset{offset}", f"sunset{offset} to dawn")
    with serving(*QUICK, "--hold", "forever", "--hours", f"{closing} at 0,{longitude}") as first:
        with serving(*QUICK, "--hold", "forever", "--hours", f"{opening} at 0,{longitude}") as second:
            seen = []
            deadline = time.monotonic() + 60
            while not seen or seen[-1][1:] != ("paused", "live"):
                assert time.monotonic() < deadline, seen
                for server in (first, second):
                    assert server.push(stills.solid(*RED)).status == 202
                now = datetime.datetime.now(datetime.timezone.utc)
                seen.append(((now - moment).total_seconds(), first.status()["source"], second.status()["source"]))
                time.sleep(0.2)
            before = [row[1:] for row in seen if row[0] < -1]
            assert ("live", "paused") in before, seen
            assert set(before[before.index(("live", "paused")) :]) == {("live", "paused")}, seen
            for server in (first, second):
                assert not any(segment.discontinuity for segment in live(server).segments)
            assert stills.is_near(stills.colour_of(second.get(f"/{CAMERA}/latest.jpg").body), RED)
            assert not stills.is_near(stills.colour_of(first.get(f"/{CAMERA}/latest.jpg").body), RED)


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
