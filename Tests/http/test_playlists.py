"""The live playlists over time: what may change from one version to the next, and what a player may wait for."""

import datetime
import fractions
import selectors
import time

import pytest

import playlist
import wire
from conftest import PLAYLIST_SECONDS as SECONDS
from timing import again_if_late, in_time, while_same

PART, SEGMENT, WINDOW = fractions.Fraction(1, 2), 1, 6
# Something may come so late.
SLACK = 0.5


@pytest.fixture(scope="module")
def server(playlist_watcher):
    return playlist_watcher.server


@pytest.fixture
def recording(playlist_watcher):
    return playlist_watcher.wait()


def live(server, query=""):
    answer = server.get(f"/desk/live.m3u8{query}")
    assert answer.status == 200, answer
    return playlist.parse(answer.text)


def after(position, count=1):
    """The position of the part that comes so many parts after another one."""
    sequence, part = position
    parts = int(SEGMENT / PART)
    return divmod(sequence * parts + part + count, parts)


def next_segment(server):
    """Waits for the first part of the next segment and returns its sequence."""
    sequence = live(server).open.sequence + 1
    assert live(server, f"?_HLS_msn={sequence}&_HLS_part=0").newest >= (sequence, 0)
    return sequence


# Blocking reload (L3, L4)


@again_if_late
def test_a_reload_waits_until_its_part_is_there(server):
    for _ in range(3):
        wanted = after(live(server).newest)
        answer = live(server, f"?_HLS_msn={wanted[0]}&_HLS_part={wanted[1]}")
        assert answer.newest >= wanted
        in_time(answer.newest <= after(wanted), answer.newest)


@again_if_late
def test_a_reload_waits_for_two_parts_as_well(server):
    began = time.monotonic()
    wanted = after(live(server).newest, 2)
    assert live(server, f"?_HLS_msn={wanted[0]}&_HLS_part={wanted[1]}").newest >= wanted
    waited = time.monotonic() - began
    assert PART * 0.7 < waited
    in_time(waited < 2 * PART + SLACK, waited)


def test_a_reload_without_a_part_waits_until_the_segment_is_complete(server):
    sequence = next_segment(server)
    answer = live(server, f"?_HLS_msn={sequence}")
    assert answer.segments[-1].sequence >= sequence


@again_if_late
def test_a_part_past_the_end_of_a_segment_means_the_first_of_the_next(server):
    sequence = next_segment(server)
    answer = live(server, f"?_HLS_msn={sequence}&_HLS_part={int(SEGMENT / PART)}")
    assert (sequence + 1, 0) <= answer.newest
    in_time(answer.newest <= (sequence + 1, 1), answer.newest)


@again_if_late
def test_a_stale_reload_is_answered_at_once(server):
    now = live(server)
    for query in [
        f"?_HLS_msn={now.segments[-1].sequence}",
        f"?_HLS_msn={now.newest[0]}&_HLS_part={now.newest[1]}",
        f"?_HLS_msn={now.sequence}&_HLS_part=0",
        f"?_HLS_msn={now.sequence - 1000}",
        "?_HLS_msn=0",
        "?_HLS_msn=0&_HLS_part=999",
    ]:
        began = time.monotonic()
        assert live(server, query).newest >= now.newest
        in_time(time.monotonic() - began < PART * 0.8, query)


def test_other_parameters_are_nobodys_business(server):
    now = live(server)
    for query in ["?token=1", "?_HLS_skip=YES", "?_HLS_push=0", "?", "?&&", "?_HLS_skip=YES&_HLS_msn=0", "?x=%00"]:
        assert live(server, query).newest >= now.newest


@pytest.mark.parametrize(
    "query",
    [
        "?_HLS_part=0",
        "?_HLS_msn=",
        "?_HLS_msn",
        "?_HLS_msn=x",
        "?_HLS_msn=-1",
        "?_HLS_msn=1.5",
        "?_HLS_msn=+1",
        "?_HLS_msn=0x10",
        "?_HLS_msn=1e3",
        "?_HLS_msn=99999999999999999999999999",
        "?_HLS_msn=9223372036854775807",
        "?_HLS_msn=NEXT+4",
        "?_HLS_msn=NEXT+1000",
        "?_HLS_msn=NEXT+4&_HLS_part=0",
        "?_HLS_msn=NEXT&_HLS_part=x",
        "?_HLS_msn=NEXT&_HLS_part=-1",
        "?_HLS_msn=NEXT&_HLS_part=",
    ],
)
@again_if_late
def test_a_reload_that_makes_no_sense_is_refused_at_once(server, query):
    def ask(following):
        target = query
        for offset in (1000, 4, 0):
            target = target.replace(f"NEXT+{offset}" if offset else "NEXT", str(following + offset))
        began = time.monotonic()
        return server.get(f"/desk/live.m3u8{target}"), time.monotonic() - began

    # One segment later the same number may be waited for.
    answer, took = while_same(lambda: live(server).open.sequence, ask)
    assert answer.status == 400, answer
    assert answer.json["error"] == "badDirective" and "_HLS_" in answer.json["detail"]
    assert answer["Cache-Control"] == "no-store"
    in_time(took < PART, took)


def test_a_playlist_asked_for_with_directives_may_be_kept_and_without_hardly(server):
    wanted = after(live(server).newest)
    for query in [f"?_HLS_msn={wanted[0]}&_HLS_part={wanted[1]}", "?_HLS_msn=0"]:
        assert server.get(f"/desk/live.m3u8{query}")["Cache-Control"] == f"public, max-age={6 * SEGMENT}"
    assert server.get("/desk/live.m3u8")["Cache-Control"] == "public, max-age=1"


def test_a_viewer_that_leaves_while_it_waits_is_forgotten(server):
    wanted = after(live(server).newest, 3)
    for _ in range(20):
        with wire.Wire(server.public) as client:
            client.send(wire.request_bytes("GET", f"/desk/live.m3u8?_HLS_msn={wanted[0]}&_HLS_part={wanted[1]}"))
    live(server, f"?_HLS_msn={wanted[0]}&_HLS_part={wanted[1]}")
    deadline = time.monotonic() + 5
    while server.status()["waiting"]["viewers"] > 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@again_if_late
def test_five_hundred_viewers_who_wait_get_the_same_bytes_at_once(server):
    wanted = after(live(server).newest, 4)
    request = wire.request_bytes("GET", f"/desk/live.m3u8?_HLS_msn={wanted[0]}&_HLS_part={wanted[1]}")
    clients = [wire.Wire(server.public) for _ in range(500)]
    try:
        for client in clients:
            client.send(request)
        with selectors.DefaultSelector() as selector:
            for client in clients:
                selector.register(client.socket, selectors.EVENT_READ)
            assert selector.select(10), "nobody was answered"
        first = time.monotonic()
        answers = [client.answer() for client in clients]
        took = time.monotonic() - first
    finally:
        for client in clients:
            client.close()
    assert {answer.status for answer in answers} == {200}
    # Who came only after the part was there may see the next one.
    bodies = [answer.body for answer in answers]
    assert len(set(bodies)) == len({playlist.parse(body.decode()).newest for body in set(bodies)})
    in_time(bodies.count(max(set(bodies), key=bodies.count)) > 400, len(set(bodies)))
    in_time(took < 3, took)


# The announced part (L6)


@again_if_late
def test_the_announced_part_may_be_asked_for_before_it_is_there(server):
    for _ in range(2):
        now = live(server)
        live(server, f"?_HLS_msn={after(now.newest)[0]}&_HLS_part={after(now.newest)[1]}")
        began = time.monotonic()
        hint = live(server).hint
        with wire.Wire(server.public) as client:
            client.send(wire.request_bytes("GET", f"/desk/{hint}"))
            in_time(client.is_silent(0.2), "bytes of a part that is not complete")
            early = client.answer()
            in_time(time.monotonic() - began < PART + SLACK, "the part is late")
            assert early.status == 200
            assert early["Cache-Control"] == "public, max-age=31536000, immutable"
            late = client.ask("GET", f"/desk/{hint}")
        assert (early.body, early["ETag"]) == (late.body, late["ETag"])
        assert hint in live(server).uris()


def others(newest, hint):
    """Names near the announced one that are not announced."""
    sequence, part = after(newest, 2)
    return [
        f"{sequence}.{part}.mp4",
        f"{newest[0] + 2}.mp4",
        f"{sequence}.{int(SEGMENT / PART)}.mp4",
        f"{newest[0] + 100}.0.mp4",
        f"0{hint}",
        hint.upper(),
        hint.replace(".mp4", ".m4s"),
        "init-00000000.mp4",
    ]


@pytest.mark.parametrize("which", range(8))
@again_if_late
def test_only_the_one_part_that_is_announced_can_be_waited_for(server, which):
    def look():
        now = live(server)
        return now.newest, now.hint

    def ask(seen):
        began = time.monotonic()
        name = others(*seen)[which]
        return name, server.get(f"/desk/{name}"), time.monotonic() - began

    name, answer, took = while_same(look, ask)
    assert answer.status == 404 and answer["Cache-Control"] == "no-store", name
    in_time(took < PART, name)


# Over time


def pairs(recording):
    versions = [version for _, _, version in recording.versions]
    assert len(versions) > SECONDS / PART * 0.8
    return zip(versions, versions[1:], strict=False)


def test_h1_the_target_duration_never_changes_and_no_segment_is_longer(recording):
    assert {version.header["TARGETDURATION"] for _, _, version in recording.versions} == {str(SEGMENT)}
    for _, _, version in recording.versions:
        for segment in version.segments:
            assert segment.duration == SEGMENT
            assert not segment.parts or sum(part.duration for part in segment.parts) == SEGMENT


def test_h2_segments_and_parts_keep_coming_in_time(recording):
    # Each was there from the last request that did not get it to the first answer with it, at the latest.
    seen, before = [at for at, _, _ in recording.versions], recording.last_asked
    assert max(asked - at for at, asked in zip(seen, before, strict=True)) <= PART + SLACK
    begun = {}
    for at, (_, _, version) in zip(seen, recording.versions, strict=True):
        begun.setdefault(version.segments[-1].sequence, at)
    for at, (_, _, version) in zip(before, recording.versions, strict=True):
        assert at - begun[version.segments[-1].sequence] <= 1.5 * SEGMENT
    # Over the whole time not one part is missing.
    first, last = recording.versions[1][2].newest, recording.versions[-1][2].newest
    parts = (last[0] - first[0]) * int(SEGMENT / PART) + last[1] - first[1]
    assert (before[-2] - seen[1]) / PART - 1 - SLACK / PART <= parts <= (seen[-1] - before[0]) / PART + 1


def test_h3_a_playlist_changes_only_at_its_ends(recording):
    for old, new in pairs(recording):
        known = {segment.sequence: segment for segment in [*old.segments, old.open]}
        for segment in [*new.segments, new.open]:
            before = known.get(segment.sequence)
            if before is None:
                assert segment.sequence >= old.open.sequence, "a segment came in at the front"
                continue
            if before.uri is None:
                assert segment.parts[: len(before.parts)] == before.parts
                assert (segment.date, segment.map) == (before.date, before.map) or not before.parts
            else:
                assert segment.parts in (before.parts, ())
                assert (segment.uri, segment.duration, segment.date) == (before.uri, before.duration, before.date)
                assert (segment.map, segment.discontinuity) == (before.map, before.discontinuity)
        unchanged = ("TARGETDURATION", "PART-INF", "SERVER-CONTROL", "VERSION", "INDEPENDENT-SEGMENTS")
        assert [old.header.get(name) for name in unchanged] == [new.header.get(name) for name in unchanged]


def test_h3_a_media_address_never_changes_its_bytes(recording, server):
    listed = set(live(server).uris())
    for uri, data in recording.bytes.items():
        again = server.get(f"/desk/{uri}")
        if again.status == 200:
            assert again.body == data, uri
        else:
            assert uri not in listed


def test_h4_the_media_sequence_rises_by_one_for_each_segment_that_leaves(recording):
    for old, new in pairs(recording):
        removed = [segment for segment in old.segments if segment.sequence < new.sequence]
        assert new.sequence - old.sequence == len(removed)
        remaining = [segment.uri for segment in old.segments[len(removed) :]]
        assert remaining == [segment.uri for segment in new.segments[: len(remaining)]]
    assert recording.versions[-1][2].sequence - recording.versions[0][2].sequence >= SECONDS / SEGMENT - 2


def test_h5_the_window_is_full_from_the_first_version_on(recording):
    for _, _, version in recording.versions:
        assert len(version.segments) == WINDOW >= 6
        assert sum(segment.duration for segment in version.segments) >= 3 * version.target


def assert_kept(recording, uris, at_least, at_most):
    """Holds for how long addresses were served after they left; the probes come late, so both are one-sided."""
    for uri in uris:
        assert recording.last_served.get(uri, 0) - recording.left[uri] <= at_most, uri
        if uri in recording.first_missing:
            assert recording.first_missing[uri] - recording.last_listed[uri] >= at_least, uri


def test_h6_what_left_the_playlist_is_served_for_as_long_as_it_has_to_and_then_no_more(recording):
    gone = [uri for uri in recording.left if uri.count(".") == 1]
    assert len(gone) >= SECONDS / SEGMENT - 2
    # The longest playlist that lists a segment has the window's segments and an open one.
    required = SEGMENT + WINDOW * SEGMENT
    assert len([uri for uri in gone if uri in recording.first_missing]) >= 3, "no segment ever goes"
    assert_kept(recording, gone, required, required + 2 * SEGMENT)


def test_h6_parts_that_left_the_playlist_are_served_for_three_target_durations_more(recording):
    gone = [uri for uri in recording.left if uri.count(".") == 2]
    assert len([uri for uri in gone if uri in recording.first_missing]) >= 10
    assert_kept(recording, gone, 3 * SEGMENT, 5 * SEGMENT)


def test_h7_without_a_change_there_is_no_discontinuity_and_its_counter_is_always_there(recording):
    for _, _, version in recording.versions:
        assert version.header["DISCONTINUITY-SEQUENCE"] == "0"
        assert not any(segment.discontinuity for segment in [*version.segments, version.open])
        assert len({segment.map for segment in version.segments}) == 1 and version.segments[0].map


def test_h9_every_segment_has_its_date_and_the_dates_have_no_gap(recording):
    dates = {}
    for _, _, version in recording.versions:
        for segment in [*version.segments, *([version.open] if version.open.parts else [])]:
            assert segment.date is not None, f"{segment.sequence} has no date"
            assert dates.setdefault(segment.sequence, segment.date) == segment.date
    sequences = sorted(dates)
    assert sequences == list(range(sequences[0], sequences[-1] + 1))
    step = datetime.timedelta(seconds=SEGMENT)
    for left, right in zip(sequences, sequences[1:], strict=False):
        assert abs(dates[right] - dates[left] - step) <= datetime.timedelta(milliseconds=1), (left, right)


def test_h9_the_date_is_the_time_at_which_the_newest_part_begins(recording):
    clock = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=time.monotonic())
    for (at, _, version), asked in zip(recording.versions[1:], recording.last_asked, strict=False):
        if not version.open.parts:
            continue
        begins = version.open.date + datetime.timedelta(seconds=float(PART * (len(version.open.parts) - 1)))
        # The last request that did not get it, and the first answer that had it.
        early, late = ((clock + datetime.timedelta(seconds=moment) - begins).total_seconds() for moment in (asked, at))
        assert -0.1 <= late and early <= SLACK, (early, late)


def test_h10_every_segment_begins_with_an_independent_part(recording):
    for _, _, version in recording.versions:
        assert "INDEPENDENT-SEGMENTS" in version.header
        for segment in [*version.segments, version.open]:
            assert [part.independent for part in segment.parts] == [index == 0 for index in range(len(segment.parts))]


def test_h11_a_live_playlist_has_no_type_and_no_end_and_the_version_that_it_needs(recording):
    for _, _, version in recording.versions:
        assert not version.ended and "PLAYLIST-TYPE" not in version.header
        # EXT-X-MAP in a playlist that is not of I-frames only.
        assert version.header["VERSION"] == "6"


def test_h14_the_multivariant_playlist_tells_the_truth(recording, server):
    [(variant, uri)] = playlist.multivariant(server.get("/desk/index.m3u8").text)
    assert uri == "live.m3u8"
    assert variant["RESOLUTION"] == "128x96"
    assert fractions.Fraction(variant["FRAME-RATE"]) == 2
    codec = variant["CODECS"]
    init = recording.bytes[recording.versions[0][2].segments[0].map]
    avcc = init.index(b"avcC") + 4
    assert codec == f"avc1.{init[avcc + 1 : avcc + 4].hex().upper()}"
    sizes = [len(data) for uri, data in recording.bytes.items() if uri.count(".") == 1 and not uri.startswith("init")]
    assert len(sizes) > SECONDS
    assert max(sizes) * 8 / SEGMENT <= 1.25 * int(variant["BANDWIDTH"])
    assert sum(sizes) * 8 / (SEGMENT * len(sizes)) <= 1.1 * int(variant["AVERAGE-BANDWIDTH"])
    assert int(variant["AVERAGE-BANDWIDTH"]) <= int(variant["BANDWIDTH"])


def test_l1_parts_have_the_promised_length_and_are_listed_for_three_target_durations(recording):
    for _, _, version in recording.versions:
        assert version.part_target == PART
        every = [part for segment in [*version.segments, version.open] for part in segment.parts]
        assert {part.duration for part in every} == {PART}
        listed = sum(part.duration for part in every)
        assert 2 * SEGMENT < listed <= 3 * SEGMENT
        # None is left out in between.
        with_parts = [segment.sequence for segment in version.segments if segment.parts]
        assert with_parts == [segment.sequence for segment in version.segments[-len(with_parts) :]]


def test_l2_the_server_control_keeps_players_far_enough_behind(recording):
    control = recording.versions[0][2].control
    assert control["CAN-BLOCK-RELOAD"] == "YES"
    assert fractions.Fraction(control["HOLD-BACK"]) >= 3 * SEGMENT
    assert fractions.Fraction(control["PART-HOLD-BACK"]) >= 3 * PART
    if "CAN-SKIP-UNTIL" in control:
        assert fractions.Fraction(control["CAN-SKIP-UNTIL"]) >= 6 * SEGMENT


def test_l6_the_next_part_is_always_announced_by_the_name_that_it_gets(recording):
    for old, new in pairs(recording):
        assert old.hint and old.hint not in old.uris()
        if new.newest != old.newest:
            sequence, part = after(old.newest)
            segment = next(item for item in [*new.segments, new.open] if item.sequence == sequence)
            assert segment.parts[part].uri == old.hint


def test_d6_all_that_is_listed_can_be_fetched_at_once(recording):
    assert not recording.refused_at_once
    assert len(recording.bytes) > SECONDS / PART * 1.5
    for uri, data in recording.bytes.items():
        assert data[4:8] == (b"ftyp" if uri.startswith("init") else b"moof"), uri


def test_a_segment_is_its_parts_one_after_the_other(recording):
    whole = 0
    for _, _, version in recording.versions:
        for segment in version.segments:
            if segment.parts:
                joined = b"".join(recording.bytes[part.uri] for part in segment.parts)
                assert joined == recording.bytes[segment.uri]
                whole += 1
    assert whole
