"""While nothing waits the engine makes itself faster, and stops for the first job."""

import threading
from pathlib import Path

import pytest

from svd_studio.core.errors import Cancelled, OutOfMemory
from svd_studio.core.progress import Progress
from svd_studio.jobs.idle import Leisure
from svd_studio.jobs.watchdog import Watchdog
from svd_studio.rendering.loaded import LoadedEngine
from svd_studio.studio import Studio


class Warming(LoadedEngine):
    """Hold no engine, but check as one does between blocks."""

    def __init__(self, raises: Exception | None = None) -> None:
        super().__init__("cpu", "fp32")
        self.raises, self.blocks = raises, 0

    def warm(self, progress: Progress) -> None:
        for _ in range(3):
            progress.check()
            self.blocks += 1
            if self.raises:
                raise self.raises


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    from svd_studio.core.config import StudioConfig

    return Studio(StudioConfig(data=tmp_path / "data"))


def leisure(studio: Studio) -> Leisure:
    return Leisure(studio.queue, threading.Event(), Watchdog())


def test_it_goes_on_while_nothing_waits(studio: Studio) -> None:
    loaded = Warming()
    leisure(studio).warm(loaded)
    assert loaded.blocks == 3


def test_a_job_that_comes_is_not_kept_waiting(studio: Studio, picture_file: Path) -> None:
    from svd_studio.core.clip import ClipSettings

    loaded = Warming()
    studio.submit(ClipSettings(engine="svd-nano"), picture_file)
    leisure(studio).warm(loaded)
    assert loaded.blocks == 0


def test_a_studio_that_closes_is_not_kept_waiting(studio: Studio) -> None:
    free = leisure(studio)
    free.stopping.set()
    with pytest.raises(Cancelled):
        free.check()


def test_memory_that_runs_out_ends_it_quietly(studio: Studio) -> None:
    leisure(studio).warm(Warming(OutOfMemory("memory.ran_out")))
