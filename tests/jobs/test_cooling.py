"""A render rests between its steps while the card is hot: heard when cancelled, never counted as work."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput, Cancelled, Message
from svd_studio.core.job import JobStatus
from svd_studio.core.progress import Progress
from svd_studio.gpu.nvml import CardSample
from svd_studio.gpu.thermal import HeatLimits, ThermalGuard
from svd_studio.jobs.cooling import LIMITS, LOOK_S, Chill, Cooling
from svd_studio.jobs.progress import JobProgress
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.slowness import SlownessWatch
from svd_studio.jobs.watchdog import Watchdog
from svd_studio.jobs.worker import Worker
from svd_studio.rendering.clock import StageClock
from svd_studio.studio import Studio
from svd_studio.ui.progress_view import job_view
from tests.jobs.test_worker import add, worker  # noqa: F401
from tests.ui.test_gauge import CARD
from tests.waiting import until


class Heater:
    """A card whose temperature a test sets, and the clock that it cools by: half a degree a second."""

    def __init__(self, celsius: float = 60.0) -> None:
        self.celsius: float | None = celsius
        self.clock = 0.0
        self.guard = ThermalGuard(self.look, now=lambda: self.clock)

    def look(self) -> CardSample | None:
        return dataclasses.replace(CARD, temperature_c=round(self.celsius)) if self.celsius is not None else None

    def work(self, seconds: float) -> None:
        self.clock += seconds

    def sleep(self, seconds: float) -> None:
        self.clock += seconds
        if self.celsius is not None:
            self.celsius -= seconds / 2

    def cooling(self, listener: Progress) -> Cooling:
        return Cooling(listener, self.guard, self.sleep, lambda: self.clock)


class Heard(Progress):
    """Remembers what it was told, and cancels at a check of a test's choice."""

    def __init__(self, cancel_at: int = -1) -> None:
        self.notes: list[Message] = []
        self.checks, self.total_s = 0, 0.0
        self._cancel_at = cancel_at

    @property
    def rested_s(self) -> float:
        return self.total_s

    def rested(self, seconds: float) -> None:
        self.total_s += seconds

    def note(self, message: Message) -> None:
        self.notes.append(message)

    def check(self) -> None:
        self.checks += 1
        if self.checks == self._cancel_at:
            raise Cancelled


def test_it_rests_after_a_step_until_the_card_is_cool() -> None:
    heater, heard = Heater(87), Heard()
    heater.cooling(heard).report("denoise", 3, 25)
    assert [note.code for note in heard.notes] == ["heat.resting", "heat.rested"]
    assert heard.notes[0].values == {"degrees": 87, "until": 78}
    assert heard.total_s == pytest.approx(17, abs=2)
    assert heater.celsius is not None
    assert heater.celsius < 78.6


@pytest.mark.parametrize(("stage", "done"), [("denoise", 0), ("denoise", 25), ("load", 3), ("encode", 3)])
def test_it_rests_only_between_units_of_hot_work(stage: str, done: int) -> None:
    heater, heard = Heater(89), Heard()
    heater.cooling(heard).report(stage, done, 25)  # type: ignore[arg-type]
    assert heard.notes == []


def test_whoever_cancels_is_heard_while_it_rests() -> None:
    heard = Heard(cancel_at=5)
    with pytest.raises(Cancelled):
        Heater(90).cooling(heard).report("denoise", 3, 25)


def test_a_sensor_that_fails_while_it_rests_lets_the_render_go_on() -> None:
    heater, heard = Heater(90), Heard()
    heater.sleep = lambda seconds: (setattr(heater, "celsius", None), heater.work(1.0))[1]  # type: ignore[method-assign]
    heater.cooling(heard).report("denoise", 3, 25)
    assert heard.notes[-1].code == "heat.rested"


def test_resting_is_no_slow_step_and_no_work() -> None:
    heater, heard = Heater(60), Heard()
    watch = SlownessWatch(heater.cooling(heard), 1.0, lambda: None, lambda: heater.clock)
    clock = StageClock(watch, lambda: heater.clock)
    clock.report("denoise", 0, 9)
    for step in range(1, 9):
        heater.work(1.0)
        heater.celsius = 88  # hot again after every step
        clock.report("denoise", step, 9)
    assert clock.seconds["denoise"] == pytest.approx(8.0)
    assert {note.code for note in heard.notes} == {"heat.resting", "heat.rested"}


def test_the_time_to_go_does_not_grow_by_a_rest(worker: Worker, picture_file: Path) -> None:  # noqa: F811
    from svd_studio.jobs.forecast import Forecast

    add(worker, picture_file)
    job = worker.queue.claim("me")
    assert job is not None
    heater = Heater(60)
    expected = Forecast({"denoise": 10.0})
    watchdog = Signs()
    progress = JobProgress(
        worker.queue, job, worker.config.previews, Progress(), expected, lambda: heater.clock, watchdog
    )
    cooling = heater.cooling(progress)
    cooling.report("denoise", 0, 10)
    heater.work(1.0)
    heater.celsius = 95
    before = watchdog.count
    cooling.report("denoise", 1, 10)
    assert watchdog.count - before > 20, "the watchdog is held off all the while"
    heater.celsius = 60
    heater.work(1.0)
    cooling.report("denoise", 2, 10)
    told = worker.queue.get(job.id)
    assert told is not None
    assert told.eta_s == pytest.approx(8.0)
    assert told.fraction == pytest.approx(0.2)


class Signs(Watchdog):
    """Counts signs of life, and arms nothing."""

    count = 0

    def alive(self) -> None:
        self.count += 1


@contextmanager
def working(worker: Worker, heater: Heater) -> Iterator[None]:  # noqa: F811
    """Let a worker serve on that card, which is cool at the end, so that nothing rests on."""
    guard = ThermalGuard(heater.look, now=lambda: time.monotonic() * 10)  # looks ten times a second
    stopping = threading.Event()
    served = dataclasses.replace(worker, guard=guard)
    thread = threading.Thread(target=served.work, args=(stopping,))
    thread.start()
    try:
        yield
    finally:
        heater.celsius = 20
        stopping.set()
        thread.join()


def test_a_job_rests_says_so_and_goes_on(worker: Worker, picture_file: Path) -> None:  # noqa: F811
    heater = Heater(89)
    add(worker, picture_file, steps=3)
    with working(worker, heater):
        until(lambda: (worker.queue.get(1).message or Message("")).code == "heat.resting")  # type: ignore[union-attr]
        job = worker.queue.get(1)
        assert job is not None
        assert job_view(job, "en")["line"] == "Resting at 89 °C until the card is down to 78 °C"
        assert job_view(job, "en")["note"] == ""
        time.sleep(3 * LOOK_S)
        assert worker.queue.get(1).status is JobStatus.RUNNING  # type: ignore[union-attr]
        heater.celsius = 78
        until(lambda: worker.queue.get(1).status is JobStatus.DONE)  # type: ignore[union-attr]
    clip = worker.clips.newest()[0]
    assert clip.rendered.seconds_by_stage["denoise"] < 1


def test_a_job_that_rests_can_be_cancelled(worker: Worker, picture_file: Path) -> None:  # noqa: F811
    add(worker, picture_file, steps=3)
    with working(worker, Heater(89)):
        until(lambda: (worker.queue.get(1).message or Message("")).code == "heat.resting")  # type: ignore[union-attr]
        worker.queue.cancel(1)
        until(lambda: worker.queue.get(1).status is JobStatus.CANCELLED)  # type: ignore[union-attr]


def test_no_job_is_taken_while_the_card_is_at_its_highest_limit(worker: Worker, picture_file: Path) -> None:  # noqa: F811
    heater = Heater(92)
    add(worker, picture_file)
    with working(worker, heater):
        until(lambda: worker.queue.standstill() is not None)
        assert worker.queue.standstill() == Message("heat.waits", {"degrees": 92, "until": 78})
        heater.celsius = 80  # not cool yet
        until(lambda: worker.queue.standstill().values["degrees"] == 80)  # type: ignore[union-attr]
        time.sleep(0.6)
        assert worker.queue.get(1).status is JobStatus.QUEUED  # type: ignore[union-attr]
        assert worker.queue.blocked() is None, "the disk is another matter"
        heater.celsius = 78
        until(lambda: worker.queue.get(1).status is JobStatus.DONE)  # type: ignore[union-attr]
        assert worker.queue.standstill() is None


def test_what_a_dead_worker_said_of_its_heat_is_forgotten(worker: Worker) -> None:  # noqa: F811
    worker.queue.cool_down(Message("heat.waits", {"degrees": 93, "until": 78}))
    JobQueue(worker.queue.database, card=1).cool_down(Message("heat.waits", {"degrees": 95, "until": 78}))
    Chill(worker.queue, worker.guard)
    left = worker.queue.standstill()
    assert left is not None
    assert left.values["degrees"] == 95, "another card's worker speaks for itself"


def test_changed_limits_are_kept_and_nonsense_is_not(tmp_path: Path) -> None:
    studio = Studio(StudioConfig(tmp_path))
    assert studio.heat.limits() == HeatLimits()
    studio.heat.change({"rest_c": 85, "warn_c": 80})
    again = Studio(StudioConfig(tmp_path))
    assert (again.heat.limits().rest_c, again.heat.limits().warn_c) == (85, 80)
    with pytest.raises(BadInput):
        again.heat.change({"rest_c": 200})
    assert again.heat.limits().rest_c == 85
    for broken in ("{", "[1]", '{"rest_c": "x"}', '{"rest_c": 300}'):
        again.queue.keep_state(LIMITS, broken)
        assert again.heat.limits() == HeatLimits()
    again.heat.change({"stop_c": 93})
    assert again.heat.forget() == again.heat.limits() == HeatLimits()
