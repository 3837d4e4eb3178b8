"""`quietcam bench veil`: a short attack on a server of its own, and one on a camera that is there.

Whether something tells in so few seconds is chance; `VeilResultTests` shows that the judge finds what is planted.
"""

import itertools
import json
import pathlib
import signal
import subprocess
import threading
import time

import pytest

import quietcam
from serving import CAMERA, OPERATOR, serving

pytestmark = pytest.mark.calm

PHOTOS = sorted((pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "desk").glob("*.jpg"))
QUICK = ["--stretches", 1, "--for", "5s", "--window", "1s"]
RIG = ["--size", "160x120", "--part", 0.5, "--segment", 1]
# Each belongs to another public address.
FEATURES = [
    "part listed in its slot, median ms", "bytes of parts, mean", "P slice_qp_delta", "mfhd, unusual steps",
    "time between events, mean ms", "latest.jpg, bytes", "pieces, bytes", "lines of the playlist, mean",
]


def bench(*arguments, seconds=300):
    return subprocess.run(
        [str(word) for word in [quietcam.binary(), "bench", "veil", *arguments]], env=quietcam.environment(),
        capture_output=True, text=True, timeout=seconds,
    )


def judged(done, path):
    """What was written, and whether the table and the exit status say the same."""
    assert done.returncode in (0, 1), done.stderr
    written = json.loads(path.read_text())
    rows = {row["feature"]: row for row in written["result"]["rows"]}
    assert set(FEATURES) <= set(rows)
    assert done.returncode == int(any(row["tells"] for row in rows.values()))
    assert ("Nothing tells" in done.stdout) == (done.returncode == 0)
    for name, row in rows.items():
        assert name in done.stdout
        if test := row.get("veiled"):
            low, high = test["interval"]
            assert 0 <= low <= test["auc"] <= high <= 1 and 0 < test["probability"] <= 1
    return written


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    path = tmp_path_factory.mktemp("veil") / "seen.json"
    camera = ["--source", PHOTOS[0].parent, "--every", "0.75s", "--jitter", "50ms", "--record", "6s"]
    done = bench(*QUICK, *RIG, *camera, "--json", path)
    return judged(done, path)


def test_it_watches_live_and_veiled_stretches_of_a_camera_of_its_own(own):
    stretches = own["record"]["stretches"]
    assert sorted(stretch["kind"] for stretch in stretches) == ["control", "live", "veiled"]
    seen = own["record"]["seen"]
    for stretch in stretches:
        window = range(stretch["begin"], stretch["end"])
        assert sum(part["begins"] in window for part in seen["parts"]) >= 8
        assert sum(event["came"] in window for event in seen["events"]) >= 4
        assert sum(piece["came"] in window for piece in seen["pieces"]) >= 8
    assert len(own["record"]["sent"]) >= 15
    assert any(row["feature"] == "lateness of the parts that hide a still" for row in own["result"]["rows"])


def test_a_picture_is_told_by_its_event_and_every_part_is_read(own):
    seen = own["record"]["seen"]
    assert all(event["bytes"] == event["pictureBytes"] for event in seen["events"][:-1])
    assert {part["counters"]["idr_pic_id"] for part in seen["parts"] if "idr_pic_id" in part["counters"]} == {0}
    steps = [after["counters"]["mfhd"] - part["counters"]["mfhd"] for part, after in itertools.pairwise(seen["parts"])]
    assert set(steps) == {1}


def test_what_was_written_is_judged_again(own, tmp_path):
    path = tmp_path / "seen.json"
    path.write_text(json.dumps(own))
    done = bench("--again", path, "--window", "1s")
    assert done.returncode in (0, 1), done.stderr
    assert "part listed in its slot, median ms" in done.stdout and "windows of 1.0 s" in done.stdout
    path.write_text("{}")
    assert "--json" in bench("--again", path).stderr


def push_until(server, is_over):
    for photo in itertools.cycle(PHOTOS):
        server.push(photo.read_bytes())
        if is_over.wait(0.75):
            return


def test_it_attacks_a_camera_that_is_there(tmp_path):
    store = ["--store", tmp_path / "store", "--camera", CAMERA]
    (tmp_path / "work").mkdir()
    command = [quietcam.binary(), "loop", PHOTOS[0].parent, "--every", "0.75s", *store, *RIG]
    made = subprocess.run(
        [str(word) for word in command], env=quietcam.environment(), cwd=tmp_path, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    is_over = threading.Event()
    with serving(*RIG, "--steady", 0, "--operator-token", OPERATOR, store=tmp_path / "store", home=tmp_path) as server:

        camera = threading.Thread(target=push_until, args=(server, is_over), daemon=True)
        camera.start()
        try:
            url, private = f"http://127.0.0.1:{server.public}/{CAMERA}/", f"http://127.0.0.1:{server.private}"
            refused = bench(url, "--operator", private, "--operator-token", "wrong", *QUICK)
            assert refused.returncode not in (0, 1) and "--operator-token" in refused.stderr
            path = tmp_path / "seen.json"
            done = bench(url, "--operator", private, "--operator-token", OPERATOR, *QUICK, "--json", path)
            written = judged(done, path)
            assert not written["record"]["sent"] and len(written["record"]["stretches"]) == 3
            assert server.status()["source"] in ("live", "veiled"), "it ends unveiled, some segments later at most"
        finally:
            is_over.set()
            camera.join(10)


def wait_for(what, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def test_a_camera_is_unveiled_when_the_bench_is_ended(tmp_path):
    store = ["--store", tmp_path / "store", "--camera", CAMERA]
    (tmp_path / "work").mkdir()
    command = [quietcam.binary(), "loop", PHOTOS[0].parent, "--every", "0.75s", *store, *RIG]
    subprocess.run([str(word) for word in command], env=quietcam.environment(), cwd=tmp_path, check=True)
    is_over = threading.Event()
    options = [*RIG, "--steady", 0, "--hold", "forever", "--operator-token", OPERATOR]
    with serving(*options, store=tmp_path / "store", home=tmp_path) as server:
        server.push(PHOTOS[0].read_bytes())
        # The loop goes on until the camera's stills fit to it, for up to 90 s.
        wait_for(lambda: server.status()["source"] == "live", seconds=100)
        url, private = f"http://127.0.0.1:{server.public}/{CAMERA}/", f"http://127.0.0.1:{server.private}"
        command = [quietcam.binary(), "bench", "veil", url, "--operator", private, "--operator-token", OPERATOR]
        running = subprocess.Popen(
            [str(word) for word in [*command, "--stretches", 9, "--for", "4s", "--window", "1s"]], env=quietcam.environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        camera = threading.Thread(target=push_until, args=(server, is_over), daemon=True)
        camera.start()
        try:
            wait_for(lambda: server.status()["source"] == "veiled", seconds=60)
            running.send_signal(signal.SIGTERM)
            assert running.wait(20) == 128 + signal.SIGTERM
            # The loop goes on until the camera's stills fit to it, for up to 90 s.
            wait_for(lambda: server.status()["source"] == "live", seconds=100)
        finally:
            running.kill()
            running.wait()
            is_over.set()
            camera.join(10)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--stretches", 0], "--stretches"), (["--for", "1s", "--window", "2s"], "--window"),
        (["--size", "big"], "--size"), (["http://127.0.0.1:9/"], "no address of a camera"),
        (["http://127.0.0.1:9/desk/"], "--operator-token"),
    ],
)
def test_wrong_arguments_are_told(arguments, words):
    done = bench(*arguments)
    assert done.returncode == 64 and words in done.stderr, done.stderr
