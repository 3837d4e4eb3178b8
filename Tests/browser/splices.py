"""Shows what players make of a stream whose camera comes and goes, and whose server dies.

    python Tests/browser/splices.py --story off,veil,kill --rounds 10 --off-for 30 --players all

Each still carries a number; what a player shows is read back from its pictures. The table of a story counts, for each
player, stalls longer than one target duration, errors, and pictures that came after a later one; the last table has
the stories beside each other. Ten rounds of `off` with 30 s take 9 minutes, of `veil` 4 and of `kill` 3.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import pathlib
import random
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request

import keeper
import numbered
import plainplayers
import quietcam
from browsers import BROWSERS
from ports import free_ports

SCRIPT = numbered.READER + (pathlib.Path(__file__).parent / "splices.js").read_text()
OPERATOR = "operator-token"
SEGMENT, PART, HOLD, STEADY = 3, 1, 2, 1
EVERY = 1.0
LOOP_STILLS = 9


class Rig:
    """A server with one camera, its loop, and a pusher that can be silenced."""

    def __init__(self, home, *options, loop=True, segment=SEGMENT, part=PART, every=EVERY, kept=False):
        self.home = pathlib.Path(home)
        self.segment, self.every = segment, every
        # The listening sockets, where they outlive the server.
        self.keeper = keeper.Keeper() if kept else None
        self.public, self.private = self.keeper.ports if kept else free_ports(2)
        size = f"{numbered.WIDTH}x{numbered.HEIGHT}"
        self.camera = ["--store", self.home / "store", "--camera", quietcam.CAMERA, "--token", quietcam.TOKEN]
        self.camera += ["--size", size, "--segment", segment, "--part", part, "--operator-token", OPERATOR]
        self.camera += ["--hold", HOLD, "--steady", STEADY, *options]
        self.base = f"http://127.0.0.1:{self.public}/{quietcam.CAMERA}/"
        self.log_path = self.home / "serve.log"
        self.pushed = {}
        self.is_on = threading.Event()
        self.is_over = threading.Event()
        self.process = None
        self.notes = []
        self.number = 0
        # How long the camera is off in a round, and how long a killed server stays away.
        self.off_for = self.segment * 3 + HOLD
        self.away_for = 0
        if loop:
            self._make_loop()

    def _make_loop(self):
        folder = self.home / "loop-stills"
        folder.mkdir()
        for number in range(LOOP_STILLS):
            (folder / f"{number:03}.jpg").write_bytes(numbered.still(numbered.LOOP + number))
        self._run("loop", folder, "--every", "1s", *self.camera)

    def _run(self, *arguments):
        words = [str(word) for word in [quietcam.binary(), *arguments]]
        done = subprocess.run(words, env=quietcam.environment(), cwd=self.home, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def start(self):
        self.note("server starts")
        doors = ["--public", f"127.0.0.1:{self.public}", "--private", f"127.0.0.1:{self.private}"]
        with open(self.log_path, "ab") as log:
            begin = self.keeper.popen if self.keeper else subprocess.Popen
            self.process = begin(
                [str(word) for word in [quietcam.binary(), "serve", *doors, *self.camera]],
                cwd=self.home,
                env=quietcam.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_until_ready(self):
        deadline = time.monotonic() + 30
        while quietcam.get(f"http://127.0.0.1:{self.public}/readyz")[0] != 200:
            assert time.monotonic() < deadline and self.process.poll() is None, self.log_path.read_text()[-3000:]
            time.sleep(0.02)

    def kill(self):
        self.note("kill -9")
        self.process.kill()
        self.process.wait()

    def order(self, word):
        self.note(word)
        url = f"http://127.0.0.1:{self.private}/cameras/{quietcam.CAMERA}/{word}"
        request = urllib.request.Request(url, method="POST", headers={"Authorization": f"Bearer {OPERATOR}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            assert answer.status == 200

    def status(self):
        url = f"http://127.0.0.1:{self.private}/status"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {OPERATOR}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return json.load(answer)["cameras"][0]

    def note(self, text):
        self.notes.append((time.time(), text))

    def on(self):
        self.note("camera on")
        self.is_on.set()

    def off(self):
        self.note("camera off")
        self.is_on.clear()

    def push(self):
        """Pushes numbered stills until the end, while the camera is on."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        fields = {"Authorization": f"Bearer {quietcam.TOKEN}", "Content-Type": "image/jpeg"}
        url = f"http://127.0.0.1:{self.private}/ingest/{quietcam.CAMERA}"
        due = time.monotonic()
        while not self.is_over.wait(max(0, due - time.monotonic())):
            due = max(due + self.every, time.monotonic())
            if not self.is_on.is_set():
                continue
            self.number += 1
            self.pushed[self.number] = time.time()
            request = urllib.request.Request(url, numbered.still(self.number), fields, method="POST")
            with contextlib.suppress(OSError):
                opener.open(request, timeout=5).close()

    @contextlib.contextmanager
    def running(self):
        pusher = threading.Thread(target=self.push, daemon=True)
        self.start()
        try:
            self.wait_until_ready()
            self.on()
            pusher.start()
            yield self
        finally:
            self.is_over.set()
            if pusher.ident:
                pusher.join(10)
            if self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(10)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
            if self.keeper:
                self.keeper.close()


# What happens to the stream, one round of each story.


async def off_and_on(rig):
    rig.off()
    await asyncio.sleep(rig.off_for + random.uniform(0, rig.segment))
    rig.on()
    await asyncio.sleep(rig.segment * 3 + random.uniform(0, rig.segment))


def orders(first, second):
    async def story(rig):
        await asyncio.to_thread(rig.order, first)
        await asyncio.sleep(rig.segment * 2 + random.uniform(0, rig.segment))
        await asyncio.to_thread(rig.order, second)
        # A veil goes on until the stills fit to the loop. On a busy machine they come irregularly, and that takes up to 90 s.
        deadline = time.monotonic() + 100
        while (source := (await asyncio.to_thread(rig.status))["source"]) != "live":
            assert time.monotonic() < deadline, f"{second}: still {source}"
            await asyncio.sleep(0.1)
        await asyncio.sleep(rig.segment * 2 + random.uniform(0, rig.segment))

    return story


async def kill(rig):
    await asyncio.sleep(random.uniform(1, 3 * rig.segment))
    rig.kill()
    await asyncio.sleep(rig.away_for)
    rig.start()
    await asyncio.to_thread(rig.wait_until_ready)
    rig.note("server ready")
    await asyncio.sleep(2 * rig.segment)


async def kill_and_lose(rig):
    """A kill whose state file is lost: numbers begin anew, far above."""
    await asyncio.sleep(random.uniform(1, 3 * rig.segment))
    rig.kill()
    (rig.home / "store" / quietcam.CAMERA / "state.json").unlink()
    rig.note("the state is lost")
    rig.start()
    await asyncio.to_thread(rig.wait_until_ready)
    rig.note("server ready")
    await asyncio.sleep(4 * rig.segment)


STORIES = {
    "off": (off_and_on, []),
    "cached": (off_and_on, ["--off", "cached"]),
    "veil": (orders("veil", "unveil"), []),
    "pause": (orders("pause", "resume"), []),
    "withdraw": (orders("withdraw", "resume"), []),
    "withdraw-cached": (orders("withdraw", "resume"), ["--off", "cached"]),
    "kill": (kill, []),
    "lost": (kill_and_lose, []),
    "live": (lambda rig: asyncio.sleep(10), []),
}


# What the players made of it.


@dataclasses.dataclass
class Seen:
    """What one player showed: `samples` of moment, place on the timeline, number; `problems` in its own words."""

    name: str
    samples: list
    problems: list
    # Whether the timeline tells of stalls, or only the coming of pictures.
    is_timeline: bool = True
    # How long nothing may come before it counts.
    patience: float = SEGMENT
    fatal: int = 0
    ended: str = ""

    def playing(self):
        """The samples from the first numbered picture on."""
        first = next((i for i, sample in enumerate(self.samples) if sample[2] >= 0), len(self.samples))
        return self.samples[first:]

    def pauses(self, least=0.7):
        """The stretches without a step on the timeline, as moment and seconds."""
        found, since = [], None
        for before, now in zip(self.playing(), self.playing()[1:]):
            if now[1] != before[1]:
                since = None
                continue
            since = before[0] if since is None else since
            if now[0] - since >= least:
                if not found or found[-1][0] != since:
                    found.append([since, 0])
                found[-1][1] = now[0] - since
        return found

    def backward(self):
        """Pictures that came after a later one: live numbers never fall, and a loop only turns round."""
        found, live, last, turn = [], -1, -1, 0
        for moment, _, value in self.playing():
            if value < 0 or value == last:
                continue
            if value >= numbered.LOOP:
                if last >= numbered.LOOP and value < last and value != turn:
                    turn = value
                    # The whole loop turns round at its end; players that skip pictures may miss its first.
                    if last - value < LOOP_STILLS // 2:
                        found.append((moment, last, value))
            else:
                if value < live:
                    found.append((moment, live, value))
                live = max(live, value)
            last = value
        return found

    def latencies(self, pushed):
        shown = {}
        for moment, _, value in self.playing():
            if 0 <= value < numbered.LOOP:
                shown.setdefault(value, moment)
        return [moment - pushed[value] for value, moment in shown.items() if value in pushed]

    def row(self, rig):
        pauses = self.pauses()
        late = self.latencies(rig.pushed)
        values = {value for _, _, value in self.playing()}
        playing = self.playing()
        unread = sum(value == -1 for _, _, value in playing)
        longest = max((seconds for _, seconds in pauses), default=0)
        starved = sum(b[0] - a[0] > 1 for a, b in zip(playing, playing[1:])) if self.is_timeline else 0
        return {
            "player": self.name,
            "seconds": f"{playing[-1][0] - playing[0][0]:.0f}" if playing else "-",
            "stalls": sum(seconds > self.patience for _, seconds in pauses),
            "pauses": len(pauses),
            "longest": f"{longest:.1f}",
            "fatal": self.fatal,
            "errors": len(self.problems),
            "disorder": len(self.backward()),
            "live": f"{len([v for v in values if 0 <= v < numbered.LOOP])}/{len(rig.pushed)}",
            "loop": len([v for v in values if v >= numbered.LOOP]),
            "unread": unread,
            "latency": f"{statistics.median(late):.1f}" if late else "-",
            "starved": starved,
            "ended": self.ended,
        }


def table(rows):
    names = list(rows[0])
    lines = [names, *([str(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(names))]
    return "\n".join("  ".join(word.rjust(width) for word, width in zip(line, widths)) for line in lines)


class Browser:
    """A browser on the camera's page, with its own player beside it where it has one."""

    def __init__(self, name, rig, own):
        self.name, self.rig, self.own = name, rig, own
        self.found = {}
        self.ready = asyncio.Event()
        self.stop = asyncio.Event()

    async def run(self):
        async with BROWSERS[self.name]() as page:
            await page.preload(SCRIPT)
            await page.goto(f"{self.rig.base}?mode=hls")
            for file in self.own:
                await page.eval(f"quietcamSplices.add({json.dumps(file)}, {json.dumps(self.rig.base + file)})")
            await page.eval(f"quietcamSplices.show('frames', {json.dumps(self.rig.base)})")
            deadline = time.monotonic() + 40
            while not self.stop.is_set():
                await self.look(page)
                if all(any(s[2] >= 0 for s in viewer["samples"]) for viewer in self.found.values()) and self.found:
                    self.ready.set()
                elif time.monotonic() > deadline:
                    self.ready.set()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.stop.wait(), 2)
            await self.look(page)
            self.page_errors = page.errors

    async def look(self, page):
        for name, taken in (await page.eval("quietcamSplices.take()")).items():
            viewer = self.found.setdefault(name, {"samples": [], "events": []})
            viewer["samples"] += taken["samples"]
            viewer["events"] += taken["events"]

    def seen(self):
        for name, viewer in self.found.items():
            begun = next((s[0] for s in viewer["samples"] if s[3] >= 0), 0)
            kinds = ("hls", "fatal", "error", "ended", "begun anew")
            # hls.js complains on its way to the first picture of any live stream.
            problems = [event for event in viewer["events"] if event[1] in kinds and event[0] > begun]
            fatal = sum(e[1] in ("fatal", "error", "ended") for e in problems)
            samples = [(moment, place, value) for moment, place, _, value in viewer["samples"]]
            yield Seen(f"{self.name} {name}", samples, problems, patience=self.rig.segment, fatal=fatal)


async def show(
    story,
    rounds,
    players,
    options=(),
    more=(),
    own=("live.m3u8", "plain.m3u8"),
    rig_options=None,
    file="live.m3u8",
    times=None,
):
    """Plays a story to the players; hands back the rig and what each has seen."""
    stories = story if isinstance(story, list) else [STORIES[story][0]]
    with tempfile.TemporaryDirectory(prefix="quietcam-splices-") as home:
        rig = Rig(home, *options, *more, **(rig_options or {}))
        for name, seconds in (times or {}).items():
            setattr(rig, name, seconds)
        with rig.running():
            await asyncio.sleep(2 * rig.segment)
            browsers = [
                Browser(name, rig, own if name == "chromium" else ()) for name in players if name in BROWSERS
            ]
            tasks = [asyncio.create_task(browser.run()) for browser in browsers]
            programs = [plainplayers.PLAYERS[name] for name in players if name not in BROWSERS]
            others = [begin(rig.base + file, rig.segment) for begin in programs]
            for browser, task in zip(browsers, tasks):
                waiting = asyncio.create_task(browser.ready.wait())
                await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                if task.done():
                    task.result()
            for _ in range(rounds):
                for each in stories:
                    await each(rig)
            await asyncio.sleep(2 * rig.segment)
            seen = []
            for browser, task in zip(browsers, tasks):
                browser.stop.set()
            for browser, task in zip(browsers, tasks):
                await task
                seen += browser.seen()
            for other in others:
                await asyncio.to_thread(other.stop)
                found = (other.samples(), other.problems(), False, other.patience, 0, other.ended)
                seen.append(Seen(other.name, *found))
            rig.final = rig.status()
            rig.log = rig.log_path.read_text(errors="replace")
        return rig, seen


def summary(results):
    """A line for each player and a column for each story."""
    cells = {}
    for story, (_, seen) in results.items():
        for player in seen:
            stalls = sum(seconds > player.patience for _, seconds in player.pauses())
            counts = [stalls, player.fatal, len(player.problems), len(player.backward())]
            ended = "" if player.ended in ("", "-") else " ended"
            cells.setdefault(player.name, {})[story] = "/".join(map(str, counts)) + ended
    return table([{"player": name, **{story: found.get(story, "?") for story in results}} for name, found in cells.items()])


def report(story, asked, rig, seen):
    began = rig.notes[0][0]
    print(f"{story}, {asked.rounds} rounds, segments of {rig.segment} s")
    print(table([player.row(rig) for player in seen]))
    for player in seen:
        for moment, seconds in player.pauses():
            if seconds > (0.9 if player.is_timeline else player.patience):
                print(f"  {player.name}: no step for {seconds:.1f} s at {moment - began:.1f}")
        for moment, before, after in player.backward():
            print(f"  {player.name}: {after} after {before} at {moment - began:.1f}")
        for problem in player.problems[:30]:
            words = " ".join(map(str, problem[1:])).splitlines()[0][:200]
            print(f"  {player.name}: {problem[0] - began:.1f} {words}")
        if player.ended not in ("", "-"):
            print(f"  {player.name} ended {player.ended}")
    print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--story", required=True, help=f"one or more of {','.join(STORIES)}")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--players", default="chromium,firefox", help="or all")
    parser.add_argument("--off-for", type=float, help="seconds that the camera is off in each round of `off`")
    parser.add_argument("--away-for", type=float, default=0, help="seconds that a killed server stays away")
    parser.add_argument("--kept", action="store_true", help="the listening sockets outlive a killed server")
    parser.add_argument("--own", default="live.m3u8,plain.m3u8", help="what Chromium's own player plays beside")
    parser.add_argument("--file", default="live.m3u8", help="what the programs play that are no browsers")
    parser.add_argument("--keep", help="a file for all that was seen, as JSON")
    parser.add_argument("--segment", type=int, default=SEGMENT)
    parser.add_argument("--part", type=float, default=PART)
    parser.add_argument("more", nargs="*", help="settings of quietcam serve, after --")
    asked = parser.parse_args()
    stories = asked.story.split(",")
    if unknown := set(stories) - set(STORIES):
        parser.error(f"no story is called {', '.join(unknown)}")
    players = [*BROWSERS, *plainplayers.PLAYERS] if asked.players == "all" else asked.players.split(",")
    own = [file for file in asked.own.split(",") if file]
    times = {"away_for": asked.away_for} | ({"off_for": asked.off_for} if asked.off_for else {})
    rig_options = {"segment": asked.segment, "part": asked.part, "kept": asked.kept}
    results, kept = {}, {}
    for story in stories:
        options = STORIES[story][1]
        playing = show(story, asked.rounds, players, options, asked.more, own, rig_options, asked.file, times)
        rig, seen = results[story] = asyncio.run(playing)
        report(story, asked, rig, seen)
        kept[story] = {
            "notes": rig.notes,
            "pushed": rig.pushed,
            "log": rig.log,
            "seen": [dataclasses.asdict(player) for player in seen],
        }
    print("stalls over one target duration / fatal / errors / pictures out of order")
    print(summary(results))
    if asked.keep:
        pathlib.Path(asked.keep).write_text(json.dumps(kept))


if __name__ == "__main__":
    main()
