"""Playlists that are compressed with what the viewer got before (RFC 9842), read by other programs' libraries."""

import re

import pytest

import playlist
import serving
import wire
from dictionaries import BROWSER, WITH_DICTIONARY, asking, name, plain, unpacked
from serving import CAMERA

PART, SEGMENT = 0.5, 4
CAMERAS = f"""
defaults: {{part: {PART}, segment: {SEGMENT}, size: 128x96, rate: 4}}
cameras:
  {CAMERA}: {{token: {serving.TOKEN}}}
  square: {{token: {serving.TOKEN}}}
"""
LIVE = f"/{CAMERA}/live.m3u8"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    config = tmp_path_factory.mktemp("config") / "quietcam.yaml"
    config.write_text(CAMERAS)
    config.chmod(0o600)
    with serving.launched(*serving.FREE_PORTS, "--store", "memory", "--config", config) as server:
        yield server.wait_until_ready()


def following(text, more=""):
    """The next blocking reload after a playlist."""
    now = playlist.parse(text.decode())
    sequence, part = now.open.sequence, len(now.open.parts)
    return f"{LIVE}?_HLS_msn={sequence}&_HLS_part={part}{more}"


def successor(target):
    """The place of the part behind the one that a reload waits for."""
    sequence, part = (int(number) for number in re.findall(r"=(\d+)", target))
    return (sequence, part + 1) if part + 1 < int(SEGMENT / PART) else (sequence + 1, 0)


def first(viewer):
    answer = viewer.ask("GET", LIVE, {"Accept-Encoding": BROWSER})
    assert answer["Use-As-Dictionary"] == 'match="live.m3u8"'
    return plain(answer)


def passed(viewer):
    """A playlist that is not the newest any more."""
    text = first(viewer)
    viewer.ask("GET", following(text))
    return text


def test_a_slot_costs_less_than_100_bytes(server):
    with wire.Wire(server.public) as viewer:
        text, sizes = first(viewer), []
        for _ in range(2 * int(SEGMENT / PART) + 2):
            target = following(text)
            answer = viewer.ask("GET", target, asking(text))
            assert answer["Use-As-Dictionary"] == 'match="live.m3u8"'
            new = unpacked(answer, text)
            # Who asks for the same gets the same, until the next part comes.
            others = viewer.ask("GET", target).body
            assert new == others or playlist.parse(others.decode()).hint != playlist.parse(new.decode()).hint
            assert new.startswith(b"#EXTM3U\n") and new != text
            # A viewer that a busy machine holds up gets two slots in one.
            if following(new) == f"{LIVE}?_HLS_msn={successor(target)[0]}&_HLS_part={successor(target)[1]}":
                sizes.append((len(answer.body), len(new)))
            text = new
    assert len(sizes) >= int(SEGMENT / PART)
    assert max(packed for packed, _ in sizes) < 100, sizes


def test_the_text_is_what_others_get(server):
    with wire.Wire(server.public) as viewer:
        text = passed(viewer)
        for _ in range(5):
            packed = viewer.ask("GET", LIVE, asking(text))
            others = viewer.ask("GET", LIVE)
            if packed["ETag"].startswith(others["ETag"][:-1]):
                assert unpacked(packed, text) == others.body
                return
    raise AssertionError("each time a part came between two requests")


def test_a_viewer_who_asks_at_once_names_the_text_before_the_last(server):
    with wire.Wire(server.public) as viewer:
        texts = [first(viewer)]
        for _ in range(9):
            texts.append(plain(viewer.ask("GET", following(texts[-1]))))
        last = following(texts[-1])
        for age in (2, 3, 5):
            viewer.ask("GET", last, asking(texts[-age]))
        answer = viewer.ask("GET", LIVE, asking(texts[-2]))
        assert len(unpacked(answer, texts[-2])) > 500
        # Nothing is kept for long.
        assert viewer.ask("GET", LIVE, asking(texts[0]))["Content-Encoding"] == "br"


def test_deltas_and_whole_playlists_serve_one_another(server):
    with wire.Wire(server.public) as viewer:
        text = passed(viewer)
        delta = unpacked(viewer.ask("GET", f"{LIVE}?_HLS_skip=YES", asking(text)), text)
        viewer.ask("GET", following(delta))
        whole = unpacked(viewer.ask("GET", LIVE, asking(delta)), delta)
        assert whole.startswith(b"#EXTM3U\n")


@pytest.mark.parametrize(
    "fields",
    [
        {"Accept-Encoding": WITH_DICTIONARY},
        {"Accept-Encoding": WITH_DICTIONARY, "Available-Dictionary": ""},
        {"Accept-Encoding": WITH_DICTIONARY, "Available-Dictionary": ":AAAA:"},
        {"Accept-Encoding": WITH_DICTIONARY, "Available-Dictionary": f":{'A' * 43}=:"},
        {"Accept-Encoding": WITH_DICTIONARY, "Available-Dictionary": "KNOWN, KNOWN"},
        {"Accept-Encoding": BROWSER, "Available-Dictionary": "KNOWN"},
        {"Accept-Encoding": f"{BROWSER}, dcb", "Available-Dictionary": "KNOWN"},
        {"Accept-Encoding": f"{BROWSER}, dcz;q=0", "Available-Dictionary": "KNOWN"},
        {"Accept-Encoding": f"{BROWSER}, dcz;q=0.9", "Available-Dictionary": "KNOWN"},
    ],
)
def test_nobody_gets_what_needs_a_dictionary_unasked(server, fields):
    with wire.Wire(server.public) as viewer:
        text = passed(viewer)
        answer = viewer.ask("GET", LIVE, {key: value.replace("KNOWN", name(text)) for key, value in fields.items()})
        assert answer.status == 200 and answer["Content-Encoding"] == "br" and plain(answer).startswith(b"#EXTM3U\n")
        assert answer["Vary"] == "Accept-Encoding, Available-Dictionary"


def test_another_cameras_playlist_is_no_dictionary(server):
    with wire.Wire(server.public) as viewer:
        text = passed(viewer)
        other = viewer.ask("GET", "/square/live.m3u8", asking(text))
        assert other["Content-Encoding"] == "br"


def test_only_the_playlist_with_parts_has_dictionaries(server):
    with wire.Wire(server.public) as viewer:
        text = first(viewer)
        for path in (f"/{CAMERA}/index.m3u8", f"/{CAMERA}/plain.m3u8", f"/{CAMERA}/", "/_/player.js"):
            answer = viewer.ask("GET", path, asking(text))
            assert answer["Content-Encoding"] == "br" and answer["Use-As-Dictionary"] is None
            assert answer["Vary"] == "Accept-Encoding"


def test_it_is_offered_to_those_who_can_keep_it(server):
    for accepted, offers in ((BROWSER, True), (WITH_DICTIONARY, True), ("gzip, deflate, br", False), ("zstd;q=0", False)):
        answer = server.get(LIVE, Accept_Encoding=accepted)
        assert (answer["Use-As-Dictionary"] is not None) == offers
        assert answer["Vary"] == "Accept-Encoding, Available-Dictionary"
    assert server.get(LIVE)["Use-As-Dictionary"] is None


def test_head_and_conditions_hold_with_a_dictionary(server):
    with wire.Wire(server.public) as viewer:
        for _ in range(5):  # Between the requests a new part may come.
            text = passed(viewer)
            head, get = (viewer.ask(method, LIVE, asking(text)) for method in ("HEAD", "GET"))
            again = viewer.ask("GET", LIVE, asking(text) | {"If-None-Match": get["ETag"]})
            brotlied = viewer.ask("GET", LIVE, {"Accept-Encoding": "br"})
            if get["Content-Encoding"] == "dcz" and head["ETag"] == get["ETag"] and again.status == 304:
                break
        assert head.constant_fields() == get.constant_fields() and int(head["Content-Length"]) == len(get.body)
        assert again["ETag"] == get["ETag"] != brotlied["ETag"] and again["Use-As-Dictionary"] is None
