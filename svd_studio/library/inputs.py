"""The pictures that jobs and clips began with, under their hashes: let go when nothing has named them for a while.

A picture's time on the disk says when it was last needed. Who keeps one makes it new, and so does tidying for all
that are named, so that what was removed a moment ago can still be put back.
"""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from svd_studio.database import Database, was_set_aside
from svd_studio.host import private_folder
from svd_studio.video.files import write_whole
from svd_studio.video.pictures import open_picture, picture_size

KEPT_S, LOOKED_AT_S = 2 * 86400.0, 86400.0
"""How long a picture stays that nothing names, and how often those that are named become new."""

NAMED = (
    "SELECT start_image FROM jobs WHERE ?1 IS NULL OR owner = ?1"
    " UNION SELECT end_image FROM jobs WHERE end_image IS NOT NULL AND (?1 IS NULL OR owner = ?1)"
    " UNION SELECT source_sha256 FROM clips WHERE ?1 IS NULL OR owner = ?1"
)


class Inputs:
    """Keep the pictures of one studio, each once."""

    def __init__(self, folder: Path, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.folder, self.database = folder, database
        self._now = clock

    def keep(self, picture: Path) -> Path:
        """Copy a picture here and return where it is. Raises BadPicture for what cannot be decoded, and DiskFull."""
        picture_size(picture)  # looks at no more than the head, so that nothing huge is read
        content = picture.read_bytes()
        kept = private_folder(self.folder) / f"{hashlib.sha256(content).hexdigest()}{picture.suffix.lower()}"
        try:
            os.utime(kept)
        except FileNotFoundError:  # what is here was decoded when it came: sixteen seeds of one picture cost it once
            open_picture(picture)
            write_whole(kept, lambda part: part.write_bytes(content), lambda part: None)
        return kept

    def still_kept(self, kept: Path, picture: Path) -> Path:
        """A picture that tidying may have taken since; for who holds the database, which tidying needs for that."""
        return kept if kept.exists() else self.keep(picture)

    def of_hash(self, sha256: object) -> Path | None:
        """The picture of that hash; what asks may be a stranger's clip."""
        if not re.fullmatch(r"[0-9a-f]{64}", str(sha256)):
            return None
        return next((path for path in self.folder.glob(f"{sha256}*") if path.is_file()), None)

    def bytes_of(self, owner: str) -> int:
        """What the pictures of one owner take, with those that nothing names: nobody knows who left them."""
        own, everybodys = self._named(owner), self._named()
        files = ((path.stem, found.st_size) for path, found in self._files())
        return sum(size for name, size in files if name in own or name not in everybodys)

    def tidy(self) -> int:
        """Delete what no job and no clip has named for two days; returns how many pictures that were.

        Nothing goes while a damaged database lies beside ours, whose jobs may name it, nor when ours names nothing.
        """
        aged = self._older_than(LOOKED_AT_S)
        named = self._named() if aged else set()
        if not named or was_set_aside(self.database.path):
            return 0
        for path in aged:
            if path.stem in named:
                with suppress(OSError):
                    os.utime(path)
        return self._let_go() if any(path.stem not in named for path in aged) else 0

    def _let_go(self) -> int:
        """Delete with the write lock held: a row that is written afterwards finds out that its picture is gone."""
        gone = 0
        with self.database.transaction():
            named = self._named()
            for path in self._older_than(KEPT_S):
                with suppress(OSError):  # Windows keeps open files
                    if path.stem not in named:
                        path.unlink()
                        gone += 1
        return gone

    def _older_than(self, seconds: float) -> list[Path]:
        oldest = self._now() - seconds
        return [path for path, found in self._files() if found.st_mtime < oldest]

    def _named(self, owner: str | None = None) -> set[str]:
        """The hashes that jobs and clips of one owner, or of all, name."""
        return {Path(str(row[0])).stem for row in self.database.connection.execute(NAMED, (owner,))}

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        """What is kept; half written files begin with a dot and are housekeeping's."""
        with suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                with suppress(OSError):
                    if not path.name.startswith("."):
                        yield path, path.stat()
