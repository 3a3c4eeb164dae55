"""Kill any of our processes at any moment: every accepted job ends as a whole clip, or failed with a reason."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from svd_studio.core.job import Job, JobStatus
from svd_studio.jobs.queue import MAX_ATTEMPTS
from svd_studio.video.metadata import probe
from tests.durability.processes import FastStudio
from tests.waiting import until

STUDIOS, WORKER_KILLS, WINDOW_KILLS = 2, 45, 5
SHORTEST_LIFE_S = 0.4


def life_of(studio: FastStudio) -> float:
    """How long a worker needs for its first clip on this machine as busy as it is; killed later, it would only idle."""
    until(studio.worker, 60)
    started = time.monotonic()
    until(lambda: studio.studio.queue.find([JobStatus.DONE]), 60)
    return max(SHORTEST_LIFE_S, time.monotonic() - started)


def storm(studio: FastStudio, seed: int) -> int:
    """Kill the worker and the window at random moments of a worker's life; how often a job was running."""
    chance = random.Random(seed)
    kills = [studio.kill_worker] * WORKER_KILLS + [studio.kill_window] * WINDOW_KILLS
    chance.shuffle(kills)
    hit, killed, longest_s = 0, None, life_of(studio)
    for kill in kills:
        until(lambda: studio.worker() not in (None, killed), 60)  # noqa: B023
        killed = studio.worker()
        time.sleep(chance.uniform(0, longest_s))
        hit += bool(studio.studio.queue.find([JobStatus.RUNNING]))
        kill()
        if kill == studio.kill_window:
            studio.open()
    return hit


def drain(studio: FastStudio) -> None:
    """Let what was accepted end, then close."""
    (studio.data / "more.txt").unlink()
    queue = studio.studio.queue
    until(lambda: not queue.find([JobStatus.QUEUED, JobStatus.RUNNING]), 120)
    until(lambda: not list(studio.studio.config.clips.glob(".*")), 20)
    studio.close()


def assert_ended_well(studio: FastStudio, job: Job | None) -> None:
    assert job is not None, "an accepted job is gone"
    if job.status is JobStatus.FAILED:
        assert (job.attempts, job.message and job.message.code) == (MAX_ATTEMPTS, "job.worker_died")
        return
    assert job.status is JobStatus.DONE
    clip = studio.studio.clips.get(str(job.clip_id))
    assert clip is not None
    assert probe(clip.rendered.path).frames == 2


@pytest.mark.slow
def test_a_hundred_kills_lose_nothing(make_data: Callable[[str], Path], open_studio: Callable[..., FastStudio]) -> None:
    """In two studios side by side, for a process that starts leaves a core waiting."""
    assert STUDIOS * WORKER_KILLS >= 90
    assert STUDIOS * WINDOW_KILLS >= 10
    started = time.monotonic()
    studios = []
    for seed in range(STUDIOS):
        data = make_data(str(seed))
        (data / "more.txt").touch()
        studios.append(open_studio(data))
    with ThreadPoolExecutor() as pool:
        hits = list(pool.map(storm, studios, range(STUDIOS)))
        list(pool.map(drain, studios))
    for studio, hit in zip(studios, hits, strict=True):
        accepted = [int(line) for line in (studio.data / "accepted.txt").read_text().split()]
        for number in accepted:
            assert_ended_well(studio, studio.studio.queue.get(number))
        studio.assert_nothing_is_left()
        done = len(studio.studio.queue.find([JobStatus.DONE], limit=10_000))
        print(f"{len(accepted)} accepted, {done} done, {hit} kills hit a job, {time.monotonic() - started:.0f} s")
        assert hit > 15
        assert done > 5
