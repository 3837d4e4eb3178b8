"""Many addresses of one client, over real sockets: IPv6 gives each client a network of 2^64 addresses.

A network of its own with a server in it is made in a namespace (network_namespaces(7)), where every address can be had.
That needs the superuser; where a container forbids it, these tests are skipped.

| attack, each time from another address of one /64 | gets | others |
|---|---|---|
| connections to the public door | 503 beyond the limit of one address | are answered |
| connections to the private door | the oldest that have shown no secret end | stay, as do those of the network that have |
| guessing tokens | 429 after ten | the operator and the camera are heard, also from that very network |
| waves | 429 after five | wave |
| signed bodies that are never finished | the oldest of the network end | sign and are taken |
"""

import contextlib
import ctypes
import os
import socket
import subprocess
import time

import pytest

import stills
import wire
from doors import SMALL, signed
from serving import BEARER, CAMERA, ONE_CAMERA, OPERATOR, TOKEN, launched

SERVER = "2001:db8:ffff::1"
CLONE_NEWNET = 0x40000000
IPV6_FREEBIND = 78
LIMIT = 6


def switch(call, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, call)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{call}: {os.strerror(ctypes.get_errno())}")


@pytest.fixture(scope="module")
def network():
    """A network namespace for this thread and the processes that it starts, in which all of 2001:db8::/32 is here."""
    with open("/proc/thread-self/ns/net") as before:
        try:
            switch("unshare", CLONE_NEWNET)
        except OSError as error:
            pytest.skip(f"no network namespace can be made: {error}")
        try:
            for command in (
                "link set lo up", "-6 route add local 2001:db8::/32 dev lo", f"-6 address add {SERVER}/128 dev lo",
            ):
                subprocess.run(["ip", *command.split()], check=True, capture_output=True)
            yield
        finally:
            switch("setns", before.fileno(), CLONE_NEWNET)


class Far(wire.Wire):
    """A connection from one address of the network."""

    def __init__(self, port, source):
        self.socket = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        self.socket.settimeout(20)
        self.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        self.rest = b""
        try:
            self.socket.bind((source, 0))
            self.socket.connect((SERVER, port))
        except OSError:
            self.socket.close()
            raise


def ask(port, source, method, target, fields=(), body=None):
    with Far(port, source) as client:
        return client.ask(method, target, fields, body)


def of_network(network, number):
    """An address of a /64; the lower half is another one each time."""
    return f"2001:db8:{network:x}:1:{number % 65521:x}:{number * 7 % 65521:x}:{number * 31 % 65521:x}:{number + 1:x}"


@pytest.fixture(scope="module")
def server(network):
    ports = ["--public", "[::]:0", "--private", "[::]:0"]
    options = [*ports, "--store", "memory", *ONE_CAMERA, *SMALL, "--operator-token", OPERATOR, "--signature", "optional"]
    with launched(*options, "--connections-per-address", LIMIT, "--upload-megabytes", 8) as server:
        yield ready(server)


def ready(server):
    """Waits for the ports as `Server.wait_until_ready` does at 127.0.0.1."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.process.poll() is None:
        found = [line.rsplit("[::]:", 1)[1].split("/")[0] for line in server.log().splitlines() if "[::]:" in line]
        if len(found) >= 2:
            server.public, server.private = int(found[0]), int(found[1])
            with contextlib.suppress(OSError, wire.Broken):
                if ask(server.public, SERVER, "GET", "/readyz").status == 200:
                    return server
        time.sleep(0.02)
    raise AssertionError(server.log())


def test_connections_of_a_network_are_limited_together(server):
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(Far(server.public, of_network(1, n))) for n in range(LIMIT)]
        assert {client.ask("GET", "/healthz").status for client in held} == {200}
        for n in range(20):
            with Far(server.public, of_network(1, 100 + n)) as late:
                assert late.answer().status == 503
        assert ask(server.public, of_network(2, 1), "GET", "/healthz").status == 200


def test_connections_without_a_secret_end_for_others_of_their_network(server):
    body = stills.one()
    with contextlib.ExitStack() as stack:
        camera = stack.enter_context(Far(server.private, of_network(1, 0)))
        assert camera.ask("POST", f"/ingest/{CAMERA}", BEARER, body).status == 202
        other = stack.enter_context(Far(server.private, of_network(2, 0)))
        idle = [stack.enter_context(Far(server.private, of_network(1, 1 + n))) for n in range(20)]
        assert idle[0].is_ended()
        assert camera.ask("POST", f"/ingest/{CAMERA}", BEARER, body).status == 202
        assert other.ask("GET", "/nowhere").status == 404


def test_guesses_of_a_network_are_slowed_together(server):
    statuses = [
        ask(server.private, of_network(3, n), "GET", f"/status?token=guess-of-{n}").status for n in range(30)]
    assert statuses[:10] == [401] * 10 and statuses.count(429) >= 15
    own = of_network(3, 1000)
    assert ask(server.private, own, "GET", "/status", {"Authorization": f"Bearer {OPERATOR}"}).status == 200
    assert ask(server.private, own, "POST", f"/ingest/{CAMERA}", BEARER, stills.one()).status == 202
    assert ask(server.private, of_network(4, 1), "GET", "/status?token=another-guess").status == 401


def test_waves_of_a_network_are_those_of_one_visitor(server):
    statuses = [ask(server.public, of_network(5, n), "POST", f"/{CAMERA}/wave").status for n in range(12)]
    assert statuses[:5] == [202] * 5 and set(statuses[6:]) == {429}
    assert ask(server.public, of_network(6, 1), "POST", f"/{CAMERA}/wave").status == 202
    # What a client far away says of its address counts for nothing.
    fields = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.10"}
    assert ask(server.public, of_network(5, 99), "POST", f"/{CAMERA}/wave", fields).status == 429


def test_unfinished_bodies_of_a_network_end_before_those_of_others(server):
    body = stills.one()
    with contextlib.ExitStack() as stack:
        held = []
        for n in range(LIMIT):
            client = stack.enter_context(Far(server.private, of_network(7, n)))
            head = signed(body, "guess") | {"Content-Length": str(6_000_000)}
            client.send(wire.request_bytes("POST", f"/ingest/{CAMERA}", head) + bytes(1_500_000))
            held.append(client)
        for n in range(5):
            answer = ask(
                server.private, of_network(8, n), "POST", f"/ingest/{CAMERA}", signed(body, TOKEN, at=f"{time.time():.6f}"),
                body)
            assert answer.status == 202, answer


def test_an_ipv4_client_of_an_ipv6_socket_is_one_by_its_ipv4_address(server):
    """`::ffff:127.0.0.1` is 127.0.0.1, which has no limit where none is set for it, and one of its own here."""
    with contextlib.ExitStack() as stack:
        for _ in range(LIMIT):
            client = stack.enter_context(wire.Wire(server.public))
            assert client.ask("GET", "/healthz").status == 200
        with wire.Wire(server.public) as late:
            assert late.answer().status == 503
        assert ask(server.public, of_network(9, 1), "GET", "/healthz").status == 200
