"""A camera that answers snapshots and wants a login: Basic, or Digest by RFC 7616 with nonces that grow stale."""

import base64
import hashlib
import http.server
import itertools
import re
import ssl
import threading
import time

REALM = "camera \"one\""
QUOTED_REALM = REALM.replace('"', '\\"')


class SnapshotCamera:
    def __init__(
        self, jpeg, scheme, user="viewer", password="pass:word@/?", uses=2, type_="image/jpeg", certificate=None
    ):
        self.type, self.jpeg, self.scheme, self.user, self.password, self.uses = type_, jpeg, scheme, user, password, uses
        self.asked, self.served, self.wrong = 0, 0, []
        self.nonces, self.numbers = {}, itertools.count()
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                camera.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # Clients go when they have seen enough.
        self.port = self.server.server_port
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            # The handshake waits for the thread of its connection.
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, request):
        verdict = self.judge(request)
        if verdict == "right":
            self.served += 1
            body = self.jpeg
            request.send_response(200)
            request.send_header("Content-Type", self.type)
        else:
            self.asked += 1
            body = b"who are you?"
            request.send_response(401)
            for challenge in self.challenges(is_stale=verdict == "stale"):
                request.send_header("WWW-Authenticate", challenge)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def challenges(self, is_stale):
        if self.scheme == "basic":
            return [f'Basic realm="{QUOTED_REALM}", charset="UTF-8"']
        nonce = f"n{next(self.numbers)}-{time.monotonic_ns()}"
        self.nonces[nonce] = 0
        stale = ", stale=true" if is_stale else ""
        return [
            f'Digest realm="{QUOTED_REALM}", qop="auth", algorithm={name}, nonce="{nonce}", opaque="o"{stale}'
            for name in (["SHA-256", "MD5"] if self.scheme == "SHA-256" else [self.scheme])
        ] + ['Basic realm="a trap: it would tell the password"']

    def judge(self, request):
        given = request.headers["Authorization"]
        if given is None:
            return "missing"
        if self.scheme == "basic":
            expected = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            return self.note(given == f"Basic {expected}", given)
        if not given.startswith("Digest "):
            return self.note(False, given)
        fields = dict(re.findall(r'(\w+)=("(?:\\.|[^"\\])*"|[^\s,]+)', given[7:]))
        fields = {
            key: re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value for key, value in fields.items()
        }

        def hashed(text):
            return hashlib.new("sha256" if self.scheme.startswith("SHA-256") else "md5", text.encode()).hexdigest()

        if fields["nonce"] not in self.nonces:
            return self.note(False, given)
        count = int(fields["nc"], 16)
        secret = hashed(f"{self.user}:{REALM}:{self.password}")
        if self.scheme.endswith("-sess"):
            secret = hashed(f"{secret}:{fields['nonce']}:{fields['cnonce']}")
        right = hashed(
            f"{secret}:{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:auth:{hashed('GET:' + request.path)}"
        )
        is_right = (
            fields["response"] == right
            and fields["uri"] == request.path
            and fields["realm"] == REALM
            and fields["opaque"] == "o"
            and fields["username"] == self.user
            and fields["algorithm"] == self.scheme
            and count == self.nonces[fields["nonce"]] + 1
        )
        self.nonces[fields["nonce"]] = count
        if is_right and count > self.uses:
            return "stale"
        return self.note(is_right, given)

    def note(self, is_right, given):
        if not is_right:
            self.wrong.append(given)
        return "right" if is_right else "wrong"
