"""Read the comment out of a WebM without ffprobe: a few seeks, whatever the file's size.

Matroska (RFC 9559) in EBML (RFC 8794). The file may come from anybody: every number in it is a claim, checked against
where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from svd_studio.video.mp4_boxes import LONGEST_COMMENT

EBML = b"\x1aE\xdf\xa3"
_SEGMENT, _TAGS, _TAG, _SIMPLE_TAG = 0x18538067, 0x1254C367, 0x7373, 0x67C8
_NAME, _TEXT = 0x45A3, 0x4487
_MOST_ELEMENTS = 4096
_LONGEST_NAME = 64


@dataclass(frozen=True)
class _Element:
    kind: int
    start: int
    end: int
    """Where the content begins and ends in the file."""


def read_webm_comment(file: BinaryIO) -> str | None:
    """The text of the first tag called COMMENT; None when there is none, or none that can be trusted."""
    reader = _Reader(file)
    whole = _Element(0, 0, file.seek(0, 2))
    found = [whole]
    for kind in (_SEGMENT, _TAGS, _TAG, _SIMPLE_TAG):
        found = [child for parent in found for child in reader.children(parent, kind)]
    comments = (simple for simple in found if reader.content(simple, _NAME, _LONGEST_NAME) == "COMMENT")
    comment = next(comments, None)
    return reader.content(comment, _TEXT, LONGEST_COMMENT) if comment else None


class _Reader:
    """Look at so many elements of a file and no more, however they are nested."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, _MOST_ELEMENTS

    def children(self, parent: _Element, kind: int) -> Iterator[_Element]:
        position = parent.start
        while self._left and (element := _element_at(self._file, position, parent.end)):
            self._left -= 1
            if element.kind == kind:
                yield element
            position = element.end

    def content(self, parent: _Element, kind: int, longest: int) -> str | None:
        element = next(self.children(parent, kind), None)
        if element is None or element.end - element.start > longest:
            return None
        self._file.seek(element.start)
        return self._file.read(element.end - element.start).decode("utf-8", errors="replace")


def _element_at(file: BinaryIO, position: int, limit: int) -> _Element | None:
    """The element whose header stands here; None when there is none, or it would reach over its parent."""
    file.seek(position)
    header = file.read(12)
    kind_bytes = _length(header)
    size_bytes = _length(header[kind_bytes:])
    start = position + kind_bytes + size_bytes
    if not 0 < kind_bytes <= 4 or not size_bytes or start > limit:
        return None
    kind = int.from_bytes(header[:kind_bytes])
    most = (1 << 7 * size_bytes) - 1
    claimed = int.from_bytes(header[kind_bytes : kind_bytes + size_bytes]) & most
    end = limit if claimed == most else start + claimed  # all ones: a stream that did not know its length
    return _Element(kind, start, end) if end <= limit else None


def _length(header: bytes) -> int:
    """How many bytes a number takes, from 1 to 8, by its leading zeros; 0 when it is none or is cut off."""
    taken = 9 - header[0].bit_length() if header and header[0] else 0
    return taken if taken <= len(header) else 0
