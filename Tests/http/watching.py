"""Watchers of a running server that look on for a while, in threads of their own, while other tests run."""

import collections
import random
import threading
import time

import playlist
import stills
import wire


class Watcher:
    """Looks on for so many seconds; what went wrong is told to those who wait for the end."""

    def __init__(self, server, seconds):
        self.server = server
        self.began = time.monotonic()
        self.seconds = seconds
        self.problem = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def is_over(self):
        return time.monotonic() >= self.began + self.seconds

    def _run(self):
        try:
            with wire.Wire(self.server.public) as client:
                while not self.is_over:
                    self.look(client)
        except Exception as error:
            self.problem = error

    def wait(self):
        self.thread.join(self.seconds + 30)
        assert self.problem is None, self.problem
        assert not self.thread.is_alive()
        return self


class PlaylistWatcher(Watcher):
    """All that a watchful viewer sees: each version of the playlist, and of each address when it could be fetched."""

    def __init__(self, server, seconds):
        self.versions = []
        # When each version was last asked for and came.
        self.last_asked = []
        self.bytes = {}
        self.refused_at_once = {}
        # When an address was last known to be listed and first known not to be, and the same for being served.
        self.last_listed = {}
        self.left = {}
        self.last_served = {}
        self.first_missing = {}
        super().__init__(server, seconds)

    def look(self, client):
        asked = time.monotonic()
        answer = client.ask("GET", "/desk/live.m3u8")
        if not self.versions or answer.body != self.versions[-1][1]:
            now = playlist.parse(answer.text)
            self.versions.append((time.monotonic(), answer.body, now))
            self.last_asked.append(asked)
            listed = set(now.uris())
            for uri in listed - self.bytes.keys():
                got = client.ask("GET", f"/desk/{uri}")
                self.bytes[uri] = got.body
                if got.status != 200:
                    self.refused_at_once[uri] = got.status
            for uri in self.bytes.keys() - listed - self.left.keys():
                self.left[uri] = time.monotonic()
        else:
            self.last_asked[-1] = asked
        self.last_listed.update(dict.fromkeys(self.versions[-1][2].uris(), asked))
        for uri in self.left.keys() - self.first_missing.keys():
            asked = time.monotonic()
            got = client.ask("HEAD", f"/desk/{uri}")
            if got.status == 200:
                self.last_served[uri] = asked
            else:
                assert got.status == 404, got
                self.first_missing[uri] = time.monotonic()
        time.sleep(0.03)


class MediaWatcher(Watcher):
    """Collects every segment and part, as a player would that begins with the stream."""

    def __init__(self, server, seconds):
        self.init = None
        self.segments = {}
        self.parts = {}
        self.query = ""
        super().__init__(server, seconds)

    def look(self, client):
        def get(uri):
            answer = client.ask("GET", f"/desk/{uri}")
            assert answer.status == 200, (uri, answer)
            return answer.body

        now = playlist.parse(client.ask("GET", f"/desk/live.m3u8{self.query}").text)
        self.init = self.init or get(now.segments[0].map)
        for segment in [*now.segments, now.open]:
            if segment.uri and segment.sequence not in self.segments:
                self.segments[segment.sequence] = get(segment.uri)
            for index, part in enumerate(segment.parts):
                if (segment.sequence, index) not in self.parts:
                    self.parts[segment.sequence, index] = get(part.uri)
        sequence, part = now.newest
        self.query = f"?_HLS_msn={sequence}&_HLS_part={part + 1}"


class IrregularCamera:
    """Pushes stills with gaps from 0.05 s to 3 s, in bursts of ten, and with one silence of 4 s."""

    def __init__(self, server):
        self.server = server
        self.statuses = collections.Counter()
        self.quiet = threading.Lock()
        self.problem = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join(30)

    def _run(self):
        dice = random.Random(7)
        silence = time.monotonic() + 8
        try:
            while not self._stop.is_set():
                with self.quiet:
                    for _ in range(10 if dice.random() < 0.2 else 1):
                        still = stills.solid(*(dice.randrange(0, 256, 32) for _ in range(3)), size=(160, 120))
                        self.statuses[self.server.push(still).status] += 1
                gap = dice.choice([0.05, 0.1, 0.3, 0.7, 1.1, dice.uniform(0.05, 3)])
                if silence and time.monotonic() > silence:
                    gap, silence = 4, None
                self._stop.wait(gap)
        except Exception as error:
            self.problem = error
