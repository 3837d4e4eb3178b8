"""Links to cameras with `access: signed`: what they open, for how long, and what nobody learns without one."""

import os
import re
import time
import urllib.parse

import stills
import wire
from doors import KEY, PHOTO, SMALL, configuration, configured, forged, link_of, quiet, uris
from doors import private  # noqa: F401  (fixtures)
from serving import TOKEN
from timing import again_if_late, in_time

def test_a_link_opens_everything_below_it_by_relative_addresses_alone(private):
    page = private.get(private.link + "/")
    assert page.status == 200
    for address in re.findall(r'(?:src|href|data-base|poster)="([^"]+)"', page.text):
        if address != "data:,":
            path = os.path.normpath(f"{private.link}/{address}") + ("/" if address.endswith("/") else "")
            assert private.get(path).status in (200, 503), path
    multivariant = private.get(private.link + "/index.m3u8")
    assert uris(multivariant.text) and not [uri for uri in uris(multivariant.text) if "/" in uri]
    media = private.get(f"{private.link}/{uris(multivariant.text)[0]}")
    assert media.status == 200
    for uri in uris(media.text):
        assert private.get(f"{private.link}/{uri}").status == 200, uri
    assert private.viewer("POST", private.link + "/wave").status == 202
    redirect = private.get(private.link)
    assert redirect.status == 308
    assert urllib.parse.urljoin(private.link, redirect["Location"]) == private.link + "/"
    assert private.get(private.link.replace("~", "%7E") + "/live.m3u8").status == 200
    with wire.Wire(private.public) as client:
        client.send(wire.request_bytes("GET", private.link + "/events"))
        assert client.head().status == 200


def test_photos_are_kept_by_caches_for_no_longer_than_the_link_lasts(private):
    assert private.push(stills.one()).status == 202
    private_photos, deadline = [], time.monotonic() + 15
    while not private_photos:
        assert time.monotonic() < deadline
        private_photos = private.get(private.link + "/photos.json").json["photos"]
        time.sleep(0.1)
    path = "/" + private_photos[0]["name"]
    answer = private.get(private.link + path)
    age = int(re.search(r"^public, max-age=(\d+), immutable$", answer["Cache-Control"])[1])
    assert age <= int(re.search(r"~(\d+)", private.link)[1]) - time.time() + 1
    assert private.get("/desk" + path).status == 404 == private.get(forged(1, key="another") + path).status
    assert private.get(forged(int(time.time()) - 1) + path).status == 403
    # The other camera has no such photo.
    assert private.get("/roof" + path).status == 404


def test_all_who_have_a_link_share_what_caches_keep(private):
    assert link_of(private) == private.link
    name = uris(private.get(f"{private.link}/live.m3u8").text)[0]
    answer = private.get(f"{private.link}/{name}")
    age = int(re.search(r"^public, max-age=(\d+), immutable$", answer["Cache-Control"])[1])
    left = int(re.search(r"~(\d+)", private.link)[1]) - time.time()
    assert left - 5 <= age <= left + 5 and 23 * 3600 < left <= 25 * 3600


PRIVATE = ["", "/", "/index.m3u8", "/live.m3u8", "/latest.jpg", "/events", "/wave", "/1.mp4", "/about.json", "/photos.json", PHOTO]


def test_without_a_link_a_private_camera_is_like_one_that_is_not_there(private):
    def told(answer):
        return answer.status, answer.body, [name for name, _ in answer.fields]

    soon = int(time.time()) + 1000
    wrong = ["/desk", forged(soon, key="another-link-key"), forged(1, key="another-link-key"), "/desk/~1.2", "/desk/~"]
    wrong += [forged(soon)[:-1] + ("0" if forged(soon)[-1] != "0" else "1"), forged(soon).replace(str(soon), str(soon + 1))]
    wrong += ["/roof" + forged(soon).removeprefix("/desk"), forged(soon, camera="roof"), "/roof" + "/~1." + "0" * 32]
    for prefix in wrong:
        for path in PRIVATE:
            method = "POST" if path == "/wave" else "GET"
            absent = private.viewer(method, prefix.replace("desk", "none").replace("roof", "none") + path)
            answer = private.viewer(method, prefix + path)
            assert answer.status == 404 and told(answer) == told(absent), prefix + path
    assert private.get(forged(soon) + "/live.m3u8").status == 200, "the forger of this test knows how"
    for address in ("desk/", "desk", private.link.lstrip("/") + "/"):
        assert private.get(f"/oembed?url=http%3A%2F%2F127.0.0.1%2F{address}").status == 404
    home = private.get("/")
    assert "roof" in home.text and "desk" not in home.text
    for target in ("/readyz", "/healthz", "/oembed", "/quietcam.js"):
        assert b"desk" not in private.get(target).body


def test_a_link_that_has_ended_says_so(private):
    for path in PRIVATE:
        method = "POST" if path == "/wave" else "GET"
        answer = private.viewer(method, forged(int(time.time()) - 1) + path)
        assert (answer.status, answer.json["error"], answer["Cache-Control"]) == (403, "linkEnded", "no-store")


def test_events_end_with_the_link(private):
    end = int(time.time()) + 3
    with wire.Wire(private.public) as client:
        client.send(wire.request_bytes("GET", forged(end) + "/events"))
        assert client.head().status == 200
        while client.chunk():
            pass
    assert end - 1 <= time.time() < end + 4


@again_if_late
def test_a_segment_that_is_being_made_ends_with_the_link(private):
    end = int(time.time()) + 3
    with wire.Wire(private.public) as client:
        while time.time() < end - 0.3:
            hint = re.search(r'PRELOAD-HINT:.*URI="([^"]+)"', private.get(forged(end) + "/live.m3u8").text)[1]
            client.send(wire.request_bytes("GET", f"{forged(end)}/{hint.rsplit('.', 2)[0]}.mp4"))
            head = client.head()
            if head.status == 403:
                assert time.time() >= end
                break
            assert head.status == 200
            if head["Transfer-Encoding"] != "chunked":
                # It became whole since the playlist was read.
                client.exactly(int(head["Content-Length"]))
                continue
            age = int(re.search(r"max-age=(\d+)", head["Cache-Control"])[1])
            assert age <= 3, "a cache keeps it for longer than the link lasts"
            try:
                while client.chunk():
                    in_time(time.time() < end + 0.7, "parts come after the end")
            except wire.Broken:
                break
    in_time(time.time() < end + 2, "it goes on after the end")


def test_the_only_camera_is_not_at_home_where_it_is_private(tmp_path):
    text = f"link-key: {KEY}\ncameras:\n  desk: {{token: {TOKEN}, access: signed}}\n"
    with configured(tmp_path, text, *SMALL) as server:
        assert "desk" not in server.get("/").text
        flags = ["--link-key", KEY, "--camera", "desk", "--for", "30m"]
        link = quiet("link", *flags).strip().removeprefix("http://127.0.0.1:8080")
        assert server.get(link).status == 200
        left = int(re.search(r"~(\d+)", link)[1]) - time.time()
        assert 1795 < left <= 1865
    assert "everyone sees it" in quiet("link", "--config", configuration(tmp_path, "cameras: {desk: {token: 12345678}}"),
                                       "--link-key", KEY, "--camera", "desk", code=64)
