"""Server-sent events: what happens at a camera, told to all who listen (WHATWG HTML, section 9.2)."""

import datetime
import json
import re
import time

import pytest

import stills
import wire
from serving import serving


@pytest.fixture(scope="module")
def server():
    with serving("--size", "128x96", "--rate", 5, "--part", 0.2, "--segment", 1) as server:
        yield server


class Listener:
    """A strict reader of one camera's events."""

    def __init__(self, server, **fields):
        self.wire = wire.Wire(server.public, timeout=10)
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        self.wire.send(wire.request_bytes("GET", "/desk/events", fields))
        self.head = self.wire.head()
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def block(self):
        """The next block of lines; `None` at the proper end of the stream."""
        while "\n\n" not in self.text:
            chunk = self.wire.chunk()
            if not chunk:
                assert self.text == ""
                return None
            self.text += chunk.decode()
        block, self.text = self.text.split("\n\n", 1)
        return block

    def event(self):
        """The next event; comments and the advice about coming back are passed over."""
        while True:
            block = self.block()
            assert block is not None, "the stream ended"
            if block.startswith("id: "):
                match = re.fullmatch(r"id: (\d+)\nevent: (\w+)\ndata: (.+)", block)
                assert match, block
                return int(match[1]), match[2], json.loads(match[3])
            assert re.fullmatch(r":.*|retry: \d+", block), block


def show(server, count=1):
    """Pushes stills one by one, each only when the one before is on the screens."""
    for index in range(count):
        assert server.push(stills.solid(index * 60 % 256, 90, 120)).status == 202
        server.settled()


def test_the_answer_is_an_event_stream_that_nobody_keeps(server):
    with Listener(server) as listener:
        head = listener.head
        assert head.status == 200
        assert head["Content-Type"] == "text/event-stream"
        assert head["Cache-Control"] == "no-store, no-transform"
        # nginx would keep the events until its buffer is full.
        assert head["X-Accel-Buffering"] == "no"
        assert head["Access-Control-Allow-Origin"] == "*"
        assert head["Transfer-Encoding"] == "chunked"
        assert re.fullmatch(r"retry: \d+", listener.block())


def test_each_still_that_is_shown_is_told_once_with_its_time_and_size(server):
    with Listener(server) as listener:
        ids = []
        for index in range(3):
            pushed = datetime.datetime.now(datetime.UTC)
            show(server)
            number, kind, data = listener.event()
            assert kind == "still"
            told = datetime.datetime.fromisoformat(data["time"])
            assert abs((told - pushed).total_seconds()) < 2
            latest = server.get("/desk/latest.jpg").body
            assert data["bytes"] == len(latest)
            assert (data["width"], data["height"]) == (128, 96)
            ids.append(number)
        assert ids == sorted(set(ids))
        assert listener.wire.is_silent(0.6) and not listener.text


def test_a_still_that_does_not_decode_is_not_told(server):
    with Listener(server) as listener:
        assert server.push(stills.bytes_of(stills.DAMAGED[0])).status == 202
        server.settled()
        show(server)
        listener.event()
        assert listener.wire.is_silent(0.5) and not listener.text


def test_as_many_events_come_as_stills_were_shown(server):
    with Listener(server) as listener:
        before = server.settled()["shown"]
        for index in range(12):
            server.push(stills.solid(index * 20, 10, 200))
            time.sleep(0.05)
        shown = server.settled()["shown"] - before
        assert shown >= 1
        assert [listener.event()[1] for _ in range(shown)] == ["still"] * shown
        assert listener.wire.is_silent(0.5) and not listener.text


def test_all_who_listen_hear_the_same(server):
    listeners = [Listener(server) for _ in range(20)]
    try:
        time.sleep(0.1)
        show(server, 2)
        heard = {json.dumps([listener.event(), listener.event()]) for listener in listeners}
        assert len(heard) == 1
    finally:
        for listener in listeners:
            listener.wire.close()


def test_a_wave_is_told(server):
    with Listener(server) as listener:
        waves = server.viewer("POST", "/desk/wave").json["waves"]
        _, kind, data = listener.event()
        assert (kind, data) == ("wave", {"waves": waves})


def test_a_listener_that_comes_back_gets_what_it_missed(server):
    with Listener(server) as listener:
        show(server, 4)
        server.viewer("POST", "/desk/wave")
        told = [listener.event() for _ in range(5)]
    for missed in range(5):
        with Listener(server, Last_Event_ID=str(told[missed][0])) as again:
            assert re.fullmatch(r"retry: \d+", again.block())
            assert [again.event() for _ in range(4 - missed)] == told[missed + 1 :]
            assert again.wire.is_silent(0.3) and not again.text


def test_a_new_listener_gets_only_what_is_new(server):
    show(server)
    with Listener(server) as listener:
        listener.block()
        assert listener.wire.is_silent(0.5)
        show(server)
        assert listener.event()[1] == "still"


@pytest.mark.parametrize("last", ["", "x", "-1", "0", "99999999999999999", "9" * 40, "1.5"])
def test_an_id_that_was_never_given_does_no_harm(server, last):
    with Listener(server, Last_Event_ID=last) as listener:
        assert listener.head.status == 200
        wave = server.viewer("POST", "/desk/wave").json["waves"]
        for _ in range(100):
            _, kind, data = listener.event()
            if (kind, data.get("waves")) == ("wave", wave):
                return
        raise AssertionError("the wave never came")


def test_a_listener_that_leaves_is_forgotten_with_the_next_events(server):
    def count():
        return server.status()["waiting"]["listeners"]

    deadline = time.monotonic() + 30
    listeners = [Listener(server) for _ in range(20)]
    while count() < 20:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for listener in listeners:
        listener.wire.close()
    while count() > 0:
        assert time.monotonic() < deadline, count()
        # What is written first may go out before the end of the connection is known.
        server.viewer("POST", "/desk/wave")
        time.sleep(0.05)
