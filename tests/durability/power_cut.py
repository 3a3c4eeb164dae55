"""A disk that forgets: it writes through, remembers what was not yet synced, and after a cut keeps only some of it.

Below SQLite, as a VFS of apsw. What a sync has not confirmed may be there or not, 512 bytes at a
time and in any order; a file's new length, its truncation and its deletion likewise.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512


@dataclass(frozen=True)
class Event:
    """One thing that reached the disk, or what the application was told (`ack`)."""

    kind: str
    name: str = ""
    offset: int = 0
    data: bytes = b""


class ForgetfulDisk(apsw.VFS):
    """Record all that SQLite writes below one folder; `register` it under `name` by making it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.events: list[Event] = []
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return RecordedFile(self, name, flags)

    def xDelete(self, name: str, sync_folder: bool) -> None:
        super().xDelete(name, sync_folder)
        self.events.append(Event("delete", Path(name).name, offset=int(sync_folder)))

    def acknowledge(self, what: str) -> None:
        """Note that the application was told so."""
        self.events.append(Event("ack", what))


class RecordedFile(apsw.VFSFile):
    """One file of it."""

    def __init__(self, disk: ForgetfulDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "temporary").name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._disk.events.append(Event("write", self._name, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        self._disk.events.append(Event("truncate", self._name, size))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._disk.events.append(Event("sync", self._name))


@dataclass
class StoredFile:
    """What surely is on the disk, and what may be."""

    sure: bytearray | None = None
    pending: list[Event] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Follow what happened to the file."""
        if event.kind == "sync":
            self.sure = self.after(self.pending)
            self.pending = []
        else:
            self.pending.append(event)

    def after(self, events: Sequence[Event]) -> bytearray | None:
        """The content once these events have reached the disk."""
        content = None if self.sure is None else bytearray(self.sure)
        for event in events:
            if event.kind == "delete":
                content = None
                continue
            content = bytearray() if content is None else content
            if event.kind == "truncate":
                del content[event.offset :]
            else:
                content.extend(bytes(max(0, event.offset + len(event.data) - len(content))))
                content[event.offset : event.offset + len(event.data)] = event.data
        return content

    def kept(self, chance: random.Random) -> bytearray | None:
        """The content after a cut: a random choice of what was pending, torn and out of order."""
        pieces = [piece for event in self.pending for piece in torn(event)]
        share = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        pieces = [piece for piece in pieces if chance.random() < share]
        chance.shuffle(pieces)
        return self.after(pieces)


def torn(event: Event) -> list[Event]:
    """A write in sectors, each of which the disk may have kept or not; anything else is all or nothing."""
    if event.kind != "write":
        return [event]
    pieces, start = [], 0
    while start < len(event.data):
        length = SECTOR - (event.offset + start) % SECTOR
        pieces.append(Event("write", event.name, event.offset + start, event.data[start : start + length]))
        start += length
    return pieces


def cut(events: Sequence[Event], chance: random.Random, before: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """The files after these events and a power cut; `before` is what stood there at the start."""
    files: dict[str, StoredFile] = defaultdict(StoredFile)
    for name, content in (before or {}).items():
        files[name].sure = bytearray(content)
    for event in events:
        if event.kind == "delete" and event.offset:  # the folder was synced with it
            files[event.name] = StoredFile()
        elif event.kind != "ack":
            files[event.name].take(event)
    after = {name: file.kept(chance) for name, file in files.items()}
    return {name: bytes(content) for name, content in after.items() if content is not None}
