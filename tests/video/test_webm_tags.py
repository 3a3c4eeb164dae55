"""The comment of a WebM, read from files that tell the truth and from files that do not."""

import io
import random

import pytest

from svd_studio.video.mp4_boxes import LONGEST_COMMENT
from svd_studio.video.webm_tags import EBML, read_webm_comment

SEGMENT, TAGS, TAG, SIMPLE, NAME, TEXT = (
    bytes.fromhex(kind) for kind in ("18538067", "1254C367", "7373", "67C8", "45A3", "4487")
)
VOID = b"\xec\x80"
UNKNOWN_LENGTH = b"\x01" + b"\xff" * 7


def element(kind: bytes, content: bytes, length: bytes | None = None) -> bytes:
    return kind + (length or (len(content) | 1 << 56).to_bytes(8)) + content


def tagged(name: str, text: bytes) -> bytes:
    return element(TAG, element(SIMPLE, element(NAME, name.encode()) + element(TEXT, text)))


def film(*tags: bytes, length: bytes | None = None) -> bytes:
    return element(EBML, b"") + element(SEGMENT, VOID + element(TAGS, b"".join(tags)), length)


def comment(data: bytes) -> str | None:
    return read_webm_comment(io.BytesIO(data))


def test_the_comment_is_found_among_other_tags() -> None:
    assert comment(film(tagged("ENCODER", b"a"), tagged("COMMENT", "海".encode()))) == "海"
    assert comment(film(tagged("COMMENT", b"live"), length=UNKNOWN_LENGTH)) == "live", "a stream's length is unknown"
    assert comment(film(tagged("ENCODER", b"a"))) is None
    assert comment(b"") is None


@pytest.mark.parametrize(
    "data",
    [
        film(tagged("COMMENT", b"x" * (LONGEST_COMMENT + 1))),
        film(tagged("COMMENT", b"x"))[:-3],
        film(VOID * 5000, tagged("COMMENT", b"x")),
        element(EBML, b"") + element(SEGMENT, element(TAGS, b""), b"\x08" + b"\x00" * 7),
        EBML + b"\x00" * 20,
    ],
    ids=["too long", "cut off", "too many", "longer than the file", "zeros"],
)
def test_what_cannot_be_trusted_is_no_comment(data: bytes) -> None:
    assert comment(data) is None


def test_damage_of_any_kind_ends_in_a_text_or_in_none() -> None:
    whole, draw = film(tagged("COMMENT", b"{}")), random.Random(7)
    for _ in range(2000):
        damaged = bytearray(whole[: draw.randrange(len(whole) + 1)])
        for _ in range(draw.randrange(4)):
            if damaged:
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        found = comment(bytes(damaged))
        assert found is None or isinstance(found, str)
