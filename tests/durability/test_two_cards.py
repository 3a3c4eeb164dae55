"""Two cards, two workers: each job is done once, by either; one that dies or loses its card costs the other nothing."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.job import Job, JobStatus
from tests.durability.fast_studio import SMALL
from tests.durability.processes import FastStudio
from tests.durability.test_kill_storm import assert_ended_well, drain
from tests.waiting import until

KILLS = 12


@pytest.fixture
def both(data: Path, open_studio: Callable[..., FastStudio]) -> FastStudio:
    """A studio whose two workers are up, and take a moment for each clip."""
    studio = open_studio(data, CARDS="2", STEP_S="0.5")
    until(lambda: studio.worker(0) and studio.worker(1), 60)
    return studio


def submit(studio: FastStudio, count: int) -> list[int]:
    recipes = [ClipSettings.from_person({**SMALL, "seed": seed}) for seed in range(count)]
    return [studio.studio.submit(recipe, studio.data / "picture.png").job_id for recipe in recipes]


def jobs(studio: FastStudio, status: JobStatus) -> list[Job]:
    return studio.studio.queue.find([status])


def close(studio: FastStudio) -> list[Job]:
    """All jobs once they have ended, in the order of their numbers."""
    until(lambda: not jobs(studio, JobStatus.QUEUED) and not jobs(studio, JobStatus.RUNNING), 120)
    until(lambda: not list(studio.studio.config.clips.glob(".*")), 20)
    studio.close()
    studio.assert_nothing_is_left()
    ended = studio.studio.queue.find()
    assert {job.status for job in ended} == {JobStatus.DONE}, [job.message for job in ended]
    return sorted(ended, key=lambda job: job.id)


def denoised(studio: FastStudio) -> int:
    return (studio.data / "calls.txt").read_text().split().count("denoise")


def test_both_take_jobs_and_none_is_done_twice(both: FastStudio) -> None:
    submit(both, 6)
    until(lambda: len(jobs(both, JobStatus.RUNNING)) == 2, 60)
    ended = close(both)
    assert {job.card for job in ended} == {0, 1}
    assert len({job.worker for job in ended}) == 2
    assert denoised(both) == 6
    assert [job.attempts for job in ended] == [1] * 6
    assert len(both.studio.clips.newest(100)) == 6


def test_a_killed_worker_costs_its_own_job_one_more_try_and_the_others_nothing(both: FastStudio) -> None:
    submit(both, 2)
    until(lambda: len(jobs(both, JobStatus.RUNNING)) == 2, 60)
    hit = next(job for job in jobs(both, JobStatus.RUNNING) if job.card == 1)
    spared = next(job for job in jobs(both, JobStatus.RUNNING) if job.card == 0)
    both.kill_worker(1)
    ended = {job.id: job for job in close(both)}
    assert (ended[hit.id].attempts, ended[spared.id].attempts) == (2, 1)
    assert ended[spared.id].worker == spared.worker
    assert denoised(both) <= 3


def test_the_job_of_a_lost_card_is_done_on_the_other(both: FastStudio) -> None:
    submit(both, 4)
    until(lambda: len(jobs(both, JobStatus.RUNNING)) == 2, 60)
    hit = next(job for job in jobs(both, JobStatus.RUNNING) if job.card == 1)
    (both.data / "lost.txt").write_text("1")
    both.kill_worker(1)
    ended = {job.id: job for job in close(both)}
    assert (ended[hit.id].card, ended[hit.id].attempts) == (0, 2)
    assert both.worker(1) is None


def test_a_card_that_answers_again_gets_its_worker_back(both: FastStudio) -> None:
    (both.data / "lost.txt").write_text("1")
    before = both.worker(1)
    both.kill_worker(1)
    until(lambda: both.worker(1) is None)
    (both.data / "lost.txt").unlink()
    until(lambda: both.worker(1) not in (None, before), 60)
    both.close()


@pytest.mark.slow
def test_a_storm_over_both_cards_loses_and_repeats_nothing(data: Path, open_studio: Callable[..., FastStudio]) -> None:
    chance = random.Random(0)
    (data / "more.txt").touch()
    studio = open_studio(data, CARDS="2", STEP_S="0.1")
    for _ in range(KILLS):
        card = chance.randrange(2)
        until(lambda: studio.worker(card), 60)  # noqa: B023
        time.sleep(chance.uniform(0, 1))
        studio.kill_worker(card)
    drain(studio)
    studio.assert_nothing_is_left()
    accepted = [int(line) for line in (data / "accepted.txt").read_text().split()]
    for number in accepted:
        assert_ended_well(studio, studio.studio.queue.get(number))
    made = [clip.job_id for clip in studio.studio.clips.newest(10_000)]
    assert len(made) == len(set(made)) == len(jobs(studio, JobStatus.DONE)) > 0
