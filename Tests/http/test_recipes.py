"""The scripts and the sketch of README.md and the handbook, run as they are written against a real server."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

import quietcam
import recipes
import stills
import wire
from dropping import QUICK, dropping
from ports import free_ports
from serving import TOKEN, serving

GREEN, BLUE = (20, 200, 20), (20, 20, 220)
BOARD = quietcam.ROOT / "Tests" / "http" / "esp32"


def test_every_recipe_is_tried():
    here = {"quick", "gphoto2", "motion", "shell", "python", "ffmpeg", "esp32", "source"}
    elsewhere = {"vsftpd", "pure-ftpd", "photos", "systemd", "nginx-cache", "varnish", "haproxy", "caddy"}
    elsewhere |= {"nginx-folder", "prometheus", "status", "log", "debian"}
    elsewhere |= {"bucket"}
    elsewhere |= {"webhook", "home-assistant", "home-assistant-webhook"}
    assert set(recipes.all_recipes()) == here | elsewhere


def test_the_readme_is_short():
    """Two screens: all else belongs into the handbook."""
    assert len((recipes.ROOT / "README.md").read_text().splitlines()) <= 180


def test_both_indexes_list_every_page():
    index = (recipes.HANDBOOK / "Handbook.md").read_text()
    readme = (recipes.ROOT / "README.md").read_text()
    for page in recipes.HANDBOOK.glob("*.md"):
        assert page.name == "Handbook.md" or f"({page.name})" in index, f"Handbook.md does not list {page.name}"
        assert page.name == "Handbook.md" or f"/{page.name})" in readme, f"README.md does not list {page.name}"


def test_links_and_pictures_of_the_pages_lead_somewhere():
    for page in recipes.PAGES:
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
            path, _, heading = target.partition("#")
            file = page.parent / path if path else page
            assert file.exists(), f"{page.name} links to {target}"
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE) if heading else []
            names = [re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings]
            assert not heading or heading in names, f"{page.name} links to {target}"


@pytest.fixture(scope="module")
def server():
    with serving(*QUICK, "--interval", 0.2) as server:
        yield server


@pytest.fixture
def home(tmp_path):
    (tmp_path / "newest.jpg").write_bytes(stills.solid(*GREEN))
    return tmp_path


def changed(server):
    return {"127.0.0.1:8081": f"127.0.0.1:{server.private}", "SECRET-OF-YOURS": TOKEN}


@contextlib.contextmanager
def running(arguments, home):
    process = subprocess.Popen(
        arguments,
        cwd=home,
        env=quietcam.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # The group that was made for it: a shell and what it started.
        process.output = process.communicate()[0].decode(errors="replace")


def taken(server):
    return server.status()["stills"]["taken"]


def wait_for_taken(server, count, within=15, began=None):
    """Waits until so many stills were taken since now, or since `began` had been."""
    began = taken(server) if began is None else began
    deadline = time.monotonic() + within
    while taken(server) < began + count:
        assert time.monotonic() < deadline, f"fewer than {count} stills came"
        time.sleep(0.05)


def test_the_readmes_first_steps(home):
    public, private = free_ports(2)
    serve = f"{quietcam.binary()} serve --store memory --public 127.0.0.1:{public} --private 127.0.0.1:{private}"
    changes = {
        ".build/release/quietcam serve": serve,
        "127.0.0.1:8080": f"127.0.0.1:{public}",
        "127.0.0.1:8081": f"127.0.0.1:{private}",
        "SECRET-OF-YOURS": TOKEN,
        "sleep 1": "sleep 0.1",
    }
    with running(["sh", "-c", recipes.recipe("quick", changes)], home) as process:
        assert process.wait(30) == 0
        assert wire.ask(public, "GET", "/desk/").status == 200
    assert '"seq"' in process.output


def test_the_readmes_steps_from_source(home):
    public, private = free_ports(2)
    serve = f"{quietcam.binary()} serve --store memory --public 127.0.0.1:{public} --private 127.0.0.1:{private}"
    changes = {
        "make build": "true",
        ".build/release/quietcam serve": serve,
        "127.0.0.1:8081": f"127.0.0.1:{private}",
        "SECRET-OF-YOURS": TOKEN,
    }
    with running(["sh", "-c", recipes.recipe("source", changes)], home) as process:
        assert process.wait(60) == 0
        assert wire.ask(public, "GET", "/desk/").status == 200
    assert '"seq"' in process.output


def test_the_shell_loop_follows_the_advice(server, home):
    with running(["sh", "-c", recipes.recipe("shell", changed(server))], home):
        wait_for_taken(server, 5)  # Without the advice, 5 s each, these took 20 s.


def test_python(server, home):
    with running([sys.executable, "-c", recipes.recipe("python", changed(server))], home):
        wait_for_taken(server, 5)


def test_ffmpeg(server, home):
    command = recipes.recipe(
        "ffmpeg", changed(server) | {"-i SOURCE": "-f lavfi -i testsrc2=size=320x240:rate=10", "fps=1/2": "fps=5"}
    )
    with running(["sh", "-c", command], home):
        wait_for_taken(server, 5)


def test_motions_command(server, home):
    line = recipes.recipe("motion", changed(server))
    name, command = re.fullmatch(r"(\w+) (.*)\n", line).groups()
    assert name == "on_picture_save"
    (home / "01-20261121093000-01.jpg").write_bytes(stills.solid(*BLUE))
    began = taken(server)
    with running(["sh", "-c", command.replace("%f", str(home / "01-20261121093000-01.jpg"))], home) as process:
        wait_for_taken(server, 1, began=began)
        assert process.wait(10) == 0


def test_gphoto2s_hook(tmp_path):
    with dropping(prepare=lambda folder: None) as drop:
        hook = tmp_path / "hook.sh"
        hook.write_text(recipes.recipe("gphoto2", {"/srv/quietcam/desk": drop.folder}))
        hook.chmod(0o755)
        (tmp_path / "20261121-093000.JPG").write_bytes(stills.solid(*GREEN))
        (tmp_path / "20261121-093000.CR2").write_bytes(b"raw")
        # As gphoto2 calls it: at its start, for each file, at its end.
        for action, argument in [
            ("init", ""),
            ("start", ""),
            ("download", "20261121-093000.CR2"),
            ("download", "20261121-093000.JPG"),
            ("stop", ""),
        ]:
            environment = os.environ | {"ACTION": action, "ARGUMENT": argument}
            subprocess.run([hook], cwd=tmp_path, env=environment, check=True)
        drop.wait_until_shown(GREEN)
        assert [file.name for file in drop.folder.iterdir()] == ["20261121-093000.JPG"]


def test_the_sketch_for_the_esp32(server, home):
    """The sketch, compiled as it is with Arduino's functions on sockets, pushes and follows the answer."""
    compiler = shutil.which("g++") or pytest.skip("g++ is not installed")
    changes = {
        "192.168.1.10": "127.0.0.1",
        "PORT = 8081": f"PORT = {server.private}",
        "SECRET-OF-YOURS": TOKEN,
    }
    (home / "sketch.ino").write_text(recipes.recipe("esp32", changes))
    (home / "newest.jpg").write_bytes(stills.one("good/esp32cam.jpg"))
    define = f'-DSKETCH="{home}/sketch.ino"'
    subprocess.run(
        [compiler, "-std=c++17", "-Wall", "-Werror", define, "-I", BOARD, BOARD / "board.cpp", "-o", home / "board"],
        check=True,
    )
    before = server.status()["stills"]["taken"]
    run = subprocess.run([home / "board"], cwd=home, check=True, capture_output=True, text=True, timeout=30)
    # The advice lets stills come just before a slot: it differs from the interval by a quarter at most.
    pauses = [int(pause) for pause in re.findall(r"pause (\d+)", run.stdout)]
    assert len(pauses) == 3 and all(150 <= pause <= 250 for pause in pauses), run.stdout
    clocks = [int(clock) for clock in re.findall(r"clock (\d+)", run.stdout)]
    assert all(abs(clock - time.time()) < 60 for clock in clocks)
    assert server.status()["stills"]["taken"] == before + 3
    (home / "sketch.ino").write_text(recipes.recipe("esp32", changes | {"SECRET-OF-YOURS": "not-the-token"}))
    subprocess.run(
        [compiler, "-std=c++17", define, "-I", BOARD, BOARD / "board.cpp", "-o", home / "board"], check=True
    )
    run = subprocess.run([home / "board"], cwd=home, check=True, capture_output=True, text=True, timeout=30)
    assert run.stdout.count("the still was not taken: 401") == 3 and "pause 5000" in run.stdout
