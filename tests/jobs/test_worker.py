"""One job after another: each ends as a clip, a reason, or cancelled; the worker itself goes on, or goes at once."""

import threading
from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import Cancelled, OutOfMemory
from svd_studio.core.job import JobStatus
from svd_studio.core.progress import Progress
from svd_studio.database import Database
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.adoption import clip_name
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.worker import CardLost, Worker
from svd_studio.library.clips import ClipLibrary
from svd_studio.rendering.loaded import LoadedEngine
from svd_studio.rendering.parts import PartStore
from svd_studio.rendering.render import Bench
from tests.fakes import FakeEngine
from tests.waiting import until


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Worker:
    import svd_studio.engines.svd

    FakeEngine.calls.clear()
    FakeEngine.raises = None
    monkeypatch.setattr(svd_studio.engines.svd, "SvdEngine", FakeEngine)
    config, database = StudioConfig(tmp_path), Database(tmp_path / "studio.db")
    bench = Bench(
        LoadedEngine("cpu", "fp32"), PartStore(config.parts), lambda info: tmp_path / "w", lambda: 64, lambda: 1
    )
    return Worker(config, JobQueue(database), ClipLibrary(config.clips, database), bench)


def add(worker: Worker, picture: Path, title: str = "a", **values: object) -> int:
    asked = {"seed": 1, "frames": 2, "width": 64, "height": 64, "engine": "svd-nano", **values}
    settings = ClipSettings.from_person(asked).resolve(ENGINES["svd-nano"]).settings
    return worker.queue.add(ClipRequest(settings, picture), title, "owner")


def run(worker: Worker) -> Any:
    job = worker.queue.claim("me")
    assert job is not None
    worker.run(job)
    return worker.queue.get(job.id)


def test_a_done_job_names_its_clip(worker: Worker, picture_file: Path) -> None:
    add(worker, picture_file)
    job = run(worker)
    assert (job.status, job.fraction) == (JobStatus.DONE, 1.0)
    clip = worker.clips.get(job.clip_id)
    assert clip is not None
    assert clip.rendered.path.is_file()
    assert not (worker.config.previews / "1.webp").exists()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OutOfMemory("memory.ran_out"), JobStatus.FAILED, "memory.ran_out"),
        (ValueError("odd"), JobStatus.FAILED, "render.unexpected"),
        (Cancelled(), JobStatus.CANCELLED, None),
    ],
)
def test_a_failing_job_says_why_and_the_next_one_is_made(
    worker: Worker, picture_file: Path, error: Exception, status: JobStatus, code: str | None
) -> None:
    add(worker, picture_file)
    add(worker, picture_file, seed=2)
    FakeEngine.raises = error
    job = run(worker)
    FakeEngine.raises = None
    assert job.status is status
    assert (job.message.code if job.message else None) == code
    assert run(worker).status is JobStatus.DONE


def test_a_card_that_fails_for_good_ends_the_worker_and_keeps_the_job(worker: Worker, picture_file: Path) -> None:
    add(worker, picture_file)
    add(worker, picture_file, seed=2)
    FakeEngine.raises = RuntimeError("CUDA error: an illegal memory access was encountered")
    with pytest.raises(CardLost):
        worker.work(threading.Event())
    assert [job.status for job in worker.queue.find()] == [JobStatus.RUNNING, JobStatus.QUEUED]
    worker.queue.recover()
    assert worker.queue.get(1).status is JobStatus.QUEUED  # type: ignore[union-attr]


def test_names_of_clips_never_meet(worker: Worker, picture_file: Path) -> None:
    titles = ["海" * 60, "x" * 200, "..", "a/b", ""]
    jobs = [
        worker.queue.get(add(worker, picture_file, title, seed=seed)) for title in titles for seed in (1, 2**32 - 1)
    ]
    names = [clip_name(job) for job in jobs if job]
    assert len(set(names)) == len(jobs)
    for name, job in zip(names, jobs, strict=True):
        assert job is not None
        assert name.endswith(f"seed {job.request.settings.seed} #{job.id}")
        assert len(f"{name}.mp4".encode()) < 200
        assert "/" not in name


def test_a_kill_between_file_and_row_makes_the_clip_once(worker: Worker, picture_file: Path) -> None:
    number = add(worker, picture_file)

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    finish, worker.queue.finish = worker.queue.finish, killed  # type: ignore[method-assign]
    job = worker.queue.claim("me")
    assert job is not None
    with pytest.raises(Killed):
        worker.run(job)
    assert worker.clips.newest() == []
    worker.queue.finish = finish  # type: ignore[method-assign]
    worker.queue.recover()
    assert run(worker).id == number
    assert len(worker.clips.newest()) == 1
    assert len(list(worker.config.clips.glob("*.mp4"))) == 1


def test_the_listener_hears_too(worker: Worker, picture_file: Path) -> None:
    class Listener(Progress):
        stages: set[str] = set()

        def report(self, stage: str, *_: object, **__: object) -> None:
            self.stages.add(stage)

    add(worker, picture_file)
    job = worker.queue.claim("me")
    assert job is not None
    worker.run(job, Listener())
    assert "denoise" in Listener.stages


def test_a_pause_frees_the_card_and_the_next_job_loads_again(worker: Worker, picture_file: Path) -> None:
    add(worker, picture_file)
    stopping = threading.Event()
    working = threading.Thread(target=worker.work, args=(stopping,))
    working.start()
    try:
        until(lambda: worker.queue.get(1).status is JobStatus.DONE)  # type: ignore[union-attr]
        assert "unload" not in FakeEngine.calls
        worker.queue.set_paused(True)
        until(lambda: FakeEngine.calls[-1] == "unload")
        add(worker, picture_file, seed=2)
        assert worker.queue.get(2).status is JobStatus.QUEUED  # type: ignore[union-attr]
        worker.queue.set_paused(False)
        until(lambda: worker.queue.get(2).status is JobStatus.DONE)  # type: ignore[union-attr]
    finally:
        stopping.set()
        working.join()
    assert FakeEngine.calls.count("load") == 2
