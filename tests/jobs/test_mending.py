"""A damaged database is set aside, and a new one holds what can still be read and every clip that is there."""

import shutil
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from svd_studio.cli import main
from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import StudioError
from svd_studio.core.job import JobStatus
from svd_studio.database import MIGRATIONS, Database, is_damaged
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.worker import Worker
from svd_studio.studio import Studio
from svd_studio.ui.texts import say
from tests.jobs.test_worker import add, run, worker  # noqa: F401

SETTINGS = ClipSettings(seed=3, prompt="waves " * 60).resolve(ENGINES["svd-nano"]).settings
PAGE = 4096


@pytest.fixture
def studio(worker: Worker, picture_file: Path) -> Studio:  # noqa: F811
    """One clip with a star, and 200 jobs that wait; nobody has the database open."""
    add(worker, picture_file)
    clip_id = run(worker).clip_id
    worker.clips.star(clip_id, True)
    with worker.queue.database.transaction():
        for number in range(200):
            worker.queue.add(ClipRequest(SETTINGS, picture_file), f"picture {number}", "owner")
    worker.queue.set_paused(True)
    worker.queue.database.connection.close()
    return Studio(worker.config)


def overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def pages_of(path: Path, table: str) -> list[int]:
    """The numbers of the pages that hold the rows of a table."""
    connection = apsw.Connection(str(path))
    rows = connection.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)).fetchall()
    connection.close()
    return [int(row[0]) for row in rows]  # type: ignore[arg-type]


def mended(studio: Studio) -> str:
    studio.mend()
    assert studio.mended is not None
    assert not is_damaged(studio.config.database)
    for language in ("en", "zh-CN"):
        assert str(len(studio.clips.newest())) in say(studio.mended, language)
    return say(studio.mended)


def test_a_sound_database_is_left_alone(studio: Studio) -> None:
    before = studio.config.database.read_bytes()
    studio.mend()
    assert studio.mended is None
    assert studio.config.database.read_bytes() == before
    assert not list(studio.config.data.glob("*damaged*"))


def test_a_broken_head_leaves_the_clips(studio: Studio) -> None:
    overwrite(studio.config.database, 0, b"\0" * 100)
    damaged = studio.config.database.read_bytes()
    said = mended(studio)
    aside = studio.config.data / "studio.db.damaged-1"
    assert aside.read_bytes() == damaged
    assert str(aside) in said
    [clip] = studio.clips.newest()
    assert clip.rendered.path.is_file()
    assert studio.queue.find() == []
    number = studio.queue.add(ClipRequest(SETTINGS, Path("a.png")), "next", "owner")
    assert number > int(clip.job_id or 0), "nobody takes the next job for the one that made the clip"


def test_a_damaged_database_of_an_older_version_gives_what_it_has(studio: Studio) -> None:
    older = apsw.Connection(str(studio.config.database))
    for change in ("DROP INDEX clips_best", "ALTER TABLE clips DROP COLUMN rating", "PRAGMA user_version = 1"):
        older.execute(change)
    older.close()
    pages = pages_of(studio.config.database, "jobs")
    overwrite(studio.config.database, (pages[len(pages) // 2] - 1) * PAGE, b"\xff" * PAGE)
    mended(studio)
    [clip] = studio.clips.newest()
    assert (clip.starred, clip.rating) == (True, 0)


def test_a_broken_page_costs_only_its_own_rows(studio: Studio) -> None:
    pages = pages_of(studio.config.database, "jobs")
    assert len(pages) > 5
    overwrite(studio.config.database, (pages[len(pages) // 2] - 1) * PAGE, b"\xff" * PAGE)
    assert is_damaged(studio.config.database)
    mended(studio)
    waiting = studio.queue.find([JobStatus.QUEUED])
    assert 100 < len(waiting) < 200
    assert [job.id for job in waiting] == sorted(job.id for job in waiting)
    assert {waiting[0].title, waiting[-1].title} == {"picture 0", "picture 199"}, "before and behind the broken place"
    [clip] = studio.clips.newest()
    assert (clip.starred, clip.job_id) == (True, 1)
    assert studio.queue.is_paused()


def test_a_row_that_makes_no_sense_is_left_out(studio: Studio) -> None:
    connection = apsw.Connection(str(studio.config.database))
    connection.execute("UPDATE jobs SET settings = '{' WHERE id = 7")
    connection.close()
    [page] = pages_of(studio.config.database, "state")
    overwrite(studio.config.database, (page - 1) * PAGE, b"\xff" * PAGE)
    mended(studio)
    assert studio.queue.get(7) is None
    assert len(studio.queue.find([JobStatus.QUEUED])) == 199


def test_a_database_that_is_gone_is_made_from_the_clips(studio: Studio) -> None:
    studio.config.database.unlink()
    assert "gone" in mended(studio)
    assert len(studio.clips.newest()) == 1


def test_a_new_folder_needs_nothing(tmp_path: Path) -> None:
    studio = Studio(StudioConfig(tmp_path / "new"))
    studio.mend()
    assert studio.mended is None
    assert not studio.config.data.exists()


def test_a_newer_database_is_not_damaged(studio: Studio) -> None:
    connection = apsw.Connection(str(studio.config.database))
    connection.pragma("user_version", len(MIGRATIONS) + 1)
    connection.close()
    before = studio.config.database.read_bytes()
    studio.mend()
    assert studio.mended is None
    assert studio.config.database.read_bytes() == before


def test_nothing_is_set_aside_while_somebody_renders(studio: Studio) -> None:
    overwrite(studio.config.database, 0, b"\0" * 100)
    with Studio(studio.config).render_lock(), pytest.raises(StudioError):
        studio.mend()
    assert not list(studio.config.data.glob("*damaged*"))


def test_the_second_damage_keeps_the_first_file(studio: Studio) -> None:
    for number in (1, 2):
        overwrite(studio.config.database, 0, b"\0" * 100)
        mended(studio)
        studio.database.connection.close()
        studio = Studio(studio.config)
        assert (studio.config.data / f"studio.db.damaged-{number}").is_file()


@pytest.mark.parametrize("at", ["head", "page"])
def test_every_verb_says_so_in_a_sentence_and_rebuild_mends(
    studio: Studio, capsys: pytest.CaptureFixture[str], at: str
) -> None:
    database, data = studio.config.database, str(studio.config.data)
    place = 0 if at == "head" else (pages_of(database, "jobs")[0] - 1) * PAGE
    overwrite(database, place, b"\xff" * PAGE)
    assert main(["jobs", "--data", data]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "start the studio" in said
    assert main(["clips", "--rebuild", "--data", data]) == 0
    assert "set aside" in capsys.readouterr().err
    assert main(["clips", "--data", data]) == 0


def test_the_log_of_a_damaged_database_goes_with_it(studio: Studio, tmp_path: Path) -> None:
    """A log beside a new database would be applied to it."""
    live = tmp_path / "live"
    shutil.copytree(studio.config.data, live, ignore=shutil.ignore_patterns("live"))
    database = Database(live / "studio.db")
    with database.transaction() as connection:
        connection.execute("INSERT INTO state VALUES ('late', 'kept in the log')")
    for name in ("studio.db", "studio.db-wal"):
        shutil.copy(live / name, studio.config.data / name)
    database.connection.close()
    [page] = pages_of_copy(studio.config.database, "clips", tmp_path)
    overwrite(studio.config.database, (page - 1) * PAGE, b"\xff" * PAGE)
    mended(studio)
    assert studio.database.connection.execute("SELECT value FROM state WHERE name = 'late'").fetchall() == [
        ("kept in the log",)
    ]
    assert (studio.config.data / "studio.db.damaged-1-wal").is_file()


def pages_of_copy(path: Path, table: str, folder: Path) -> list[int]:
    copy = folder / "copy.db"
    shutil.copy(path, copy)
    return pages_of(copy, table)


KILLED_AT = """
import os, sys
from pathlib import Path
from svd_studio.core.config import StudioConfig
from svd_studio.studio import Studio

event, number, left = sys.argv[2], int(sys.argv[3]), []

def kill(name, values):
    if name == event and (event != "open" or str(values[0]).endswith(".mp4")):
        left.append(name)
        if len(left) == number:
            os._exit(9)

sys.addaudithook(kill)
Studio(StudioConfig(Path(sys.argv[1]))).mend()
"""


def killed(studio: Studio, event: str, number: int) -> None:
    """Mend in a process that dies right before its n-th rename, or when it opens the n-th clip."""
    command = [sys.executable, "-c", KILLED_AT, str(studio.config.data), event, str(number)]
    assert subprocess.run(command, timeout=120).returncode == 9


@pytest.mark.parametrize(("event", "number"), [("open", 1), ("os.rename", 1), ("os.rename", 2), ("os.rename", 3)])
def test_a_kill_while_it_is_mended_costs_no_job(studio: Studio, tmp_path: Path, event: str, number: int) -> None:
    [page] = pages_of(studio.config.database, "clips")
    overwrite(studio.config.database, (page - 1) * PAGE, b"\xff" * PAGE)
    damaged = studio.config.database.read_bytes()
    killed(studio, event, number)
    said = mended(studio)
    assert len(studio.queue.find([JobStatus.QUEUED])) == 200
    [clip] = studio.clips.newest()
    assert studio.queue.add(ClipRequest(SETTINGS, Path("a.png")), "next", "owner") > 200
    aside = studio.config.data / "studio.db.damaged-1"
    assert aside.read_bytes() == damaged
    assert str(aside) in said
    assert not [path.name for path in studio.config.data.iterdir() if "mend" in path.name]
    assert clip.rendered.path.is_file()


def test_a_kill_while_the_clips_are_found_again_is_made_good(studio: Studio) -> None:
    studio.config.database.unlink()
    killed(studio, "open", 1)
    assert studio.config.database.exists()
    assert "gone" in mended(studio)
    assert len(studio.clips.newest()) == 1


def test_a_verb_on_a_lost_database_does_not_hide_the_loss(studio: Studio) -> None:
    studio.config.database.unlink()
    assert main(["jobs", "--data", str(studio.config.data)]) == 0
    assert "gone" in mended(studio)
    assert len(studio.clips.newest()) == 1
    assert studio.queue.add(ClipRequest(SETTINGS, Path("a.png")), "next", "owner") > 1


def test_clips_of_others_are_looked_at_once(tmp_path: Path) -> None:
    studio = Studio(StudioConfig(tmp_path / "data"))
    studio.config.clips.mkdir(parents=True)
    (studio.config.clips / "holiday.mp4").write_bytes(b"no clip of ours")
    mended(studio)
    again = Studio(studio.config)
    again.mend()
    assert again.mended is None
