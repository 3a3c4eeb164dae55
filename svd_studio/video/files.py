"""Files that are either whole or not there, and names that every system takes."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
import shutil
import stat
import tempfile
import time
import unicodedata
import uuid
from collections.abc import Callable, Collection
from pathlib import Path

from svd_studio.core.errors import BadInput, DiskFull, StudioError

PART_SUFFIX = ".svd-part"
NAME_BYTES = 80

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(?=\.|$)", re.IGNORECASE)


def write_whole(path: Path, write: Callable[[Path], object], verify: Callable[[Path], object]) -> None:
    """Make `path` appear at once and complete, or not at all, also across a power cut.

    `write` fills a temporary file beside it, `verify` raises when that is not right.
    Raises BadInput when the place cannot be written to, DiskFull, and whatever the two raise.
    """
    part = _new_part(path)
    try:
        write(part)
        verify(part)
        _flush(part)
        os.replace(part, path)
    except PermissionError as error:
        raise BadInput("files.not_writable", name=path.name) from error
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull("files.disk_full", folder=str(path.parent)) from error
        raise
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    _flush_folder(path.parent)


def check_writable(path: Path) -> None:
    """Raise BadInput when `path` could not be written; for asking before hours of work."""
    _new_part(path).unlink()


def check_free(folder: Path, needed_bytes: int) -> None:
    """Raise DiskFull when the disk of `folder` has not this much room."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        megabytes = {"needed_mb": -(-needed_bytes // 10**6), "free_mb": free // 10**6}
        raise DiskFull("files.too_little_room", folder=str(folder), **megabytes)


def check_room(folder: Path, needed_bytes: int) -> None:
    """Raise DiskFull unless this much can really be had: a quota may end before the disk does."""
    check_free(folder, needed_bytes)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, needed_bytes)
            else:
                file.truncate(needed_bytes)
    except OSError as error:
        raise DiskFull("files.disk_full", folder=str(folder)) from error


def remove_leftovers(
    folder: Path, older_than_s: float = -math.inf, writers: Callable[[], Collection[int]] = tuple
) -> None:
    """Delete what a killed process left half written.

    Where others may write, `writers` tells their process numbers, or `older_than_s` is longer
    than any of them takes.
    """
    found = list(folder.glob(f".*{PART_SUFFIX}"))
    busy = writers()  # only now: whoever wrote what was found is among them, or is gone
    for part in found:
        with contextlib.suppress(OSError):
            if _writer_of(part) not in busy and time.time() - part.stat().st_mtime > older_than_s:
                part.unlink()


def safe_name(text: str) -> str:
    """Make a file name, without suffix, out of any words: readable, at most 80 bytes, never empty."""
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    words = " ".join(_FORBIDDEN.sub(" ", text).split())
    words = _shortened(words.lstrip(".-~ "), NAME_BYTES - 1).rstrip(". ")
    if _RESERVED.match(words):
        words = f"_{words}"
    return words or "clip"


def _shortened(text: str, limit_bytes: int) -> str:
    return text.encode()[:limit_bytes].decode(errors="ignore")


def _new_part(path: Path) -> Path:
    """Create the temporary file at once, so that a bad place is known before the work and not after it."""
    try:
        if _is_folder(path):
            raise BadInput("files.is_folder", name=path.name)
        part = path.with_name(f".{os.getpid()}-{uuid.uuid4().hex}{PART_SUFFIX}")
        part.open("xb").close()
    except ValueError as error:
        raise BadInput("files.bad_name") from error
    except OSError as error:
        raise _as_told(error, path) from error
    return part


def _writer_of(part: Path) -> int | None:
    """The process that made a temporary file, by its name."""
    found = re.match(r"\.(\d+)-", part.name)
    return int(found[1]) if found else None


def _is_folder(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return stat.S_ISDIR(os.stat(path).st_mode)
    return False


def _as_told(error: OSError, path: Path) -> StudioError:
    if error.errno in _FULL:
        return DiskFull("files.disk_full", folder=str(path.parent))
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return BadInput("files.no_folder", folder=str(path.parent))
    if error.errno in (errno.ENAMETOOLONG, errno.EINVAL):
        return BadInput("files.bad_name")
    return BadInput("files.not_writable", name=path.name)


def _flush(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the new name last. The file is whole by now, and network disks refuse this: no reason to fail."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
