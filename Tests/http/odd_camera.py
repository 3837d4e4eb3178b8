"""A camera whose answers are as those of real ones: each connection gets what its answer says, and is closed or not."""

import base64
import contextlib
import socket
import threading

OK = b"HTTP/1.1 200 OK\r\n"
TYPE = b"Content-Type: image/jpeg\r\n"
STREAM = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=x\r\n\r\n"


def snapshots(jpeg):
    """Answers with one picture, by name: bytes, and whether the connection stays open behind them."""
    length = b"Content-Length: %d\r\n" % len(jpeg)
    long, short = b"Content-Length: %d\r\n" % (len(jpeg) + 2), b"Content-Length: %d\r\n" % (len(jpeg) - 700)
    chunks = b"%x\r\n" % len(jpeg) + jpeg + b"\r\n0\r\n\r\n"
    return {
        "as it should be": (OK + TYPE + length + b"\r\n" + jpeg, True),
        "date line without a name": (
            OK + b"Server: GoaHead\r\nTue, 12 Jun 2012 01:56:34 GMT\r\n" + TYPE + length + b"\r\n" + jpeg, False),
        "space before the colon": (OK + TYPE.replace(b":", b" :") + length + b"\r\n" + jpeg, False),
        "line feeds alone": ((OK + TYPE + length + b"\r\n").replace(b"\r\n", b"\n") + jpeg, False),
        "length and chunked": (OK + TYPE + length + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, True),
        "chunked and not": (OK + TYPE + b"Transfer-Encoding: chunked\r\n\r\n" + jpeg, False),
        "length twice": (OK + TYPE + length + length + b"\r\n" + jpeg, True),
        "length two too long, closed": (OK + TYPE + long + b"\r\n" + jpeg, False),
        "length two too long, open": (OK + TYPE + long + b"\r\n" + jpeg, True),
        "length too short": (OK + TYPE + short + b"\r\n" + jpeg, False),
        "two lengths": (OK + TYPE + short + length + b"\r\n" + jpeg, False),
        "no length, open": (OK + TYPE + b"\r\n" + jpeg, True),
        "no type": (OK + length + b"\r\n" + jpeg, False),
        "jpeg labelled multipart": (
            OK + b"Content-Type: multipart/x-mixed-replace;boundary=ipcam264\r\n" + length + b"\r\n" + jpeg, False),
        "jpeg labelled html": (OK + b"Content-Type: text/html\r\n" + length + b"\r\n" + jpeg, False),
        "no empty line": (OK + TYPE + jpeg, False),
        "no reason": (OK.replace(b" OK", b"") + TYPE + length + b"\r\n" + jpeg, False),
        "100 before it": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + TYPE + length + b"\r\n" + jpeg, False),
        "base64": (OK + b"Content-Type: text/plain\r\n\r\n" + base64.b64encode(jpeg), False),
    }


def streams(jpeg):
    """Answers without end, by name: the head, and what comes again and again."""
    length = b"Content-Length: %d\r\n" % len(jpeg)
    return {
        "as it should be": (STREAM, b"--x\r\n" + TYPE + length + b"\r\n" + jpeg + b"\r\n"),
        "image/jpg": (STREAM, b"--x\r\nContent-Type: image/jpg\r\n" + length + b"\r\n" + jpeg + b"\r\n"),
        "type with parameters": (STREAM, b"--x\r\nContent-Type: image/jpeg; q=80\r\n\r\n" + jpeg + b"\r\n"),
        "no part heads": (STREAM, b"--x\r\n\r\n" + jpeg + b"\r\n"),
        "no hyphens": (STREAM, b"x\r\n" + TYPE + length + b"\r\n" + jpeg + b"\r\n"),
        "glued": (STREAM, b"--x" + TYPE + length + b"\r\n" + jpeg),
        "no line break": (STREAM, b"--x\r\n" + TYPE + length + b"\r\n" + jpeg),
        "head first": (STREAM, TYPE + length + b"\r\n" + jpeg + b"\r\n--x\r\n"),
        "text between": (
            STREAM,
            b"--x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi\r\n--x\r\n" + TYPE + b"\r\n" + jpeg + b"\r\n"),
        "status line in a part": (STREAM, b"--x\r\nHTTP/1.0 200 OK\r\n" + TYPE + b"\r\n" + jpeg + b"\r\n"),
        "preamble": (STREAM + b"Welcome\r\n\r\n", b"--x\r\n" + TYPE + b"\r\n" + jpeg + b"\r\n"),
        "labelled jpeg": (OK + TYPE + b"\r\n", b"--x\r\n" + TYPE + b"\r\n" + jpeg + b"\r\n"),
        "jpegs behind each other": (OK + TYPE + b"\r\n", jpeg),
        "no label": (b"HTTP/1.0 200 OK\r\n\r\n", b"--x\r\n" + TYPE + b"\r\n" + jpeg + b"\r\n"),
    }


class OddCamera:
    """Gives each connection to `answer(number, wire)`, which reads requests and writes what it likes."""

    def __init__(self, answer, port=0):
        self.answer, self.connections, self.requests = answer, 0, []
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/shot.jpg"
        self.clients, self.is_over = [], False
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while not self.is_over:
            with contextlib.suppress(OSError):
                client = self.socket.accept()[0]
                self.connections += 1
                self.clients.append(client)
                threading.Thread(target=self.serve, args=(self.connections, client), daemon=True).start()

    def serve(self, number, client):
        with contextlib.suppress(OSError), client:
            self.answer(number, client)

    def request(self, client):
        """The next request's head; empty when the client has gone."""
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(4096)
            if not piece:
                return b""
            head += piece
        self.requests.append(head)
        return head

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.is_over = True
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for client in self.clients:
            with contextlib.suppress(OSError):
                client.close()


def snapshots_of(answer, is_open):
    """A camera that answers each request so."""

    def serve(number, client):
        while camera.request(client):
            client.sendall(answer)
            if not is_open:
                return

    camera = OddCamera(serve)
    return camera


def stream_of(head, part, pause=0.1):
    """A camera that answers with parts without end."""

    def serve(number, client):
        if camera.request(client):
            client.sendall(head)
            while not camera.is_over:
                client.sendall(part)
                gone.wait(pause)

    gone = threading.Event()
    camera = OddCamera(serve)
    return camera
