"""HTTP/1.1 as bytes: a client that sends what it is told and reads answers strictly by their framing (RFC 9112)."""

import dataclasses
import gzip
import json
import select
import socket
import time

import brotli

BODILESS = (204, 304)
CODINGS = {None: bytes, "gzip": gzip.decompress, "br": brotli.decompress}


class Broken(Exception):
    """The server ended or broke off where an answer should have been."""


@dataclasses.dataclass
class Answer:
    status: int
    fields: list
    body: bytes

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def __getitem__(self, name):
        """The value of a field, `None` where it is not there; a field that stands twice is a mistake."""
        values = self.all(name)
        assert len(values) < 2, f"{name} stands {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def json(self):
        assert self["Content-Type"] == "application/json", self
        return json.loads(self.body)

    @property
    def text(self):
        return CODINGS[self["Content-Encoding"]](self.body).decode()

    def constant_fields(self):
        """The fields that two equal answers have in common."""
        return sorted((name.lower(), value) for name, value in self.fields if name.lower() != "date")


def request_bytes(method, target, fields=(), body=None, version="HTTP/1.1"):
    """A request; a body of bytes gets its Content-Length unless `fields` say something about the length."""
    lines = [f"{method} {target} {version}", "Host: 127.0.0.1"]
    fields = list(fields.items() if isinstance(fields, dict) else fields)
    lines += [f"{name}: {value}" for name, value in fields]
    framed = {name.lower() for name, _ in fields} & {"content-length", "transfer-encoding"}
    if body is not None and not framed:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def chunked(body, size, extension=""):
    """A body in chunks of `size` bytes."""
    chunks = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension.encode(), chunk) for chunk in chunks) + b"0\r\n\r\n"


class Connection:
    """A socket that is closed at the end of a block."""

    def __init__(self, connected):
        self.socket = connected
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)


class Wire(Connection):
    """A connection by HTTP/1.1."""

    def __init__(self, port, timeout=20):
        super().__init__(socket.create_connection(("127.0.0.1", port), timeout))

    def ask(self, method, target, fields=(), body=None):
        self.send(request_bytes(method, target, fields, body))
        return self.answer(method)

    # Reading

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise Broken(f"the connection ended after {self.rest[:200]!r}")
        self.rest += data

    def _line(self):
        while b"\r\n" not in self.rest:
            self._more()
        line, self.rest = self.rest.split(b"\r\n", 1)
        return line

    def exactly(self, count):
        while len(self.rest) < count:
            self._more()
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def head(self):
        """Status and fields of the next answer, without its body."""
        version, status, *_ = self._line().decode("latin-1").split(" ", 2)
        assert version in ("HTTP/1.0", "HTTP/1.1") and len(status) == 3, (version, status)
        fields = []
        while line := self._line():
            name, colon, value = line.decode("latin-1").partition(":")
            assert colon and name == name.strip(), line
            fields.append((name, value.strip()))
        return Answer(int(status), fields, b"")

    def chunk(self):
        """The next chunk of a chunked body; empty is its end."""
        size = int(self._line().split(b";")[0], 16)
        data = self.exactly(size)
        assert self._line() == b"", "a chunk is longer than it says"
        return data

    def answer(self, method="GET"):
        answer = self.head()
        if method == "HEAD" or answer.status in BODILESS or answer.status < 200:
            return answer
        if answer["Transfer-Encoding"] == "chunked":
            assert answer["Content-Length"] is None, answer
            while data := self.chunk():
                answer.body += data
        else:
            assert answer["Content-Length"] is not None, f"an answer without framing: {answer}"
            answer.body = self.exactly(int(answer["Content-Length"]))
        return answer

    def is_silent(self, seconds):
        """Whether nothing comes for so long, neither bytes nor the end."""
        return not self.rest and not select.select([self.socket], [], [], seconds)[0]

    def is_ended(self, within=15):
        """Whether the server closes the connection in time, and sends nothing before."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if select.select([self.socket], [], [], 0.1)[0]:
                try:
                    data = self.socket.recv(65536)
                except ConnectionResetError:
                    return True
                if not data:
                    return True
                raise AssertionError(f"more came: {data[:200]!r}")
        return False


def ask(port, method, target, fields=(), body=None):
    """One request on a connection of its own."""
    with Wire(port) as wire:
        return wire.ask(method, target, fields, body)
