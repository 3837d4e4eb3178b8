"""Who watched: days with a known truth, and what the program counted, keeps and does not keep."""

import csv
import datetime
import io
import json
import os
import pathlib
import re
import shutil
import sqlite3
import stat
import struct
import subprocess
import threading
import time

import pytest

import playlist
import quietcam
import stills
import wire
from serving import ASKED, CAMERA, OPERATOR, serving
from test_open_segments import open_name

pytestmark = pytest.mark.apart

COMPILER = shutil.which("cc") or shutil.which("clang")
fakes = pytest.mark.skipif(not COMPILER, reason="needs a C compiler, for a clock that can be set")
SMALL = ["--size", "64x48", "--rate", 4, "--part", 0.5, "--segment", 2, "--operator-token", OPERATOR]
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
DATABASE = "quietcam.sqlite"
# The server reads its counters every two seconds.
READ_SECONDS = 4
# No test without a clock of its own takes longer.
MIDNIGHT_SECONDS = 60


@pytest.fixture(autouse=True)
def one_day():
    """Visitors are counted by days of UTC: where midnight is near, a test begins after it."""
    left = 24 * 3600 - time.time() % (24 * 3600)
    if left < MIDNIGHT_SECONDS:
        time.sleep(left)


def seen(server, address=None, seconds=60, agent=CHROME.format(130), last=False, camera=CAMERA, **fields):
    """What the element says, as it comes through a proxy on this machine."""
    fields = {name.replace("_", "-"): value for name, value in fields.items()} | {"User-Agent": agent}
    if address:
        fields["X-Forwarded-For"] = address
    answer = server.viewer("POST", f"/{camera}/seen?seconds={seconds}{'&last' if last else ''}", fields)
    assert answer.status == 204 and not answer.body, answer
    return answer


def visits(store, *arguments, environment=None):
    program = subprocess.run(
        [str(part) for part in [quietcam.binary(), "visits", "--store", store, *arguments]], capture_output=True,
        text=True, env=quietcam.environment() | (environment or {}), timeout=60)
    assert program.returncode == 0, program.stderr
    return program.stdout


def days(store, *arguments, **options):
    """The rows by camera and day."""
    rows = json.loads(visits(store, "--json", "--since", "2000-01-01", *arguments, **options))
    return {(row["camera"], row["day"]): row for row in rows}


def eventually(check, within=15):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        value = check()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError("it does not happen")


class Clock:
    """Civil time of the server, which the test sets; time still passes by itself."""

    def __init__(self, folder):
        self.file, self.library = folder / "clock", folder / "wallclock.so"
        source = pathlib.Path(__file__).with_name("wallclock.c")
        subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", self.library, source], check=True)
        self.file.write_bytes(bytes(8))

    def set(self, moment, server=None):
        """`2026-11-20 08:00:00`, in UTC. What a running server counted before belongs to the time before."""
        if server:
            time.sleep(READ_SECONDS)
        then = datetime.datetime.fromisoformat(moment).replace(tzinfo=datetime.timezone.utc)
        # In place, because the server has mapped it.
        with open(self.file, "r+b") as file:
            file.write(struct.pack("=q", int(then.timestamp() - time.time())))
        if server:
            hour = moment[:13].replace(" ", "T")
            eventually(lambda: wire.ask(server.private, "GET", "/status", ASKED).json["time"].startswith(hour))

    def environment(self, zone="UTC"):
        return {"LD_PRELOAD": str(self.library), "TEST_CLOCK": str(self.file), "TZ": zone}


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


def is_counted(server, visitors):
    eventually(lambda: server.status()["visits"]["visitorsToday"] == visitors)


# A day


@fakes
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"], ids=["UTC+14", "UTC-11"])
def test_a_day_is_counted_as_it_was(tmp_path, clock, zone):
    store = tmp_path / "store"
    options = {"store": store, "environment": clock.environment(zone)}
    clock.set("2026-11-20 08:10:00")
    with serving(*SMALL, **options) as server:
        # Five visitors, of whom one has two browsers, and two of one household with the same one.
        for number in range(5):
            seen(server, f"198.51.100.{number}", 5)
            seen(server, f"198.51.100.{number}", 60)
        seen(server, "198.51.100.0", 30, FIREFOX.format(140), last=True)
        seen(server, "198.51.100.1", 60)
        # A new version of a browser is no new visitor; neither is another address of the same IPv6 network.
        seen(server, "198.51.100.2", 10, CHROME.format(131), last=True)
        seen(server, "2001:db8:1:2::1", 20)
        seen(server, "[2001:db8:1:2:ffff::9]:4711", 20)
        seen(server, "2001:db8:1:3::1", 20)
        # Proxies in a row, of which the last is this machine itself.
        seen(server, "203.0.113.77, 198.51.100.4, 127.0.0.1", 5)
        # Those who do not count.
        seen(server, "192.0.2.1", 60, BOT)
        seen(server, "192.0.2.2", 60, "curl/8.5.0")
        seen(server, "192.0.2.3", 60, "")
        seen(server, "192.0.2.4", 60, Sec_GPC="1")
        seen(server, "192.0.2.5", 60, DNT="1")
        seen(server, "192.0.2.6", 60, Sec_Purpose="prefetch;prerender")
        seen(server, "192.0.2.7", 60, Purpose="prefetch")
        seen(server, "192.0.2.8", 3, last=True)
        is_counted(server, 8)
        first = 5 * 65 + 30 + 60 + 10 + 60 + 5 + 3
        assert server.status()["visits"]["watchedSeconds"] == first
        # The next hour, and the last one before midnight.
        clock.set("2026-11-20 09:30:00", server)
        seen(server, "198.51.100.9", 60)
        server.viewer("POST", "/desk/wave")
        server.push(stills.solid(10, 200, 30))
        is_counted(server, 9)
        clock.set("2026-11-20 23:30:00", server)
        seen(server, "198.51.100.9", 60)
        seen(server, "198.51.100.10", 60)
        is_counted(server, 10)
    # A restart counts those who stay once more.
    with serving(*SMALL, **options) as server:
        eventually(lambda: server.status()["visits"]["visitorsToday"] == 10)
        seen(server, "198.51.100.10", 60)
        is_counted(server, 11)
        # At midnight everybody is new.
        clock.set("2026-11-21 00:00:30", server)
        is_counted(server, 0)
        seen(server, "198.51.100.10", 60)
        seen(server, "198.51.100.11", 60)
        seen(server, "198.51.100.10", 60)
        is_counted(server, 2)
    rows = days(store)
    assert {key for key in rows if key[0]} == {(CAMERA, "2026-11-20"), (CAMERA, "2026-11-21")}
    day, next_day = rows[CAMERA, "2026-11-20"], rows[CAMERA, "2026-11-21"]
    assert (day["visitors"], next_day["visitors"]) == (11, 2)
    assert (day["watchedSeconds"], next_day["watchedSeconds"]) == (first + 4 * 60, 3 * 60)
    assert (day["waves"], day["stills"], day["stillBytes"]) == (1, 1, len(stills.solid(10, 200, 30)))
    hours = json.loads(visits(store, "--json", "--since", "2026-11-20", "--by", "hour", "--camera", CAMERA))
    watched = {row["hour"]: row["watchedSeconds"] for row in hours if row["watchedSeconds"]}
    assert watched == {
        "2026-11-20T08:00Z": first, "2026-11-20T09:00Z": 60, "2026-11-20T23:00Z": 180, "2026-11-21T00:00Z": 180}
    assert all(row["visitors"] is None for row in hours)
    # It is the same wherever it is read.
    assert days(store, environment={"TZ": "America/New_York"}) == rows
    months = json.loads(visits(store, "--json", "--since", "2026-11-01", "--by", "month", "--camera", CAMERA))
    assert [(row["month"], row["visitors"], row["watchedSeconds"]) for row in months] == [
        ("2026-11", None, first + 7 * 60)]


@fakes
def test_what_is_older_than_the_retention_goes(tmp_path, clock):
    store = tmp_path / "store"
    for moment in ["2025-01-10 12:00:00", "2025-01-12 12:00:00", "2025-01-13 12:00:00"]:
        clock.set(moment)
        with serving(*SMALL, "--keep-visits", 2, store=store, environment=clock.environment()) as server:
            seen(server, "198.51.100.1")
            is_counted(server, 1)
    assert sorted(day for camera, day in days(store) if camera) == ["2025-01-12", "2025-01-13"]


def test_without_retention_nobody_is_counted(tmp_path):
    with serving(*SMALL, "--keep-visits", 0, store=tmp_path) as server:
        seen(server, "198.51.100.1")
        time.sleep(2.5)
        now = server.status()["visits"]
        assert (now["visitorsToday"], now["watchedSeconds"], now["viewers"]) == (0, 0, 0)
        assert now["sent"]["other"] > 0
    assert not days(tmp_path)


# Who watches now


def test_who_watches_now_and_who_has_gone():
    with serving(*SMALL) as server:
        for number in range(3):
            seen(server, f"198.51.100.{number}", 5)
        eventually(lambda: server.status()["visits"]["viewers"] == 3)
        metrics = server.camera("GET", "/metrics", ASKED).text
        assert 'quietcam_viewers{camera="desk"} 3' in metrics
        assert 'quietcam_visitors_today{camera="desk"} 3' in metrics
        assert 'quietcam_watched_seconds_total{camera="desk"} 15' in metrics
        seen(server, "198.51.100.0", 2, last=True)
        eventually(lambda: server.status()["visits"]["viewers"] == 2)


def test_a_player_is_known_by_its_requests():
    """One that follows the stream for some time counts; a script that does the same, or one look, does not."""
    with serving(*SMALL) as server:
        stop = threading.Event()

        def follow(agent, address):
            while not stop.is_set():
                server.get("/desk/live.m3u8", User_Agent=agent, X_Forwarded_For=address)
                stop.wait(1)

        threads = [
            threading.Thread(target=follow, args=who)
            for who in [("VLC/3.0.20 LibVLC/3.0.20", "198.51.100.1"), ("curl/8.5.0", "198.51.100.2")]]
        for thread in threads:
            thread.start()
        server.get("/desk/live.m3u8", User_Agent="Lavf/59.27.100", X_Forwarded_For="198.51.100.3")
        try:
            eventually(lambda: server.status()["visits"]["viewers"] == 1, 40)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        now = server.status()["visits"]
        assert now["visitorsToday"] == 1 and now["watchedSeconds"] >= 15


# Proxies


def test_nobody_but_a_named_proxy_says_where_a_visitor_comes_from():
    with serving(*SMALL, "--trusted-proxies", "192.0.2.0/24") as server:
        for number in range(5):
            seen(server, f"198.51.100.{number}", 5)
        is_counted(server, 1)
    with serving(*SMALL, "--trusted-proxies", "none") as server:
        for number in range(5):
            seen(server, f"198.51.100.{number}", 5)
        is_counted(server, 1)


def test_a_flood_from_one_address_adds_its_share_and_no_more():
    with serving(*SMALL) as server:
        began = time.monotonic()
        with wire.Wire(server.public) as connection:
            for number in range(400):
                connection.ask(
                    "POST", "/desk/seen?seconds=75",
                    {"User-Agent": CHROME.format(number), "X-Forwarded-For": f"2001:db8::{number:x}"})
        took = time.monotonic() - began
        now = server.status()["visits"]
        assert now["visitorsToday"] <= 1
        # Twenty viewers for the longest time between two words, and what passed since.
        assert now["watchedSeconds"] <= 20 * (75 + took + 2)
        seen(server, "198.51.100.1", 5)
        is_counted(server, 2)


@pytest.mark.parametrize("target", ["/desk/seen", "/desk/seen?seconds=", "/desk/seen?seconds=-1", "/desk/seen?seconds=1.5"])
def test_a_word_without_seconds_is_told_so(target):
    with serving(*SMALL) as server:
        answer = server.viewer("POST", target, {"User-Agent": FIREFOX.format(140)})
        assert answer.status == 400 and answer.json["error"] == "noSeconds"
        assert server.get("/desk/seen?seconds=5").status == 405
        assert server.viewer("POST", "/nothing/seen?seconds=5").status == 404


def test_pages_of_other_sites_count_only_where_they_may_show_the_stream():
    with serving(*SMALL, "--allow-origin", "https://friend.example") as server:
        other = server.viewer("POST", "/desk/seen?seconds=5", {"Origin": "https://other.example"})
        assert other.status == 403 and other.json["error"] == "otherSite"
        seen(server, "198.51.100.1", 5, Origin="https://friend.example")
        is_counted(server, 1)


# Bytes


def test_bytes_are_those_that_were_sent(tmp_path):
    """A client that counts what it reads, by kind of answer, and what the server says that it sent."""
    with serving(*SMALL, store=tmp_path) as server:
        before = server.status()["visits"]["sent"]
        read = dict.fromkeys(before, 0)

        def ask(kind, target, **fields):
            with wire.Wire(server.public) as connection:
                counting = Counting(connection.socket)
                connection.socket = counting
                fields = {name.replace("_", "-"): value for name, value in fields.items()}
                answer = connection.ask("GET", target, fields)
                read[kind] += counting.count
                return answer

        listed = playlist.parse(server.get("/desk/live.m3u8").text)
        before = server.status()["visits"]["sent"]
        ask("playlist", "/desk/live.m3u8")
        ask("playlist", "/desk/live.m3u8", Accept_Encoding="gzip")
        ask("playlist", "/desk/index.m3u8")
        ask("picture", "/desk/latest.jpg")
        ask("page", "/desk/")
        for segment in listed.segments[-3:]:
            ask("media", f"/desk/{segment.uri}")
        ask("media", f"/desk/{listed.segments[-1].uri}", Range="bytes=0-99")
        ask("other", "/desk/about.json")
        ask("other", "/desk/999999.mp4")
        # The segment that is being made: its answer has no length, and grows. It may end before it is asked for.
        for _ in range(5):
            name = open_name(playlist.parse(ask("playlist", "/desk/live.m3u8").text))
            if ask("media", f"/desk/{name}")["Content-Length"] is None:
                break
        else:
            raise AssertionError("each segment was whole already")
        after = server.status()["visits"]["sent"]
        for kind, count in read.items():
            sent = after[kind] - before[kind]
            # The sizes of chunks are not counted.
            assert count - 200 <= sent <= count, (kind, sent, count)
        site = re.search(r'sent_bytes_total\{camera="",kind="page"\} (\d+)', server.camera("GET", "/metrics", ASKED).text)
        assert int(site[1]) == 0
        ask("page", "/quietcam.js")
        site = re.search(r'sent_bytes_total\{camera="",kind="page"\} (\d+)', server.camera("GET", "/metrics", ASKED).text)
        assert int(site[1]) > 500
        last = server.status()["visits"]["sent"]
    row = next(row for (camera, _), row in days(tmp_path).items() if camera == CAMERA)
    for kind, count in last.items():
        assert row[f"{kind}Bytes"] >= count


class Counting:
    """A socket that counts what it reads."""

    def __init__(self, socket):
        self.socket, self.count = socket, 0

    def recv(self, *arguments):
        piece = self.socket.recv(*arguments)
        self.count += len(piece)
        return piece

    def __getattr__(self, name):
        return getattr(self.socket, name)


def test_what_is_shown_is_timed(tmp_path):
    with serving(*SMALL, "--hold", "1", store=tmp_path) as server:
        time.sleep(6)
        assert server.camera("POST", f"/cameras/{CAMERA}/pause", ASKED).status < 300
        time.sleep(6)
    row = next(row for (camera, _), row in days(tmp_path).items() if camera == CAMERA)
    assert row["offSeconds"] >= 3 and row["pausedSeconds"] >= 3
    assert row["offSeconds"] + row["pausedSeconds"] <= 30


# The database


def test_it_belongs_to_its_owner_alone_and_can_be_read_while_it_is_written(tmp_path):
    with serving(*SMALL, store=tmp_path) as server:
        seen(server, "198.51.100.1", 60)
        eventually(lambda: days(tmp_path).get((CAMERA, today()), {}).get("visitors") == 1, 30)
        for file in tmp_path.glob(f"{DATABASE}*"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        table = visits(tmp_path)
        assert CAMERA in table and today() in table and "visitors" in table
        rows = list(csv.DictReader(io.StringIO(visits(tmp_path, "--csv", "--camera", CAMERA))))
        assert [(row["camera"], row["visitors"]) for row in rows] == [(CAMERA, "1")]


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


def test_a_damaged_database_is_put_aside_and_stops_nothing(tmp_path):
    (tmp_path / DATABASE).write_bytes(bytes(range(256)) * 64)
    with serving(*SMALL, store=tmp_path) as server:
        seen(server, "198.51.100.1", 60)
        eventually(lambda: "damaged and was put aside" in server.log())
        is_counted(server, 1)
        assert server.get("/desk/live.m3u8").status == 200
    assert (tmp_path / f"{DATABASE}.damaged").read_bytes() == bytes(range(256)) * 64
    assert days(tmp_path)[CAMERA, today()]["visitors"] == 1


def test_a_place_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / DATABASE).mkdir()
    with serving(*SMALL, store=tmp_path) as server:
        seen(server, "198.51.100.1", 60)
        is_counted(server, 1)
        eventually(lambda: "database of visits cannot be written" in server.log())
        server.push(stills.solid(200, 20, 20))
        assert server.settled()["taken"] == 1
        assert server.get("/desk/live.m3u8").status == 200


def test_the_command_says_what_it_needs(tmp_path):
    def fails(*arguments):
        program = subprocess.run(
            [quietcam.binary(), "visits", *map(str, arguments)], capture_output=True, text=True, cwd=tmp_path,
            env=quietcam.environment(), timeout=60)
        assert program.returncode != 0 and not program.stdout
        return program.stderr

    assert "nothing was counted yet" in fails("--store", tmp_path / "nowhere")
    assert "store is memory" in fails("--store", "memory")
    assert "give one of them" in fails("--store", tmp_path, "--csv", "--json")
    assert "--since" in fails("--store", tmp_path, "--since", "yesterday")
    (tmp_path / DATABASE).write_text("no database " * 100)
    assert "cannot read" in fails("--store", tmp_path)


# Privacy


def readable_memory(pid):
    """Each readable piece of a process's memory that is not a file."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place, rights, _, _, inode, *_ = line.split(maxsplit=5)
            if "r" not in rights or inode != "0":
                continue
            begin, end = (int(side, 16) for side in place.split("-"))
            for at in range(begin, end, 1 << 24):
                try:
                    memory.seek(at)
                    yield memory.read(min(1 << 24, end - at))
                except (OSError, ValueError, OverflowError):
                    break


def test_no_address_is_kept_on_disk_or_in_the_log(tmp_path):
    """Planted addresses, as text and as bytes, and the browsers' full names, in all that is written."""
    v4 = [f"198.51.100.{number}" for number in range(101, 121)]
    v6 = [f"2001:db8:aaaa:{number:x}::77" for number in range(0xB01, 0xB15)]
    needles = {text.encode() for text in v4 + v6} | {bytes(map(int, text.split("."))) for text in v4}
    needles |= {bytes.fromhex(f"20010db8aaaa{number:04x}") for number in range(0xB01, 0xB15)}
    needles |= {f"20010db8aaaa{number:04x}".encode() for number in range(0xB01, 0xB15)} | {b"Chrome/8", b"198.51.100."}
    with serving(*SMALL, store=tmp_path / "store", home=tmp_path) as server:
        for number, address in enumerate(v4 + v6):
            seen(server, address, 60, CHROME.format(800 + number))
            server.get("/desk/live.m3u8", X_Forwarded_For=address, User_Agent=CHROME.format(800 + number))
            server.viewer("POST", "/desk/wave", {"X-Forwarded-For": address})
            server.get("/desk/nothing", X_Forwarded_For=address)
        is_counted(server, 40)
        eventually(lambda: days(tmp_path / "store").get((CAMERA, today()), {}).get("visitors") == 40, 30)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert any(path.name == DATABASE for path in files)
        assert server.log_path in files
        look(files, needles)
    look([path for path in tmp_path.rglob("*") if path.is_file()], needles)
    # Sums, and nothing else, whatever the tables are called.
    database = sqlite3.connect(f"file:{tmp_path}/store/{DATABASE}?mode=ro", uri=True)
    tables = {
        name: {column[1] for column in database.execute(f"PRAGMA table_info({name})")}
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")}
    database.close()
    assert set(tables) == {"hours", "days", "actions", "grdb_migrations"}
    assert tables["days"] == {"camera", "day", "visitors"}
    assert not any("address" in column or "hash" in column for columns in tables.values() for column in columns)


def look(files, needles):
    for path in files:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # A segment that has left meanwhile.
            continue
        # Four bytes come by chance in pictures; in the database and the log they would be an address.
        short = 4 if path.name.startswith(DATABASE) or path.suffix == ".log" else 8
        found = [needle for needle in needles if len(needle) >= short and needle in content]
        assert not found, (path, found)


def found_in_memory(server, pattern):
    return {found for piece in readable_memory(server.process.pid) for found in re.findall(pattern, piece)}


@fakes
@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to read another process's memory")
def test_no_table_of_addresses_is_left_in_memory_after_midnight(tmp_path, clock):
    """All of the process's own memory, once the day is over and other requests have come. What is freed is overwritten;
    a buffer that is used again and again may have the text of a request. A table of visitors would have all."""
    addresses = [f"198.51.100.{number}" for number in range(101, 151)]
    planted = re.compile(rb"198\.51\.100\.1\d\d")
    clock.set("2026-11-20 23:00:00")
    with serving(*SMALL, store=tmp_path / "store", environment=clock.environment()) as server:
        for address in addresses:
            seen(server, address, 60)
        is_counted(server, 50)
        with wire.Wire(server.public) as unfinished:
            # The search finds what is there: the head of a request that has not ended.
            unfinished.send(b"GET /desk/live.m3u8 HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.199\r\nX-Pad: ")
            deadline = time.monotonic() + 30
            while not found_in_memory(server, re.compile(rb"198\.51\.100\.199")):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        clock.set("2026-11-21 00:00:30", server)
        is_counted(server, 0)
        # What other requests bring takes the place of what was read before.
        for number in range(1000):
            server.get("/desk/live.m3u8", X_Forwarded_For=f"203.0.113.{number % 250}", User_Agent="x" * (number % 900))
        left = found_in_memory(server, planted)
        print(f"left in memory: {len(left)} of {len(addresses)}")
        assert len(left) <= 5, left
