"""What a worker that starts may touch: its own card's leavings and those of the dead, never a living neighbour's."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.job import JobStatus
from svd_studio.database import Database
from svd_studio.engines.catalog import ENGINES
from svd_studio.host import FileLock
from svd_studio.jobs.housekeeping import sweep
from svd_studio.jobs.neighbours import Neighbours
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.clips import ClipLibrary
from svd_studio.video.files import PART_SUFFIX, write_whole


@pytest.fixture
def config(tmp_path: Path) -> StudioConfig:
    made = StudioConfig(tmp_path / "data")
    for folder in (made.clips, made.parts, made.previews):
        folder.mkdir(parents=True)
    return made


@pytest.fixture
def queue(config: StudioConfig) -> JobQueue:
    """The queue as the worker of card 0 sees it, with three jobs."""
    queue = JobQueue(Database(config.database))
    settings = ClipSettings(seed=1).resolve(ENGINES["svd-nano"]).settings
    for name in "abc":
        queue.add(ClipRequest(settings, Path("a.png")), name, "owner")
    return queue


@pytest.fixture
def neighbours(config: StudioConfig, queue: JobQueue) -> Neighbours:
    return Neighbours(config, queue, ClipLibrary(config.clips, queue.database))


def running(queue: JobQueue) -> dict[int, int | None]:
    return {job.id: job.card for job in queue.find([JobStatus.RUNNING])}


def test_only_the_jobs_of_ones_own_card_wait_again(queue: JobQueue) -> None:
    queue.claim("mine:1")
    queue.on(1).claim("theirs:2")
    queue.on(1).cancel(2)
    assert queue.recover() == [1]
    assert running(queue) == {2: 1}
    queue.claim("mine:3")
    queue.release()
    assert running(queue) == {2: 1}, "neither put back nor cancelled by somebody else"
    queue.on(1).release()
    assert running(queue) == {}


def test_a_dead_neighbours_job_is_taken_over_and_a_living_ones_is_not(
    config: StudioConfig, queue: JobQueue, neighbours: Neighbours
) -> None:
    queue.claim("mine:1")
    queue.on(1).claim("theirs:2")
    with FileLock(config.worker_lock(1)):
        neighbours.take_over()
        assert running(queue) == {1: 0, 2: 1}
    neighbours.take_over()
    assert running(queue) == {1: 0}
    assert FileLock(config.worker_lock(1)).try_acquire(), "let go again"


def half_files(config: StudioConfig) -> list[Path]:
    """What a process of this number has half written in both folders, by the name that is really given."""
    found: list[Path] = []
    for folder in (config.clips, config.parts):
        write_whole(folder / "a", lambda part: found.append(part), lambda part: None)
        (folder / "a").unlink()
        found[-1].touch()
    return found


def test_a_living_neighbours_half_files_and_preview_stay(
    config: StudioConfig, queue: JobQueue, neighbours: Neighbours
) -> None:
    queue.claim("mine:1")
    queue.on(1).claim("theirs:2")
    theirs, dead = half_files(config), config.clips / f".{os.getpid() + 1}-a{PART_SUFFIX}"
    previews = [config.previews / name for name in ("1.webp", "2.webp", "2.part")]
    for path in (dead, *previews):
        path.touch()
    queue.recover()
    with FileLock(config.worker_lock(1)):
        sweep(config, neighbours)
        assert [path.exists() for path in (*theirs, *previews, dead)] == [True, True, False, True, True, False]
    neighbours.take_over()
    sweep(config, neighbours)
    assert not any(path.exists() for path in (*theirs, *previews))


def test_what_each_card_holds_is_known_apart(queue: JobQueue) -> None:
    queue.hold(3.5)
    queue.on(1).hold(7.25)
    assert (queue.held_gb(), queue.on(1).held_gb(), queue.on(2).held_gb()) == (3.5, 7.25, 0.0)


def test_a_job_is_claimed_by_one_of_many_at_once(queue: JobQueue) -> None:
    with ThreadPoolExecutor(6) as pool:
        taken = pool.map(lambda card: queue.on(card).claim(f"worker:{card}"), range(6))
    assert sorted(job.id for job in taken if job) == [1, 2, 3]
