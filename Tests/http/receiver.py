"""A receiver of Quietcam's messages, which fails, hangs and comes back as it is told."""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import threading
import time

SECRET = "0123456789abcdef-of-the-operator"


class Receiver:
    """What came, in order; `status` is what it answers, `hangs` holds its answers back."""

    def __init__(self):
        self.messages, self.tries = [], 0
        self.status, self.retry_after = 204, None
        self.awake = threading.Event()
        self.awake.set()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.tries += 1
                receiver.awake.wait(60)
                status = receiver.status
                if status < 300:
                    receiver.messages.append((dict(self.headers.items()), body))
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    if receiver.retry_after:
                        self.send_header("Retry-After", receiver.retry_after)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook/secret-path"

    def events(self):
        return [json.loads(body)["event"] for _, body in list(self.messages)]

    def bodies(self, event):
        return [message for message in (json.loads(body) for _, body in list(self.messages)) if message["event"] == event]

    def wait_for(self, event, count=1, within=30):
        deadline = time.monotonic() + within
        while len(self.bodies(event)) < count:
            assert time.monotonic() < deadline, f"{event} did not come: {self.events()}"
            time.sleep(0.05)
        return self.bodies(event)[count - 1]


def is_signed(fields, body, secret=SECRET):
    """As a receiver checks it: https://www.standardwebhooks.com."""
    fields = {name.lower(): value for name, value in fields.items()}
    signed = f"{fields['webhook-id']}.{fields['webhook-timestamp']}.".encode() + body
    code = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    is_now = abs(time.time() - int(fields["webhook-timestamp"])) < 60
    return is_now and hmac.compare_digest(f"v1,{code}", fields["webhook-signature"])


@contextlib.contextmanager
def receiving():
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.awake.set()
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join(10)
