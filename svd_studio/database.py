"""Open studio.db: SQLite in WAL mode with synchronous=FULL, brought up to date by a list of migrations.

apsw brings its own SQLite, because the one that Python links may still have the WAL-reset bug
(several writing connections could corrupt the file before 3.51.3). FULL costs 4 ms a commit and lost
0 of 48,086 acknowledged rows in simulated power cuts; NORMAL lost some in every third.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from svd_studio.core.errors import BadInput, DiskFull, StudioError

BUSY_MS = 10_000

MIGRATIONS: list[Callable[[apsw.Connection], None]] = []
"""In order; a database remembers in user_version how many it has seen. Never edit one that was released."""


class Database:
    """Hand every thread its own connection to one file; the folder must exist.

    `vfs` names one of SQLite's layers to the disk. A newer database is refused untouched, and an
    older one is copied beside itself before it is brought up to date.
    """

    def __init__(self, path: Path, vfs: str | None = None) -> None:
        self.path, self.vfs = path, vfs
        self._local = threading.local()
        with in_words(path):
            _refuse_newer(path, vfs)
            behind = _version(self.connection) < len(MIGRATIONS)
        if behind:
            with self.transaction() as connection:
                _migrate(connection, path)

    @property
    def connection(self) -> apsw.Connection:
        """This thread's connection, opened at first use."""
        if not hasattr(self._local, "connection"):
            self._local.connection = _open(self.path, self.vfs)
        connection: apsw.Connection = self._local.connection
        return connection

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """Write all or nothing; others wait their turn. Inside another transaction it is part of that one.

        Raises DiskFull, or StudioError when the file cannot be used.
        """
        connection = self.connection
        if connection.in_transaction:
            yield connection
            return
        with in_words(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _open(path: Path, vfs: str | None) -> apsw.Connection:
    connection = apsw.Connection(str(path), vfs=vfs)
    connection.set_busy_timeout(BUSY_MS)
    # In WAL mode EXTRA is FULL. Before it, while the file is made, it also syncs the folder when the journal goes:
    # a journal that comes back after a power cut would undo the change to WAL, and with it all that is in the log.
    connection.execute("PRAGMA synchronous=EXTRA")
    connection.execute("PRAGMA journal_mode=WAL")
    return connection


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Translate what SQLite says of the file itself. Raises DiskFull, BadInput or StudioError."""
    try:
        yield
    except apsw.FullError as error:
        raise DiskFull("disk.full", folder=str(path.parent)) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError) as error:
        raise BadInput("database.cannot_open", path=str(path)) from error
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise BadInput("database.not_ours", path=str(path)) from error
    except apsw.BusyError as error:
        raise StudioError("database.busy", path=str(path)) from error


def is_damaged(path: Path) -> bool:
    """Read a whole database and say whether it is broken; one that is newer, busy or missing is not.

    Raises BadInput when it may not be opened.
    """
    if not path.exists():
        return False
    try:
        return _read_only(path, "PRAGMA quick_check(1)") not in (None, ("ok",))
    except (apsw.NotADBError, apsw.CorruptError):
        return True


def is_unused(path: Path) -> bool:
    """Whether a database never held a job or clip, because a verb made it where the real one was gone."""
    try:
        used = "SELECT EXISTS (SELECT 1 FROM sqlite_sequence) OR EXISTS (SELECT 1 FROM clips)"
        return _read_only(path, used) == (0,)
    except apsw.SQLError:  # a kill while it was made left no tables
        return True


def _read_only(path: Path, question: str) -> tuple[Any, ...] | None:
    """The first row of an answer, asked without writing anything; None from one that cannot be asked now."""
    with in_words(path):
        looking = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    looking.set_busy_timeout(BUSY_MS)
    try:
        row: tuple[Any, ...] | None = looking.execute(question).fetchone()
    except (apsw.ReadOnlyError, apsw.BusyError, apsw.CantOpenError, apsw.IOError):
        return None
    finally:
        looking.close()
    return row


def set_aside(path: Path) -> Path:
    """Give a database that nobody has open another name, its log with it; returns that name. Raises BadInput.

    When a kill came between the two, the next call lets the log follow.
    """
    number = 1
    while _aside(path, number).exists():
        number += 1
    aside = _aside(path, number if path.exists() else max(1, number - 1))
    try:
        for ending in ("", "-wal", "-shm"):  # the log last: without its database SQLite deletes it
            part = path.with_name(path.name + ending)
            if part.exists():
                os.replace(part, aside.with_name(aside.name + ending))
    except OSError as error:
        raise BadInput("database.cannot_open", path=str(path)) from error
    return aside


def was_set_aside(path: Path) -> bool:
    """Whether an earlier database of that name lies beside it, whose rows somebody may still want."""
    return next(path.parent.glob(f"{path.name}.damaged-*"), None) is not None


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.damaged-{number}")


def _refuse_newer(path: Path, vfs: str | None) -> None:
    """Look at an existing file without writing to it: opening it for writing would already change it."""
    if not path.exists():
        return
    looking = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs)
    looking.set_busy_timeout(BUSY_MS)
    try:
        version = _version(looking)
    except apsw.ReadOnlyError:  # the power went while it was made: only writing mends it, and it is ours
        return
    finally:
        looking.close()
    if version > len(MIGRATIONS):
        raise BadInput("database.newer", path=str(path))


def _version(connection: apsw.Connection) -> int:
    return int(connection.pragma("user_version"))


def _migrate(connection: apsw.Connection, path: Path) -> None:
    """Catch up; called with the write lock held, so that one process does it and the others find it done."""
    version = _version(connection)
    if 0 < version < len(MIGRATIONS):
        _keep_copy(path)
    for migration in MIGRATIONS[version:]:
        migration(connection)
    connection.pragma("user_version", len(MIGRATIONS))


def _keep_copy(path: Path) -> None:
    """Copy the database as it was before a migration; the copy appears whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        _copy(path, part)
        os.replace(part, path.with_name(f"{path.name}.before-{len(MIGRATIONS)}"))
    finally:
        part.unlink(missing_ok=True)


def _copy(path: Path, to: Path) -> None:
    source, copy = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY), apsw.Connection(str(to))
    try:
        with copy.backup("main", source, "main") as backup:
            backup.step()
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, complete in itself
    finally:
        copy.close()
        source.close()


CLIPS = """
CREATE TABLE clips (
    id TEXT PRIMARY KEY,
    job_id INTEGER,
    file TEXT NOT NULL,
    poster TEXT,
    settings TEXT NOT NULL,
    engine TEXT NOT NULL,
    words TEXT NOT NULL,
    source_sha256 TEXT NOT NULL,
    title TEXT NOT NULL,
    owner TEXT NOT NULL,
    frames INTEGER NOT NULL,
    fps REAL NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    seconds TEXT NOT NULL,
    peak_memory_gb REAL NOT NULL,
    plan TEXT NOT NULL,
    created REAL NOT NULL,
    starred INTEGER NOT NULL DEFAULT 0 CHECK (starred IN (0, 1)),
    trashed REAL
) STRICT;
CREATE INDEX clips_by_file ON clips (file);
CREATE INDEX clips_of_job ON clips (job_id);
CREATE INDEX clips_of_source ON clips (source_sha256, owner);
CREATE INDEX clips_kept ON clips (created, id, bytes) WHERE trashed IS NULL;
CREATE INDEX clips_of_owner ON clips (owner, created, id, bytes) WHERE trashed IS NULL;
CREATE INDEX clips_of_engine ON clips (engine, created, id, owner) WHERE trashed IS NULL;
CREATE INDEX clips_starred ON clips (created, id) WHERE starred = 1 AND trashed IS NULL;
CREATE INDEX clips_trashed ON clips (trashed, id, owner, bytes) WHERE trashed IS NOT NULL;
"""

SLOWLY_FINISHED = (
    "trashed IS NULL AND CASE WHEN json_valid(settings)"
    " THEN settings ->> '$.finish.enlarge' > 1 OR settings ->> '$.finish.between' = 'rife' END"
)
"""Clips whose frames a network finished, as an index and what asks for it must spell alike."""


@MIGRATIONS.append
def jobs_and_clips(connection: apsw.Connection) -> None:
    """The first schema: what waits and runs, and what is kept."""
    connection.execute(
        """
        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            position REAL NOT NULL,
            settings TEXT NOT NULL,
            start_image TEXT NOT NULL,
            end_image TEXT,
            title TEXT NOT NULL,
            owner TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
            stop INTEGER NOT NULL DEFAULT 0,
            stage TEXT,
            done INTEGER NOT NULL DEFAULT 0,
            total INTEGER NOT NULL DEFAULT 0,
            fraction REAL NOT NULL DEFAULT 0,
            eta_s REAL,
            message_code TEXT,
            message_values TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            preview_version INTEGER NOT NULL DEFAULT 0,
            worker TEXT,
            host TEXT,
            card INTEGER,
            lease REAL,
            clip_id TEXT,
            created REAL NOT NULL,
            started REAL,
            finished REAL
        ) STRICT;
        CREATE INDEX jobs_waiting ON jobs (status, position);
        CREATE INDEX jobs_by_position ON jobs (position);
        CREATE INDEX jobs_ended ON jobs (status, finished);
        CREATE INDEX jobs_of_owner ON jobs (owner, status, position);
        CREATE INDEX jobs_ended_of_owner ON jobs (owner, status, finished);
        CREATE INDEX jobs_of_picture ON jobs (start_image, owner);
        CREATE TABLE comparisons (
            id TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            owner TEXT NOT NULL,
            fields TEXT NOT NULL,
            created REAL NOT NULL
        ) STRICT;
        CREATE TABLE compared (job_id INTEGER PRIMARY KEY, comparison TEXT NOT NULL) STRICT;
        CREATE INDEX compared_in ON compared (comparison, job_id);
        CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
        """
    )
    connection.execute(CLIPS)


@MIGRATIONS.append
def ratings(connection: apsw.Connection) -> None:
    """Clips are rated from 1 to 5; 0 is not at all. The index answers "best first", as BEST_FIRST spells it."""
    connection.execute("ALTER TABLE clips ADD COLUMN rating INTEGER NOT NULL DEFAULT 0 CHECK (rating BETWEEN 0 AND 5)")
    connection.execute("CREATE INDEX clips_best ON clips (rating * 1e10 + created, id) WHERE trashed IS NULL")


@MIGRATIONS.append
def slow_finishing(connection: apsw.Connection) -> None:
    """The few clips that tell how long networks take to finish frames are found however many came since."""
    connection.execute(f"CREATE INDEX clips_slow ON clips (engine, created) WHERE {SLOWLY_FINISHED}")
