"""A clip whose file was finished and whose row was not is known again, and nothing else is taken for it."""

import shutil
from pathlib import Path

import pytest

from svd_studio.core.job import JobStatus
from svd_studio.jobs.adoption import adopt
from svd_studio.jobs.worker import Worker
from tests.fakes import FakeEngine
from tests.jobs.test_worker import add, worker  # noqa: F401


@pytest.fixture
def killed(worker: Worker, picture_file: Path, monkeypatch: pytest.MonkeyPatch) -> Worker:  # noqa: F811
    """A worker whose process ended between the file and the row."""

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    add(worker, picture_file)
    job = worker.queue.claim("me")
    assert job is not None
    with monkeypatch.context() as patched:
        patched.setattr(worker.queue, "finish", die)
        with pytest.raises(Killed):
            worker.run(job)
    assert worker.clips.newest() == []
    FakeEngine.calls.clear()
    return worker


def file_of(worker: Worker) -> Path:  # noqa: F811
    return next(worker.config.clips.glob("*.mp4"))


def test_a_finished_clip_is_adopted_and_not_made_again(killed: Worker) -> None:
    made = file_of(killed).stat().st_mtime_ns
    killed.take_over()
    job, clip = killed.queue.get(1), killed.clips.newest()[0]
    assert job is not None
    assert (job.status, job.clip_id, job.fraction) == (JobStatus.DONE, clip.id, 1.0)
    assert (clip.job_id, clip.rendered.frames, clip.rendered.size) == (1, 2, (64, 64))
    assert clip.rendered.settings == job.request.settings
    assert "denoise" in clip.rendered.seconds_by_stage
    assert file_of(killed).stat().st_mtime_ns == made
    assert FakeEngine.calls == []
    assert adopt(killed.queue, killed.clips) == []


def test_a_stop_that_came_too_late_keeps_the_clip(killed: Worker) -> None:
    killed.queue.cancel(1)
    killed.take_over()
    assert killed.queue.get(1).status is JobStatus.DONE  # type: ignore[union-attr]


def test_the_last_try_counts_when_its_clip_is_whole(killed: Worker) -> None:
    with killed.queue.database.transaction() as connection:
        connection.execute("UPDATE jobs SET attempts = 3")
    killed.take_over()
    assert killed.queue.get(1).status is JobStatus.DONE  # type: ignore[union-attr]


def test_a_missing_poster_is_drawn_from_the_clip(killed: Worker) -> None:
    file_of(killed).with_suffix(".webp").unlink()
    killed.take_over()
    poster = killed.clips.newest()[0].rendered.poster
    assert poster is not None
    assert poster.stat().st_size > 0


@pytest.mark.parametrize("wrong", ["torn", "not ours", "another job's", "another recipe"])
def test_anything_else_is_made_again(killed: Worker, picture_file: Path, wrong: str) -> None:
    path = file_of(killed)
    if wrong == "torn":
        path.write_bytes(path.read_bytes()[:-500])
    elif wrong == "not ours":
        path.write_bytes(b"something else")
    elif wrong == "another recipe":
        with killed.queue.database.transaction() as connection:
            connection.execute("UPDATE jobs SET settings = json_set(settings, '$.seed', 5)")
    else:
        killed.take_over()
        other = add(killed, picture_file)
        killed.queue.claim("me")
        shutil.copy(path, path.with_name(f"stolen #{other}.mp4"))
        assert adopt(killed.queue, killed.clips) == []
        return
    killed.take_over()
    assert killed.queue.get(1).status is JobStatus.QUEUED  # type: ignore[union-attr]
    assert killed.clips.newest() == []
