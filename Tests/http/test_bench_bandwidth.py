"""`quietcam bench bandwidth`: a short real run of every way, and one over HTTP/2 in TLS."""

import html.parser
import json
import re
import subprocess
import xml.etree.ElementTree

import pytest

import quietcam
import stills

pytestmark = pytest.mark.calm

KINDS = ["media", "playlists", "headers", "requests", "framing"]
WAYS = [
    "poll-camera", "poll-latest", "poll-latest-304", "mjpeg", "events-jpeg", "hls-2s-ts", "hls-2s-fmp4", "hls-6s-ts",
    "hls-6s-fmp4", "ll-hls", "ll-hls-hints", "frames", "off-seamless", "off-cached", "off-cached-frames",
]
QUICK = ["--for", "10s", "--warm-up", "7s", "--set", "size=64x48", "--set", "segment=2", "--set", "part=0.5"]


def bench(folder, name, *arguments):
    command = [quietcam.binary(), "bench", "bandwidth", folder / "stills", *arguments, "--json", folder / f"{name}.json"]
    return subprocess.Popen(
        [str(part) for part in command], env=quietcam.environment(), text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Both runs at the same time: each is in real time and mostly waits."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "stills").mkdir()
    for index in range(8):
        (folder / "stills" / f"{index}.jpg").write_bytes(stills.solid(index * 30, 90, 255 - index * 30))
    processes = {
        "all": bench(folder, "all", *QUICK, "--verify", "--html", folder / "all.html"),
        "http2": bench(folder, "http2", *QUICK, "--http2", "--verify", "--ways", "poll-camera,ll-hls,frames"),
    }
    results = {}
    for name, process in processes.items():
        try:
            output, errors = process.communicate(timeout=120)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        assert process.returncode == 0, errors
        results[name] = json.loads((folder / f"{name}.json").read_text()), output
    return results, folder


def entries(result):
    return {entry["way"]: entry for entry in result["entries"]}


def test_every_way_is_in_the_figures(runs):
    result, table = runs[0]["all"]
    assert [entry["way"] for entry in result["entries"]] == WAYS
    for way, entry in entries(result).items():
        assert entry["title"] in table
        assert "problem" not in entry, entry
        if way in ("off-cached", "off-cached-frames"):
            assert entry["perMinute"]["playlists"] > 0, entry
        elif way == "off-seamless":
            assert entry["perMinute"]["media"] > 0, entry
        else:
            assert entry["perMinute"]["media"] > 0 and entry["perMinute"]["requests" if way != "mjpeg" else "headers"] > 0, entry
            assert entry["shown"] > 0, entry


def test_what_a_minute_costs_is_the_sum_of_its_kinds(runs):
    result, _ = runs[0]["all"]
    polling = sum(entries(result)["poll-camera"]["perMinute"][kind] for kind in KINDS)
    for entry in result["entries"]:
        if "perMinute" not in entry:
            continue
        total = sum(entry["perMinute"][kind] for kind in KINDS)
        assert min(entry["perMinute"].values()) >= 0, entry
        assert entry["ofPolling"] == pytest.approx(total / polling)
        assert entry["monthGB"] == pytest.approx(total * 100 * 43200 / 1e9)
        assert entry["perMinute"]["framing"] == 0, "HTTP/1.1 without TLS has no frames"


def test_the_stills_arrive_as_they_were_pushed(runs):
    figures = entries(runs[0]["all"][0])
    for way in ("poll-camera", "mjpeg"):
        assert figures[way]["ssimToStill"] == pytest.approx(1, abs=1e-4)
    for way in ("poll-latest", "hls-2s-fmp4", "ll-hls", "ll-hls-hints", "frames"):
        assert figures[way]["ssimToStill"] > 0.9, figures[way]


def test_the_kernel_counted_the_same(runs):
    for name, least in (("all", 9), ("http2", 2)):
        checks = runs[0][name][0]["checks"]
        assert len(checks) >= least
        for check in checks:
            assert check["counted"] == pytest.approx(check["kernel"], rel=0.01), check


def test_http2_costs_frames_and_packs_headers(runs):
    plain, packed = entries(runs[0]["all"][0])["ll-hls"], entries(runs[0]["http2"][0])["ll-hls"]
    assert packed["perMinute"]["framing"] > 0
    assert packed["perMinute"]["requests"] < plain["perMinute"]["requests"] / 3
    assert packed["perMinute"]["headers"] < plain["perMinute"]["headers"] / 2


def test_the_element_costs_less_than_any_player(runs):
    for name in ("all", "http2"):
        figures = entries(runs[0][name][0])
        cost = {way: sum(figures[way]["perMinute"].values()) for way in ("frames", "ll-hls")}
        assert cost["frames"] < cost["ll-hls"], (name, cost)
        assert figures["frames"]["perMinute"]["media"] == pytest.approx(figures["ll-hls"]["perMinute"]["media"], rel=0.1)
        # No playlist, and one request for each segment of two seconds.
        assert figures["frames"]["perMinute"]["playlists"] == 0
        assert figures["frames"]["restarts"] == 0


def test_the_page_is_well_formed_and_names_every_way(runs):
    result, folder = runs[0]["all"][0], runs[1]
    page = (folder / "all.html").read_text()

    class Balance(html.parser.HTMLParser):
        open, words = [], []

        def handle_starttag(self, tag, attributes):
            if tag not in ("meta", "link"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

        def handle_data(self, data):
            self.words.append(data)

    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    for entry in result["entries"]:
        assert entry["title"] in balance.words
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) >= 4
    for drawing in drawings:
        xml.etree.ElementTree.fromstring(drawing)


def test_a_source_that_is_not_there_is_named(tmp_path):
    done = subprocess.run(
        [str(quietcam.binary()), "bench", "bandwidth", str(tmp_path / "none")], env=quietcam.environment(),
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode != 0
    assert str(tmp_path / "none") in done.stderr and "folder of JPEGs" in done.stderr
