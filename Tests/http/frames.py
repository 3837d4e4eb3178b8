"""HTTP/2 frame by frame (RFC 9113): a client that sends what it is told, also what no client may send."""

import dataclasses
import socket
import ssl
import struct
import time

import hpack
from wire import Connection

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
ACK = END_STREAM = 0x1
END_HEADERS = 0x4
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = range(1, 7)
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM,
 CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM) = range(12)
LARGEST_WINDOW = (1 << 31) - 1


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(values):
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", name, value) for name, value in values.items()))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, stream=stream, payload=struct.pack(">I", increment))


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, stream=stream, payload=struct.pack(">I", code))


@dataclasses.dataclass
class Stream:
    """What came on a stream."""

    fields: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    heads: int = 0
    ended: bool = False
    reset: int | None = None

    @property
    def status(self):
        return int(self["status"]) if self.heads else None

    def __getitem__(self, name):
        values = [value for key, value in self.fields if key in (name, ":" + name)]
        assert len(values) < 2, f"{name} stands {len(values)} times: {values}"
        return values[0] if values else None


class Frames(Connection):
    """A connection. It acknowledges settings and pings by itself, and gives no window but what it is told to."""

    def __init__(self, port, given=None, protocols=("h2",), preface=True, buffer=None, timeout=20):
        raw = socket.socket()
        if buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        raw.settimeout(timeout)
        raw.connect(("127.0.0.1", port))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if protocols:
            context.set_alpn_protocols(list(protocols))
        super().__init__(context.wrap_socket(raw, server_hostname="localhost"))
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.decoder.max_allowed_table_size = max((given or {}).get(HEADER_TABLE_SIZE, 4096), 4096)
        self.streams, self.settings, self.goaways, self.pongs = {}, {}, [], 0
        self.next_stream, self.is_over, self.acknowledges = 1, False, True
        if preface:
            self.send(PREFACE + settings(given or {}))

    # Requests

    def block(self, path, method="GET", fields=(), pseudo=None):
        head = [(":method", method), (":scheme", "https"), (":path", path), (":authority", "127.0.0.1")]
        return self.encoder.encode([*(head if pseudo is None else pseudo), *fields])

    def request(self, path, method="GET", fields=(), end=True, pseudo=None):
        """The bytes of a request's HEADERS frame, and its stream."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        flags = END_HEADERS | (END_STREAM if end else 0)
        return frame(HEADERS, flags, stream, self.block(path, method, fields, pseudo)), stream

    def ask(self, path, *arguments, **options):
        """Sends a request and gives its stream's number."""
        data, stream = self.request(path, *arguments, **options)
        self.send(data)
        return stream

    def get(self, path, *arguments, **options):
        """The whole answer to a request."""
        stream = self.ask(path, *arguments, **options)
        return self.whole(stream)

    def whole(self, stream, within=20):
        self.until(lambda: self[stream].ended or self[stream].reset is not None, within)
        return self[stream]

    # Reading

    def __getitem__(self, stream):
        return self.streams.setdefault(stream, Stream())

    def until(self, look, within=20):
        """Reads until something is so; a connection that ends before or takes too long is a mistake."""
        deadline = time.monotonic() + within
        while not look():
            assert not self.is_over, f"the connection ended: {self}"
            assert self.read(deadline - time.monotonic()), f"nothing came: {self}"

    def ends(self, within=10):
        """Reads until the server closes the connection; whether it does so in time."""
        deadline = time.monotonic() + within
        while not self.is_over and self.read(deadline - time.monotonic()):
            pass
        return self.is_over

    def rests(self, seconds):
        """Reads what comes in this time."""
        deadline = time.monotonic() + seconds
        while not self.is_over and self.read(deadline - time.monotonic()):
            pass

    def read(self, seconds):
        """Takes what comes next; `False` where nothing does in time."""
        if seconds <= 0:
            return False
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return False
        except (ConnectionError, ssl.SSLError):
            data = b""
        finally:
            self.socket.settimeout(20)
        self.is_over = not data
        self.rest += data
        while len(self.rest) >= 9:
            length = int.from_bytes(self.rest[:3], "big")
            if len(self.rest) < 9 + length:
                break
            kind, flags, stream = struct.unpack(">BBI", self.rest[3:9])
            payload, self.rest = self.rest[9 : 9 + length], self.rest[9 + length :]
            self._take(kind, flags, stream, payload)
        return True

    def _take(self, kind, flags, stream, payload):
        assert len(payload) <= 16_384, "a frame is longer than the client takes"
        if kind == HEADERS:
            assert flags & END_HEADERS and not flags & 0x28
            answer = self[stream]
            answer.fields, answer.heads = [(str(name), str(value)) for name, value in self.decoder.decode(payload)], answer.heads + 1
            answer.ended |= bool(flags & END_STREAM)
        elif kind == DATA:
            answer = self[stream]
            assert answer.heads == 1 and not answer.ended and not flags & 0x8
            answer.body += payload
            answer.ended = bool(flags & END_STREAM)
        elif kind == RST_STREAM:
            self[stream].reset = struct.unpack(">I", payload)[0]
        elif kind == SETTINGS:
            assert stream == 0
            if not flags & ACK:
                self.settings |= {struct.unpack(">H", payload[at : at + 2])[0]: struct.unpack(">I", payload[at + 2 : at + 6])[0]
                                  for at in range(0, len(payload), 6)}
                self._reply(frame(SETTINGS, ACK))
        elif kind == PING:
            assert len(payload) == 8 and stream == 0
            self.pongs += flags & ACK
            if not flags & ACK:
                self._reply(frame(PING, ACK, payload=payload))
        elif kind == GOAWAY:
            assert stream == 0
            self.goaways.append(struct.unpack(">II", payload[:8]))
        else:
            assert kind == WINDOW_UPDATE, f"a frame of kind {kind} came"

    def _reply(self, data):
        if not self.acknowledges:
            return
        try:
            self.send(data)
        except OSError:
            self.is_over = True

    @property
    def errors(self):
        """The errors that the server has said goodbye with."""
        return [code for _, code in self.goaways]

    def __repr__(self):
        return f"over={self.is_over} goaways={self.goaways} streams={self.streams}"[:2000]
