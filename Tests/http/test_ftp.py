"""Stills by FTP: Debian's vsftpd and pure-ftpd, set up as the handbook says, deliver into the watched folder."""

import contextlib
import ftplib
import io
import os
import pwd
import shlex
import shutil
import socket
import struct
import subprocess
import time

import pytest

import quietcam
import recipes
import stills
from dropping import dropping
from ports import free_ports

UNPACKED = quietcam.ROOT / ".build" / "ftp"
RED, GREEN, BLUE = (220, 20, 20), (20, 200, 20), (20, 20, 220)


def program(name):
    """The program of Debian's package, unpacked by `.ci/setup.sh test` or installed."""
    for folder in (UNPACKED / "usr/sbin", UNPACKED / "usr/bin"):
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    return found or pytest.skip(f"there is no {name}; `bash .ci/setup.sh test` unpacks it")


@contextlib.contextmanager
def running(arguments, home, port):
    log = home / "ftp.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(arguments, cwd=home, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                text = log.read_text(errors="replace")
                assert process.poll() is None, f"{arguments[0]} ended with {process.returncode}: {text}"
                assert time.monotonic() < deadline, f"{arguments[0]} does not listen: {text}"
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def vsftpd(home, folder):
    """The recipe, but at an address of the test's own and for anonymous users: others would have to be this machine's."""
    (port,) = free_ports(1)
    own = {
        "listen_address": "127.0.0.1",
        "listen_port": port,
        "background": "NO",
        "run_as_launching_user": "YES",
        "ftp_username": pwd.getpwuid(os.getuid()).pw_name,
        "local_enable": "NO",
        "anonymous_enable": "YES",
        "no_anon_password": "YES",
        "anon_root": home,
        "anon_upload_enable": "YES",
        "anon_mkdir_write_enable": "YES",
        "anon_other_write_enable": "YES",
        "anon_umask": "022",
        "connect_from_port_20": "NO",
    }
    config = home / "vsftpd.conf"
    config.write_text(recipes.recipe("vsftpd") + "".join(f"{key}={value}\n" for key, value in own.items()))
    config.chmod(0o600)
    with running([program("vsftpd"), str(config)], home, port):
        yield port, "anonymous", "", folder.name


@contextlib.contextmanager
def pure_ftpd(home, folder):
    """The recipe's commands with the test's own user, folder and files."""
    if os.getuid() != 0:
        pytest.skip("pure-ftpd changes to the user of each login, which only root may")
    (port,), passwords, database = free_ports(1), home / "passwd", home / "users.pdb"
    add, make, serve = (
        shlex.split(line)
        for line in recipes.recipe(
            "pure-ftpd",
            {
                "-u camera -g camera": "-u 65534 -g 65534",
                "/srv/quietcam/desk": folder,
                "/etc/pure-ftpd/pureftpd.pdb": database,
            },
        ).splitlines()
    )
    folder.chmod(0o755)
    os.chown(folder, 65534, 65534)
    subprocess.run(
        [program("pure-pw"), *add[1:], "-f", str(passwords)], input=b"secret\nsecret\n", check=True, capture_output=True
    )
    # Its own hash of the password takes many seconds on a slow machine; crypt's is taken as well.
    crypted = subprocess.run(["openssl", "passwd", "-6", "secret"], check=True, capture_output=True, text=True).stdout
    fields = passwords.read_text().split(":")
    fields[1] = crypted.strip()
    passwords.write_text(":".join(fields))
    subprocess.run([program("pure-pw"), *make[1:], str(database), "-f", str(passwords)], check=True)
    own = ["--bind", f"127.0.0.1,{port}", "--pidfile", str(home / "pid")]
    with running([program("pure-ftpd"), *serve[1:], *own], home, port):
        yield port, "desk", "secret", "/"


@pytest.fixture(params=[vsftpd, pure_ftpd], ids=["vsftpd", "pure-ftpd"], scope="module")
def camera(request, tmp_path_factory):
    """A camera that is logged in, and the folder that it uploads into."""
    home = tmp_path_factory.mktemp("ftp")
    for path in [home, *home.parents[:2]]:
        path.chmod(0o755)  # pytest keeps its folders to itself; the server's user has to get through.
    with dropping(prepare=lambda folder: None, folder=home / "drop") as drop:
        with request.param(home, drop.folder) as (port, user, password, path):
            with ftplib.FTP(timeout=20) as ftp:
                ftp.connect("127.0.0.1", port)
                ftp.login(user, password)
                ftp.cwd(path)
                ftp.login_again = lambda other: (other.login(user, password), other.cwd(path))
                yield ftp, drop


def store(ftp, name, colour):
    ftp.storbinary(f"STOR {name}", io.BytesIO(stills.solid(*colour)))


def test_uploads_are_shown(camera):
    ftp, drop = camera
    for colour in (RED, GREEN, BLUE):
        store(ftp, "video.jpg", colour)
        drop.wait_until_shown(colour)


def test_uploads_under_another_name_are_shown_once_renamed(camera):
    ftp, drop = camera
    store(ftp, "cam.jpg_tmp", RED)
    ftp.rename("cam.jpg_tmp", "cam.jpg")
    drop.wait_until_shown(RED)
    ftp.delete("cam.jpg")
    store(ftp, "cam.jpg", GREEN)
    drop.wait_until_shown(GREEN)


def test_dated_folders(camera):
    ftp, drop = camera
    home = ftp.pwd()
    for part in ("2026", "11", "21"):
        ftp.mkd(part)
        ftp.cwd(part)
    store(ftp, "093000.jpg", BLUE)
    drop.wait_until_shown(BLUE)
    ftp.cwd(home)


def test_an_upload_that_breaks_off_is_not_shown_and_the_next_one_is(camera):
    ftp, drop = camera
    store(ftp, "before.jpg", RED)
    drop.wait_until_shown(RED)
    taken = drop.stills()["taken"]
    large = stills.one("good/esp32cam.jpg")
    with ftplib.FTP(timeout=20) as broken:
        broken.connect(ftp.host, ftp.port)
        ftp.login_again(broken)
        data = broken.transfercmd("STOR broken.jpg")
        data.sendall(large[: len(large) // 2])
        time.sleep(0.3)
        for end in (data, broken.sock):  # As when the power goes: both connections are reset.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()
        broken.file.close()
        broken.sock = broken.file = None
    time.sleep(1)
    assert drop.stills()["taken"] == taken, "half an upload was taken"
    store(ftp, "after.jpg", GREEN)
    drop.wait_until_shown(GREEN)
    assert drop.stills()["taken"] == taken + 1
