"""Let the n-th write, fsync or rename of this process fail, in Python's files and below SQLite alike."""

from __future__ import annotations

import builtins
import io
import os
from typing import Any

import apsw
import pytest


class Faults:
    """Count what reaches the disk once `arm`ed, and fail one of it; `fired` says what failed."""

    def __init__(self) -> None:
        self.left = 0
        self.number = 0
        self.fired = ""

    def arm(self, nth: int, number: int) -> None:
        """Let the nth from now fail with this errno, once."""
        self.left, self.number, self.fired = nth, number, ""

    def disarm(self) -> None:
        self.left = 0

    def strikes(self, what: str) -> bool:
        """Whether this one is to fail."""
        if self.left:
            self.left -= 1
            if not self.left:
                self.fired = what
                return True
        return False

    def strike(self, what: str) -> None:
        if self.strikes(what):
            raise OSError(self.number, os.strerror(self.number), what)


class FaultyFile:
    """A file open for writing whose writes may fail; all else is the real one's."""

    def __init__(self, file: Any, faults: Faults) -> None:
        self._file, self._faults = file, faults

    def write(self, data: Any) -> Any:
        self._faults.strike(f"write {self._file.name}")
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> FaultyFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def put_below_python(faults: Faults, patch: pytest.MonkeyPatch) -> None:
    """Between Python and the system."""
    open_, fsync, replace = io.open, os.fsync, os.replace

    def faulty_open(path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        file = open_(path, mode, *arguments, **options)
        is_ours = not isinstance(path, int) and set(mode) & set("wxa+")
        return FaultyFile(file, faults) if is_ours else file

    def faulty_fsync(file: int) -> None:
        faults.strike("fsync")
        fsync(file)

    def faulty_replace(source: Any, target: Any, **options: Any) -> None:
        faults.strike(f"rename {target}")
        replace(source, target, **options)

    patch.setattr(io, "open", faulty_open)
    patch.setattr(builtins, "open", faulty_open)
    patch.setattr(os, "fsync", faulty_fsync)
    patch.setattr(os, "replace", faulty_replace)


class FaultyDisk(apsw.VFS):
    """Between SQLite and the system."""

    def __init__(self, name: str, faults: Faults) -> None:
        self.name, self.faults = name, faults
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return FaultyDiskFile(self.faults, name, flags)


class FaultyDiskFile(apsw.VFSFile):
    """One file of it."""

    def __init__(self, faults: Faults, name: Any, flags: list[int]) -> None:
        self._faults = faults
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._strike("write database")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._strike("fsync database")
        super().xSync(flags)

    def _strike(self, what: str) -> None:
        import errno

        if self._faults.strikes(what):
            raise apsw.FullError(what) if self._faults.number == errno.ENOSPC else apsw.IOError(what)
