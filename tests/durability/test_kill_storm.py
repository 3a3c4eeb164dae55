"""Kill any of our processes at any moment: every accepted job ends as a whole clip, or failed with a reason."""

import random
import time
from collections.abc import Callable
from pathlib import Path

from svd_studio.core.job import Job, JobStatus
from svd_studio.jobs.queue import MAX_ATTEMPTS
from svd_studio.video.metadata import probe
from tests.durability.processes import FastStudio
from tests.waiting import until

WORKER_KILLS, WINDOW_KILLS = 90, 10
LONGEST_LIFE_S = 0.5


def storm(studio: FastStudio, chance: random.Random) -> int:
    """Kill the worker and the window at random moments of a worker's life; how often a job was running."""
    kills = [studio.kill_worker] * WORKER_KILLS + [studio.kill_window] * WINDOW_KILLS
    chance.shuffle(kills)
    hit, killed = 0, None
    for kill in kills:
        until(lambda: studio.worker() not in (None, killed), 30)  # noqa: B023
        killed = studio.worker()
        time.sleep(chance.uniform(0, LONGEST_LIFE_S))
        hit += bool(studio.studio.queue.find([JobStatus.RUNNING]))
        kill()
        if kill == studio.kill_window:
            studio.open()
    return hit


def assert_ended_well(studio: FastStudio, job: Job | None) -> None:
    assert job is not None, "an accepted job is gone"
    if job.status is JobStatus.FAILED:
        assert (job.attempts, job.message and job.message.code) == (MAX_ATTEMPTS, "job.worker_died")
        return
    assert job.status is JobStatus.DONE
    clip = studio.studio.clips.get(str(job.clip_id))
    assert clip is not None
    assert probe(clip.rendered.path).frames == 2


def test_a_hundred_kills_lose_nothing(data: Path, open_studio: Callable[..., FastStudio]) -> None:
    started = time.monotonic()
    (data / "more.txt").touch()
    studio = open_studio()
    hit = storm(studio, random.Random(20))
    (data / "more.txt").unlink()
    queue = studio.studio.queue
    until(lambda: not queue.find([JobStatus.QUEUED, JobStatus.RUNNING]), 60)
    until(lambda: not list(studio.studio.config.clips.glob(".*")), 10)
    studio.close()
    accepted = [int(line) for line in (data / "accepted.txt").read_text().split()]
    for number in accepted:
        assert_ended_well(studio, queue.get(number))
    studio.assert_nothing_is_left()
    done = len(queue.find([JobStatus.DONE], limit=10_000))
    print(f"{len(accepted)} accepted, {done} done, {hit} kills hit a job, {time.monotonic() - started:.0f} s")
    assert hit > 30
    assert done > 10
