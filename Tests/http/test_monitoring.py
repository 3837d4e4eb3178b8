"""What the server tells machines: metrics that Prometheus scrapes, the dashboard's queries, the status, the log."""

import contextlib
import json
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.parse

import pytest

import quietcam
import recipes
import stills
import wire
from ports import free_ports
from serving import CAMERA, OPERATOR, TOKEN, launched, serving

SMALL = ["--size", "128x96", "--rate", 4, "--part", 0.5, "--segment", 1]
BOARD = quietcam.ROOT / "Sources" / "quietcam" / "Packaging" / "grafana-dashboard.json"
PAGE = (recipes.HANDBOOK / "monitoring.md").read_text()
PROMETHEUS = shutil.which("prometheus") or quietcam.ROOT / ".build" / "prometheus" / "usr" / "bin" / "prometheus"


def metrics_of(server):
    return server.operators("/metrics").text


@pytest.fixture(scope="module")
def busy():
    """A server of which everything that is counted has happened at least once."""
    with serving(*SMALL) as server:
        for shade in range(0, 200, 40):
            assert server.push(stills.solid(shade, 90, 128)).status == 202
            time.sleep(0.3)
        server.push(b"no JPEG")
        listing = server.get("/desk/live.m3u8").text
        sequence = int(re.search(r"MEDIA-SEQUENCE:(\d+)", listing)[1]) + listing.count("#EXTINF")
        # Not published yet, so the request waits.
        assert server.get(f"/desk/live.m3u8?_HLS_msn={sequence + 1}").status == 200
        for address in ("/desk/", "/desk/latest.jpg", "/desk/nothing.mp4"):
            server.get(address)
        yield server


# Metrics


def families(text):
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def samples(text):
    """Each sample's value by its name and its labels."""
    found = re.findall(r"^(\w+)(?:\{([^}]*)\})? (\S+)$", text, re.MULTILINE)
    return {(name, tuple(sorted(re.findall(r'(\w+)="([^"]*)"', labels)))): float(value) for name, labels, value in found}


def test_counters_end_in_total_and_durations_are_in_seconds(busy):
    kinds = families(metrics_of(busy))
    assert {name for name, kind in kinds.items() if name.endswith("_total")} == {
        name for name, kind in kinds.items() if kind == "counter"
    }
    histograms = {name for name, kind in kinds.items() if kind == "histogram"}
    assert histograms == {
        f"quietcam_{name}_seconds" for name in ("still_to_part", "encode", "part_ready", "fan_out", "request")
    }
    for name in histograms | {"quietcam_build_info"}:
        assert name in PAGE, f"monitoring.md does not say what {name} is"


def test_histograms_are_cumulative_and_have_what_happened(busy):
    text = metrics_of(busy)
    values = samples(text)
    for (name, labels), total in values.items():
        if not name.endswith("_count"):
            continue
        family = name.removesuffix("_count")
        buckets = [
            (float(dict(key)["le"]), value)
            for (other, key), value in values.items()
            if other == f"{family}_bucket" and tuple(pair for pair in key if pair[0] != "le") == labels
        ]
        buckets.sort()
        assert 10 <= len(buckets) <= 16 and buckets[-1] == (float("inf"), total), (name, labels)
        assert [value for _, value in buckets] == sorted(value for _, value in buckets)
    desk = (("camera", CAMERA),)
    assert 1 <= values["quietcam_still_to_part_seconds_count", desk] <= 5
    # A still waits for its slot, and that is never far away.
    assert 0 < values["quietcam_still_to_part_seconds_sum", desk]
    # Both are read one after the other, and parts go on.
    assert 0 <= values["quietcam_encode_seconds_count", desk] - values["quietcam_parts_total", desk] <= 3
    assert values["quietcam_encode_seconds_sum", desk] > 0
    assert values["quietcam_fan_out_seconds_count", desk] >= 1
    for door, kind in [
        ("public", "playlist"), ("public", "reload"), ("public", "page"), ("public", "picture"), ("public", "media"),
        ("private", "still"), ("private", "operation"),
    ]:
        assert values["quietcam_request_seconds_count", (("door", door), ("kind", kind))] >= 1, (door, kind)
    assert values["quietcam_responses_total", (("code", "4xx"), ("door", "public"))] >= 1
    assert values["quietcam_responses_total", (("code", "2xx"), ("door", "private"))] >= 5


def test_the_process_tells_what_it_takes(busy):
    values = samples(metrics_of(busy))
    assert 0 < values["process_cpu_seconds_total", ()] < 1000
    assert 10e6 < values["process_resident_memory_bytes", ()] < 4e9
    assert abs(values["process_start_time_seconds", ()] - time.time()) < 600


def version():
    words = [quietcam.binary(), "--version"]
    return subprocess.run(words, capture_output=True, text=True, check=True, env=quietcam.environment()).stdout.strip()


def test_the_version_comes_from_one_place(busy):
    assert re.fullmatch(r"\d+\.\d+\.\d+", version())
    assert samples(metrics_of(busy))["quietcam_build_info", (("version", version()),)] == 1
    assert busy.operators("/status").json["version"] == version()
    written = subprocess.run(
        ["git", "grep", "-lF", f'"{version()}"', "--", "*.swift", "Makefile", ".ci"], cwd=quietcam.ROOT,
        capture_output=True, text=True,
    )
    assert written.stdout.split() in ([], ["Sources/Media/ProgramVersion.swift"]), written.stdout


# Prometheus and the dashboard


def queries():
    board = json.loads(BOARD.read_text())
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in board["panels"] for target in panel["targets"]
    }


def alarms():
    return {says: query for query, says in re.findall(r"^\| `(.+ > \S+)` \| (.+) \|$", PAGE, re.MULTILINE)}


def names_in(text):
    return set(re.findall(r"\b(?:quietcam|process)_\w+", text))


def known(text):
    kinds = families(text)
    return set(kinds) | {
        name + end for name, kind in kinds.items() if kind == "histogram" for end in ("_bucket", "_sum", "_count")
    }


def test_the_dashboard_and_the_handbook_name_only_metrics_that_exist(busy):
    there = known(metrics_of(busy))
    assert len(queries()) > 20 and len(alarms()) == 5
    for place, query in queries().items() | alarms().items():
        assert names_in(query) and names_in(query) <= there, (place, names_in(query) - there)
    for variable in json.loads(BOARD.read_text())["templating"]["list"]:
        if variable["type"] == "query":
            assert names_in(variable["definition"]) <= there
    assert names_in(re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)) <= there


def test_the_dashboard_is_in_grafanas_form():
    board = json.loads(BOARD.read_text())
    assert board["uid"] == "quietcam" and board["schemaVersion"] >= 36
    panels = board["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (column, line)
            for column in range(place["x"], place["x"] + place["w"]) for line in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] in ("stat", "timeseries") and panel["datasource"]["uid"] == "${datasource}"


class Prometheus:
    """Debian's Prometheus, which scrapes one server."""

    def __init__(self, home, server):
        (self.port,) = free_ports(1)
        token = server.asked["Authorization"].removeprefix("Bearer ")
        text = recipes.recipe(
            "prometheus", {"127.0.0.1:8081": f"127.0.0.1:{server.private}", "OPERATOR-TOKEN": token})
        (home / "prometheus.yml").write_text("global: {scrape_interval: 1s}\n" + text)
        with open(home / "prometheus.log", "wb") as log:
            self.process = subprocess.Popen(
                [
                    PROMETHEUS, f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=quietcam.environment(),
            )
        self.log = home / "prometheus.log"

    def query(self, text):
        """The result of a query now."""
        answer = wire.ask(self.port, "GET", f"/api/v1/query?query={urllib.parse.quote(text)}")
        assert answer.status == 200 and answer.json["status"] == "success", (text, answer)
        return answer.json["data"]["result"]

    def wait_for(self, text, within=60):
        deadline = time.monotonic() + within
        while True:
            with contextlib.suppress(OSError, AssertionError):
                if result := self.query(text):
                    return result
            assert self.process.poll() is None and time.monotonic() < deadline, (text, self.log.read_text()[-3000:])
            time.sleep(0.2)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def test_a_real_prometheus_scrapes_and_answers_every_query(busy, tmp_path):
    if not pathlib.Path(PROMETHEUS).exists():
        pytest.skip("prometheus is not there: .ci/setup.sh test unpacks it")
    prometheus = Prometheus(tmp_path, busy)
    try:
        (up,) = prometheus.wait_for("up == 1")
        assert up["metric"]["job"] == "quietcam"
        busy.push(stills.one())
        # A rate needs two scrapes.
        prometheus.wait_for("rate(quietcam_parts_total[1m]) > 0")
        there = known(metrics_of(busy))
        scraped = {
            result["metric"]["__name__"] for result in prometheus.query('{job="quietcam"}')
        }
        samples_there = {name for name, _ in samples(metrics_of(busy))}
        assert samples_there <= scraped and samples_there <= there
        for place, query in (queries() | alarms()).items():
            for variable, value in {"$__rate_interval": "1m", "$camera": ".*"}.items():
                query = query.replace(variable, value)
            result = prometheus.query(query)
            # What compares says something only when there is something to say.
            assert result or " > " in query, (place, query)
        (newest,) = prometheus.query(f'quietcam_stills_taken_total{{camera="{CAMERA}"}}')
        assert int(newest["value"][1]) >= 5
    finally:
        prometheus.end()


# Status


def fields(value, path=""):
    """The paths of all fields; what stands in a list counts once."""
    if isinstance(value, dict):
        return set().union(*(fields(item, f"{path}.{key}") | {f"{path}.{key}"} for key, item in value.items()), set())
    if isinstance(value, list):
        return set().union(*(fields(item, f"{path}[]") for item in value), set())
    return set()


def kind(value):
    return "number" if isinstance(value, int) and not isinstance(value, bool) else type(value).__name__


def at(value, path):
    for step in re.findall(r"\.\w+|\[\]", path):
        value = value[0] if step == "[]" else value[step[1:]]
    return value


def test_the_status_has_the_fields_of_the_handbook_and_no_others(busy):
    # A wrong token, so that an address is listed.
    assert busy.camera("POST", "/ingest/desk", {"Authorization": "Bearer not-the-token"}, stills.one()).status == 401
    answer = busy.operators("/status")
    assert answer["Content-Type"] == "application/json"
    told = json.loads(recipes.recipe("status"))
    said = answer.json
    assert said["cameras"][0]["stills"]["refused"] == {"notJPEG": 1}
    assert fields(said) == fields(told)
    for path in fields(told):
        assert kind(at(said, path)) == kind(at(told, path)), path
    table = PAGE[PAGE.index("| field | |"):PAGE.index("Counters begin at zero with the process. Fields")]
    described = set(re.findall(r"`\.?([A-Za-z.]+)`", table))
    names = {place.rsplit(".", 1)[-1] for place in described}
    for path in fields(told):
        steps = path.removeprefix(".").replace("[]", "").removeprefix("cameras.").split(".")
        parents = {".".join(steps[:count]) for count in range(1, len(steps))}
        is_leaf = not isinstance(at(told, path), (dict, list))
        assert not is_leaf or steps[-1] in names or parents & described, f"monitoring.md does not say what {path} is"


# The log


def test_the_log_for_machines_is_one_object_a_line(tmp_path):
    with serving(*SMALL, "--operator-token", OPERATOR, "--log", "json,debug", home=tmp_path) as server:
        server.push(stills.one())
        with wire.Wire(server.public) as client:
            client.send(b"GET /desk/ HTTP/1.1\r\nHost: a\r\nCookie : x\r\n\r\n")
            assert client.answer().status == 400
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert len(lines) > 3
    told = json.loads(recipes.recipe("log"))
    for line in lines:
        assert {"time", "level", "message"} <= set(line) <= set(told), line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]), line
        assert line["level"] in ("trace", "debug", "info", "notice", "warning", "error", "critical")
        assert all(isinstance(value, str) for value in line.get("metadata", {}).values())
    (unreadable,) = [line for line in lines if "cannot be read" in line["message"]]
    assert unreadable["metadata"]["from"] == "127.0.0.1"


@pytest.mark.parametrize("log", ["info", "json"])
def test_no_viewer_has_an_address_in_the_log(log, tmp_path):
    """Viewers come from an address that nothing else has here, and do all that is worth a line."""
    with serving(*SMALL, "--log", log, "--connections-per-address", 4, "--patience", 1, home=tmp_path) as server:
        server.push(stills.one())
        viewer = "127.0.3.7"
        ask = lambda *words, **more: wire.ask(server.public, *words, **more)  # noqa: E731
        with contextlib.ExitStack() as stack:
            for _ in range(8):
                client = stack.enter_context(from_address(viewer, server.public))
                client.sendall(b"GET /desk/ HTTP/1.1\r\nHost: a\r\nCookie : x\r\n\r\n")
            silent = stack.enter_context(from_address(viewer, server.public))
            silent.sendall(b"GET /desk/")
            # Whatever the answer to half a request is, it has come.
            silent.recv(1000)
        for address in ("/desk/", "/desk/latest.jpg", "/nothing", "/desk/../x"):
            ask("GET", address, {"X-Forwarded-For": "203.0.113.77"})
        for _ in range(40):
            ask("POST", "/desk/wave", {"X-Forwarded-For": "203.0.113.77"})
    text = server.log()
    assert "cannot be read" in text
    for address in (viewer, "203.0.113.77"):
        assert address not in text, text


def from_address(address, port):
    client = socket.socket()
    client.settimeout(10)
    client.bind((address, 0))
    client.connect(("127.0.0.1", port))
    return client


def test_a_level_keeps_back_what_is_below_it():
    public, private = free_ports(2)
    doors = ["--public", f"127.0.0.1:{public}", "--private", f"127.0.0.1:{private}", "--store", "memory"]
    camera = ["--camera", CAMERA, "--token", TOKEN, "--operator-token", OPERATOR]
    with launched(*doors, *camera, *SMALL, "--log", "json,error") as server:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                if wire.ask(public, "GET", "/readyz").status == 200:
                    break
            assert time.monotonic() < deadline and server.process.poll() is None, server.log()
            time.sleep(0.05)
        assert server.log() == ""
