"""The package from its installation to its removal, the container's steps, and what the package has in it."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import time

import pytest

import bare
import recipes
import stills
import wire
from ports import free_ports

PACKAGING = bare.ROOT / "Sources" / "quietcam" / "Packaging"
GREEN = (20, 200, 20)


class Running:
    """A command in a bare Debian that serves, on free ports of this machine."""

    def __init__(self, debian, words, *, user, log, environment=None):
        self.public, self.private = free_ports(2)
        doors = {"QUIETCAM_PUBLIC": f"127.0.0.1:{self.public}", "QUIETCAM_PRIVATE": f"127.0.0.1:{self.private}"}
        self.log = log
        self.began = time.monotonic()
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                debian.words(*words, user=user), cwd="/", stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env=debian.environment(**(doors if environment is None else environment)),
            )

    def get(self, target):
        return wire.ask(self.public, "GET", target)

    def wait_for(self, what):
        """Waits for as long as the issue gives: ten seconds from the start."""
        while True:
            with contextlib.suppress(OSError, EOFError):
                if what():
                    return time.monotonic() - self.began
            waited = time.monotonic() - self.began
            assert self.process.poll() is None and waited < 10, f"after {waited:.1f} s:\n{self.log.read_text()}"
            time.sleep(0.05)

    def shows(self, token, colour=GREEN):
        """Pushes a still and waits for its picture; how long after the start it was there."""
        self.wait_for(lambda: self.get("/healthz").status == 200)
        answer = wire.ask(
            self.private, "PUT", "/ingest/desk", {"Authorization": f"Bearer {token}"}, stills.solid(*colour))
        assert answer.status == 202, answer
        return self.wait_for(lambda: stills.is_near(stills.colour_of(self.get("/desk/latest.jpg").body), colour))

    def end(self):
        self.process.terminate()
        assert self.process.wait(10) == 0, self.log.read_text()


@contextlib.contextmanager
def running(debian, words, **more):
    server = Running(debian, words, **more)
    try:
        yield server
        server.end()
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def service(debian):
    """How the unit starts the program: its command and its user."""
    unit = debian.read("/lib/systemd/system/quietcam.service")
    command = shlex.split(re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)[1])
    return command, re.search(r"^User=(.*)$", unit, re.MULTILINE)[1]


def newer(package, folder):
    """The same package as one of a later version."""
    tree = folder / "newer"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", "Version: 99.0", control.read_text(), flags=re.MULTILINE))
    file = folder / "quietcam_99.0_amd64.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", tree, file], check=True, capture_output=True)
    return file


def test_from_installation_to_removal(package, tmp_path):
    with bare.bare() as debian:
        assert debian.names() == []
        assert not (debian.root / "usr/lib/x86_64-linux-gnu/libavcodec.so.59").exists()
        debian.install(package)
        command, user = service(debian)
        # The picture must not give way to the loop while a slow machine unpacks.
        settings = debian.root / "etc/quietcam/quietcam.yaml"
        settings.write_text(settings.read_text().replace("title: My desk", "title: My desk\n    hold: forever"))

        # One camera is ready, with a token of its own that others cannot read.
        token = debian.read("/etc/quietcam/desk.token").strip()
        assert len(token) >= 32
        secret = debian.run("stat", "-c", "%U:%G %a", "/etc/quietcam/desk.token").strip()
        assert secret == "root:quietcam 640"
        assert debian.run("stat", "-c", "%U:%G %a", "/var/lib/quietcam").strip() == "quietcam:quietcam 755"
        with running(debian, command, user=user, log=tmp_path / "first.log") as server:
            took = server.shows(token)
            print(f"\npicture {took:.1f} s after the start")
            # The README's words.
            make, install, push = recipes.recipe("debian").strip().split("\n")
            assert make == "make deb" and install.endswith(" ./.build/package/quietcam_*_amd64.deb")
            push = push.replace("sudo cat /etc", f"cat {debian.root}/etc").replace(":8081", f":{server.private}")
            (tmp_path / "newest.jpg").write_bytes(stills.solid(*GREEN))
            pushed = subprocess.run(["sh", "-c", push], cwd=tmp_path, capture_output=True, text=True)
            assert pushed.returncode == 0 and '"seq":' in pushed.stdout, pushed
            # The pages' files are within the program.
            page = server.get("/desk/")
            assert page.status == 200 and "My desk" in page.text
            assets = re.findall(r'(?:src|href)="\.\./(_/[^"]+)"', page.text)
            assert assets
            for address in [*assets, "quietcam.js"]:
                assert server.get(f"/{address}").status == 200, address
            report = debian.run(
                "quietcam", "check", f"http://127.0.0.1:{server.public}/desk/index.m3u8", "--for", "5s")
            assert "low latency" in report.lower() or report
            # The operator's token is where the handbook says.
            operator = debian.read("/var/lib/quietcam/operator-token").strip()
            metrics = wire.ask(server.private, "GET", "/metrics", {"Authorization": f"Bearer {operator}"})
            assert metrics.status == 200 and "quietcam_build_info" in metrics.text
            # A camera that is set over HTTP has a folder to be kept in.
            garden = wire.ask(
                server.private, "PUT", "/cameras/garden", {"Authorization": f"Bearer {operator}"},
                b'{"token": "secret-of-the-garden"}')
            assert garden.status == 201, garden
            assert (debian.root / "etc/quietcam/cameras.d/garden.yaml").exists()
        kept = sorted(path.name for path in (debian.root / "var/lib/quietcam/desk").iterdir())
        assert "live.m3u8" in kept and "latest.jpg" in kept

        (debian.root / "etc/quietcam/cameras.d/garden.yaml").unlink()

        # It runs wherever it is moved to.
        debian.run("mkdir", "-p", "/opt/elsewhere")
        debian.run("cp", "/usr/bin/quietcam", "/opt/elsewhere/camera")
        with running(debian, ["/opt/elsewhere/camera", *command[1:]], user=user, log=tmp_path / "moved.log") as server:
            server.wait_for(lambda: server.get("/desk/").status == 200)
            for address in assets:
                assert server.get(f"/{address}").status == 200, address
        debian.run("rm", "-r", "/opt/elsewhere")

        # An upgrade keeps what the operator wrote, the token, and the store.
        settings.write_text(settings.read_text().replace("title: My desk", "title: My window"))
        debian.install(newer(package, tmp_path))
        assert debian.run("dpkg-query", "-W", "-f", "${Version}", "quietcam") == "99.0"
        assert "title: My window\n    hold: forever" in settings.read_text()
        assert debian.read("/etc/quietcam/desk.token").strip() == token
        assert {"live.m3u8", "latest.jpg"} <= {path.name for path in (debian.root / "var/lib/quietcam/desk").iterdir()}
        with running(debian, command, user=user, log=tmp_path / "second.log") as server:
            # What was shown last is there again before a still has come.
            server.wait_for(lambda: stills.is_near(stills.colour_of(server.get("/desk/latest.jpg").body), GREEN))
            assert "My window" in server.get("/desk/").text
            server.shows(token, (20, 20, 220))

        # What is removed can come back as it was; what is purged is gone.
        debian.run("apt-get", "remove", "-y", "quietcam")
        assert "title: My window" in settings.read_text()
        assert not (debian.root / "usr/bin/quietcam").exists() and (debian.root / "var/lib/quietcam/desk").exists()
        debian.run("apt-get", "purge", "-y", "quietcam")
        assert debian.names() == []
        assert not (debian.root / "etc/quietcam").exists()
        for file in ("/etc/passwd", "/etc/group", "/etc/shadow"):
            assert "quietcam:" not in debian.read(file), file


def test_a_second_purge_and_files_of_others_do_no_harm(package):
    with bare.bare() as debian:
        debian.install(package)
        (debian.root / "etc/quietcam/mine.yaml").write_text("public: 0.0.0.0:80\n")
        debian.run("apt-get", "purge", "-y", "quietcam")
        assert debian.names() == ["etc/quietcam"]
        assert [path.name for path in (debian.root / "etc/quietcam").iterdir()] == ["mine.yaml"]


# The container


def steps():
    """The steps of the Containerfile: a word and what follows it."""
    lines = [line for line in (PACKAGING / "Containerfile").read_text().split("\n") if line and line[0] != "#"]
    return [tuple(line.split(" ", 1)) for line in lines]


def test_the_steps_of_the_container(package, tmp_path):
    assert ("FROM", "debian:12-slim") in steps()
    with bare.bare() as debian:
        said = {}
        for word, rest in steps():
            if word == "COPY":
                pattern, target = rest.split()
                (found,) = package.parent.glob(pattern)
                debian.run("mkdir", "-p", target)
                subprocess.run(["cp", found, f"{debian.root}{target}"], check=True)
            elif word == "RUN":
                debian.run("sh", "-c", rest)
            else:
                assert word in ("FROM", "USER", "WORKDIR", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"), word
                said[word] = rest
        assert not list((debian.root / "tmp").iterdir()) and not list((debian.root / "var/lib/apt/lists").iterdir())
        assert not (debian.root / "etc/quietcam/desk.token").exists()
        command = [*json.loads(said["ENTRYPOINT"]), *json.loads(said["CMD"])]
        # Without a token nobody can send stills, and the image says so.
        refused = debian.run(*command, code=64, user=said["USER"])
        assert "desk.token" in refused and "token" in refused
        public, private = free_ports(2)
        moved = [word.replace(":8080", f":{public}").replace(":8081", f":{private}") for word in command]
        moved = [word.replace("0.0.0.0", "127.0.0.1") for word in moved]
        with running(
            debian, moved, user=said["USER"], log=tmp_path / "container.log",
            environment={"QUIETCAM_TOKEN": "secret-of-yours"},
        ) as server:
            server.public, server.private = public, private
            server.shows("secret-of-yours")


# What the package has in it


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "-R", package, folder], check=True)
    return folder


def test_the_package_says_what_it_is(package, unpacked):
    control = (unpacked / "DEBIAN/control").read_text()
    version = subprocess.run(
        [bare.ROOT / ".build/deb/release/quietcam", "--version"], capture_output=True, text=True, check=True,
    ).stdout.strip()
    assert package.name == f"quietcam_{version}_amd64.deb" and f"Version: {version}\n" in control
    for library in ("libavcodec", "libavformat", "libavutil", "libswscale", "libsqlite3", "liblcms2", "libbrotli1", "libzstd1", "libc6"):
        assert library in control, control
    assert "swift" not in re.search(r"^Depends: (.*)$", control, re.MULTILINE)[1]
    assert (unpacked / "DEBIAN/conffiles").read_text() == "/etc/quietcam/quietcam.yaml\n"
    owners = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in owners.splitlines()} == {"root/root"}
    sections = subprocess.run(
        ["readelf", "-SW", unpacked / "usr/bin/quietcam"], capture_output=True, text=True, check=True).stdout
    assert ".symtab" not in sections and ".debug_info" not in sections


def test_lintian_finds_nothing_wrong(package):
    done = subprocess.run(
        ["lintian", "--no-cfg", *(["--allow-root"] if os.geteuid() == 0 else []), "--fail-on", "error,warning", package],
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_manual_pages_read_without_a_complaint(unpacked):
    pages = sorted((unpacked / "usr/share/man/man1").glob("*.gz"))
    assert {page.name for page in pages} >= {"quietcam.1.gz", "quietcam-serve.1.gz", "quietcam-push.1.gz"}
    for page in pages:
        done = subprocess.run(
            ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page], capture_output=True, text=True,
            env=os.environ | {"MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
        )
        assert done.returncode == 0 and done.stderr == "", (page.name, done.stderr)
        plain = re.sub(r".\x08|\x1b\[[0-9;]*m", "", done.stdout)
        assert "NAME" in plain and "SYNOPSIS" in plain
    serve = subprocess.run(
        ["man", "-l", "-Tutf8", unpacked / "usr/share/man/man1/quietcam-serve.1.gz"], capture_output=True, text=True,
        env=os.environ | {"MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
    ).stdout
    plain = re.sub(r".\x08|\x1b\[[0-9;]*m", "", serve)
    for flag in ("--public", "--max-kilobits", "--config", "--log"):
        assert flag in plain


def test_the_shells_take_the_completions(unpacked):
    bash = unpacked / "usr/share/bash-completion/completions/quietcam"
    subprocess.run(["bash", "-n", bash], check=True)
    told = subprocess.run(
        ["bash", "-c", f'. {shlex.quote(str(bash))}; complete -p quietcam'], capture_output=True, text=True, check=True)
    assert "quietcam" in told.stdout
    assert (unpacked / "usr/share/zsh/vendor-completions/_quietcam").read_text().startswith("#compdef quietcam")
    assert "complete -c 'quietcam'" in (unpacked / "usr/share/fish/vendor_completions.d/quietcam.fish").read_text()


def units_of(text):
    """Sections with their lines."""
    found = re.findall(r"^\[(\w+)\]\n((?:(?!\[).*\n?)*)", text, re.MULTILINE)
    return {name: [line for line in lines.split("\n") if line] for name, lines in found}


def test_the_units_are_those_of_the_handbook_and_fit_the_settings(unpacked, tmp_path):
    folder = unpacked / "lib/systemd/system"
    names = ["quietcam.socket", "quietcam.service"]
    for name in names:
        text = (folder / name).read_text()
        assert "quietcam.socket" == name or "ExecStart=/usr/bin/quietcam " in text
        # The program is not installed on the machine of the test.
        (tmp_path / name).write_text(text.replace("/usr/bin/quietcam", str(unpacked / "usr/bin/quietcam")))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *[str(tmp_path / name) for name in names]], capture_output=True,
        text=True, env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    settings = (unpacked / "etc/quietcam/quietcam.yaml").read_text()
    listens = re.findall(r"^ListenStream=(\S+)$", (folder / "quietcam.socket").read_text(), re.MULTILINE)
    assert listens == [re.search(rf"^{key}: (\S+)$", settings, re.MULTILINE)[1] for key in ("public", "private")]
    told = recipes.recipe("systemd").replace("\\\n", "")
    service = units_of(told[told.index("[Unit]"):])["Service"]
    packed = units_of((folder / "quietcam.service").read_text())["Service"]
    # Its own are the program's place and the folder of cameras that are set over HTTP.
    own = ("ExecStart=", "ReadWritePaths=")
    assert [line for line in service if not line.startswith(own)] == [line for line in packed if not line.startswith(own)]


def test_the_settings_show_one_camera_and_no_demo(unpacked):
    settings = (unpacked / "etc/quietcam/quietcam.yaml").read_text()
    assert re.search(r"^demo: false$", settings, re.MULTILINE) and re.findall(r"^  (\w+):$", settings, re.MULTILINE) == ["desk"]
    assert re.search(r"^store: /var/lib/quietcam$", settings, re.MULTILINE)


def test_the_handbook_is_there_and_its_links_lead_somewhere(unpacked):
    folder = unpacked / "usr/share/doc/quietcam"
    pages = [folder / "README.md", *(folder / "handbook").glob("*.md")]
    assert len(pages) > 15
    for page in pages:
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", text):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
    assert json.loads((folder / "grafana-dashboard.json").read_text())["uid"] == "quietcam"
    notices = {path.name.split(".")[0] for path in (folder / "notices").iterdir()}
    assert {"swift-nio", "hummingbird"} <= notices
    assert "GRDB" in (folder / "copyright").read_text()


def test_nothing_in_the_package_names_the_machine_that_made_it(unpacked):
    here = str(bare.ROOT)
    for path in unpacked.rglob("*"):
        if path.is_file() and path.name != "quietcam":
            assert here.encode() not in path.read_bytes(), path
