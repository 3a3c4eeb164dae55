"""A damaged database: its file is set aside, what can still be read of it goes into a new one."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw

from svd_studio.core.errors import Message, StudioError, Value
from svd_studio.database import Database, is_damaged, set_aside
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.clip_search import ClipFilter
from svd_studio.library.clips import ClipLibrary
from svd_studio.library.rebuild import Rebuild

log = logging.getLogger(__name__)

OURS = 10**9
"""A file may claim any job number; ours never come near this one."""


def needs_mending(path: Path, clips: Path) -> bool:
    """Whether a database is damaged, or gone while its clips are here."""
    return is_damaged(path) if path.exists() else next(clips.glob("*.mp4"), None) is not None


def mend(path: Path, clips_folder: Path, owner: str) -> Message:
    """Make a new database of what can be read of the old one and of the clips; says what was found again.

    Nobody else may have it open. `owner` is whose a clip is that does not say.
    """
    aside = set_aside(path) if path.exists() else None
    database = Database(path)
    queue, clips = JobQueue(database), ClipLibrary(clips_folder, database)
    if aside is not None:
        salvage(aside, queue, clips)
    Rebuild(clips, owner).run()
    number_behind_clips(database)
    found: dict[str, Value] = {"clips": clips.holdings(ClipFilter()).count, "jobs": sum(queue.count().values())}
    database.connection.close()
    if aside is None:
        return Message("database.found_again", {**found, "path": str(path)})
    return Message("database.mended", {**found, "aside": str(aside)})


def salvage(damaged: Path, queue: JobQueue, clips: ClipLibrary) -> None:
    """Copy every row that can be read and understood; what is in the new database already stays as it is."""
    checks: dict[str, Callable[[Any], object]] = {"jobs": queue.get, "clips": clips.get}
    for table in ("state", "jobs", "clips"):
        with queue.database.transaction() as connection:
            for row in _readable(damaged, table, _columns(connection, table)):
                _insert(connection, table, row)
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


def _columns(connection: apsw.Connection, table: str) -> str:
    return ", ".join(str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})"))


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


def _insert(connection: apsw.Connection, table: str, row: tuple[Any, ...]) -> None:
    try:
        connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(row))})", row)
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
