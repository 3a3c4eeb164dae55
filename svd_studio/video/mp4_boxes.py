"""Read the comment out of an MP4 without ffprobe: a few seeks, whatever the file's size.

The file may come from anybody: every number in it is a claim, checked against where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

LONGEST_COMMENT = 1024 * 1024
_MOST_BOXES = 4096
_UTF8, _UTF16 = 1, 2


@dataclass(frozen=True)
class _Box:
    kind: bytes
    start: int
    end: int
    """Where the content begins and ends in the file."""


def read_mp4_comment(file: BinaryIO) -> str | None:
    """The text of moov/udta/meta/ilst/©cmt; None when there is none, or none that can be trusted."""
    end = file.seek(0, 2)
    box: _Box | None = _Box(b"file", 0, end)
    for kind in (b"moov", b"udta", b"meta", b"ilst", b"\xa9cmt", b"data"):
        box = box and _child(file, box, kind)
    return _text(file, box) if box else None


def _child(file: BinaryIO, parent: _Box, kind: bytes) -> _Box | None:
    return next((box for box in _children(file, parent) if box.kind == kind), None)


def _children(file: BinaryIO, parent: _Box) -> Iterator[_Box]:
    position = parent.start
    if parent.kind == b"meta":
        position += _version_bytes(file, parent)
    for _ in range(_MOST_BOXES):
        box = _box_at(file, position, parent.end)
        if box is None:
            return
        yield box
        position = box.end


def _box_at(file: BinaryIO, position: int, limit: int) -> _Box | None:
    """The box whose header stands here; None when it would reach over its parent or has no length."""
    file.seek(position)
    header = file.read(16)
    if len(header) < 8 or position + 8 > limit:
        return None
    length, kind, start = int.from_bytes(header[:4]), header[4:8], position + 8
    if length == 1:
        length, start = int.from_bytes(header[8:16]), position + 16
    end = limit if length == 0 else position + length
    return _Box(kind, start, end) if start <= end <= limit else None


def _version_bytes(file: BinaryIO, meta: _Box) -> int:
    """ISO files put four bytes of version before the boxes in `meta`, QuickTime files do not."""
    file.seek(meta.start)
    return 0 if file.read(8)[4:] == b"hdlr" else 4


def _text(file: BinaryIO, data: _Box) -> str | None:
    """The payload of a `data` box: four bytes of type, four of language, then the text."""
    length = data.end - data.start - 8
    if not 0 <= length <= LONGEST_COMMENT:
        return None
    file.seek(data.start)
    content = file.read(8 + length)
    coding = {_UTF8: "utf-8", _UTF16: "utf-16-be"}.get(int.from_bytes(content[:4]))
    return content[8:].decode(coding, errors="replace") if coding else None
