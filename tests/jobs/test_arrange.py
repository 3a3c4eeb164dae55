"""Reorder, edit, duplicate, retry, remove, pause: only what waits or has ended, and never a running job."""

from pathlib import Path

import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.errors import BadInput, Message
from svd_studio.core.job import JobStatus
from svd_studio.database import Database
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.arrange import Arrangement
from svd_studio.jobs.queue import JobQueue


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    queue = JobQueue(Database(tmp_path / "studio.db"))
    settings = ClipSettings(seed=3).resolve(ENGINES["svd-nano"]).settings
    for title in "abcd":
        queue.add(ClipRequest(settings, Path("a.png")), title, "owner")
    return queue


@pytest.fixture
def arrangement(queue: JobQueue) -> Arrangement:
    return Arrangement(queue)


def order(queue: JobQueue) -> str:
    return "".join(job.title for job in queue.find([JobStatus.QUEUED]))


@pytest.mark.parametrize(
    ("job", "before", "then"), [(4, 1, "dabc"), (1, None, "bcda"), (2, 4, "acbd"), (3, 3 - 1, "acbd")]
)
def test_a_waiting_job_moves(
    arrangement: Arrangement, queue: JobQueue, job: int, before: int | None, then: str
) -> None:
    arrangement.move(job, before)
    assert order(queue) == then
    assert queue.claim("me").title == then[0]  # type: ignore[union-attr]


def test_what_runs_or_is_unknown_does_not_move(arrangement: Arrangement, queue: JobQueue) -> None:
    queue.claim("me")
    for job, before in ((1, 2), (2, 1), (99, None), (2, 99)):
        with pytest.raises(BadInput, match="job"):
            arrangement.move(job, before)
    assert order(queue) == "bcd"


def test_a_waiting_job_takes_another_recipe_and_a_running_one_does_not(
    arrangement: Arrangement, queue: JobQueue
) -> None:
    settings = ClipSettings(seed=9, prompt="new").resolve(ENGINES["svd-nano"]).settings
    arrangement.edit(2, settings)
    assert queue.get(2).request.settings == settings  # type: ignore[union-attr]
    queue.claim("me")
    with pytest.raises(BadInput, match="not_waiting"):
        arrangement.edit(1, settings)


def test_a_duplicate_waits_at_the_end_with_another_seed(arrangement: Arrangement, queue: JobQueue) -> None:
    copy = queue.get(arrangement.duplicate(1, seed=77))
    assert copy is not None
    assert (copy.request.settings.seed, copy.title) == (77, "a")
    assert order(queue) == "abcda"


def test_a_failed_job_waits_again_and_a_done_one_does_not(arrangement: Arrangement, queue: JobQueue) -> None:
    queue.claim("me")
    queue.fail(1, Message("memory.ran_out"))
    arrangement.retry(1)
    job = queue.get(1)
    assert job is not None
    assert (job.status, job.attempts, job.message) == (JobStatus.QUEUED, 0, None)
    assert order(queue) == "bcda"
    queue.claim("me")
    queue.finish(2, "clip")
    with pytest.raises(BadInput, match="not_ended"):
        arrangement.retry(2)


def test_only_a_running_job_cannot_be_removed(arrangement: Arrangement, queue: JobQueue) -> None:
    queue.claim("me")
    with pytest.raises(BadInput, match="still_running"):
        arrangement.remove(1)
    arrangement.remove(2)
    assert order(queue) == "cd"


def test_a_pause_holds_workers_back_and_outlives_a_restart(queue: JobQueue) -> None:
    queue.set_paused(True)
    assert queue.claim("me") is None
    again = JobQueue(Database(queue.database.path))
    assert again.is_paused()
    assert again.claim("terminal", 3).id == 3  # type: ignore[union-attr]
    again.set_paused(False)
    assert queue.claim("me").id == 1  # type: ignore[union-attr]
