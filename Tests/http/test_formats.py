"""Every form in which cameras send stills, sent by real clients; a table of the answers goes to `QUIETCAM_TABLE`."""

import contextlib
import itertools
import json
import os
import pathlib
import re
import time

import pytest

import stills
import wire
from forms import FORMS, Form, INGEST, JSON, MIXED, RAW, STREAMS, TEXT, TUTORIAL, base64_of, by_requests, curl, form, raw, stream
from serving import BEARER, serving

MAX_STILL_BYTES = 300_000
OPTIONS = ["--size", "64x48", "--rate", 10, "--part", 0.2, "--segment", 1, "--preset", "ultrafast", "--interval", 1.5]
# Far enough from each other to be told apart after two encoders.
COLOURS = itertools.cycle(itertools.product((20, 130, 240), repeat=3))


@pytest.fixture(scope="module")
def server():
    with serving(*OPTIONS, "--max-still-bytes", MAX_STILL_BYTES, "--denoise", 0, "--max-rate", 1000) as server:
        yield server


@pytest.fixture(scope="module")
def table():
    """The rows of the table, written when all of them are there."""
    rows = []
    yield rows
    path = os.environ.get("QUIETCAM_TABLE")
    if path:
        head = "| format | label | client | answer | on the screens |\n|---|---|---|---|---|\n"
        pathlib.Path(path).write_text(head + "".join(f"| {' | '.join(row)} |\n" for row in rows))


# What is taken


def comes_onto_the_screens(server, jpeg):
    """Whether the latest picture becomes this one soon."""
    wanted = stills.colour_of(jpeg)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if stills.is_near(stills.colour_of(server.get("/desk/latest.jpg").body), wanted):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("way", [*RAW, *FORMS, *STREAMS, *JSON, *TEXT], ids=str)
def test_a_still_is_taken_in_every_form_and_comes_onto_the_screens(server, table, way):
    before = server.status()["stills"]["taken"]
    jpeg = stills.solid(*next(COLOURS))
    sent = way.send(server, jpeg)
    taken = server.status()["stills"]["taken"] - before
    appears = comes_onto_the_screens(server, jpeg)
    many = f", {taken} stills" if taken > 1 else ""
    table.append((way.name, way.label.replace("|", "\\|"), way.client, f"{sent.status}{many}", "yes" if appears else "no"))
    assert sent.status == 202, sent
    assert taken == (3 if way in STREAMS and "requests" in way.client else sent.count)
    assert appears
    if sent.body:
        advice = json.loads(sent.body)
        assert 1125 <= advice["interval_ms"] <= 1875
        assert (advice["waves"], advice["seq"]) == (0, before + taken)
        assert advice.get("stills", 1) == taken


# What is refused


def over_65535(jpeg):
    """A picture of more than 65,535 bytes, which stand before its coded data."""
    padding = b"\xff\xfe" + (60_000).to_bytes(2) + bytes(59_998)
    return jpeg[:2] + padding + padding + jpeg[2:]


def wrapped(fields, body):
    return fields | {"Content-Length": len(body) % 65_536}, body


REFUSALS = [
    (400, "malformed", Form("raw body of over 65,535 bytes", "Content-Length counted in 16 bits", "socket", raw(
        lambda jpeg: wrapped({"Content-Type": "image/jpeg"}, over_65535(jpeg))))),
    (400, "malformed", Form("form of over 65,535 bytes", "Content-Length counted in 16 bits", "socket", raw(
        lambda jpeg: wrapped({"Content-Type": TUTORIAL}, form(over_65535(jpeg)))))),
    (400, "malformed", Form("form without any delimiter", TUTORIAL, "socket", raw(
        lambda jpeg: ({"Content-Type": TUTORIAL}, b"hello")))),
    (400, "malformed", Form("JSON that breaks off", "application/json", "socket", raw(
        lambda jpeg: ({"Content-Type": "application/json"}, b'{"a": "b')))),
    (400, "malformed", Form("JSON with damaged base64", "application/json", "requests", by_requests(
        lambda jpeg: {"json": {"i": base64_of(jpeg)[:40] + "*" + base64_of(jpeg)[40:]}}))),
    (401, "unauthorized", Form("raw body", "no token", "curl", curl("--data-binary", "@-", token=False))),
    (411, "lengthRequired", Form("raw body", "neither length nor chunks", "socket", raw(
        lambda jpeg: ({"Content-Type": "image/jpeg"}, None)))),
    (413, "tooLarge", Form("raw body that is too large", "image/jpeg", "curl", lambda server, jpeg: curl(
        "-H", "Content-Type: image/jpeg", "--data-binary", "@-")(server, jpeg + bytes(MAX_STILL_BYTES)))),
    (413, "tooLarge", Form("form with a picture that is too large", "field img", "curl -F", lambda server, jpeg: curl(
        "-F", "img=@-;filename=a.jpg")(server, large_picture(jpeg)))),
    (413, "tooLarge", Form("chunked body that is too large", "no Content-Type", "curl -T -", lambda server, jpeg: curl(
        "-T", "-")(server, large_picture(jpeg)))),
    (413, "tooLarge", Form("JSON with a picture that is too large", "application/json", "requests", by_requests(
        lambda jpeg: {"json": {"i": base64_of(large_picture(jpeg))}}))),
    (413, "tooLarge", Form("picture of 30,000 x 30,000", "image/jpeg", "requests", by_requests(
        lambda jpeg: {"data": stills.one("bad/bomb-30000x30000.jpg")}))),
    (415, "notJPEG", Form("text", "image/jpeg", "curl", lambda server, jpeg: curl(
        "-H", "Content-Type: image/jpeg", "--data-binary", "@-")(server, b"camera busy"))),
    (415, "notJPEG", Form("empty body", "image/jpeg", "requests", by_requests(
        lambda jpeg: {"data": b"", "headers": {"Content-Length": "0"}}))),
    (415, "notJPEG", Form("PNG", "image/png", "requests", by_requests(
        lambda jpeg: {"data": stills.one("bad/png.jpg"), "headers": {"Content-Type": "image/png"}}))),
    (415, "notJPEG", Form("form without a picture", "field a", "curl -F", curl("-F", "a=1", "-F", "b=2"))),
    (415, "notJPEG", Form("JSON without a picture", "application/json", "requests", by_requests(
        lambda jpeg: {"json": {"error": "camera busy"}}))),
    (422, "truncated", Form("raw body, picture cut", "image/jpeg", "requests", by_requests(
        lambda jpeg: {"data": jpeg[:-2]}))),
    (422, "truncated", Form("form, picture cut", TUTORIAL, "socket", raw(
        lambda jpeg: ({"Content-Type": TUTORIAL}, form(jpeg[:-2]))))),
    (422, "truncated", Form("JSON, picture cut", "application/json", "requests", by_requests(
        lambda jpeg: {"json": {"i": base64_of(jpeg[:-30])}}))),
    (422, "unsupported", Form("CMYK picture in a form", "field img", "requests", by_requests(
        lambda jpeg: {"files": {"img": stills.one("bad/cmyk.jpg")}}))),
]


def large_picture(jpeg):
    return jpeg[:2] + (b"\xff\xfe\xff\xff" + bytes(65_533)) * (MAX_STILL_BYTES // 65_537 + 1) + jpeg[2:]


@pytest.mark.parametrize("status, error, way", REFUSALS, ids=str)
def test_what_is_no_still_is_refused_with_its_reason(server, table, status, error, way):
    before = server.settled()
    sent = way.send(server, stills.solid(*next(COLOURS)))
    told = json.loads(sent.body)
    table.append((way.name, way.label, way.client, f"{sent.status} {told['error']}", "no"))
    assert (sent.status, told["error"]) == (status, error), sent
    assert len(told["detail"]) > 20
    after = server.status()["stills"]
    assert after["taken"] == before["taken"]
    # A length that wrapped leaves a cut picture, and is known to be wrong only by what comes behind it.
    counted = "truncated" if "16 bits" in way.label else error
    if counted not in ("unauthorized", "lengthRequired"):
        assert after["refused"][counted] == before["refused"].get(counted, 0) + 1


def test_a_form_without_a_picture_is_told_what_it_holds(server):
    sent = curl("-F", "a=1", "-F", "note=hello;type=text/plain")(server, b"")
    detail = json.loads(sent.body)["detail"]
    assert '"a", begins with 31;' in detail and '"note" (text/plain), begins with 68 65 6C' in detail, detail


# Streams


@contextlib.contextmanager
def pushing(server, label=MIXED):
    """An open chunked request; the yielded function sends the next bytes of its body, and at the end nothing."""
    with wire.Wire(server.private) as client:
        fields = BEARER | ({"Content-Type": label} if label else {}) | {"Transfer-Encoding": "chunked"}
        client.send(wire.request_bytes("POST", INGEST, fields))
        yield client, lambda data: client.send(b"%x\r\n%s\r\n" % (len(data), data))


@pytest.mark.parametrize("with_lengths", [True, False])
def test_each_picture_of_a_stream_is_shown_as_soon_as_it_is_complete(server, with_lengths):
    before = server.status()["stills"]["taken"]
    with pushing(server) as (client, send):
        for count in range(1, 4):
            jpeg = stills.solid(*next(COLOURS))
            send(stream([jpeg], with_lengths).removesuffix(b"\r\n"))
            assert comes_onto_the_screens(server, jpeg)
            assert server.status()["stills"]["taken"] == before + count
            assert client.is_silent(0)
            send(b"\r\n")
        send(b"")
        answer = client.answer()
    assert (answer.status, answer.json["stills"], answer.json["seq"]) == (202, 3, before + 3)


def test_a_bad_picture_in_a_stream_is_counted_and_the_stream_goes_on(server):
    before = server.settled()
    good = stills.solid(*next(COLOURS))
    with pushing(server) as (client, send):
        for picture in (good, good[:-2], b"camera busy", large_picture(good), stills.one("bad/cmyk.jpg"), good):
            send(stream([picture], False))
        send(b"")
        answer = client.answer()
    assert (answer.status, answer.json["stills"], answer.json["refused"]) == (202, 2, 3)
    after = server.settled()
    assert after["taken"] == before["taken"] + 2
    for reason in ("truncated", "tooLarge", "unsupported"):
        assert after["refused"][reason] == before["refused"].get(reason, 0) + 1
    assert comes_onto_the_screens(server, good)


def test_a_stream_of_bad_pictures_alone_is_refused_with_the_first_reason(server):
    with pushing(server) as (client, send):
        send(stream([stills.one("bad/cmyk.jpg"), stills.solid(1, 2, 3)[:-2]], True))
        send(b"")
        answer = client.answer()
    assert (answer.status, answer.json["error"]) == (422, "unsupported")


def test_a_stream_that_breaks_off_keeps_what_was_complete(server):
    before = server.settled()
    jpeg = stills.solid(*next(COLOURS))
    with pushing(server) as (client, send):
        send(stream([jpeg, jpeg], True)[:-100])
        assert comes_onto_the_screens(server, jpeg)
    after = server.settled()
    assert (after["taken"], after["refused"]) == (before["taken"] + 1, before["refused"])


def test_a_stream_without_pictures_is_ended_when_it_has_sent_enough(server):
    with pushing(server) as (client, send):
        try:
            for _ in range(40):
                send(bytes(20_000))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert client.answer().status == 413


def test_a_long_stream_needs_no_more_memory_than_a_short_one(server):
    """60 MB in parts of 200 kB; the process may keep a few pictures of them."""

    def resident():
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) // 1024

    jpeg = large_picture(stills.solid(9, 9, 9))[: 2 + 3 * 65_537] + stills.solid(9, 9, 9)[2:]
    part = stream([jpeg], False)
    with pushing(server) as (client, send):
        for _ in range(30):
            send(part)
        before = resident()
        for _ in range(300):
            send(part)
        send(b"")
        answer = client.answer()
        after = resident()
    assert (answer.status, answer.json["stills"]) == (202, 330)
    assert after - before < 20


def test_the_end_of_the_process_ends_a_stream():
    with serving(*OPTIONS) as server, pushing(server) as (client, send):
        send(stream([stills.solid(1, 2, 3)], True))
        deadline = time.monotonic() + 30
        while server.status()["stills"]["taken"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        server.stop()


def test_a_stream_whose_camera_loses_its_connection_harms_nobody(server):
    """A camera that falls silent in the middle of a part, and another that goes on meanwhile."""
    jpeg = stills.solid(*next(COLOURS))
    with pushing(server) as (_, send):
        send(stream([jpeg], True)[:-50])
        other = stills.solid(*next(COLOURS))
        assert server.push(other).status == 202
        assert comes_onto_the_screens(server, other)


# Which of several


@pytest.mark.parametrize(
    ("choice", "number"), [("first", 0), ("last", 2), ("largest", 1), ("field:scene", 1), ("field:nothing", 0)])
def test_a_doorbell_shows_the_picture_of_the_setting(choice, number):
    pictures = [stills.solid(220, 20, 20), stills.solid(20, 200, 20, (320, 240)), stills.solid(20, 20, 220)]
    names = ("plate", "scene", "face")
    with serving(*OPTIONS, "--still-choice", choice) as server:
        form = {name: (f"{name}.jpg", jpeg, "image/jpeg") for name, jpeg in zip(names, pictures)}
        answers = [by_requests(lambda _: {"files": form})(server, b"")]
        assert comes_onto_the_screens(server, pictures[number])
        answers.append(server.push(stills.solid(128, 128, 128)))
        assert comes_onto_the_screens(server, stills.solid(128, 128, 128))
        answers.append(
            by_requests(lambda _: {"json": {name: base64_of(jpeg) for name, jpeg in zip(names, pictures)}})(server, b""))
        assert comes_onto_the_screens(server, pictures[number])
        assert [answer.status for answer in answers] == [202] * 3
        assert server.status()["stills"]["taken"] == 3
