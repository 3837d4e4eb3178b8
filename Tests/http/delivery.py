"""Requests a second beside nginx serving the same files, in one run: run by hand.

`python Tests/http/delivery.py [--before BINARY] [--seconds N]` starts the server and nginx (sendfile, open_file_cache,
gzip_static) on this machine, and asks each by turns for a part, a gzipped playlist and a segment: with wrk over
HTTP/1.1, and with h2load over HTTP/2 with TLS. `--before` is another build of the server that is asked in the same run.
Each number is the median of several turns. All is printed as JSON; the exit code is 0.

Where the machine is full, half of it with the program that asks, the ratio of requests a second says as much of that
program and of the scheduler as of the servers. So the processor time that a request costs each server is there too, in
microseconds, with Quietcam's own work for its camera in it; and with `--apart` the servers have one core and the program
that asks another, each with as many workers as before. Run it at the usual priority: with `nice` the servers are slowed
down differently.
"""

import argparse
import contextlib
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

import playlist  # noqa: E402  (these need the path above)
import quietcam  # noqa: E402
import stills  # noqa: E402
from ports import free_ports  # noqa: E402
from serving import CAMERA, FREE_PORTS, ONE_CAMERA, Server  # noqa: E402
from test_tls import make_certificate  # noqa: E402

# Long parts and segments, so that a name lives for longer than its turns take.
OPTIONS = ["--size", "640x480", "--part", 2, "--segment", 20, "--hold", "forever", "--store", "memory"]
# About what a segment of a busy camera has.
SEGMENT_BYTES = 86_000
NGINX = """
daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000;
  open_file_cache max=1000; open_file_cache_valid 3600s; gzip_static on; etag on;
  types {{ video/mp4 mp4; application/vnd.apple.mpegurl m3u8; }}
  server {{ listen 127.0.0.1:{plain}; listen 127.0.0.1:{secure} ssl http2; root {folder};
    ssl_certificate {certificate}; ssl_certificate_key {key};
    add_header Cache-Control "public, max-age=31536000, immutable"; add_header Access-Control-Allow-Origin "*"; }}
}}
"""


@contextlib.contextmanager
def started(binary, *options):
    """A server of a binary; its viewers come by TLS if the options give it a certificate."""
    scheme = "https" if options else "http"
    with tempfile.TemporaryDirectory() as home:
        standard, quietcam.binary = quietcam.binary, lambda: binary or standard()
        try:
            server = Server(home, [*FREE_PORTS, *ONE_CAMERA, *OPTIONS, *options], {})
        finally:
            quietcam.binary = standard
        try:
            deadline = time.monotonic() + 30
            while not all(ports := [
                re.search(rf"viewers: +{scheme}://127\.0\.0\.1:(\d+)/", server.log()),
                re.search(r"stills: +http://127\.0\.0\.1:(\d+)/ingest/", server.log()),
            ]):
                assert time.monotonic() < deadline and server.process.poll() is None, server.log()
                time.sleep(0.05)
            server.public, server.private = (int(port[1]) for port in ports)
            server.base = f"{scheme}://127.0.0.1:{server.public}/{CAMERA}"
            yield server
        finally:
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(20)


def fetch(url, *fields):
    command = ["curl", "-sSk", "--max-time", "20", url] + [part for field in fields for part in ("-H", field)]
    return subprocess.run(command, capture_output=True, check=True).stdout


def objects(server):
    """A small part, the playlist, and the segment that is listed and has about the usual size."""
    now = playlist.parse(fetch(f"{server.base}/live.m3u8").decode())
    sizes = {segment.uri: len(fetch(f"{server.base}/{segment.uri}")) for segment in now.segments}
    parts = {part.uri: len(fetch(f"{server.base}/{part.uri}")) for part in (*now.segments[-1].parts, *now.open.parts)}
    return {"part": min(parts, key=parts.get), "playlist": "live.m3u8", "segment": min(sizes, key=lambda uri: abs(sizes[uri] - SEGMENT_BYTES))}


def copy(server, names, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names.values():
        data = fetch(f"{server.base}/{name}")
        (folder / name).write_bytes(data)
        if name.endswith(".m3u8"):
            (folder / f"{name}.gz").write_bytes(gzip.compress(data))


def wrk(url, seconds):
    done = subprocess.run(
        ["wrk", "-t1", "-c64", f"-d{seconds}s", "-H", "Accept-Encoding: gzip", url], capture_output=True, text=True, check=True)
    assert "Non-2xx" not in done.stdout, done.stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])


def h2load(url, seconds):
    done = subprocess.run(
        ["h2load", "-t1", "-c16", "-m4", f"-D{seconds}", "-H", "accept-encoding: gzip", url],
        capture_output=True, text=True, check=True)
    assert re.search(r" 0 failed, 0 errored", done.stdout), done.stdout
    return float(re.search(r"finished in [^,]+, ([\d.]+) req/s", done.stdout)[1])


def family(process):
    """A process and its children, each with the fields of its state behind the name."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if process in (int(stat.parent.name), int(fields[1])):
                yield int(stat.parent.name), fields


def processor_seconds(process):
    """What a process and its children have had of the processors."""
    return sum(int(fields[11]) + int(fields[12]) for _, fields in family(process)) / os.sysconf("SC_CLK_TCK")


def keep_on(core, process):
    """Keeps all threads of a process and its children on one core."""
    for one, _ in family(process):
        for thread in pathlib.Path(f"/proc/{one}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.sched_setaffinity(int(thread.name), {core})


def by_turns(measure, bases, names, seconds, turns):
    """The medians by object and server; the servers are asked one after the other each turn."""
    result = {}
    for kind, name in names.items():
        seen, costs = {who: [] for who in bases}, {who: [] for who in bases}
        for _ in range(turns):
            for who, (process, base, own) in bases.items():
                before = processor_seconds(process)
                seen[who].append(measure(f"{base}/{own[kind]}", seconds))
                costs[who].append((processor_seconds(process) - before) / (seen[who][-1] * seconds) * 1e6)
        medians = {who: round(statistics.median(values)) for who, values in seen.items()}
        result[kind] = medians | {f"{who}/nginx": round(medians[who] / medians["nginx"], 2) for who in bases if who != "nginx"}
        result[kind]["microseconds"] = {who: round(statistics.median(values), 1) for who, values in costs.items()}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=pathlib.Path, help="another build, asked in the same run")
    parser.add_argument("--seconds", type=int, default=3, help="for each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", choices=["http1", "http2"])
    parser.add_argument("--apart", action="store_true", help="a core for the servers, and another for who asks")
    asked = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    assert not asked.apart or len(cores) > 1, "--apart needs two cores"
    assert os.nice(0) == 0, "run it without nice: the servers would be slowed down differently"
    for program in ("nginx", "wrk", "h2load", "curl"):
        assert shutil.which(program), f"{program} is missing; install it"
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        certificate, key = make_certificate(folder, "one")
        plain, secure = free_ports(2)
        for file in (certificate, key):
            os.chmod(file, 0o644)
        builds = {"now": None} | ({"before": asked.before.resolve()} if asked.before else {})
        tls = ("--public-certificate", certificate, "--public-key", key)
        http1 = {who: stack.enter_context(started(binary)) for who, binary in builds.items()} if asked.only != "http2" else {}
        http2 = {who: stack.enter_context(started(binary, *tls)) for who, binary in builds.items()} if asked.only != "http1" else {}
        servers = [*http1.values(), *http2.values()]
        # Two segments long, so that one of them is whole.
        for number in range(22):
            for server in servers:
                assert server.push(stills.noise(number % 2, (96, 72))).status == 202
            time.sleep(2)
        (folder / "nginx.conf").write_text(
            NGINX.format(folder=folder, plain=plain, secure=secure, certificate=certificate, key=key)
            .replace("daemon off;", "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"))
        nginx = subprocess.Popen(
            [shutil.which("nginx"), "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"], stderr=subprocess.DEVNULL)
        stack.callback(nginx.wait)
        stack.callback(nginx.terminate)
        result = {"cores": len(cores), "apart": asked.apart}
        for name, measure, some, base in (
            ("http1", wrk, http1, f"http://127.0.0.1:{plain}"), ("http2", h2load, http2, f"https://127.0.0.1:{secure}"),
        ):
            if not some:
                continue
            own = {who: objects(server) for who, server in some.items()}
            # nginx keeps its files open: each name has one content.
            copy(some["now"], own["now"], folder / name)
            bases = {"nginx": (nginx.pid, f"{base}/{name}", own["now"])}
            bases |= {who: (server.process.pid, server.base, own[who]) for who, server in some.items()}
            if asked.apart:
                for process, _, _ in bases.values():
                    keep_on(cores[0], process)
                os.sched_setaffinity(0, {cores[1]})
            result[name] = {"bytes": {kind: (folder / name / file).stat().st_size for kind, file in own["now"].items()}}
            result[name] |= by_turns(measure, bases, own["now"], asked.seconds, asked.turns)
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
