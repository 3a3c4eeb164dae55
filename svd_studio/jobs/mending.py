"""A damaged database: its file is set aside, what can still be read of it goes into a new one."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw

from svd_studio.core.errors import Message, StudioError, Value
from svd_studio.database import Database, in_words, is_damaged, is_unused, set_aside
from svd_studio.host import fsync_folder
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.clip_search import ClipFilter
from svd_studio.library.clips import ClipLibrary
from svd_studio.library.rebuild import Rebuild

log = logging.getLogger(__name__)

OURS = 10**9
"""A file may claim any job number; ours never come near this one."""


def needs_mending(path: Path, clips: Path) -> bool:
    """Whether a database is damaged, or gone while its clips are here, or a kill stopped its mending."""
    if _whole(path).exists() or is_damaged(path):
        return True
    return next(clips.glob("*.mp4"), None) is not None and (not path.exists() or is_unused(path))


def mend(path: Path, clips_folder: Path, owner: str) -> Message:
    """Make a new database of what can be read of the old one and of the clips; says what was found again.

    Nobody else may have it open. A kill at any moment loses nothing: the next call goes on or begins again.
    `owner` is whose a clip is that does not say.
    """
    if not _whole(path).exists():
        if not is_damaged(path):
            database = _filled(path, clips_folder, owner)
            return Message("database.found_again", {**_counted(database, clips_folder), "path": str(path)})
        _build(path, clips_folder, owner)
    aside = set_aside(path)
    os.replace(_whole(path), path)
    return Message("database.mended", {**_counted(Database(path), clips_folder), "aside": str(aside)})


def _whole(path: Path) -> Path:
    """The new database while the damaged one still has its name: complete, or not there."""
    return path.with_name(f"{path.name}.mended")


def _build(path: Path, clips_folder: Path, owner: str) -> None:
    part = path.with_name(f"{path.name}.mending")
    for ending in ("", "-wal", "-shm", "-journal"):  # what a kill left
        part.with_name(part.name + ending).unlink(missing_ok=True)
    _filled(part, clips_folder, owner, damaged=path).connection.close()
    with in_words(part):
        connection = Database(part).connection
        connection.execute("PRAGMA journal_mode=DELETE")  # one file, complete in itself, or an error
        connection.close()
    os.replace(part, _whole(path))
    fsync_folder(path.parent)


def _filled(path: Path, clips_folder: Path, owner: str, damaged: Path | None = None) -> Database:
    """A database with everything that can be found; all of it is written, or nothing."""
    database = Database(path)
    queue, clips = JobQueue(database), ClipLibrary(clips_folder, database)
    with database.transaction():
        if damaged is not None:
            salvage(damaged, queue, clips)
        Rebuild(clips, owner).run()
        number_behind_clips(database)
    return database


def _counted(database: Database, clips_folder: Path) -> dict[str, Value]:
    """How much was found; closes the database."""
    clips = ClipLibrary(clips_folder, database).holdings(ClipFilter()).count
    jobs = sum(JobQueue(database).count().values())
    database.connection.close()
    return {"clips": clips, "jobs": jobs}


def salvage(damaged: Path, queue: JobQueue, clips: ClipLibrary) -> None:
    """Copy every row that can be read and understood; what is in the new database already stays as it is."""
    checks: dict[str, Callable[[Any], object]] = {"jobs": queue.get, "clips": clips.get}
    for table in ("state", "comparisons", "compared", "jobs", "clips"):
        with queue.database.transaction() as connection:
            columns = _columns(connection, damaged, table)
            for row in _readable(damaged, table, columns):
                _insert(connection, table, columns, row)
    for table, read in checks.items():
        _drop_nonsense(queue.database, table, read)


def number_behind_clips(database: Database) -> None:
    """Let the next job have a number that no clip names, so that nobody takes it for the one that made it."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM sqlite_sequence WHERE name = 'jobs'")
        connection.execute(
            "INSERT INTO sqlite_sequence SELECT 'jobs', max("
            "(SELECT coalesce(max(job_id), 0) FROM clips WHERE job_id < ?), (SELECT coalesce(max(id), 0) FROM jobs))",
            (OURS,),
        )


def _columns(connection: apsw.Connection, damaged: Path, table: str) -> str:
    """What both have of a table: the damaged one may be older."""
    asked = f"PRAGMA table_info({table})"
    names = [str(row[1]) for row in connection.execute(asked)]
    before = apsw.Connection(str(damaged), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        known = {str(row[1]) for row in before.execute(asked)}
    except apsw.Error:
        known = set()
    finally:
        before.close()
    return ", ".join(name for name in names if not known or name in known)


def _readable(path: Path, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """The rows before the first broken place, then those behind the last one."""
    for order in ("ASC", "DESC"):
        damaged = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            yield from damaged.execute(f"SELECT {columns} FROM {table} ORDER BY rowid {order}")
            return
        except apsw.Error as error:
            log.warning("%s of %s: %s", table, path.name, error)
        finally:
            damaged.close()


def _insert(connection: apsw.Connection, table: str, columns: str, row: tuple[Any, ...]) -> None:
    try:
        blanks = ", ".join("?" * len(row))
        connection.execute(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({blanks})", row)
    except apsw.ConstraintError as error:  # a value of another kind than its column's
        log.warning("a row of %s: %s", table, error)


def _drop_nonsense(database: Database, table: str, read: Callable[[Any], object]) -> None:
    """Delete rows whose content makes no sense: SQLite does not see a flipped bit inside a text."""
    for (key,) in database.connection.execute(f"SELECT id FROM {table}").fetchall():
        try:
            read(key)
        except (StudioError, ValueError, TypeError, KeyError) as error:
            log.warning("%s %s: %s", table, key, error)
            with database.transaction() as connection:
                connection.execute(f"DELETE FROM {table} WHERE id = ?", (key,))
