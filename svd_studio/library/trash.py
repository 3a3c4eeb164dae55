"""Clips that were thrown away: out of sight, and back with one press until the trash is emptied."""

import errno
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from svd_studio.core.errors import BadInput, StudioError
from svd_studio.library.clip_search import ClipFilter
from svd_studio.library.clips import Clip, ClipLibrary, copy_out

KEPT_DAYS = 30
AT_ONCE = 500


class Trash:
    """Move a clip's files to the trash and back; a kill in between loses neither.

    Files move first and the row follows: the library finds a file in either place.
    """

    def __init__(self, clips: ClipLibrary, clock: Callable[[], float] = time.time) -> None:
        self.clips = clips
        self._now = clock

    def put(self, clip: Clip) -> None:
        """Throw a clip away. Raises BadInput when another program does not let go of its file."""
        for path in _files(clip):
            _move(path, self.clips.in_trash(clip.id, path.name))
        self._mark(clip, self._now())

    def restore(self, clip: Clip) -> None:
        """Bring a clip back; under another name when somebody took its own. Raises BadInput."""
        files, target = _files(clip), self._place_for(clip)
        for path in files:
            _move(path, target.with_suffix(path.suffix))
        file, poster = (path.relative_to(self.clips.folder).as_posix() for path in (target, _poster_of(target)))
        with self.clips.database.transaction() as connection:
            connection.execute(
                "UPDATE clips SET trashed = NULL, file = ?, poster = iif(poster IS NULL, NULL, ?) WHERE id = ?",
                (file, poster, clip.id),
            )
        with suppress(OSError):
            (self.clips.trash / clip.id).rmdir()

    def empty(self, owner: str | None = None) -> int:
        """Delete what one owner threw away, or everybody, for good; returns how many clips that were.

        Raises StudioError when a file could not be deleted; the others are gone.
        """
        return self._delete(ClipFilter(owner=owner, in_trash=True), lambda clip: True)

    def expire(self) -> int:
        """Delete what was thrown away more than 30 days ago; what cannot be deleted waits for the next time."""
        oldest = self._now() - KEPT_DAYS * 86400
        with suppress(StudioError):
            return self._delete(ClipFilter(in_trash=True), lambda clip: (clip.trashed or oldest) < oldest)
        return 0

    def _delete(self, wanted: ClipFilter, is_due: Callable[[Clip], bool]) -> int:
        deleted, stuck, after = 0, 0, None
        while page := self.clips.page(wanted, after, AT_ONCE):
            after = page[-1].cursor(wanted)
            due = [clip for clip in page if is_due(clip)]
            back = [clip for clip in due if self._is_back(clip)]
            gone = [clip for clip in due if clip not in back and self._unlink(clip)]
            deleted, stuck = deleted + len(gone), stuck + len(due) - len(back) - len(gone)
            with self.clips.database.transaction() as connection:
                connection.executemany("UPDATE clips SET trashed = NULL WHERE id = ?", [(clip.id,) for clip in back])
                connection.executemany("DELETE FROM clips WHERE id = ?", [(clip.id,) for clip in gone])
        if stuck:
            raise StudioError("clips.trash_stuck", count=stuck, folder=str(self.clips.trash))
        return deleted

    def _is_back(self, clip: Clip) -> bool:
        """Whether a clip's file stands in clips/ again, by hand or since a kill, and no other clip has its place."""
        path = clip.rendered.path
        if path.is_relative_to(self.clips.trash) or not path.exists():
            return False
        file = path.relative_to(self.clips.folder).as_posix()
        taken = "SELECT 1 FROM clips WHERE file = ? AND trashed IS NULL"
        return next(iter(self.clips.database.connection.execute(taken, (file,))), None) is None

    def _unlink(self, clip: Clip) -> bool:
        """Delete a clip's files, but only those in the trash; False when another program does not let go."""
        folder = self.clips.trash / clip.id
        try:
            for path in _files(clip):
                if path.is_relative_to(folder):
                    path.unlink(missing_ok=True)
        except OSError:
            return False
        with suppress(OSError):
            folder.rmdir()
        return True

    def _mark(self, clip: Clip, when: float) -> None:
        with self.clips.database.transaction() as connection:
            connection.execute("UPDATE clips SET trashed = ? WHERE id = ?", (when, clip.id))

    def _place_for(self, clip: Clip) -> Path:
        """Where the clip stood, or the first of "name (2).mp4", "name (3).mp4" … that nobody has."""
        rows = self.clips.database.connection.execute("SELECT file FROM clips WHERE id = ?", (clip.id,))
        own = self.clips.folder / next((str(row[0]) for row in rows), clip.rendered.path.name)
        number, free = 2, own
        while free.exists() and free != clip.rendered.path:
            free, number = own.with_name(f"{own.stem} ({number}){own.suffix}"), number + 1
        return free


def _files(clip: Clip) -> list[Path]:
    made = clip.rendered
    return [path for path in (made.path, made.poster, made.before) if path is not None and path.exists()]


def _move(path: Path, target: Path) -> None:
    """Rename, or copy and delete where the trash is on another disk."""
    if path == target:
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(path, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            copy_out(path, target)
            path.unlink()
    except OSError as error:
        raise BadInput("clips.cannot_move", name=path.name, reason=error.strerror or "") from error


def _poster_of(clip: Path) -> Path:
    return clip.with_suffix(".webp")
