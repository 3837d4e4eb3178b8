"""Judges what a browser showed against the stills that were pushed. Pure: no browser, no server, no clock."""

import base64
import collections
import dataclasses
import pathlib

import numpy
from PIL import Image

WIDTH, HEIGHT, BLOCK = 640, 480, 8
ROWS, COLUMNS = HEIGHT // BLOCK, WIDTH // BLOCK

# Mean absolute difference, in steps of 255, up to which a picture on screen counts as one of the stills. Wide, so that
# a picture with the wrong range is still known as what it is and its luminance is what gets reported.
MATCH = 16.0
DIFFERENCE = 4.0
STALL_SECONDS = 1.0
DRIFT_SECONDS = 2.0
MEAN_ERROR = 2.0
PERCENTILE_ERROR = 6.0
TINT = 2.0
LATENCY_SECONDS = 8.0


def blocks(picture):
    """Mean luma of the 8x8 blocks of a 640x480 picture, as probe.js makes them."""
    return picture.reshape(ROWS, BLOCK, COLUMNS, BLOCK).astype(numpy.float64).mean(axis=(1, 3))


def luma(image):
    """The luma of a Pillow image of 640x480."""
    if image.size != (WIDTH, HEIGHT):
        raise ValueError(f"the picture is {image.size[0]}x{image.size[1]}, not {WIDTH}x{HEIGHT}")
    return numpy.asarray(image.convert("L"))


class Stills:
    """The stills of a folder, in the order in which they are pushed."""

    def __init__(self, names, pictures):
        self.names = names
        self.pictures = numpy.stack([blocks(picture) for picture in pictures])

    @staticmethod
    def of_folder(folder):
        names, pictures = [], []
        for path in sorted(pathlib.Path(folder).glob("*.jpg")):
            with Image.open(path) as image:
                names.append(path.name)
                pictures.append(luma(image))
        return Stills(names, pictures)

    def __len__(self):
        return len(self.names)

    def best(self, picture):
        """Index of the still nearest to the picture, its difference, and that of the second nearest."""
        differences = numpy.abs(self.pictures - picture).mean(axis=(1, 2))
        order = numpy.argsort(differences)
        second = differences[order[1]] if len(order) > 1 else numpy.inf
        return int(order[0]), float(differences[order[0]]), float(second)


@dataclasses.dataclass
class Sample:
    """One look at the video element. `t` and `wall` are in seconds, `picture` holds 60x80 block means or nothing."""

    t: float
    wall: float
    current: float
    ready: int
    size: tuple
    date: float | None
    picture: numpy.ndarray | None
    rgb: list | None

    @staticmethod
    def read(entry):
        """A sample from what probe.js recorded."""
        picture = None
        if "luma" in entry:
            values = numpy.frombuffer(base64.b64decode(entry["luma"]), dtype=numpy.uint8)
            picture = values.reshape(ROWS, COLUMNS).astype(numpy.float64)
        return Sample(
            t=entry["t"] / 1000,
            wall=entry["wall"] / 1000,
            current=entry["currentTime"],
            ready=entry["readyState"],
            size=tuple(entry["size"]),
            date=None if entry["date"] is None else entry["date"] / 1000,
            picture=picture,
            rgb=entry.get("rgb"),
        )


def stalls(samples):
    """The stretches (start, seconds) in which currentTime stood still for longer than allowed, once it had moved."""
    found = []
    moving = False
    still_since = None
    for before, now in zip(samples, samples[1:]):
        # A seek to the live edge before the first picture is no playback yet.
        moving = moving or 0 < now.current - before.current < 1
        if moving and now.current == before.current:
            still_since = before.t if still_since is None else still_since
            if now.t - still_since > STALL_SECONDS:
                if not found or found[-1][0] != still_since:
                    found.append((still_since, 0.0))
                found[-1] = (still_since, now.t - still_since)
        else:
            still_since = None
    return found


@dataclasses.dataclass
class Report:
    """What the judge found; `problems` is empty when all is well."""

    problems: list
    rows: list

    def table(self, title):
        width = max(len(name) for name, _ in self.rows)
        return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in self.rows)])


def judge(samples, events, stills, seconds, every):
    """Judges the playback of `stills`, pushed one each `every` seconds and round and round, over `seconds` seconds."""
    problems, rows = [], []
    start = next((i for i, s in enumerate(samples) if _is_still(s, stills)), None)
    if start is None:
        nearest = min((stills.best(s.picture)[1] for s in samples if s.picture is not None), default=None)
        return Report([f"no picture on screen was one of the stills (smallest difference: {nearest})"], [("seen", 0)])
    window = [s for s in samples[start:] if s.t <= samples[start].t + seconds + 0.3]

    _judge_clock(samples, window, seconds, problems, rows)
    _judge_events(events, window, problems, rows)
    _judge_order(window, stills, seconds, every, problems, rows)
    _judge_luminance(window, stills, problems, rows)
    _judge_latency(window, problems, rows)
    return Report(problems, rows)


def _is_still(sample, stills):
    return sample.picture is not None and stills.best(sample.picture)[1] <= MATCH


def _judge_clock(samples, window, seconds, problems, rows):
    wall = window[-1].t - window[0].t
    media = window[-1].current - window[0].current
    rows.append(("played", f"{media:.2f} s of media in {wall:.2f} s"))
    if wall < seconds - 1:
        problems.append(f"only {wall:.1f} s of {seconds} s were sampled")
    if abs(media - wall) > DRIFT_SECONDS:
        problems.append(f"currentTime advanced by {media:.2f} s in {wall:.2f} s; they may differ by {DRIFT_SECONDS} s")
    found = stalls([s for s in samples if s.t <= window[-1].t])
    rows.append(("stalls", f"{len(found)}" + "".join(f", {length:.2f} s" for _, length in found)))
    for at, length in found:
        problems.append(f"stall: currentTime stood still for {length:.2f} s, {at - window[0].t:.1f} s into playback")


def _judge_events(events, window, problems, rows):
    inside = [e for e in events if window[0].t <= e["t"] / 1000 <= window[-1].t]
    counts = {kind: sum(e["kind"] == kind for e in inside) for kind in ("waiting", "stalled", "pause", "hls")}
    rows.append(("events", ", ".join(f"{kind} {count}" for kind, count in counts.items())))
    for event in events:
        if event["kind"] in ("fatal", "error", "ended"):
            problems.append(f"the player reported {event['kind']}: {event['detail']}")
    # Also what hls.js complained of on the way to the first picture.
    complaints = collections.Counter(e["detail"].split(" ")[0] for e in events if e["kind"] == "hls")
    rows.append(("hls.js reported", ", ".join(f"{name} {count}" for name, count in complaints.items()) or "nothing"))


def _judge_order(window, stills, seconds, every, problems, rows):
    shown, unknown, margins = [], 0, []
    for sample in window:
        if sample.picture is None:
            continue
        index, difference, second = stills.best(sample.picture)
        if difference > MATCH:
            unknown += 1
            continue
        margins.append(second - difference)
        if not shown or shown[-1][0] != index:
            shown.append([index, sample.t, sample.t])
        shown[-1][2] = sample.t
    if unknown:
        problems.append(f"{unknown} pictures on screen were none of the stills")
    for (before, _, _), (now, at, _) in zip(shown, shown[1:]):
        step = (now - before) % len(stills)
        when = f"{at - window[0].t:.1f} s into playback"
        if step > len(stills) // 2:
            problems.append(f"went back from {stills.names[before]} to {stills.names[now]}, {when}")
        elif step > 1:
            names = f"{stills.names[before]} and {stills.names[now]}"
            problems.append(f"{step - 1} stills between {names} were not seen, {when}")
    expected = seconds / every
    # A player may go faster or slower for a while, to keep its distance.
    if abs(len(shown) - expected) > 2 + DRIFT_SECONDS / every:
        problems.append(f"{len(shown)} stills were seen, about {expected:.0f} were pushed in that time")
    rows.append(("stills seen", f"{len(shown)} of about {expected:.0f}, {len(margins)} samples"))
    # The first and the last were on screen before and after the window.
    stood = [end[1] - begin[1] for begin, end in zip(shown[1:], shown[2:])]
    if stood:
        rows.append(("a still stood", f"{min(stood):.2f} to {max(stood):.2f} s"))
    if margins:
        rows.append(("margin to 2nd best", f"{min(margins):.2f} at least"))


def _judge_luminance(window, stills, problems, rows):
    errors = {"mean": [], "1st percentile": [], "99th percentile": [], "tint": []}
    differences, sizes = [], set()
    for sample in window:
        if sample.picture is None:
            continue
        sizes.add(sample.size)
        index, difference, _ = stills.best(sample.picture)
        if difference > MATCH:
            continue
        still = stills.pictures[index]
        differences.append(difference)
        errors["mean"].append(sample.picture.mean() - still.mean())
        for name, rank in (("1st percentile", 1), ("99th percentile", 99)):
            errors[name].append(numpy.percentile(sample.picture, rank) - numpy.percentile(still, rank))
        errors["tint"].append(max(sample.rgb) - min(sample.rgb))
    limits = dict.fromkeys(errors, PERCENTILE_ERROR) | {"mean": MEAN_ERROR, "tint": TINT}
    rows.append(("size", ", ".join(f"{width}x{height}" for width, height in sorted(sizes))))
    if sizes != {(WIDTH, HEIGHT)}:
        problems.append(f"the video was not always {WIDTH}x{HEIGHT} but {sorted(sizes)}")
    rows.append(("difference to still", f"{max(differences):.2f} at most"))
    if max(differences) > DIFFERENCE:
        problems.append(f"a picture differs from its still by {max(differences):.2f}; allowed is {DIFFERENCE}")
    for name, values in errors.items():
        worst = max(values, key=abs)
        rows.append((f"luminance {name}" if name != "tint" else name, f"{worst:+.2f} off at most"))
        if abs(worst) > limits[name]:
            problems.append(f"{name} on screen is off by {worst:+.2f} of 255; allowed is {limits[name]}")


def _judge_latency(window, problems, rows):
    latencies = [s.wall - s.date for s in window if s.date is not None]
    if len(latencies) < len(window) / 2:
        problems.append("hls.js gave no playingDate; is EXT-X-PROGRAM-DATE-TIME there, and window.quietcam.hls set?")
        return
    median, worst = float(numpy.median(latencies)), max(latencies)
    rows.append(("latency (playingDate)", f"median {median:.2f} s, {worst:.2f} s at most"))
    if median > LATENCY_SECONDS:
        problems.append(f"the picture is {median:.1f} s behind the clock; allowed are {LATENCY_SECONDS} s")
