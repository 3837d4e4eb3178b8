"""Stills that others put into a folder: whole ones come onto the screens, all else changes nothing."""

import io
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest
from PIL import Image

import quietcam
import stills
import wire
from dropping import dropping
from serving import ASKED, OPERATOR

RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (240, 240, 240)


def solid(colour):
    return stills.solid(*colour)


def leave_old(folder):
    (folder / "day").mkdir()
    (folder / "old.jpg").write_bytes(solid(RED))
    (folder / "day" / "old.jpg").write_bytes(solid(RED))


@pytest.fixture(scope="module")
def told():
    with dropping(prepare=leave_old) as drop:
        drop.wait_for_log("notified of changes by the system")
        yield drop


@pytest.fixture(scope="module")
def looking():
    with dropping("--folder-scan", "true", prepare=leave_old) as drop:
        drop.wait_for_log("scanning it twice a second (as set)")
        yield drop


@pytest.fixture(params=["told", "looking"])
def drop(request):
    """A folder that is watched by inotify, and one by scanning; no test sees another's colours."""
    drop = request.getfixturevalue(request.param)
    drop.is_told = request.param == "told"
    drop.settle()
    return drop


def test_files_that_were_there_are_no_news(drop):
    assert not drop.stills()["refused"]
    assert drop.stills()["taken"] == 1, "the still of settle and no other"


def test_what_comes_after_the_log_says_so_is_new():
    """However long the first scan takes."""
    def fill(folder):
        for number in range(10_000):
            (folder / f"old-{number}.jpg").touch()

    with dropping("--folder-scan", "true", prepare=fill) as drop:
        for number in range(4):
            (drop.folder / f"new-{number}.jpg").write_bytes(solid(GREEN))
        deadline = time.monotonic() + 15
        while drop.stills()["taken"] < 4:
            assert time.monotonic() < deadline, drop.stills()
            time.sleep(0.05)


def test_a_new_file_is_shown_and_stays_where_it_is(drop):
    (drop.folder / "new.jpg").write_bytes(solid(GREEN))
    drop.wait_until_shown(GREEN)
    assert (drop.folder / "new.jpg").read_bytes() == solid(GREEN)


def test_a_name_may_repeat(drop):
    for colour in (RED, GREEN):
        (drop.folder / "video.jpg").write_bytes(solid(colour))
        drop.wait_until_shown(colour)


def test_deleted_first_and_then_uploaded(drop):
    for colour in (RED, GREEN):
        (drop.folder / "cam.jpg").unlink(missing_ok=True)
        (drop.folder / "cam.jpg").write_bytes(solid(colour))
        drop.wait_until_shown(colour)


def test_an_upload_under_another_name_counts_when_it_is_renamed(drop):
    names = ["x.jpg.part", "x.jpg_tmp", ".x.jpg", "x_tmp.jpg", ".in/x.jpg"]
    for name, colour in zip(names if drop.is_told else names[:1], (BLUE, RED, GREEN, WHITE, BLUE)):
        taken = drop.stills()["taken"]
        part = drop.folder / name
        part.parent.mkdir(exist_ok=True)
        part.write_bytes(solid(colour))
        time.sleep(0.1)
        assert drop.stills()["taken"] == taken
        part.rename(drop.folder / "x.jpg")
        drop.wait_until_shown(colour)


def test_a_slow_upload_is_shown_when_it_is_whole(drop):
    jpeg = solid(WHITE)
    before = drop.stills()
    with open(drop.folder / "slow.jpg", "wb", buffering=0) as file:
        for at in range(0, len(jpeg), len(jpeg) // 4 + 1):
            file.write(jpeg[at : at + len(jpeg) // 4 + 1])
            time.sleep(0.3)
    drop.wait_until_shown(WHITE)
    assert drop.stills()["refused"] == before["refused"]


def test_dated_trees_made_while_running(drop):
    for day, colour in enumerate((RED, GREEN, BLUE) if drop.is_told else (RED,)):
        folder = drop.folder / f"2026/11/{day:02}/09"
        folder.mkdir(parents=True)
        (folder / "00.jpg").write_bytes(solid(colour))  # Before anyone can watch the new folders.
        drop.wait_until_shown(colour)
        (folder / "01.jpg").write_bytes(solid(WHITE))
        drop.wait_until_shown(WHITE)


def test_a_tree_that_is_moved_in_brings_its_newest_still(drop, tmp_path):
    source = drop.folder.parent / "elsewhere"
    (source / "deep").mkdir(parents=True)
    for number in range(20):
        file = source / "deep" / f"{number}.jpg"
        file.write_bytes(solid(GREEN if number == 19 else RED))
        os.utime(file, (1_000_000 + number, 1_000_000 + number))
    source.rename(drop.folder / "moved")
    drop.wait_until_shown(GREEN)


def test_sorting_old_stills_away_is_no_news(drop):
    (drop.folder / "sorted.jpg").write_bytes(solid(RED))
    drop.wait_until_shown(RED)
    (drop.folder / "next.jpg").write_bytes(solid(GREEN))
    drop.wait_until_shown(GREEN)
    taken = drop.stills()["taken"]
    (drop.folder / "archive").mkdir(exist_ok=True)
    (drop.folder / "sorted.jpg").rename(drop.folder / "archive" / "sorted.jpg")
    time.sleep(0.5 if drop.is_told else 1.6)
    assert drop.stills()["taken"] == taken


def test_a_hundred_at_once_end_with_the_newest(drop):
    large = stills.one("good/esp32cam.jpg")
    before = drop.stills()
    began = time.time() - 200
    for number in range(100):
        file = drop.folder / f"burst-{number:03}.jpg"
        file.write_bytes(solid(BLUE) if number == 99 else large)
        os.utime(file, (began + number, began + number))
    drop.wait_until_shown(BLUE)
    after = drop.server.settled()
    assert after["refused"] == before["refused"]


def test_what_is_no_whole_jpeg_is_not_shown(drop):
    """One after the other: of many files at once only the newest few are read."""
    def wait_for_refused(expected):
        deadline = time.monotonic() + 30
        while drop.stills()["refused"] != expected:
            assert time.monotonic() < deadline, f"{drop.stills()}\n{drop.server.log()}"
            time.sleep(0.05)

    (drop.folder / "half.jpg").write_bytes(stills.one()[:-500])
    wait_for_refused({"truncated": 1})
    (drop.folder / "film.jpg").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(1000))
    wait_for_refused({"notJPEG": 1, "truncated": 1})
    (drop.folder / "empty.jpg").write_bytes(b"")
    wait_for_refused({"notJPEG": 2, "truncated": 1})
    (drop.folder / "notes.txt").write_bytes(solid(RED))
    (drop.folder / "link.jpg").symlink_to(drop.folder / "old.jpg")
    os.mkfifo(drop.folder / "pipe.jpg")
    drop.settle()


def test_a_file_over_the_limit_is_refused():
    with dropping("--max-still-bytes", 20_000, prepare=leave_old) as drop:
        (drop.folder / "large.jpg").write_bytes(solid(RED) + bytes(30_000))
        drop.wait_for_log("large.jpg is not shown")
        (drop.folder / "small.jpg").write_bytes(solid(GREEN))
        drop.wait_until_shown(GREEN)
        assert drop.stills()["refused"] == {"tooLarge": 1}


@pytest.mark.parametrize("flags", [[], ["--folder-scan", "true"]], ids=["told", "looking"])
def test_a_folder_may_come_and_go(flags):
    with dropping(*flags) as drop:
        drop.folder.mkdir()
        (drop.folder / "first.jpg").write_bytes(solid(RED))
        drop.wait_until_shown(RED)
        shutil.rmtree(drop.folder)
        drop.wait_for_log("cannot read the folder", times=2)
        drop.folder.mkdir()
        drop.wait_for_log("which is back", times=2)
        (drop.folder / "second.jpg").write_bytes(solid(GREEN))
        drop.wait_until_shown(GREEN)
        # Another folder in its place, with old stills in it, as when a disk is mounted.
        other = drop.folder.with_name("other")
        other.mkdir()
        (other / "old.jpg").write_bytes(solid(RED))
        os.utime(other / "old.jpg", (0, 0))
        time.sleep(2.1)
        drop.folder.rename(drop.folder.with_name("away"))
        other.rename(drop.folder)
        drop.wait_for_log("which is back", times=3)
        (drop.folder / "third.jpg").write_bytes(solid(BLUE))
        drop.wait_until_shown(BLUE)
        assert drop.stills()["taken"] == 3


def test_a_file_that_comes_by_a_link_is_shown(drop):
    """As programs that never show half a file do it: written elsewhere, and given its name when it is whole."""
    whole = drop.folder.parent / "whole.jpg"
    for number, colour in enumerate((GREEN, BLUE)):
        whole.write_bytes(solid(colour))
        os.link(whole, drop.folder / f"linked-{number}.jpg")
        whole.unlink()
        drop.wait_until_shown(colour)


def test_a_file_that_had_no_name_before_is_shown(drop):
    for number, colour in enumerate((RED, GREEN)):
        try:
            file = os.open(drop.folder, os.O_TMPFILE | os.O_WRONLY, 0o644)
        except OSError as error:
            pytest.skip(f"this file system has no O_TMPFILE: {error}")
        os.write(file, solid(colour))
        there = os.open(drop.folder, os.O_RDONLY)  # Only with it Python follows the link in /proc.
        os.link(f"/proc/self/fd/{file}", f"unnamed-{number}.jpg", dst_dir_fd=there, follow_symlinks=True)
        drop.wait_until_shown(colour)
        os.close(file)
        os.close(there)


def test_a_hidden_directory_that_is_renamed_brings_its_newest_still(drop):
    hidden = drop.folder / ".coming"
    hidden.mkdir()
    (hidden / "a.jpg").write_bytes(solid(BLUE))
    time.sleep(0.2)
    hidden.rename(drop.folder / "came")
    drop.wait_until_shown(BLUE)


def test_directories_that_are_renamed_at_once_lose_nothing(drop):
    if not drop.is_told:
        pytest.skip("a look every half a second sees the last of them")
    before = drop.stills()["taken"]
    for number in range(15):
        folder = drop.folder / f"shot-{number}.new"
        folder.mkdir()
        (folder / "a.jpg").write_bytes(stills.solid(10 * number, 90, 200 - 10 * number))
        folder.rename(drop.folder / f"shot-{number}")
        deadline = time.monotonic() + 30
        while drop.stills()["taken"] < before + number + 1:
            assert time.monotonic() < deadline, f"number {number} was lost\n{drop.server.log()}"
            time.sleep(0.02)
    time.sleep(0.3)
    assert drop.stills()["taken"] == before + 15


@pytest.fixture(params=[[], ["--folder-scan", "true"]], ids=["told", "looking"])
def unprivileged(request, tmp_path):
    """A server that has no right to everything, as one that does not run as root."""
    if os.geteuid() != 0:
        pytest.skip("only root can start a server as somebody else")
    nobody = pathlib.Path(tmp_path) / "as-nobody"
    nobody.write_text(
        f'#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups -- {quietcam.binary()} "$@"\n')
    nobody.chmod(0o755)
    home = pathlib.Path(tempfile.mkdtemp(prefix="quietcam-nobody-", dir="/tmp"))
    home.chmod(0o777)
    for path in [tmp_path, *tmp_path.parents[:3]]:
        path.chmod(0o755)
    folder = home / "drop"
    before = os.environ.get("QUIETCAM")
    os.environ["QUIETCAM"] = str(nobody)
    try:
        with dropping(*request.param, prepare=leave_old, folder=folder) as drop:
            yield drop
    finally:
        os.environ.pop("QUIETCAM")
        if before:
            os.environ["QUIETCAM"] = before
        shutil.rmtree(home)


def test_what_becomes_readable_is_read_then(unprivileged):
    drop = unprivileged
    if drop.folder.stat().st_uid != os.geteuid():
        pytest.skip("the folder is somebody else's")
    # As `cp -a` and `tar -xp` do it: the rights come last.
    day = drop.folder / "night"
    day.mkdir(mode=0o700)
    (day / "a.jpg").write_bytes(solid(GREEN))
    drop.wait_for_log("night is not read")
    day.chmod(0o755)
    drop.wait_until_shown(GREEN)
    (day / "b.jpg").write_bytes(solid(BLUE))
    drop.wait_until_shown(BLUE)
    file = os.open(drop.folder / "c.jpg", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(file, solid(RED))
    os.close(file)
    drop.wait_for_log("c.jpg is not read")
    os.chmod(drop.folder / "c.jpg", 0o644)
    drop.wait_until_shown(RED)
    time.sleep(0.6)
    assert drop.server.log().count("c.jpg is not read") == 1
    assert drop.server.log().count("night is not read") == 1


def test_names_and_links_that_are_passed_over_are_told_once(drop):
    name = os.fsencode(drop.folder) + b"/caf\xe9.jpg"
    if not drop.is_told:
        time.sleep(1.2)  # Until what came before has stood still for two looks.
    taken = drop.stills()["taken"]
    for _ in range(2):
        with open(name, "wb") as file:
            file.write(solid(RED))
    link = drop.folder / "linked-away.jpg"
    link.symlink_to(drop.folder / "old.jpg")
    drop.wait_for_log("its name is no UTF-8")
    if drop.is_told:
        drop.wait_for_log("linked-away.jpg is not read: it is a link")
    time.sleep(0.6)
    assert drop.stills()["taken"] == taken
    assert drop.server.log().count("caf\N{REPLACEMENT CHARACTER}.jpg is not read") == 1
    os.unlink(name)
    link.unlink()


def test_lost_events_are_made_good():
    """A stopped process cannot read its events, and the kernel drops what does not fit into its queue."""
    limit = int(pathlib.Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 40_000:
        pytest.skip(f"the kernel queues {limit} events; losing some would take too long")
    with dropping(prepare=leave_old) as drop:
        process = drop.server.process
        process.send_signal(subprocess.signal.SIGSTOP)
        # Until it has stopped it still reads.
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        try:
            paths = [drop.folder / f"n{number}.txt" for number in (0, 1)]
            for number in range(limit + 10):
                paths[number % 2].write_bytes(b"")
            (drop.folder / "lost.jpg").write_bytes(solid(GREEN))
        finally:
            process.send_signal(subprocess.signal.SIGCONT)
        drop.wait_until_shown(GREEN)
        drop.wait_for_log("dropped events")
        (drop.folder / "after.jpg").write_bytes(solid(BLUE))
        drop.wait_until_shown(BLUE)


def test_a_folder_that_tells_of_no_changes_is_looked_at(tmp_path):
    """A program shows the folder at another place, where the kernel knows nothing of what happens to it."""
    bindfs = shutil.which("bindfs") or pytest.skip("bindfs is not installed")
    behind, shown = tmp_path / "behind", tmp_path / "shown"
    behind.mkdir()
    leave_old(behind)

    def mount(folder):
        done = subprocess.run([bindfs, behind, folder], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")

    try:
        with dropping(prepare=mount, folder=shown) as drop:
            drop.wait_for_log("scanning it twice a second (FUSE does not notify of changes)")
            for colour in (GREEN, BLUE):
                (behind / "new.jpg").write_bytes(solid(colour))
                drop.wait_until_shown(colour)
            assert drop.stills()["taken"] == 2
    finally:
        subprocess.run(["umount", "-l", shown], capture_output=True)


# Photos


def photo(colour, **options):
    """24 megapixels."""
    data = io.BytesIO()
    Image.new("RGB", (6000, 4000), colour).save(data, "JPEG", quality=90, **options)
    return data.getvalue()


@pytest.fixture(scope="module")
def slow():
    """A camera whose parts take longer than anyone would wait for a photo."""
    options = ["--size", "128x96", "--part", 6, "--segment", 6, "--hold", "forever", "--operator-token", OPERATOR]
    with dropping(*options, prepare=lambda folder: None) as drop:
        yield drop


@pytest.mark.parametrize("options", [{}, {"subsampling": "4:2:2"}, {"subsampling": "4:4:4"}, {"progressive": True}], ids=str)
def test_a_photo_is_the_latest_picture_before_its_part_begins(slow, options):
    for colour in (BLUE, GREEN, RED):
        jpeg = photo(colour, **options)
        before = slow.server.get("/desk/live.m3u8").body
        with wire.Wire(slow.server.public) as listener:
            listener.send(wire.request_bytes("GET", "/desk/events"))
            assert listener.head().status == 200
            (slow.folder / "DSC_0001.JPG").write_bytes(jpeg)
            slow.wait_until_shown(colour)
            event = listener.chunk()
            while b"event: still" not in event:
                event = listener.chunk()
        # A part may have begun in between by chance.
        if slow.server.get("/desk/live.m3u8").body == before:
            break
    else:
        raise AssertionError("photos came with their parts only")
    assert slow.server.settled()["undecodable"] == 0


def test_no_veil_falls_where_it_would_be_seen(slow):
    answer = slow.server.camera("POST", "/cameras/desk/veil", ASKED)
    assert (answer.status, answer.json["error"]) == (409, "showsAtOnce")
    for path in ("unveil", "resume"):
        assert slow.server.camera("POST", f"/cameras/desk/{path}", ASKED).status == 200
    with dropping("--at-once", "false", "--operator-token", OPERATOR, prepare=lambda folder: None) as drop:
        assert drop.server.camera("POST", "/cameras/desk/veil", ASKED).status == 200


def test_a_photo_is_kept_back_as_long_as_all_stills():
    with dropping("--delay", 3, prepare=lambda folder: None) as drop:
        jpeg = photo(GREEN)
        began = time.monotonic()
        (drop.folder / "DSC_0002.JPG").write_bytes(jpeg)
        drop.wait_until_shown(GREEN)
        assert time.monotonic() - began >= 3
