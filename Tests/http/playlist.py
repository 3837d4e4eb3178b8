"""A small reader of HLS playlists (rfc8216bis), independent of the one under test; the unknown is an error."""

import dataclasses
import datetime
import fractions
import re

ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)')
VALUELESS = {"#EXTM3U", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-DISCONTINUITY", "#EXT-X-ENDLIST", "#EXT-X-GAP"}


def attributes(text):
    found, at = {}, 0
    while at < len(text):
        match = ATTRIBUTE.match(text, at)
        assert match and match[1] not in found, f"not an attribute list: {text}"
        found[match[1]] = match[2].strip('"')
        at = match.end()
    assert not text.endswith(","), text
    return found


@dataclasses.dataclass(frozen=True)
class Part:
    uri: str
    duration: fractions.Fraction
    independent: bool


@dataclasses.dataclass(frozen=True)
class Segment:
    sequence: int
    uri: str | None
    duration: fractions.Fraction | None
    date: datetime.datetime | None
    map: str | None
    discontinuity: bool
    parts: tuple


@dataclasses.dataclass
class Media:
    """A media playlist: its header, its complete segments, and the segment that has parts only so far."""

    header: dict
    segments: list
    open: Segment
    hint: str | None
    ended: bool

    @property
    def sequence(self):
        return int(self.header["MEDIA-SEQUENCE"])

    @property
    def target(self):
        return int(self.header["TARGETDURATION"])

    @property
    def part_target(self):
        return fractions.Fraction(attributes(self.header["PART-INF"])["PART-TARGET"])

    @property
    def control(self):
        return attributes(self.header["SERVER-CONTROL"])

    @property
    def newest(self):
        """Segment and index of the newest part."""
        if self.open.parts:
            return self.open.sequence, len(self.open.parts) - 1
        return self.segments[-1].sequence, len(self.segments[-1].parts) - 1

    def uris(self):
        for segment in [*self.segments, self.open]:
            yield from ([segment.map] if segment.map else [])
            yield from (part.uri for part in segment.parts)
            yield from ([segment.uri] if segment.uri else [])


def parse(text):
    assert text.endswith("\n") and "\r" not in text
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U"
    header, segments, parts = {}, [], []
    map_uri = date = duration = hint = None
    discontinuity = ended = False

    def segment(uri):
        sequence = int(header["MEDIA-SEQUENCE"]) + len(segments)
        return Segment(sequence, uri, duration, date, map_uri, discontinuity, tuple(parts))

    for line in lines[1:]:
        assert line and not ended, line
        if not line.startswith("#"):
            assert duration is not None, f"{line} comes without EXTINF"
            segments.append(segment(line))
            parts, date, duration, discontinuity = [], None, None, False
            continue
        tag, _, value = line.partition(":")
        assert bool(value) != (tag in VALUELESS), line
        name = tag.removeprefix("#EXT-X-")
        if tag == "#EXTINF":
            duration = fractions.Fraction(value.partition(",")[0])
        elif name == "MAP":
            map_uri = attributes(value)["URI"]
        elif name == "PROGRAM-DATE-TIME":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), value
            date = datetime.datetime.fromisoformat(value)
        elif name == "DISCONTINUITY":
            discontinuity = True
        elif name == "PART":
            found = attributes(value)
            independent = found.get("INDEPENDENT") == "YES"
            parts.append(Part(found["URI"], fractions.Fraction(found["DURATION"]), independent))
        elif name == "PRELOAD-HINT":
            found = attributes(value)
            assert found["TYPE"] == "PART" and hint is None, line
            hint = found["URI"]
        elif name == "RENDITION-REPORT":
            assert set(attributes(value)) >= {"URI", "LAST-MSN"} and duration is None, line
        elif name == "ENDLIST":
            ended = True
        elif name == "RENDITION-REPORT":
            assert attributes(value)["LAST-MSN"].isdigit(), line
        else:
            assert tag != name and name not in header and not segments and not parts, f"not at this place: {line}"
            header[name] = value
    assert duration is None, "EXTINF without an address"
    return Media(header, segments, segment(None), hint, ended)


def multivariant(text):
    """The variants of a multivariant playlist: pairs of attributes and address."""
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U" and text.endswith("\n")
    variants = []
    for line, following in zip(lines, lines[1:], strict=False):
        if line.startswith("#EXT-X-STREAM-INF:"):
            assert not following.startswith("#"), following
            variants.append((attributes(line.partition(":")[2]), following))
    return variants
