"""Waves: who may wave how often, from which sites, and who hears of it."""

import pathlib
import re
import time

import pytest

import stills
import test_events
import wire
from serving import serving

SMALL = ["--size", "128x96", "--rate", 5, "--part", 0.2, "--segment", 1]
BURST = 5


def visitor(number):
    """The fields of a visitor that a proxy on this machine tells of."""
    return {"X-Forwarded-For": f"198.51.100.7, 203.0.113.{number}"}


@pytest.fixture(scope="module")
def server():
    with serving(*SMALL) as server:
        yield server


def wave(server, fields):
    return server.viewer("POST", "/desk/wave", fields)


def test_a_visitor_waves_a_few_times_and_then_waits(server):
    for _ in range(BURST):
        assert wave(server, visitor(1)).status == 202
    refused = wave(server, visitor(1))
    assert (refused.status, refused.json["error"]) == (429, "tooManyWaves")
    assert 1 <= int(refused["Retry-After"]) <= 10
    assert refused["Cache-Control"] == "no-store" and refused["Access-Control-Allow-Origin"] == "*"
    before = server.status()["waves"]
    assert wave(server, visitor(1)).status == 429 and server.status()["waves"] == before
    assert wave(server, visitor(2)).json["waves"] == before + 1


def test_only_what_the_nearest_proxy_says_counts(server):
    for number in range(BURST):
        assert wave(server, {"X-Forwarded-For": f"192.0.2.{number}, 203.0.113.10"}).status == 202
    assert wave(server, {"X-Forwarded-For": "192.0.2.99, 203.0.113.10"}).status == 429
    assert wave(server, {"Forwarded": 'for=192.0.2.1, for="203.0.113.10:4711";proto=https'}).status == 429


def test_all_addresses_of_a_network_are_one_visitor(server):
    for number in range(BURST):
        assert wave(server, {"X-Forwarded-For": f"2001:db8:0:7::{number}"}).status == 202
    assert wave(server, {"Forwarded": 'for="[2001:db8:0:7:ffff::1]:4711"'}).status == 429
    assert wave(server, {"X-Forwarded-For": "2001:db8:0:8::1"}).status == 202


def test_a_proxy_that_says_nothing_does_not_silence_all_behind_it(server):
    assert [wave(server, {"X-Forwarded-For": "unknown"}).status for _ in range(3 * BURST)] == [202] * 3 * BURST


def test_waves_reach_the_pages_the_operator_and_the_desk(server):
    with test_events.Listener(server) as listener:
        waves = wave(server, visitor(20)).json["waves"]
        _, kind, data = listener.event()
        assert (kind, data) == ("wave", {"waves": waves})
        assert server.push(stills.one()).json["waves"] == waves == server.status()["waves"]
    metrics = server.operators("/metrics").text
    assert f'quietcam_waves_total{{camera="desk"}} {waves}' in metrics


def test_many_waves_are_few_events(server):
    with test_events.Listener(server) as listener:
        began = time.monotonic()
        for number in range(30):
            assert wave(server, visitor(100 + number)).status == 202
        total, last, events = server.status()["waves"], 0, 0
        while last < total:
            _, kind, data = listener.event()
            if kind == "wave":
                last, events = data["waves"], events + 1
        assert events <= 2 + (time.monotonic() - began)


def test_who_listens_for_waves_alone_hears_nothing_else(server):
    listener = test_events.Listener.__new__(test_events.Listener)
    listener.wire, listener.text = test_events.wire.Wire(server.public, timeout=10), ""
    with listener:
        listener.wire.send(test_events.wire.request_bytes("GET", "/desk/events?only=wave"))
        assert listener.wire.head().status == 200
        listener.block()
        for index in range(3):
            server.push(stills.solid(index * 60, 90, 120))
            server.settled()
        time.sleep(1)  # The last news of waves is a second old then.
        waves = wave(server, visitor(30)).json["waves"]
        _, kind, data = listener.event()
        assert (kind, data["waves"]) == ("wave", waves)


def test_a_wave_is_a_simple_request_without_credentials(server):
    answer = wave(server, visitor(40) | {"Origin": "https://elsewhere.example"})
    assert answer.status == 202 and answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Credentials"] is None and answer["Set-Cookie"] is None


@pytest.mark.parametrize("allowed", ["none", "https://friend.example"])
def test_sites_that_may_not_load_the_stream_may_not_wave(allowed):
    with serving(*SMALL, "--allow-origin", allowed) as server:
        own = [{}, {"Origin": "http://127.0.0.1"}, {"Origin": "https://cam.example", "Sec-Fetch-Site": "same-origin"}]
        own += [{"Origin": allowed}] if allowed != "none" else []
        for fields in own:
            assert wave(server, fields).status == 202, fields
        for origin in ("https://elsewhere.example", "null", "https://127.0.0.1.elsewhere.example", "x", ""):
            answer = wave(server, {"Origin": origin, "Sec-Fetch-Site": "cross-site"})
            assert (answer.status, answer.json["error"]) == (403, "otherSite"), origin
        assert server.status()["waves"] == len(own)


def test_a_flood_of_waves_costs_no_memory_and_few_events():
    """Visitors without end, as a proxy tells of them: from one IPv6 site, and then each from another corner of the world."""
    with serving(*SMALL) as server, wire.Wire(server.public, timeout=60) as proxy:
        memory = []
        with test_events.Listener(server) as listener:
            began = time.monotonic()
            for corner in (False, True):
                accepted = 0
                for first in range(0, 12_000, 200):
                    names = [
                        f"2001:db8:{number if corner else 7:x}:{number:x}::1" if number < 6000 or not corner
                        else f"198.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in range(first, first + 200)]
                    proxy.send(b"".join(
                        wire.request_bytes("POST", "/desk/wave", {"X-Forwarded-For": name}, b"") for name in names))
                    accepted += sum(proxy.answer().status == 202 for _ in names)
                # A site has fifty at once and one a second; the world the places of the table, anew every ten seconds.
                took = time.monotonic() - began
                most = 4296 * (1 + took / 10) if corner else 50 + took
                assert 50 <= accepted <= most + 5, (corner, accepted)
                memory.append(resident(server))
            # Whoever listens is told at most once a second, and the last count in the end.
            total, last, events = server.status()["waves"], 0, 0
            while last < total:
                _, kind, data = listener.event()
                if kind == "wave":
                    last, events = data["waves"], events + 1
            assert events <= 3 + (time.monotonic() - began)
        # The first half is as many requests as the second, with a small table.
        assert memory[1] - memory[0] < 20_000, memory
        assert server.push(stills.one()).status == 202


def resident(server):
    """The memory of a server's process in KiB."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1])
