"""A worker without clips measures what speeds cost: clips go first, a person may take it back, nothing is forgotten."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import OutOfMemory
from svd_studio.core.job import JobStatus
from svd_studio.core.progress import Progress
from svd_studio.core.vram import VramPlan
from svd_studio.engines.base import Latents, Scene
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.measures import Measure, Measures
from svd_studio.jobs.queue import MAX_ATTEMPTS
from svd_studio.jobs.surveyor import Surveyor
from svd_studio.jobs.worker import CardLost, Worker
from svd_studio.studio import Studio
from tests.fakes import FakeEngine
from tests.waiting import until

NANO = ENGINES["svd-nano"]
SMALL = {"width": 64, "height": 64, "frames": 2, "steps": 2}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "data"))


@pytest.fixture
def measures(studio: Studio) -> Measures:
    return studio.wishes.measures


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeEngine]:
    """An engine that lets something happen while its first clip is begun."""
    import svd_studio.engines.svd

    class Eventful(FakeEngine):
        meanwhile: list[Callable[[], object]] = []

        def denoise(self, scene: Scene, plan: VramPlan, progress: Progress) -> Latents:
            if self.meanwhile:
                self.meanwhile.pop()()
            return super().denoise(scene, plan, progress)

    FakeEngine.calls.clear()
    monkeypatch.setattr("svd_studio.jobs.surveyor.ASK_EVERY_S", 0.0)
    monkeypatch.setattr(svd_studio.engines.svd, "SvdEngine", Eventful)
    return Eventful


def small(studio: Studio) -> Worker:
    return replace(studio.worker(), measured=SMALL)


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    stopping = threading.Event()
    thread = threading.Thread(target=worker.work, args=(stopping,))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(60)


def ended(measures: Measures) -> Callable[[], bool]:
    return lambda: (wish := measures.of("svd-nano")) is None or wish.failed is not None


def test_the_real_model_is_measured_and_the_figures_are_kept(studio: Studio, measures: Measures) -> None:
    measures.ask("svd-nano", 0)
    with working(small(studio)):
        until(ended(measures), 60)
    assert measures.of("svd-nano") is None
    figures = Studio(studio.config).certified(NANO)
    assert set(figures) == {"good", "draft"}
    for found in figures.values():
        assert found["faster"] > 0
        assert found["psnr"] > 10
        assert 0 < found["ssim"] <= 1


def test_a_clip_that_comes_meanwhile_is_made_first(
    studio: Studio, measures: Measures, fake: Any, picture_file: Path
) -> None:
    def submit() -> None:
        assert measures.of("svd-nano") == Measure(0, clip=1, tries=1)
        studio.submit(ClipSettings.from_person({"engine": "svd-nano", **SMALL}), picture_file)

    fake.meanwhile.append(submit)
    measures.ask("svd-nano", 0)
    with working(small(studio)):
        until(ended(measures))
    assert studio.queue.count()[JobStatus.DONE] == 1
    assert studio.certified(NANO)
    first_decode = FakeEngine.calls.index("decode")
    assert FakeEngine.calls[:first_decode].count("denoise") == 2, "the one that gave way, then the clip's own"


def test_stopping_takes_it_back_also_in_the_middle(studio: Studio, measures: Measures, fake: Any) -> None:
    fake.meanwhile.append(lambda: measures.drop("svd-nano"))
    measures.ask("svd-nano", 0)
    worker = small(studio)
    surveyor = Surveyor(studio.queue, worker.bench, studio.certificates, worker.watchdog, worker.guard, SMALL)
    assert surveyor.measure(threading.Event())
    assert (measures.of("svd-nano"), studio.certified(NANO)) == (None, {})
    assert FakeEngine.calls == ["load", "denoise"]


def test_a_paused_queue_does_not_measure(studio: Studio, measures: Measures, fake: Any) -> None:
    studio.queue.set_paused(True)
    measures.ask("svd-nano", 0)
    with working(small(studio)):
        time.sleep(0.7)
        assert FakeEngine.calls == []
        studio.queue.set_paused(False)
        until(ended(measures))
    assert studio.certified(NANO)


def test_a_restart_keeps_the_wish(studio: Studio, measures: Measures, fake: Any) -> None:
    measures.ask("svd-nano", 0)
    measures.begin("svd-nano")
    measures.at("svd-nano", 2)  # and there its worker was killed
    later = Studio(studio.config)
    later.worker().take_over()
    assert later.wishes.measures.of("svd-nano") == Measure(0, clip=0, tries=1)
    later.let_go()
    assert later.wishes.measures.of("svd-nano") == Measure(0)
    with working(small(later)):
        until(ended(later.wishes.measures))
    assert later.certified(NANO)


def test_what_kills_every_worker_is_given_up(studio: Studio, measures: Measures) -> None:
    measures.ask("svd-nano", 0)
    for _ in range(MAX_ATTEMPTS):
        assert measures.begin("svd-nano")
    assert not measures.begin("svd-nano")
    assert measures.of("svd-nano").failed.code == "measure.worker_died"  # type: ignore[union-attr]
    assert measures.next() is None


def test_another_cards_wish_is_not_ours(studio: Studio, measures: Measures) -> None:
    measures.ask("svd-nano", 1)
    assert measures.next() is None
    assert Measures(studio.queue.on(1)).next() == "svd-nano"


@pytest.mark.parametrize(
    ("error", "code"),
    [(OutOfMemory("memory.ran_out"), "measure.no_memory"), (ValueError("odd"), "render.unexpected")],
)
def test_what_goes_wrong_is_said_and_the_worker_goes_on(
    studio: Studio, measures: Measures, fake: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    monkeypatch.setattr(fake, "raises", error)
    measures.ask("svd-nano", 0)
    with working(small(studio)):
        until(ended(measures))
        assert measures.of("svd-nano").failed.code == code  # type: ignore[union-attr]
        monkeypatch.setattr(fake, "raises", None)
        measures.ask("svd-nano", 0)
        until(lambda: bool(studio.certified(NANO)))


def test_a_card_that_fails_for_good_ends_the_worker_and_keeps_the_wish(
    studio: Studio, measures: Measures, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "raises", RuntimeError("CUDA error: an illegal memory access was encountered"))
    measures.ask("svd-nano", 0)
    with pytest.raises(CardLost):
        small(studio).work(threading.Event())
    assert measures.of("svd-nano") == Measure(0, clip=1, tries=1)
