"""What the public door gives, to whom, in which form and for how long; and that it gives nothing else."""

import itertools
import re
import time
import urllib.parse

import pytest

import playlist
import stills
import wire
from serving import BEARER, serving
from timing import while_same

PLAYLIST = "application/vnd.apple.mpegurl"
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def server():
    with serving("--size", "128x96", "--part", 0.5, "--segment", 2, "--hold", "forever") as server:
        yield server


def live(server):
    return playlist.parse(server.get("/desk/live.m3u8").text)


@pytest.fixture
def segment(server):
    """The address of the newest segment, which stays for long enough, and its bytes."""
    path = f"/desk/{live(server).segments[-1].uri}"
    answer = server.get(path)
    assert answer.status == 200
    return path, answer.body, answer["ETag"]


# The table


ROUTES = [
    ("/", "text/html; charset=utf-8", "no-cache"),
    ("/desk/", "text/html; charset=utf-8", "no-cache"),
    ("/desk/index.m3u8", PLAYLIST, "public, max-age=60"),
    ("/desk/live.m3u8", PLAYLIST, "public, max-age=1"),
    ("/desk/INIT", "video/mp4", FOREVER),
    ("/desk/SEGMENT", "video/mp4", FOREVER),
    ("/desk/PART", "video/mp4", FOREVER),
    ("/desk/latest.jpg", "image/jpeg", "no-cache"),
    ("/desk/about.json", "application/json", "public, max-age=60"),
    ("/desk/photos.json", "application/json", "public, max-age=1"),
    ("/quietcam.js", "text/javascript; charset=utf-8", "no-cache"),
    ("/favicon.svg", "image/svg+xml", "public, max-age=86400"),
    ("/oembed?url=http%3A%2F%2F127.0.0.1%2Fdesk%2F", "application/json", "public, max-age=300"),
    ("/_/player.css", "text/css; charset=utf-8", "no-cache"),
    ("/_/player.js", "text/javascript; charset=utf-8", "no-cache"),
    ("/healthz", "application/json", "no-store"),
    ("/readyz", "application/json", "no-store"),
]


def real(server, path):
    """The path with the name of a file that is listed now."""
    if not path.split("/")[-1].isupper():
        return path
    now = live(server)
    newest = now.segments[-1]
    return path.replace("INIT", newest.map).replace("SEGMENT", newest.uri).replace("PART", newest.parts[-1].uri)


@pytest.mark.parametrize("path, content_type, caching", ROUTES, ids=[route[0] for route in ROUTES])
def test_every_route_has_its_type_and_may_be_kept_so_long(server, path, content_type, caching):
    answer = server.get(real(server, path))
    assert answer.status == 200 and answer.body
    assert answer["Content-Type"] == content_type
    assert answer["Cache-Control"] == caching
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Date"]


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br"])
@pytest.mark.parametrize("path", [route[0] for route in ROUTES])
def test_head_says_what_get_says_and_sends_no_body(server, path, encoding):
    for _ in range(5):  # Between the two a new part may come.
        with wire.Wire(server.public) as client:
            target = real(server, path)
            head = client.ask("HEAD", target, {"Accept-Encoding": encoding})
            get = client.ask("GET", target, {"Accept-Encoding": encoding})
        if head["ETag"] == get["ETag"]:
            break
    assert head.status == get.status == 200
    assert head.constant_fields() == get.constant_fields()
    assert int(head["Content-Length"]) == len(get.body) > 0


def test_head_of_what_is_not_there_has_no_body_either(server):
    with wire.Wire(server.public) as client:
        for target in ["/nothing", "/desk/1.mp4", "/desk/live.m3u8?_HLS_part=1", "/desk/wave"]:
            head, get = client.ask("HEAD", target), client.ask("GET", target)
            assert head.status == get.status >= 400
            assert head["Content-Length"] == get["Content-Length"] or target == "/desk/wave"


def test_head_of_the_events_ends_at_once(server):
    with wire.Wire(server.public) as client:
        head = client.ask("HEAD", "/desk/events")
        assert (head.status, head["Content-Type"], head["Cache-Control"]) == (
            200, "text/event-stream", "no-store, no-transform")
        assert client.ask("GET", "/healthz").status == 200


def test_the_path_without_its_slash_leads_to_the_page(server):
    answer = server.get("/desk")
    # Relative, so that it leads to the same place below the path that a proxy puts before all this.
    assert (answer.status, answer["Location"], answer["Cache-Control"]) == (308, "desk/", "public, max-age=60")
    for base in ("http://a.example/desk?x=1&y=%20", "http://a.example/cams/desk?x=1&y=%20"):
        answer = server.get("/desk?x=1&y=%20")
        assert urllib.parse.urljoin(base, answer["Location"]) == base.replace("desk?", "desk/?")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/desk/", "/desk/live.m3u8", "/desk/latest.jpg", "/desk/events", "/healthz"])
def test_viewers_change_nothing(server, method, path):
    answer = server.viewer(method, path, body=b"" if method in ("POST", "PUT", "PATCH") else None)
    assert answer.status == 405
    assert answer["Allow"] == "GET, HEAD, OPTIONS"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
@pytest.mark.parametrize(
    "path", ["/ingest/desk", "/ingest/", "/status", "/metrics", "/cameras", "/cameras/desk/pause", "/desk/pause"]
)
def test_nothing_of_the_private_door_is_at_the_public_one(server, method, path):
    before = server.settled()
    answer = server.viewer(method, path, BEARER, stills.one() if method in ("POST", "PUT") else None)
    assert answer.status == 404
    assert answer["Cache-Control"] == "no-store"
    assert server.settled() == before


@pytest.mark.parametrize(
    "path",
    [
        "/desk/state.json",
        "/desk/none.mp4",
        "/desk/0.mp4",
        "/desk/../desk/",
        "/desk/index.m3u8/",
        "/_/",
        "/_/player.html",
        "/_/../player.css",
        "/_/nothing.css",
        "/attic/",
        "/attic/live.m3u8",
        "/favicon.ico",
    ],
)
def test_what_is_not_in_the_table_is_not_there(server, path):
    for method in ["GET", "HEAD"]:
        answer = server.viewer(method, path)
        assert answer.status == 404
        assert answer["Cache-Control"] == "no-store"
    answer = server.viewer("POST", path, body=b"x")
    assert answer.status in (404, 405)
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "target",
    [
        "/desk/../",
        "/desk/%2e%2e/",
        "/desk/%2e%2e/%2e%2e/etc/passwd",
        "/../../etc/passwd",
        "/desk/..%2fstate.json",
        "//",
        "//desk/",
        "/desk//",
        "/desk//live.m3u8",
        "/./desk/",
        "/desk/.",
        "/DESK/",
        "/desk%00/",
        "/desk/\x00.mp4",
        "/desk/%00.mp4",
        "/desk/live.m3u8%00",
        "/desk\\live.m3u8",
        "/desk/\xff\xfe.mp4",
        "/desk/.mp4",
        '/desk/".mp4',
        "http://127.0.0.1/ingest/desk",
        "http://127.0.0.1/status",
        "*",
        "desk/",
        "/" + "a" * 8000,
        "/desk/" + "9" * 8000 + ".mp4",
        "/" + "a/" * 4000,
        "/" + "a" * 200_000,
    ],
    ids=lambda target: repr(target[:40]),
)
def test_odd_targets_are_turned_away(server, target):
    with wire.Wire(server.public) as client:
        try:
            client.send(wire.request_bytes("GET", target))
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = client.answer()
        assert 400 <= answer.status < 500, answer
    assert server.get("/healthz").status == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000,
        b"\r\n" * 50_000 + b"?",
        b"\x00" * 1000,
    ],
    ids=lambda garbage: repr(garbage[:24]),
)
def test_what_is_no_http_ends_the_connection(server, garbage):
    with wire.Wire(server.public) as client:
        try:
            client.send(garbage)
            answer = client.answer()
            assert 400 <= answer.status < 600, answer
        except (wire.Broken, ConnectionError):
            pass
        else:
            assert client.is_ended()
    assert server.get("/healthz").status == 200


def test_a_body_that_nobody_wants_does_not_put_the_connection_out_of_step(server):
    inner = wire.request_bytes("GET", "/healthz")
    with wire.Wire(server.public) as client:
        assert client.ask("POST", "/ingest/desk", BEARER, inner * 1000).status == 404
        try:
            assert client.ask("GET", "/nothing").status == 404
        except (wire.Broken, ConnectionError):
            pass  # Closing it is right too.


# Conditions


REVALIDATED = ["/desk/index.m3u8", "/desk/SEGMENT", "/desk/INIT", "/desk/latest.jpg", "/_/player.css", "/desk/"]


@pytest.mark.parametrize("path", REVALIDATED)
@pytest.mark.parametrize(
    "condition, status",
    [
        ("TAG", 304),
        ("W/TAG", 304),
        ("*", 304),
        ('"other", TAG', 304),
        ('W/"other" , W/TAG, "more"', 304),
        ('"other"', 200),
        ('W/"other"', 200),
        ("", 200),
        ("no tag at all", 200),
    ],
)
def test_a_client_that_has_it_already_gets_no_body(server, path, condition, status):
    path = real(server, path)
    # A page has another address of its picture every five minutes.
    first = server.get(path)
    for _ in range(5):
        first, answer = server.get(path), server.get(path, If_None_Match=condition.replace("TAG", first["ETag"]))
        if first["ETag"] == answer["ETag"] == server.get(path)["ETag"]:
            break
    assert answer.status == status
    assert answer["ETag"] == first["ETag"]
    assert answer["Cache-Control"] == first["Cache-Control"]
    assert answer["Vary"] == first["Vary"]
    if status == 304:
        assert answer["Content-Length"] is None and answer["Content-Type"] is None
    else:
        assert answer.body == first.body


def test_each_form_has_a_tag_of_its_own_and_is_confirmed_as_well(server):
    tags = {coding: server.get("/desk/index.m3u8", Accept_Encoding=coding)["ETag"] for coding in ("identity", "gzip", "br")}
    assert len(set(tags.values())) == 3
    for coding, tag in tags.items():
        for known in tags.values():
            answer = server.get("/desk/index.m3u8", Accept_Encoding=coding, If_None_Match=known)
            # A cache renews the form that it has, and not another one under its name.
            assert (answer.status, answer["ETag"]) == (304, known)
    everything = ", ".join(tags.values())
    for coding, tag in tags.items():
        answer = server.get("/desk/index.m3u8", Accept_Encoding=coding, If_None_Match=everything)
        assert (answer.status, answer["ETag"]) == (304, tag)


def test_the_live_playlist_is_confirmed_until_it_changes(server):
    deadline = time.monotonic() + 10
    etag, statuses = server.get("/desk/live.m3u8")["ETag"], []
    while 200 not in statuses and time.monotonic() < deadline:
        answer = server.get("/desk/live.m3u8", If_None_Match=etag)
        statuses.append(answer.status)
        assert (answer["ETag"] == etag) == (answer.status == 304)
        time.sleep(0.02)
    assert statuses[-1] == 200 and set(statuses[:-1]) == {304}


def test_every_state_of_the_playlist_has_a_tag_of_its_own(server):
    seen = {}
    deadline = time.monotonic() + 20
    while len(seen) < 4:
        assert time.monotonic() < deadline
        answer = server.get("/desk/live.m3u8")
        assert seen.setdefault(answer["ETag"], answer.body) == answer.body
    assert len(set(seen.values())) == len(seen)


# Ranges


@pytest.mark.parametrize(
    "text, first, last",
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, -1),
        ("bytes=5-9", 5, 9),
        ("bytes=100-", 100, -1),
        ("bytes=100-99999999", 100, -1),
        ("bytes=100-999999999999999999", 100, -1),
        ("bytes=-1", -1, -1),
        ("bytes=-100", -100, -1),
        ("bytes=-99999999", 0, -1),
    ],
)
def test_a_range_is_cut_out(server, segment, text, first, last):
    path, body, etag = segment
    first, last = first % len(body), last % len(body)
    answer = server.get(path, Range=text)
    assert answer.status == 206
    assert answer["Content-Range"] == f"bytes {first}-{last}/{len(body)}"
    assert answer.body == body[first : last + 1]
    assert answer["ETag"] == etag
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Cache-Control"] == FOREVER


@pytest.mark.parametrize("text", ["bytes=LENGTH-", "bytes=LENGTH-LENGTH", "bytes=99999999-", "bytes=-0"])
def test_a_range_that_is_not_there_is_told_the_length(server, segment, text):
    path, body, _ = segment
    answer = server.get(path, Range=text.replace("LENGTH", str(len(body))))
    assert answer.status == 416
    assert answer["Content-Range"] == f"bytes */{len(body)}"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "text",
    ["bytes=0-1,5-6", "bytes=9-5", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "items=0-5", "bytes=--5", "0-5"],
)
def test_a_range_that_makes_no_sense_is_ignored(server, segment, text):
    path, body, _ = segment
    answer = server.get(path, Range=text)
    assert (answer.status, answer.body, answer["Content-Range"]) == (200, body, None)


def test_a_range_holds_only_for_the_bytes_that_the_client_has(server, segment):
    path, body, etag = segment
    assert server.get(path, Range="bytes=0-9", If_Range=etag).status == 206
    for other in ['"other"', f"W/{etag}", "Sat, 29 Oct 1994 19:43:31 GMT"]:
        answer = server.get(path, Range="bytes=0-9", If_Range=other)
        assert (answer.status, answer.body) == (200, body), other
    assert server.get(path, Range="bytes=0-9", If_None_Match=etag).status == 304


def test_a_player_that_sends_a_range_with_everything_gets_everything(server):
    for path in ["/desk/index.m3u8", "/desk/live.m3u8", "/desk/INIT", "/desk/SEGMENT", "/desk/PART"]:
        target = real(server, path)
        answer, whole = while_same(
            lambda target=target: server.get(target)["ETag"],
            lambda _, target=target: (server.get(target, Range="bytes=0-"), server.get(target)))
        assert answer.status in (200, 206)
        assert len(answer.body) == int(answer["Content-Length"]) == int(whole["Content-Length"])


# Compression


@pytest.mark.parametrize(
    "accepted, coding",
    [
        (None, None),
        ("", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("deflate, gzip, br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=0.5", "gzip"),
        ("gzip; q=1.0", "gzip"),
        ("gzip;q=0.001", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0.0", None),
        ("gzip ; q=0.000 , identity", None),
        ("identity;q=1, *;q=0", None),
        ("*", "gzip"),
        ("*;q=0", None),
        ("*;q=0, gzip", "gzip"),
        ("gzip;q=0, *", None),
        ("identity", None),
        ("br", "br"),
        ("BR;Q=0.1", "br"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.8, gzip;q=0.9", "gzip"),
        ("br;q=0.9, gzip;q=0.8", "br"),
        ("identity, br;q=0.5", None),
        ("gzipped", None),
        ("brotli", None),
    ],
)
@pytest.mark.parametrize("path", ["/desk/index.m3u8", "/_/player.js", "/_/hls-1.6.15.mjs", "/desk/", "/desk/live.m3u8"])
def test_each_client_gets_what_it_takes(server, path, accepted, coding):
    fields = {} if accepted is None else {"Accept-Encoding": accepted}
    for _ in range(5):  # Between the two a new part may come.
        answer, plain = server.viewer("GET", path, fields), server.get(path)
        if answer["ETag"].startswith(plain["ETag"][:-1]):
            break
    assert answer["Content-Encoding"] == coding
    assert "accept-encoding" in answer["Vary"].lower()
    assert wire.CODINGS[coding](answer.body) == plain.body
    if coding and len(plain.body) > 1000:
        assert len(answer.body) < len(plain.body) / 1.5


def test_brotli_is_smaller_than_gzip(server):
    for path in ("/_/hls-1.6.15.mjs", "/_/frames.js", "/desk/", "/desk/live.m3u8"):
        gzipped, brotlied = while_same(
            lambda path=path: server.get(path)["ETag"],
            lambda _, path=path: [len(server.get(path, Accept_Encoding=coding).body) for coding in ("gzip", "br")])
        assert brotlied < 0.95 * gzipped, (path, brotlied, gzipped)


def test_media_is_never_zipped(server, segment):
    path, body, _ = segment
    answer = server.get(path, Accept_Encoding="gzip, br")
    assert (answer["Content-Encoding"], answer.body) == (None, body)


@pytest.mark.parametrize("path", ["/desk/index.m3u8", "/desk/live.m3u8", "/desk/INIT", "/desk/SEGMENT", "/desk/PART"])
def test_every_origin_may_read_playlists_and_media(server, path):
    path = real(server, path)
    for fields in [{}, {"Range": "bytes=0-5"}, {"If-None-Match": "*"}, {"Range": "bytes=999999999-"}]:
        answer = server.viewer("GET", path, {"Origin": "https://example.org", **fields})
        assert answer["Access-Control-Allow-Origin"] == "*", (fields, answer)
    assert server.get("/desk/1.mp4", Origin="https://example.org")["Access-Control-Allow-Origin"] == "*"


# Waves


def test_a_wave_is_counted_and_told_to_the_camera(server):
    first = server.viewer("POST", "/desk/wave")
    assert first.status == 202
    second = server.viewer("POST", "/desk/wave", body=b"hello" * 1000)
    assert second.json == {"waves": first.json["waves"] + 1}
    assert server.push(stills.one()).json["waves"] == second.json["waves"] == server.status()["waves"]


def test_a_wave_needs_a_post(server):
    for method in ["GET", "HEAD", "PUT", "DELETE"]:
        answer = server.viewer(method, "/desk/wave")
        assert (answer.status, answer["Allow"]) == (405, "POST, OPTIONS")
    assert server.viewer("POST", "/attic/wave").status == 404


# The newest picture


def test_the_newest_still_is_the_latest_picture_and_has_a_tag_of_its_own(server):
    seen = set()
    for colour in [(220, 40, 40), (40, 200, 60), (50, 60, 220)]:
        assert server.push(stills.solid(*colour)).status == 202
        server.settled()
        answer = server.get("/desk/latest.jpg")
        assert stills.is_near(stills.colour_of(answer.body), colour)
        assert server.get("/desk/latest.jpg", If_None_Match=answer["ETag"]).status == 304
        seen.add(answer["ETag"])
    assert len(seen) == 3


def test_no_metadata_of_a_still_reaches_a_viewer(server, tmp_path):
    home = tmp_path / "store"
    options = ["--size", "128x96", "--rate", 5, "--part", 0.2, "--segment", 1]
    with serving(*options, store=home) as server, wire.Wire(server.public) as listener:
        listener.send(wire.request_bytes("GET", "/desk/events"))
        listener.head()
        collected = {}
        for entry in stills.PLANTED:
            assert stills.SECRET in stills.bytes_of(entry)
            assert server.push(stills.bytes_of(entry)).status == 202
            server.settled()
            latest = server.get("/desk/latest.jpg")
            collected[f"latest.jpg of {entry['file']}"] = latest.body
            kinds = [marker for marker, _ in stills.segments_of(latest.body)]
            assert not {0xFE, *range(0xE1, 0xF0)} & set(kinds), "COM or an APP segment that is not JFIF"
            assert kinds.count(0xE0) <= 1
        assert server.settled()["shown"] == len(stills.PLANTED)
        # Until the segment with the last of them is complete and in the mirror.
        last = home / "desk" / f"{live(server).open.sequence}.mp4"
        deadline = time.monotonic() + 10
        while not last.exists():
            assert time.monotonic() < deadline, sorted(home.rglob("*"))
            time.sleep(0.05)
        for uri in ["", "index.m3u8", "live.m3u8", *live(server).uris()]:
            collected[uri] = server.get(f"/desk/{uri}").body
        plain = server.get("/desk/plain.m3u8").text
        media = re.findall(r'URI="([^"]+)"|^([^#].*)$', plain, re.M)
        assert len(media) > 3
        for uri in [either for pair in media for either in pair if either]:
            collected[f"plain {uri}"] = server.get(f"/desk/{uri}").body
        collected["recent.mp4"] = server.operators("/cameras/desk/recent.mp4").body
        collected["events"] = b"".join(iter_chunks(listener))
        for path in home.rglob("*"):
            if path.is_file():
                collected[str(path)] = path.read_bytes()
    assert b"event: still" in collected["events"]
    assert len(collected) > 30
    for name, data in collected.items():
        assert stills.SECRET not in data, name
        assert b"Exif" not in data and b"http://ns.adobe.com" not in data, name


def iter_chunks(client):
    """What has come over a connection with a chunked answer so far."""
    while client.rest or not client.is_silent(0.1):
        yield client.chunk()


# Load


def test_many_requests_on_one_connection_are_answered_in_their_order(server):
    targets = [real(server, path) for path, _, _ in ROUTES if path != "/desk/live.m3u8"]
    order = list(itertools.islice(itertools.cycle(targets), 60))

    def ask(_):
        with wire.Wire(server.public) as client:
            client.send(b"".join(wire.request_bytes("GET", target) for target in order))
            return [client.answer().body for _ in order]

    # A page has another address of its picture every five minutes.
    expected = {}
    answers = while_same(lambda: expected.update({target: server.get(target).body for target in targets}) or dict(expected), ask)
    assert answers == [expected[target] for target in order]


@pytest.mark.parametrize("value", ["close", "Close", "close, TE"])
def test_a_client_that_wants_the_connection_closed_has_it_closed(server, value):
    with wire.Wire(server.public) as client:
        answer = client.ask("GET", "/healthz", {"Connection": value})
        assert answer.status == 200
        assert client.is_ended()


def test_a_listener_of_http_1_0_is_sent_no_chunks(server):
    """Chunked coding came with HTTP/1.1 (RFC 9112, section 6.1)."""
    with wire.Wire(server.public) as client:
        client.send(wire.request_bytes("GET", "/desk/events", version="HTTP/1.0"))
        head = client.head()
        assert head.status == 200 and head["Transfer-Encoding"] is None
        assert client.exactly(6) == b"retry:"


def test_a_viewer_of_http_1_0_gets_the_whole_playlist_and_the_end(server):
    with wire.Wire(server.public) as client:
        client.send(wire.request_bytes("GET", "/desk/live.m3u8", version="HTTP/1.0"))
        assert client.answer().text.startswith("#EXTM3U")
        assert client.is_ended()
