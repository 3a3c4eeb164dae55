"""A worker that dies or hangs at a known place: the job is done by the next one, and nothing is made twice."""

from collections.abc import Callable
from pathlib import Path

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.job import Job, JobStatus
from tests.durability.fast_studio import SMALL
from tests.durability.processes import FastStudio
from tests.waiting import until


def finished(studio: FastStudio, order: str) -> Job:
    """Submit one job to a worker that has an order; the job once it has ended."""
    (studio.data / "kill.txt").write_text(order)
    settings = ClipSettings.from_person({**SMALL, "seed": 1})
    number = studio.studio.submit(settings, studio.data / "picture.png").job_id
    queue = studio.studio.queue
    until(lambda: queue.get(number).status.is_final, 60)  # type: ignore[union-attr]
    studio.close()
    studio.assert_nothing_is_left()
    job = queue.get(number)
    assert job is not None
    assert (job.status, job.attempts) == (JobStatus.DONE, 2), job.message
    assert not (studio.data / "kill.txt").exists(), "the order was carried out"
    return job


@pytest.mark.parametrize(
    ("stage", "made_again"),
    [("decode", ["load", "decode"]), ("encode", [])],
)
def test_a_crash_repeats_only_its_own_stage(
    data: Path, open_studio: Callable[..., FastStudio], stage: str, made_again: list[str]
) -> None:
    finished(open_studio(data), f"{stage} die")
    assert (data / "calls.txt").read_text().split() == ["load", "denoise", "decode", *made_again]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["hang", "hang-natively"])
def test_a_hanging_worker_is_ended_and_the_log_says_where(
    data: Path, open_studio: Callable[..., FastStudio], how: str
) -> None:
    finished(open_studio(data, SILENT_S="4"), f"decode {how}")
    log = (data / "logs" / "worker.log").read_text()
    assert "Timeout" in log
    assert "in obey" in log


def test_what_kills_its_worker_three_times_is_given_up_and_the_next_job_is_done(
    data: Path, open_studio: Callable[..., FastStudio]
) -> None:
    studio = open_studio(data)
    deadly, sound = (ClipSettings.from_person({**SMALL, "seed": seed}) for seed in (1, 2))
    for settings in (deadly, sound):
        studio.studio.submit(settings, data / "picture.png")
    queue = studio.studio.queue

    def goes_on() -> bool:
        job = queue.get(1)
        assert job is not None
        if not job.status.is_final:
            (data / "kill.txt").write_text("decode die")
        else:
            (data / "kill.txt").unlink(missing_ok=True)
        return job.status.is_final

    until(goes_on, 60)
    until(lambda: queue.get(2).status is JobStatus.DONE, 60)  # type: ignore[union-attr]
    job = queue.get(1)
    assert job is not None
    assert (job.status, job.attempts, job.message and job.message.code) == (JobStatus.FAILED, 3, "job.worker_died")
    studio.close()
    studio.assert_nothing_is_left()
