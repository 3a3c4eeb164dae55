"""A clock that is set a day forward or back while jobs wait and run: nothing is lost, doubled or shown as nonsense."""

from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.job import JobStatus
from svd_studio.core.progress import Progress
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs import worker as job_worker
from svd_studio.jobs.adoption import adopt
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.worker import Worker
from svd_studio.library.trash import Trash
from svd_studio.studio import OWNER, Studio
from svd_studio.ui.queue_view import queue_view
from tests.jobs.test_worker import worker  # noqa: F401

DAY_S = 86_400.0
NOW = 1.9e9


class Clock:
    """A wall clock that somebody sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[DAY_S, -DAY_S], ids=["forward", "back"])
def jump(request: pytest.FixtureRequest) -> float:
    return float(request.param)


@pytest.fixture
def timed(worker: Worker, clock: Clock) -> Worker:  # noqa: F811
    """A worker whose queue goes by that clock."""
    queue = JobQueue(worker.queue.database, clock)
    return Worker(worker.config, queue, worker.clips, worker.bench)


def add(worker: Worker, picture: Path, seed: int) -> int:  # noqa: F811
    asked = {"seed": seed, "frames": 2, "width": 64, "height": 64, "engine": "svd-nano"}
    settings = ClipSettings.from_person(asked).resolve(ENGINES["svd-nano"]).settings
    return worker.queue.add(ClipRequest(settings, picture), f"clip {seed}", OWNER)


def rows(worker: Worker) -> dict[str, list[Any]]:  # noqa: F811
    studio = Studio(StudioConfig(worker.config.data))
    shown = queue_view(studio, OWNER, "en")["queue"]["groups"]
    return {group["name"]: group["rows"] for group in shown}


def test_a_jump_while_a_job_runs(timed: Worker, clock: Clock, jump: float, picture_file: Path) -> None:
    class Jumping(Progress):
        def report(self, stage: str, *_: object, **__: object) -> None:
            if stage == "decode" and abs(clock.now - NOW) < DAY_S / 2:
                clock.now += jump

    _, second = add(timed, picture_file, 1), add(timed, picture_file, 2)
    job = timed.queue.claim("me")
    assert job is not None
    timed.run(job, Jumping())
    assert abs(clock.now - NOW) > DAY_S / 2, "it has jumped"
    [row] = rows(timed)["done"]
    assert row["line"] == ("made in 24 h 0 min" if jump > 0 else "made in 1 s")
    third = add(timed, picture_file, 3)
    assert [row["id"] for row in rows(timed)["waiting"]] == [second, third], "the order is not the clock's"
    job = timed.queue.claim("me")
    assert job is not None
    assert job.id == second


def test_a_jump_does_not_take_a_job_from_its_worker_and_loses_none(
    timed: Worker, clock: Clock, jump: float, picture_file: Path
) -> None:
    number = add(timed, picture_file, 1)
    timed.queue.claim("me")
    clock.now += jump
    assert timed.queue.claim("another") is None, "a claim ends with its worker and not with the clock"
    assert adopt(timed.queue, timed.clips) == []
    assert timed.queue.recover() == [number]
    job = timed.queue.claim("another")
    assert job is not None
    assert timed.run(job) is not None
    assert timed.queue.get(number).status is JobStatus.DONE  # type: ignore[union-attr]


def test_a_clip_that_was_finished_before_the_jump_is_known_again(
    timed: Worker, clock: Clock, jump: float, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(timed, picture_file, 1)
    job = timed.queue.claim("me")
    assert job is not None
    with monkeypatch.context() as killed:
        killed.setattr(job_worker, "keep", lambda *_: None)
        timed.run(job)
    clock.now += jump
    timed.take_over()
    assert timed.queue.get(1).status is JobStatus.DONE  # type: ignore[union-attr]
    assert len(timed.clips.newest()) == 1


def test_what_was_thrown_away_today_outlives_a_jump(
    timed: Worker, clock: Clock, jump: float, picture_file: Path
) -> None:
    add(timed, picture_file, 1)
    job = timed.queue.claim("me")
    assert job is not None
    clip = timed.run(job)
    assert clip is not None
    trash = Trash(timed.clips, clock)
    trash.put(clip)
    clock.now += jump
    assert trash.expire() == 0
    trash.restore(timed.clips.get(clip.id) or clip)
    assert timed.clips.newest()[0].is_here
