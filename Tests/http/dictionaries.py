"""What a browser does that keeps playlists as dictionaries for later ones (RFC 9842), by other programs' libraries."""

import base64
import hashlib

import zstandard

import wire

# What Chromium sends where it has no dictionary, and where it has one.
BROWSER = "gzip, deflate, br, zstd"
WITH_DICTIONARY = f"{BROWSER}, dcb, dcz"
MARK = bytes.fromhex("5e2a4d1820000000")


def name(text):
    """The name of a dictionary in `Available-Dictionary`."""
    return f":{base64.b64encode(hashlib.sha256(text).digest()).decode()}:"


def asking(text):
    """The fields of a request by who has this text; `None` is nothing yet."""
    if text is None:
        return {"Accept-Encoding": BROWSER}
    return {"Accept-Encoding": WITH_DICTIONARY, "Available-Dictionary": name(text)}


def unpacked(answer, text):
    """The text of an answer that was compressed with another."""
    assert answer["Content-Encoding"] == "dcz", answer
    assert answer.body[:8] == MARK and answer.body[8:40] == hashlib.sha256(text).digest(), "made with another dictionary"
    raw = zstandard.ZstdCompressionDict(text, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdDecompressor(dict_data=raw).decompressobj().decompress(answer.body[40:])


def plain(answer, text=None):
    """The text of an answer in any coding; `text` is the dictionary that was named."""
    if answer["Content-Encoding"] == "dcz":
        assert text is not None, "compressed with a dictionary that was not named"
        return unpacked(answer, text)
    return wire.CODINGS[answer["Content-Encoding"]](answer.body)
