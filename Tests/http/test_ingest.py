"""What the private door does with stills, good and bad, and with clients that misbehave."""

import concurrent.futures
import datetime
import email.utils
import itertools
import re
import socket
import time

import pytest

import stills
import wire
from serving import BEARER, TOKEN, serving

MAX_STILL_BYTES = 300_000
INGEST = "/ingest/desk"


@pytest.fixture(scope="module")
def server():
    # Slots of 0.2 s with six pictures each: what becomes of a still is known soon.
    options = ["--size", "128x96", "--rate", 30, "--part", 0.2, "--segment", 1, "--preset", "ultrafast"]
    with serving(*options, "--max-still-bytes", MAX_STILL_BYTES, "--interval", 1.5) as server:
        yield server


def assert_taken(answer):
    assert answer.status == 202, answer
    assert set(answer.json) == {"seq", "interval_ms", "waves"}
    # A tenth of it is for coming just before a slot begins.
    assert 1350 <= answer.json["interval_ms"] <= 1650
    assert answer.json["waves"] == 0
    return answer.json["seq"]


def assert_refused(answer, status, error=None):
    assert answer.status == status, answer
    assert set(answer.json) == {"error", "detail"}
    assert len(answer.json["detail"]) > 10
    assert answer["Cache-Control"] == "no-store"
    if error:
        assert answer.json["error"] == error


# Good and bad pictures


METHODS = itertools.cycle(["POST", "PUT"])


@pytest.mark.parametrize("entry", stills.GOOD, ids=stills.name_of)
def test_a_good_still_is_taken(server, entry):
    before = server.status()["stills"]["taken"]
    seq = assert_taken(server.push(stills.bytes_of(entry), method=next(METHODS)))
    assert seq == before + 1 == server.status()["stills"]["taken"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_both_methods_take_a_still(server, method):
    assert_taken(server.push(stills.one(), method=method))


def test_every_good_still_comes_onto_the_screens(server):
    before = server.settled()
    for entry in stills.GOOD:
        assert_taken(server.push(stills.bytes_of(entry)))
        time.sleep(0.02)
    after = server.settled()
    assert after["taken"] - before["taken"] == len(stills.GOOD)
    assert after["undecodable"] == before["undecodable"]
    assert after["shown"] > before["shown"]


def test_the_answer_tells_the_time_for_cameras_without_a_clock(server):
    date = email.utils.parsedate_to_datetime(server.push(stills.one())["Date"])
    assert abs((datetime.datetime.now(datetime.UTC) - date).total_seconds()) < 3


@pytest.mark.parametrize("entry", stills.BAD, ids=stills.name_of)
def test_a_bad_still_is_refused_with_its_reason(server, entry):
    before = server.status()["stills"]
    answer = server.push(stills.bytes_of(entry))
    assert_refused(answer, {"notJPEG": 415, "tooLarge": 413}.get(entry["reason"], 422), entry["reason"])
    after = server.status()["stills"]
    assert after["taken"] == before["taken"]
    assert after["refused"][entry["reason"]] == before["refused"].get(entry["reason"], 0) + 1


@pytest.mark.parametrize("entry", stills.DAMAGED, ids=stills.name_of)
def test_a_still_that_does_not_decode_is_counted_and_the_last_good_one_stays(server, entry):
    before = server.settled()
    latest = server.get("/desk/latest.jpg")
    assert_taken(server.push(stills.bytes_of(entry)))
    after = server.settled()
    assert (after["undecodable"], after["shown"]) == (before["undecodable"] + 1, before["shown"])
    now = server.get("/desk/latest.jpg")
    assert (now["ETag"], now.body) == (latest["ETag"], latest.body)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Content-Type": "image/jpg"},
        {"Content-Type": "application/octet-stream"},
        {"Content-Type": "text/html"},
        {"Content-Type": "image/jpeg", "Content-Disposition": 'form-data; name="imageFile"; filename="a.jpg"'},
    ],
    ids=str,
)
def test_the_bytes_count_and_not_their_label(server, fields):
    assert_taken(server.push(stills.one(), fields=fields))


# Who may push, where and how


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Authorization": "Bearer wrong-token"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN.upper()}"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic ZGVzazpzZWNyZXQtdG9rZW4x"},
    ],
    ids=str,
)
def test_without_the_token_nothing_is_taken(server, fields):
    before = server.settled()
    answer = server.camera("POST", INGEST, fields, stills.one())
    assert_refused(answer, 401, "unauthorized")
    assert answer["WWW-Authenticate"].startswith("Bearer, Basic ")
    assert TOKEN not in answer.text
    assert server.status()["stills"] == before


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_of_the_token_has_no_case(server, scheme):
    assert_taken(server.camera("POST", INGEST, {"Authorization": f"{scheme} {TOKEN}"}, stills.one()))


@pytest.mark.parametrize("name", ["attic", "", "desk/", "desk/x", "DESK", "..", "%2564esk", "de%2Fsk", "a" * 5000])
def test_an_unknown_camera_is_not_found(server, name):
    assert_refused(server.camera("POST", f"/ingest/{name}", BEARER, stills.one()), 404)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PATCH"])
def test_another_method_is_told_which_ones_there_are(server, method):
    answer = server.camera(method, INGEST, BEARER)
    assert answer.status == 405
    assert answer["Allow"] == "POST, PUT, OPTIONS"


def test_the_private_door_does_not_serve_viewers(server):
    for path in ["/desk/", "/desk/index.m3u8", "/desk/live.m3u8", "/desk/latest.jpg", "/desk/events"]:
        assert server.camera("GET", path).status == 404, path


# Framing


def test_a_body_without_a_length_is_refused(server):
    with wire.Wire(server.private) as client:
        client.send(wire.request_bytes("POST", INGEST, BEARER))
        assert_refused(client.answer(), 411, "lengthRequired")


def test_a_body_that_will_be_too_large_is_refused_by_its_head_alone(server):
    before = server.status()["stills"]["refused"].get("tooLarge", 0)
    with wire.Wire(server.private) as client:
        client.send(wire.request_bytes("POST", INGEST, BEARER | {"Content-Length": MAX_STILL_BYTES + 1}))
        assert_refused(client.answer(), 413, "tooLarge")
        assert client.is_ended(), "what follows would be read as a request"
    assert server.status()["stills"]["refused"]["tooLarge"] == before + 1


@pytest.mark.parametrize("excess", [1, 100_000, 8_000_000])
def test_a_client_that_sends_too_large_a_body_all_the_same_gets_the_answer(server, excess):
    with wire.Wire(server.private) as client:
        try:
            client.send(wire.request_bytes("POST", INGEST, BEARER, bytes(MAX_STILL_BYTES + excess)))
        except (BrokenPipeError, ConnectionResetError):
            pass  # What was answered before can still be read.
        assert_refused(client.answer(), 413, "tooLarge")


@pytest.mark.parametrize(
    "status, target, fields, count",
    [
        (401, INGEST, {"Authorization": "Bearer wrong-token"}, 100_000),
        (404, "/ingest/attic", BEARER, 100_000),
        (413, INGEST, BEARER, MAX_STILL_BYTES + 1000),
    ],
)
def test_a_camera_that_reads_only_after_it_has_sent_gets_its_refusal_too(server, status, target, fields, count):
    """As nearly all cameras do. A reset in the middle of the body takes the answer away from them (RFC 9112, 9.6)."""
    request = wire.request_bytes("POST", target, fields, bytes(count))
    with wire.Wire(server.private) as client:
        for at in range(0, len(request), 20_000):
            client.send(request[at : at + 20_000])
            time.sleep(0.01)
        assert_refused(client.answer(), status)
        assert client.socket.recv(1) == b"", "a reset instead of the end"


def test_a_chunked_body_that_grows_too_large_is_refused(server):
    body = wire.chunked(bytes(MAX_STILL_BYTES + 50_000), 10_000)
    with wire.Wire(server.private) as client:
        client.send(wire.request_bytes("POST", INGEST, BEARER | {"Transfer-Encoding": "chunked"}))
        # Without its end: the answer must come when the limit is passed.
        client.send(body[:-30_000])
        assert_refused(client.answer(), 413, "tooLarge")
        assert client.is_ended()


def test_a_still_of_just_the_allowed_size_is_taken(server):
    still = stills.one()
    assert_taken(server.push(still + bytes(MAX_STILL_BYTES - len(still))))


@pytest.mark.parametrize("size, extension", [(1000, ""), (1, ""), (100_000, ""), (777, ";name=value")])
def test_a_chunked_still_is_taken(server, size, extension):
    with wire.Wire(server.private) as client:
        client.send(wire.request_bytes("PUT", INGEST, BEARER | {"Transfer-Encoding": "chunked"}))
        client.send(wire.chunked(stills.one(), size, extension))
        assert_taken(client.answer())
        client.send(wire.request_bytes("POST", INGEST, BEARER, stills.one()))
        assert_taken(client.answer())


def test_a_still_that_trickles_in_is_taken(server):
    request = wire.request_bytes("POST", INGEST, BEARER, stills.one())
    with wire.Wire(server.private) as client:
        for at in range(0, len(request), 1000):
            client.send(request[at : at + 1000])
            time.sleep(0.02)
        assert_taken(client.answer())


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_client_that_breaks_off_changes_nothing(server, framing):
    before = server.settled()
    still = stills.one()
    for cut in (0, 1, 2, len(still) // 2, len(still) - 1):
        with wire.Wire(server.private) as client:
            if framing == "length":
                client.send(wire.request_bytes("POST", INGEST, BEARER | {"Content-Length": len(still)}, still[:cut]))
            else:
                client.send(wire.request_bytes("POST", INGEST, BEARER | {"Transfer-Encoding": "chunked"}))
                client.send(wire.chunked(still[:cut], 1000)[: -len(b"0\r\n\r\n")])
            time.sleep(0.02)
    time.sleep(0.1)
    assert server.status()["stills"] == before
    assert_taken(server.push(still))


def test_one_connection_takes_many_stills(server):
    with wire.Wire(server.private) as client:
        seqs = []
        for _ in range(10):
            seqs.append(assert_taken(client.ask("POST", INGEST, BEARER, stills.one())))
            assert_refused(client.ask("POST", INGEST, BEARER, b"no picture"), 415, "notJPEG")
        assert seqs == list(range(seqs[0], seqs[0] + 10))


def test_requests_in_one_write_are_answered_in_their_order(server):
    with wire.Wire(server.private) as client:
        good = wire.request_bytes("POST", INGEST, BEARER, stills.one())
        client.send(good + wire.request_bytes("POST", INGEST, BEARER, b"no picture") + good + good)
        first = assert_taken(client.answer())
        assert_refused(client.answer(), 415)
        assert [assert_taken(client.answer()), assert_taken(client.answer())] == [first + 1, first + 2]


def test_a_length_that_wrapped_at_16_bits_never_puts_the_connection_out_of_step(server):
    """Some sketches count in 16 bits: what is over 65,535 bytes follows the body as if it were a request."""
    inner = wire.request_bytes("POST", INGEST, BEARER, stills.one())
    still = stills.one() + bytes(70_000 - len(stills.one()) - len(inner)) + inner
    # The picture's EOI would make the cut body a good still, and is moved behind the cut.
    still = still.replace(b"\xff\xd9", b"\xff\xd0", 1)
    before = server.status()["stills"]
    with wire.Wire(server.private) as client:
        client.send(wire.request_bytes("POST", INGEST, BEARER | {"Content-Length": len(still) - 65_536}, still))
        assert_refused(client.answer(), 400, "malformed")
        try:
            assert client.answer().status == 400
        except (wire.Broken, ConnectionResetError):
            pass
        assert client.is_ended()
    assert server.status()["stills"]["taken"] == before["taken"]


@pytest.mark.parametrize(
    "fields",
    [
        [("Content-Length", "-5")],
        [("Content-Length", "five")],
        [("Content-Length", "99999999999999999999999")],
        [("Content-Length", "5"), ("Content-Length", "6")],
        [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "gzip")],
        [("Bad Name", "x"), ("Content-Length", "5")],
    ],
    ids=str,
)
def test_a_length_that_cannot_be_is_refused_and_the_connection_ends(server, fields):
    before = server.status()["stills"]["taken"]
    with wire.Wire(server.private) as client:
        client.send(wire.request_bytes("POST", INGEST, [*BEARER.items(), *fields], b"0\r\n\r\n"))
        try:
            answer = client.answer()
            assert answer.status in (400, 413), answer
        except (wire.Broken, ConnectionResetError):
            pass
        assert client.is_ended()
    assert server.status()["stills"]["taken"] == before


def test_a_chunked_body_with_a_broken_chunk_is_not_taken(server):
    before = server.status()["stills"]["taken"]
    with wire.Wire(server.private) as client:
        client.send(wire.request_bytes("POST", INGEST, BEARER | {"Transfer-Encoding": "chunked"}))
        client.send(b"%x\r\n" % (len(stills.one()) - 10) + stills.one() + b"\r\n0\r\n\r\n")
        try:
            assert client.answer().status == 400
        except (wire.Broken, ConnectionResetError):
            pass
        assert client.is_ended()
    assert server.status()["stills"]["taken"] == before


def test_a_client_that_waits_for_100_continue_is_told_to_go_on_or_not(server):
    """A server must answer the expectation (RFC 9110, section 10.1.1); curl waits a second for it with large bodies."""
    expecting = BEARER | {"Expect": "100-continue", "Content-Length": len(stills.one())}
    with wire.Wire(server.private, timeout=3) as client:
        client.send(wire.request_bytes("POST", INGEST, expecting))
        assert client.answer().status == 100
        client.send(stills.one())
        assert_taken(client.answer())
    with wire.Wire(server.private, timeout=3) as client:
        client.send(wire.request_bytes("POST", INGEST, {**expecting, "Content-Length": MAX_STILL_BYTES + 1}))
        assert_refused(client.answer(), 413)


def test_a_client_of_http_1_0_is_served_and_the_connection_ends(server):
    with wire.Wire(server.private) as client:
        client.send(wire.request_bytes("POST", INGEST, BEARER, stills.one(), version="HTTP/1.0"))
        assert_taken(client.answer())
        assert client.is_ended()


def test_a_client_that_closes_its_side_after_the_still_gets_the_answer(server):
    with wire.Wire(server.private) as client:
        client.send(wire.request_bytes("POST", INGEST, BEARER, stills.one()))
        client.socket.shutdown(socket.SHUT_WR)
        assert_taken(client.answer())


# Bursts


def test_a_burst_of_stills_is_never_blocked_and_every_still_is_accounted_for(server):
    before = server.settled()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        began = time.monotonic()
        answers = list(pool.map(lambda _: server.push(stills.one()), range(50)))
        took = time.monotonic() - began
    assert sorted(assert_taken(answer) for answer in answers) == list(range(before["taken"] + 1, before["taken"] + 51))
    assert took < 10
    after = server.settled()
    assert after["taken"] == before["taken"] + 50
    assert after["displaced"] > before["displaced"]
    assert after["shown"] > before["shown"]


def test_the_metrics_say_what_the_status_says(server):
    stills_now = server.settled()
    answer = server.operators("/metrics")
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    values = dict(re.findall(r'^(quietcam_\w+\{camera="desk"[^}]*\}) (\d+)$', answer.text, re.MULTILINE))
    for kind in ("taken", "shown", "displaced", "undecodable"):
        assert int(values[f'quietcam_stills_{kind}_total{{camera="desk"}}']) == stills_now[kind]
    for reason, count in stills_now["refused"].items():
        assert int(values[f'quietcam_stills_refused_total{{camera="desk",reason="{reason}"}}']) == count
    for line in answer.text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) .+|(quietcam|process)_\w+(\{[^}]*\})? \d+(\.\d+)?", line), line
