"""The animate verb on a computer with two cards: it takes one that is free, and nobody's running job."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from svd_studio.animate import Here
from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.job import Job, JobStatus
from svd_studio.core.progress import Progress
from svd_studio.gpu.cards import Card
from svd_studio.jobs.worker import Worker
from svd_studio.studio import Studio
from tests.jobs.test_worker import worker  # noqa: F401

TWO = (Card(0, "GPU-a"), Card(1, "GPU-b"))


@pytest.fixture
def studio(tmp_path: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Studio:  # noqa: F811
    """A studio with two cards, and a worker whose engine is a double."""
    for name in TWO[0].environment():
        monkeypatch.setenv(name, "")  # so that what animate sets is gone after the test
    studio = Studio(StudioConfig(tmp_path))
    monkeypatch.setattr(studio, "cards", TWO)
    monkeypatch.setattr(studio, "worker", lambda card: replace(worker, queue=studio.queue.on(card), clips=studio.clips))
    return studio


def submit(studio: Studio, picture: Path) -> int:
    settings = ClipSettings.from_person({"engine": "svd-nano", "frames": 2, "width": 64, "height": 64, "steps": 2})
    return studio.submit(settings, picture).job_id


def job(studio: Studio, number: int) -> Job:
    found = studio.queue.get(number)
    assert found is not None
    return found


def test_a_terminal_takes_the_card_that_is_free_and_stays_there(studio: Studio, picture_file: Path) -> None:
    here = Here(studio)
    first, second, third = (submit(studio, picture_file) for _ in range(3))
    with studio.render_lock(0):
        assert here.run(first, Progress())
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-b"
    assert here.run(second, Progress()), "torch sees the other card no more"
    assert [(job(studio, number).status, job(studio, number).card) for number in (first, second)] == [
        (JobStatus.DONE, 1)
    ] * 2
    with studio.render_lock(1):
        assert not here.run(third, Progress())
    assert job(studio, third).status is JobStatus.QUEUED


def test_a_job_whose_worker_is_gone_waits_again_and_a_running_one_goes_on(studio: Studio, picture_file: Path) -> None:
    lost, alive = submit(studio, picture_file), submit(studio, picture_file)
    studio.queue.claim("dead:1", lost)
    studio.queue.on(1).claim("living:2", alive)
    with studio.render_lock(1):
        studio.take_over()
    assert job(studio, lost).status is JobStatus.QUEUED
    assert job(studio, alive).status is JobStatus.RUNNING
    studio.let_go()
    assert (job(studio, alive).status, job(studio, alive).attempts) == (JobStatus.QUEUED, 0)


def test_every_card_that_renders_is_seen(studio: Studio) -> None:
    with studio.render_lock(1):
        holders = {lock.path.name: lock.holder() is not None for lock in studio.render_locks()}
    assert holders == {"worker.lock": False, "worker-1.lock": True}
