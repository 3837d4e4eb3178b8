"""The pages and what other sites read of them: heads, icons, the script to load, oEmbed, and folders that proxies take off."""

import html
import html.parser
import re
import urllib.parse

import pytest

import doors
import wire
from serving import ONE_CAMERA, TOKEN, launched, refusal, serving

SMALL = ["--size", "128x96", "--rate", 4, "--part", 0.5, "--segment", 1]
KEY = "a-key-for-links-of-tests"


@pytest.fixture(scope="module")
def server():
    with serving(*SMALL, "--title", 'Desk & <"friends"> {{name}}', "--site-title", "Our place") as server:
        yield server


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    (folder / "icon.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 20)
    (folder / "quietcam.yaml").write_text(
        f"link-key: {KEY}\nbase-url: https://cam.example/quiet\nembed: https://a.example\n"
        f"favicon: {folder}/icon.png\n"
        f"cameras:\n  attic: {{token: {TOKEN}, access: signed}}\n  desk: {{token: {TOKEN}, title: The desk}}\n"
        f"  roof: {{token: {TOKEN}}}\n")
    arguments = ["--public", "127.0.0.1:0", "--private", "127.0.0.1:0", "--store", "memory", "--config"]
    with launched(*arguments, folder / "quietcam.yaml", *SMALL) as server:
        yield server.wait_until_ready()


class Head(html.parser.HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def meta(self, name):
        values = [a["content"] for tag, a in self.tags if tag == "meta" and name in (a.get("property"), a.get("name"))]
        assert len(values) < 2, (name, values)
        return values[0] if values else None

    def link(self, relation):
        values = [a for tag, a in self.tags if tag == "link" and a.get("rel") == relation]
        assert len(values) < 2, values
        return values[0] if values else None


def head(server, path, **fields):
    answer = server.get(path, **fields)
    assert answer.status == 200
    return Head(answer.text)


# What a link to a page unfolds to


@pytest.mark.parametrize("path", ["/desk/", "/"])
def test_a_link_to_a_camera_shows_its_title_and_its_picture(server, path):
    page = head(server, path)
    root = "http://127.0.0.1/"
    assert page.meta("og:title") == page.meta("twitter:title") == 'Desk & <"friends"> {{name}}'
    assert page.meta("og:site_name") == "Our place"
    assert page.meta("og:url") == root + path.lstrip("/")
    assert page.meta("twitter:card") == "summary_large_image"
    picture = page.meta("og:image")
    assert picture == page.meta("twitter:image")
    assert re.fullmatch(re.escape(root) + r"desk/latest\.jpg\?t=\d+", picture)
    assert server.get(picture.removeprefix(root[:-1]))["Content-Type"] == "image/jpeg"
    assert "<title>Desk &amp; &lt;&quot;friends&quot;&gt; &#123;&#123;name&#125;&#125;</title>" in server.get(path).text


def test_the_list_of_cameras_names_those_that_everybody_sees(several):
    page = several.get("/")
    parsed = Head(page.text)
    assert "The desk" in page.text and "roof" in page.text and "attic" not in page.text
    assert parsed.meta("og:url") == "https://cam.example/quiet/"
    assert parsed.meta("og:image").startswith("https://cam.example/quiet/desk/latest.jpg?t=")
    assert "{{" not in page.text and "<!--camera" not in page.text


def test_nobody_is_told_of_a_private_camera(several):
    expiry = 2_000_000_000
    link = doors.forged(expiry, key=KEY, camera="attic")
    page = head(several, link + "/")
    assert not [a for tag, a in page.tags if tag == "meta" and ("property" in a or "twitter" in a.get("name", ""))]
    assert page.link("alternate") is None and page.link("icon")
    assert several.get(link + "/about.json").json["camera"] == "attic"
    assert several.get("/attic/about.json").status == several.get("/attic/photos.json").status == 404
    photos = several.get(link + "/photos.json")
    assert photos.json == {"photos": []}


# Which address a page has outside


def test_the_address_is_the_one_that_visitors_come_by(server):
    def url(**fields):
        return head(server, "/desk/", **fields).meta("og:url")

    assert url(X_Forwarded_Proto="https") == "https://127.0.0.1/desk/"
    assert url(Forwarded="for=192.0.2.1;proto=https") == "https://127.0.0.1/desk/"
    assert url(X_Forwarded_Proto="https", X_Forwarded_Prefix="/cams/quiet") == "https://127.0.0.1/cams/quiet/desk/"


@pytest.mark.parametrize(
    "fields",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
        {"X-Forwarded-Proto": "javascript"},
        {"X-Forwarded-Prefix": "//evil.example/"},
        {"X-Forwarded-Prefix": '/"><script>'},
        {"X-Forwarded-Prefix": "/../up"},
        {"X-Forwarded-Prefix": "evil"},
    ],
)
def test_what_anybody_can_write_into_a_header_is_not_believed(server, fields):
    answer = server.viewer("GET", "/desk/", fields)
    assert Head(answer.text).meta("og:url") == "http://127.0.0.1/desk/"
    assert "evil" not in answer.text


@pytest.mark.parametrize("host", ['x"><script>', "a b", "a/b", ""])
def test_a_host_that_is_none_leaves_absolute_addresses_out(server, host):
    with wire.Wire(server.public) as client:
        client.send(b"GET /desk/ HTTP/1.1\r\nHost: " + host.encode() + b"\r\n\r\n")
        answer = client.answer()
    if answer.status == 200:
        assert Head(answer.text).meta("og:url") is None and "<script>" not in answer.text
    else:
        assert answer.status == 400


def test_a_configured_address_holds_whatever_a_request_says(several):
    page = head(several, "/desk/", X_Forwarded_Proto="http", X_Forwarded_Prefix="/other")
    assert page.meta("og:url") == "https://cam.example/quiet/desk/"
    assert page.meta("og:image").startswith("https://cam.example/quiet/desk/latest.jpg?t=")


def test_pages_load_by_relative_addresses_alone(server, several):
    for door, path in [(server, "/"), (server, "/desk/"), (several, "/"), (several, "/desk/")]:
        for tag, attributes in Head(door.get(path).text).tags:
            if tag == "link" and attributes.get("rel") == "alternate":
                continue  # It is for other sites.
            for name in ("src", "href", "poster", "data-base"):
                if value := attributes.get(name):
                    assert not value.startswith("/") and "://" not in value, (path, tag, value)


def test_a_page_has_a_tag_for_each_address_and_is_asked_for_again(server):
    first = server.get("/desk/")
    assert server.get("/desk/", If_None_Match=first["ETag"]).status == 304
    assert server.get("/desk/", If_None_Match=first["ETag"], X_Forwarded_Proto="https").status == 200


# oEmbed


def oembed(server, url, **parameters):
    return server.get("/oembed?" + urllib.parse.urlencode({"url": url, **parameters}))


def test_a_page_says_how_to_embed_it(server):
    link = head(server, "/desk/").link("alternate")
    assert link["type"] == "application/json+oembed" and link["href"].startswith("http://127.0.0.1/oembed?url=")
    answer = server.get(link["href"].removeprefix("http://127.0.0.1"))
    told = answer.json
    assert answer["Cache-Control"] == "public, max-age=300" and answer["Access-Control-Allow-Origin"] == "*"
    assert (told["version"], told["type"]) == ("1.0", "rich")
    assert (told["width"], told["height"]) == (128, 96)
    assert told["title"] == 'Desk & <"friends"> {{name}}' and told["provider_name"] == "Our place"
    frame = Head(told["html"]).tags
    assert len(frame) == 1 and frame[0][0] == "iframe" and frame[0][1]["src"] == "http://127.0.0.1/desk/"
    assert frame[0][1]["title"] == told["title"]


@pytest.mark.parametrize("limits, size", [
    ({"maxwidth": 64}, (64, 48)), ({"maxheight": 24}, (32, 24)), ({"maxwidth": 1000, "maxheight": 1000}, (128, 96)),
    ({"maxwidth": 1}, (1, 1)),
])
def test_the_frame_is_no_larger_than_asked_for(server, limits, size):
    told = oembed(server, "http://127.0.0.1/desk/", **limits).json
    assert (told["width"], told["height"]) == size
    assert f'width="{size[0]}" height="{size[1]}"' in told["html"]


def test_thumbnails_have_the_size_that_is_told_or_are_left_out(several):
    told = oembed(several, "https://cam.example/quiet/desk/", format="json").json
    assert told["html"].startswith('<iframe src="https://cam.example/quiet/desk/"')
    assert "thumbnail_url" not in told or told["thumbnail_width"] <= 128


@pytest.mark.parametrize("url", [
    "http://other.example/desk/", "http://127.0.0.1/attic/", "http://127.0.0.1/none/", "http://127.0.0.1/desk/latest.jpg",
    "http://127.0.0.1/../desk/", "/desk/", "x", "javascript:alert(1)", "http://127.0.0.1:1/desk/",
])
def test_what_is_not_a_page_of_ours_is_not_embedded(server, url):
    assert oembed(server, url).status == 404


def test_private_cameras_are_not_embedded(several):
    for address in ("attic/", "attic", "attic/~2000000000." + "0" * 32 + "/"):
        assert oembed(several, "https://cam.example/quiet/" + address).status == 404
    assert oembed(several, "http://cam.example/quiet/roof/").status == 200


@pytest.mark.parametrize("query, status", [
    ("", 400), ("?url=", 400), ("?url=%zz", 400), ("?url=http://127.0.0.1/desk/&format=xml", 501),
    ("?url=http://127.0.0.1/desk/&maxwidth=0", 400), ("?url=http://127.0.0.1/desk/&maxheight=x", 400),
    ("?url=http://127.0.0.1/desk/&maxwidth=99999999999999999999", 400),
])
def test_a_bad_question_gets_a_telling_answer(server, query, status):
    answer = server.get("/oembed" + query)
    assert answer.status == status and len(answer.json["detail"]) > 10


def test_where_nobody_may_frame_there_is_nothing_to_embed():
    with serving(*SMALL, "--embed", "none") as server:
        assert head(server, "/desk/").link("alternate") is None
        assert oembed(server, "http://127.0.0.1/desk/").status == 404


# Icon, script, what a page needs to know


def test_the_icon_is_the_one_that_is_set(several):
    link = head(several, "/desk/").link("icon")
    assert (link["href"], link["type"]) == ("../favicon.png", "image/png")
    answer = several.get("/favicon.png")
    assert answer["Content-Type"] == "image/png" and answer.body.startswith(b"\x89PNG")
    assert several.get("/favicon.svg").status == several.get("/favicon.ico").status == 404


@pytest.mark.parametrize("name, content, words", [
    ("icon.gif", b"x", "ends in .svg"), ("icon.png", b"", "0 bytes"), ("icon.svg", None, "cannot be read"),
])
def test_an_icon_that_cannot_be_shown_is_told_at_the_start(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert words in refusal(*ONE_CAMERA, "--favicon", tmp_path / name, "--public", "127.0.0.1:0", "--private", "127.0.0.1:0")


def test_pages_may_be_framed_where_nothing_foreign_may_be_loaded(server):
    page = server.get("/desk/")
    assert page["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert page["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_a_page_may_ask_what_a_camera_is(server):
    answer = server.get("/desk/about.json")
    assert answer["Cache-Control"] == "public, max-age=60" and answer["Access-Control-Allow-Origin"] == "*"
    told = answer.json
    assert told.pop("title") == 'Desk & <"friends"> {{name}}'
    assert told == {
        "camera": "desk", "width": 128, "height": 96, "part_ms": 500, "segment_ms": 1000, "photos": True,
        "photo_size": "1920x1280", "mark_recorded": False, "wave": True,
    }
    assert server.get("/desk/about.json", If_None_Match=answer["ETag"]).status == 304


def test_the_sample_is_there_with_the_demo_alone(server, tmp_path):
    assert server.get("/sample/").status == server.get("/sample").status == 404
    demo = ["--demo", "--store", "memory", "--public", "127.0.0.1:0", "--private", "127.0.0.1:0", *SMALL]
    with launched(*demo, home=tmp_path) as shown:
        shown.wait_until_ready()
        log = shown.log()
        assert log.index("/sample/") < log.index("viewers:")
        page = shown.get("/sample/")
        assert page.status == 200 and "../demo/" in page.text and "{{" not in page.text
        assert page["Content-Security-Policy"].startswith("default-src 'none'")
        assert (shown.get("/sample").status, shown.get("/sample")["Location"]) == (308, "sample/")


def test_the_script_for_other_sites_is_at_the_root(server):
    script = server.get("/quietcam.js")
    assert script["Content-Type"] == "text/javascript; charset=utf-8" and script["Cache-Control"] == "no-cache"
    assert script["Access-Control-Allow-Origin"] == "*"
    assert server.get("/quietcam.js", If_None_Match=script["ETag"]).status == 304
    assert server.get("/_/quietcam.js").status == 404
    for name in re.findall(r"""(?:from|import)\s*\(?["']\./(_/[\w.-]+)["']""", script.text):
        assert server.get(f"/{name}").status == 200, name
