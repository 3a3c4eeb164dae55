"""Let every single write, fsync and rename of a job's life fail: done, or failed with a sentence; never half."""

import errno
import itertools
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import StudioError
from svd_studio.core.job import Job, JobStatus
from svd_studio.database import Database
from svd_studio.jobs import room
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.worker import Worker
from svd_studio.rendering.loaded import LoadedEngine
from svd_studio.rendering.parts import PartStore
from svd_studio.rendering.render import Bench
from svd_studio.studio import Studio
from svd_studio.ui.texts import say
from svd_studio.video.metadata import probe
from tests.durability.fast_studio import SMALL
from tests.durability.faults import Faults, FaultyDisk, put_below_python
from tests.durability.processes import assert_whole
from tests.fakes import FakeEngine

names = itertools.count()


class UntilEnded(threading.Event):
    """Stop a worker once a job has ended; never wait."""

    def __init__(self, queue: JobQueue, number: int) -> None:
        super().__init__()
        self._queue, self._number = queue, number

    def is_set(self) -> bool:
        job = self._queue.get(self._number)
        return job is None or job.status.is_final

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    made = Faults()
    put_below_python(made, monkeypatch)
    monkeypatch.setattr(room, "LOOK_EVERY_S", 0.0)
    engines = types.ModuleType("svd_studio.engines.svd")
    engines.SvdEngine = FakeEngine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "svd_studio.engines.svd", engines)
    return made


@pytest.fixture
def studio(tmp_path: Path, faults: Faults) -> Iterator[Studio]:
    made = Studio(StudioConfig(tmp_path / "data", room_for_a_clip=1_000_000))
    made.config.data.mkdir()
    disk = FaultyDisk(f"faulty{next(names)}", faults)
    made.database = Database(made.config.database, disk.name)
    yield made
    made.database.connection.close()
    disk.unregister()


def picture(folder: Path, number: int) -> Path:
    path = folder / f"{number}.png"
    Image.new("RGB", (64, 64), (number % 256, 90, 120)).save(path)
    return path


def work(studio: Studio, number: int) -> None:
    """Run the worker until the job has ended, a new one when it dies, as the supervisor does."""
    weights = studio.config.data / "weights"
    weights.mkdir(exist_ok=True)
    for _ in range(4):
        parts = PartStore(studio.config.parts)
        bench = Bench(LoadedEngine("cpu", "fp32"), parts, lambda info: weights, lambda: 64, lambda: 1)
        worker = Worker(studio.config, studio.queue, studio.clips, bench)
        try:
            worker.work(UntilEnded(studio.queue, number))
            return
        except StudioError:
            continue
    pytest.fail("four workers died")


def live(studio: Studio, faults: Faults, nth: int, error: int, source: Path) -> Job | None:
    """One job from press to end with the nth access to the disk failing; None when it was refused."""
    settings = ClipSettings.from_person({**SMALL, "seed": nth})
    faults.arm(nth, error)
    try:
        number = studio.submit(settings, source).job_id
    except (StudioError, OSError):
        return None
    work(studio, number)
    return studio.queue.get(number)


@pytest.mark.slow
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_whatever_fails_the_job_ends_well_and_the_next_one_is_done(
    tmp_path: Path, studio: Studio, faults: Faults, error: int
) -> None:
    accepted = 0
    for nth in itertools.count(1):
        job = live(studio, faults, nth, error, picture(tmp_path, nth))
        fired = faults.fired
        faults.disarm()
        accepted += job is not None
        assert job is not None or fired, "refused without a reason"
        assert_ended_well(studio, job, fired)
        if not fired:
            break
    assert nth > 40, f"only {nth} accesses to the disk"
    assert job is not None
    assert job.status is JobStatus.DONE
    assert len(studio.queue.find(limit=10_000)) == accepted, "what was refused has no row"


def assert_ended_well(studio: Studio, job: Job | None, fired: str) -> None:
    assert_whole(studio)
    if job is None:
        return
    if job.status is JobStatus.FAILED:
        assert job.message is not None, fired
        assert len(say(job.message)) > 20, fired
        return
    assert job.status is JobStatus.DONE, fired
    clip = studio.clips.get(str(job.clip_id))
    assert clip is not None
    assert probe(clip.rendered.path).frames == 2, fired
