"""Reorder, edit, duplicate, retry, remove, pause: only what waits or has ended, and never a running job."""

from pathlib import Path

import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.errors import BadInput, Message
from svd_studio.core.job import JobStatus
from svd_studio.database import Database
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.arrange import Arrangement, Way
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


@pytest.mark.parametrize(
    ("job", "way", "then"),
    [
        (3, "up", "acbd"),
        (1, "up", "abcd"),
        (2, "down", "acbd"),
        (4, "down", "abcd"),
        (3, "top", "cabd"),
        (2, "end", "acdb"),
    ],
)
def test_a_waiting_job_moves_by_one_place_or_all_the_way(
    arrangement: Arrangement, queue: JobQueue, job: int, way: Way, then: str
) -> None:
    arrangement.shift(job, way)
    assert order(queue) == then


@pytest.mark.parametrize(("job", "after", "then"), [(1, 4, "bcda"), (4, 1, "adbc"), (2, 3, "acbd")])
def test_a_waiting_job_moves_behind_another(
    arrangement: Arrangement, queue: JobQueue, job: int, after: int, then: str
) -> None:
    arrangement.move_behind(job, after)
    assert order(queue) == then


def test_one_owner_trades_places_only_with_himself(arrangement: Arrangement, queue: JobQueue) -> None:
    for title in ("x", "y"):
        queue.add(queue.get(1).request, title, "guest")  # type: ignore[union-attr]
    queue.add(queue.get(1).request, "e", "owner")  # type: ignore[union-attr]
    arrangement.shift(6, "top", "guest")
    assert order(queue) == "abcdyxe"
    arrangement.shift(6, "end", "guest")
    assert order(queue) == "abcdxye"
    for forbidden in (lambda: arrangement.move(6, 1, "guest"), lambda: arrangement.shift(1, "down", "guest")):
        with pytest.raises(BadInput, match="not_waiting"):
            forbidden()
    arrangement.shift(6, "top")
    assert order(queue) == "yabcdxe"


def test_places_hold_among_thousands(arrangement: Arrangement, queue: JobQueue) -> None:
    with queue.database.transaction():
        for _ in range(1500):
            queue.add(queue.get(1).request, "z", "owner")  # type: ignore[union-attr]
    last = queue.add(queue.get(1).request, "last", "owner")  # type: ignore[union-attr]
    arrangement.shift(last, "top")
    arrangement.move(1, None)
    assert [job.title for job in queue.find([JobStatus.QUEUED], 3)] == ["last", "b", "c"]
    assert queue.find([JobStatus.QUEUED], 2000)[-1].title == "a"


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
    changed = ClipRequest(settings, Path("b.png"))
    arrangement.edit(2, changed, "bee")
    assert queue.get(2).request == changed  # type: ignore[union-attr]
    assert [job.title for job in queue.find([JobStatus.QUEUED])] == ["a", "bee", "c", "d"], "it keeps its place"
    queue.claim("me")
    with pytest.raises(BadInput, match="not_waiting"):
        arrangement.edit(1, changed, "a")
    with pytest.raises(BadInput, match="unknown"):
        arrangement.edit(99, changed, "a")


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
    with pytest.raises(BadInput, match="not_ended"):
        arrangement.retry(2)
    queue.finish(2, "clip")
    with pytest.raises(BadInput, match="not_ended"):
        arrangement.retry(2)
    with pytest.raises(BadInput, match="unknown"):
        arrangement.retry(99)


def test_everything_that_failed_waits_again_in_its_old_order(arrangement: Arrangement, queue: JobQueue) -> None:
    for number in (1, 2, 3):
        queue.claim("me")
        queue.fail(number, Message("memory.ran_out"))
    queue.add(queue.get(1).request, "x", "guest")  # type: ignore[union-attr]
    queue.cancel(4)
    assert arrangement.retry_failed("guest") == 0
    assert arrangement.retry_failed() == 3
    assert order(queue) == "xabc", "what was cancelled stays cancelled"


def test_clearing_takes_what_ended_and_nothing_else(arrangement: Arrangement, queue: JobQueue) -> None:
    queue.claim("me")
    queue.finish(1, "clip")
    queue.claim("me")
    queue.fail(2, Message("memory.ran_out"))
    queue.claim("me")
    assert len(arrangement.clear([JobStatus.DONE], "guest")) == 0
    assert len(arrangement.clear(tuple(JobStatus))) == 2
    assert [job.title for job in queue.find()] == ["c", "d"]


def test_what_was_removed_comes_back_as_and_where_it_was(arrangement: Arrangement, queue: JobQueue) -> None:
    before = queue.find()
    removed = [arrangement.remove(2), arrangement.remove(4)]
    assert order(queue) == "ac"
    queue.add(before[0].request, "new", "owner")  # at the place that d had
    arrangement.put_back(removed)
    assert order(queue) == "abcnewd"
    assert queue.get(2) == before[1]
    arrangement.put_back(removed)
    assert order(queue) == "abcnewd", "an undo that is sent twice counts once"


def test_only_a_running_job_cannot_be_removed(arrangement: Arrangement, queue: JobQueue) -> None:
    queue.claim("me")
    with pytest.raises(BadInput, match="still_running"):
        arrangement.remove(1)
    arrangement.remove(2)
    assert order(queue) == "cd"
    with pytest.raises(BadInput, match="unknown"):
        arrangement.remove(2)


def test_a_pause_holds_workers_back_and_outlives_a_restart(queue: JobQueue) -> None:
    queue.set_paused(True)
    assert queue.claim("me") is None
    again = JobQueue(Database(queue.database.path))
    assert again.is_paused()
    assert again.claim("terminal", 3).id == 3  # type: ignore[union-attr]
    again.set_paused(False)
    assert queue.claim("me").id == 1  # type: ignore[union-attr]
