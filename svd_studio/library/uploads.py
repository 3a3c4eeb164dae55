"""Files that visitors name: only what they uploaded here, looked at before anything is opened."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput
from svd_studio.host import private_folder

MEGABYTE = 1024 * 1024
LARGEST_UPLOAD = 100 * MEGABYTE
UPLOADS_BYTES = 2 * 1024 * MEGABYTE
LEAST_BYTES = 8192
"""What the smallest file takes of a disk: a block, and one for the folder that it has for itself."""


def fresh_uploads(config: StudioConfig) -> Path:
    """Make the upload folder: empty, and closed to everybody else. Only the holder of studio.lock may.

    Jobs have their own copies of pictures, and Gradio leaves broken-off uploads behind.
    """
    private_folder(config.uploads)
    for left in config.uploads.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):  # Windows keeps open files
                left.unlink()
    return config.uploads


def trim_uploads(config: StudioConfig, limit_bytes: int = UPLOADS_BYTES) -> None:
    """Let the oldest uploads go until the others fit; a page that still shows one asks for it again."""
    total = 0
    for _, size, path in sorted(_looked_at(config.uploads), reverse=True):
        total += max(size, LEAST_BYTES)
        if total > limit_bytes:
            with suppress(OSError):  # being read, or its folder holds another
                path.unlink()
                path.parent.rmdir()


def _looked_at(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each file was written, and its size; one that goes while we look is not there."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            with suppress(OSError):
                found = path.lstat()
                if stat.S_ISREG(found.st_mode):
                    yield found.st_mtime, found.st_size, path


def confined_upload(config: StudioConfig, path: str | Path) -> Path:
    """The real path of an uploaded file. Raises BadInput for everything else, without opening it."""
    found = stored_file(config.uploads, path)
    if found is None or found.stat().st_size > LARGEST_UPLOAD:
        raise BadInput("upload.not_ours", name=_shown(path))
    return found


def stored_file(folder: Path, path: str | Path) -> Path | None:
    """The real path of a regular file somewhere below a folder, or nothing."""
    if not os.path.isabs(path):
        return None
    # The spelling comes first: on Windows even a look at //host/share/x sends a password hash there.
    spelt = Path(os.path.abspath(path))
    home = Path(os.path.realpath(folder))
    if not any(spelt.is_relative_to(root) for root in (os.path.abspath(folder), home)):
        return None
    try:
        is_file = stat.S_ISREG(spelt.lstat().st_mode)
        real = spelt.resolve(strict=True)
    except (OSError, ValueError):
        return None
    return real if is_file and real.is_relative_to(home) else None


def _shown(path: str | Path) -> str:
    """The last part of a path as a message may repeat it."""
    name = str(path).replace("\\", "/").rpartition("/")[2]
    return "".join(letter if letter.isprintable() else "?" for letter in name[:80])
