"""The database file: a newer one is left alone to the byte, an older one is copied before it changes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from svd_studio.core.errors import BadInput, DiskFull
from svd_studio.database import MIGRATIONS, Database


@pytest.fixture
def another_migration() -> Iterator[int]:
    """A later version of the schema; its number."""

    def later(connection: apsw.Connection) -> None:
        connection.execute("ALTER TABLE state ADD COLUMN later TEXT")

    MIGRATIONS.append(later)
    yield len(MIGRATIONS)
    MIGRATIONS.remove(later)


def make(path: Path) -> None:
    database = Database(path)
    with database.transaction() as connection:
        connection.execute("INSERT INTO state (name, value) VALUES ('a', 'kept')")
    database.connection.close()


def test_an_older_database_is_copied_before_it_is_changed(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = tmp_path / "studio.db"
    make(path)
    number = request.getfixturevalue("another_migration")
    changed = Database(path)
    assert changed.connection.execute("SELECT value, later FROM state").fetchall() == [("kept", None)]
    copy = apsw.Connection(str(path.with_name(f"studio.db.before-{number}")), flags=apsw.SQLITE_OPEN_READONLY)
    assert copy.pragma("user_version") == number - 1
    assert copy.execute("SELECT * FROM state").fetchall() == [("a", "kept")]
    assert not path.with_name("studio.db.part").exists()


def test_a_new_database_needs_no_copy(tmp_path: Path, another_migration: int) -> None:
    make(tmp_path / "studio.db")
    assert not list(tmp_path.glob("*.before-*"))


def test_a_migration_without_room_for_the_copy_changes_nothing(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "studio.db"
    make(path)
    before = path.read_bytes()
    request.getfixturevalue("another_migration")

    def full(*_: object) -> None:
        raise apsw.FullError("full")

    monkeypatch.setattr("svd_studio.database._copy", full)
    with pytest.raises(DiskFull):
        Database(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("wal", [True, False])
def test_a_newer_database_is_refused_untouched(tmp_path: Path, wal: bool) -> None:
    path = tmp_path / "studio.db"
    if wal:
        make(path)
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", len(MIGRATIONS) + 1)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(BadInput, match="newer"):
        Database(path)
    assert path.read_bytes() == before


def test_a_newer_database_whose_log_was_left_by_a_kill_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    make(tmp_path / "live" / "studio.db")
    connection = apsw.Connection(str(tmp_path / "live" / "studio.db"))
    connection.pragma("user_version", len(MIGRATIONS) + 1)
    for name in ("studio.db", "studio.db-wal"):
        shutil.copy(tmp_path / "live" / name, tmp_path / name)
    connection.close()
    before = [(tmp_path / name).read_bytes() for name in ("studio.db", "studio.db-wal")]
    with pytest.raises(BadInput, match="newer"):
        Database(tmp_path / "studio.db")
    assert [(tmp_path / name).read_bytes() for name in ("studio.db", "studio.db-wal")] == before
