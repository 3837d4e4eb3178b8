"""The judge itself: it takes a good playback, and finds each fault it is there for. No browser, no server."""

import numpy
import pytest

import judge

EVERY, SECONDS, COUNT = 2.0, 30.0, 12


@pytest.fixture(scope="module")
def stills():
    random = numpy.random.default_rng(1)
    scene = numpy.kron(random.integers(30, 226, (6, 8)), numpy.ones((80, 80))).astype(numpy.uint8)
    pictures = []
    for index in range(COUNT):
        picture = scene.copy()
        picture[200:280, 40 * index : 40 * index + 80] = 40 + 180 * (index % 2)
        pictures.append(picture)
    return judge.Stills([f"{index}.jpg" for index in range(COUNT)], pictures)


def watched(stills, shown=lambda number: number, seen=lambda picture: picture, current=lambda t: t, latency=3.0):
    """Samples of a screen that shows a still each two seconds, the one that `shown` gives for its number."""
    samples = []
    for step in range(int(SECONDS * 5) + 5):
        t = step / 5
        picture = seen(stills.pictures[shown(int(t / EVERY)) % COUNT])
        samples.append(judge.Sample(t, 1000 + t, current(t), 4, (640, 480), 1000 + t - latency, picture, [80, 80, 80]))
    return samples


def problems(stills, samples, events=()):
    return judge.judge(samples, list(events), stills, SECONDS, EVERY).problems


def test_a_good_playback_has_no_problem(stills):
    assert problems(stills, watched(stills)) == []


def test_pictures_before_the_first_still_are_not_judged(stills):
    samples = watched(stills)
    later = [
        judge.Sample(s.t + 5, s.wall + 5, s.current + 5, 4, s.size, s.date + 5, s.picture, s.rgb) for s in samples
    ]
    black = numpy.zeros((judge.ROWS, judge.COLUMNS))
    waiting = [judge.Sample(t / 5, 1000 + t / 5, t / 5, 4, (640, 480), None, black, [0, 0, 0]) for t in range(25)]
    assert problems(stills, waiting + later) == []


def test_coding_noise_is_taken(stills):
    noise = numpy.random.default_rng(2).normal(0, 1.5, (judge.ROWS, judge.COLUMNS))
    assert problems(stills, watched(stills, seen=lambda picture: numpy.clip(picture + noise, 0, 255))) == []


def test_stills_out_of_order_are_found(stills):
    order = {4: 5, 5: 4}
    found = problems(stills, watched(stills, shown=lambda number: order.get(number, number)))
    assert any(problem.startswith("went back from 5.jpg to 4.jpg") for problem in found)


def test_a_still_that_was_never_seen_is_found(stills):
    found = problems(stills, watched(stills, shown=lambda number: 6 if number == 5 else number))
    assert any(problem.startswith("1 stills between 4.jpg and 6.jpg were not seen") for problem in found)


def test_a_frozen_picture_is_found(stills):
    found = problems(stills, watched(stills, shown=lambda number: min(number, 3)))
    assert found == ["4 stills were seen, about 15 were pushed in that time"]


def test_a_stall_is_found(stills):
    found = problems(stills, watched(stills, current=lambda t: t if t < 10 else max(10, t - 1.4)))
    assert len(found) == 1 and found[0].startswith("stall: currentTime stood still for 1.4")


def test_a_short_rebuffering_is_no_stall(stills):
    assert problems(stills, watched(stills, current=lambda t: t if t < 10 else max(10, t - 0.8))) == []


def test_a_clock_that_runs_slow_is_found(stills):
    found = problems(stills, watched(stills, current=lambda t: t * 0.9))
    assert len(found) == 1 and "currentTime advanced by 27" in found[0]


@pytest.mark.parametrize(
    "seen",
    [
        lambda picture: numpy.clip((picture - 16) * 255 / 219, 0, 255),
        lambda picture: picture * 219 / 255 + 16,
        lambda picture: numpy.clip(picture + 3, 0, 255),
        lambda picture: numpy.clip(picture, 0, 200),
    ],
    ids=["stretched", "washed-out", "brighter", "clipped"],
)
def test_wrong_black_and_white_is_found(stills, seen):
    found = problems(stills, watched(stills, seen=seen))
    assert any("on screen is off by" in problem for problem in found)
    assert not any("none of the stills" in problem for problem in found)


def test_a_tint_is_found(stills):
    samples = watched(stills)
    samples[40].rgb = [80, 85, 80]
    assert problems(stills, samples) == ["tint on screen is off by +5.00 of 255; allowed is 2.0"]


def test_a_picture_from_elsewhere_is_found(stills):
    samples = watched(stills)
    samples[40].picture = 255 - samples[40].picture
    assert problems(stills, samples) == ["1 pictures on screen were none of the stills"]


def test_another_size_is_found(stills):
    samples = watched(stills)
    samples[40].size = (320, 240)
    assert any("not always 640x480" in problem for problem in problems(stills, samples))


def test_a_stream_far_behind_is_found(stills):
    found = problems(stills, watched(stills, latency=20.0))
    assert found == ["the picture is 20.0 s behind the clock; allowed are 8.0 s"]


def test_a_stream_without_dates_is_found(stills):
    samples = watched(stills)
    for sample in samples:
        sample.date = None
    assert [problem[:27] for problem in problems(stills, samples)] == ["hls.js gave no playingDate;"]


def test_a_fatal_error_is_found(stills):
    event = {"t": 1000.0, "kind": "fatal", "detail": "levelLoadError"}
    assert problems(stills, watched(stills), [event]) == ["the player reported fatal: levelLoadError"]


def test_a_screen_without_any_still_is_found(stills):
    samples = watched(stills, seen=lambda picture: 255 - picture)
    assert problems(stills, samples)[0].startswith("no picture on screen was one of the stills")
