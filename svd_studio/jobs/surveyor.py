"""A worker without clips to make measures what the lossy speeds of an engine cost, where somebody asked for it."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from svd_studio.core.errors import Cancelled, Message, OutOfMemory, StudioError
from svd_studio.core.job import JobStatus
from svd_studio.core.progress import Progress
from svd_studio.engines.catalog import ENGINES
from svd_studio.gpu.thermal import ThermalGuard
from svd_studio.jobs.cooling import Cooling
from svd_studio.jobs.measures import Measures
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.watchdog import Watchdog
from svd_studio.library.certificates import Certificates
from svd_studio.library.presets import SHIPPED
from svd_studio.rendering.measuring import PICTURES, measure_speeds
from svd_studio.rendering.parts import fingerprint
from svd_studio.rendering.render import Bench

log = logging.getLogger(__name__)

ASK_EVERY_S = 0.25
SAMPLE = SHIPPED / "pictures" / PICTURES[0]


@dataclass(frozen=True)
class Surveyor:
    """Grant the wishes of one card, one at a time, with the worker's own engine.

    `asked` changes the measured clips' recipe.
    """

    queue: JobQueue
    bench: Bench
    certificates: Certificates
    watchdog: Watchdog
    guard: ThermalGuard
    asked: Mapping[str, Any] = field(default_factory=dict)
    picture: Path = SAMPLE

    def measure(self, stopping: threading.Event) -> bool:
        """Begin the next measurement that is wished for; False when there is none or a clip goes first.

        A clip that comes meanwhile ends it, and it waits again. What the engine throws that is no StudioError
        gives the wish up and is raised.
        """
        measures = Measures(self.queue)
        engine = measures.next()
        if engine is None or _must_wait(self.queue, stopping) or not measures.begin(engine):
            return False
        try:
            self._measure(engine, measures, stopping)
        except Cancelled:
            measures.wait(engine)
        except OutOfMemory as error:
            log.warning("no memory to measure %s: %s", engine, error)
            measures.fail(engine, Message("measure.no_memory"))
        except StudioError as error:
            log.warning("measuring %s failed: %s", engine, error)
            measures.fail(engine, error.message)
        return True

    def _measure(self, engine: str, measures: Measures, stopping: threading.Event) -> None:
        info, manners = ENGINES[engine], _Manners(self.queue, engine, stopping, self.watchdog)

        def begins(clip: int) -> None:
            measures.at(engine, clip)
            manners.look()

        figures = measure_speeds(info, self.picture, self.bench, Cooling(manners, self.guard), begins, self.asked)
        self.certificates.keep(engine, fingerprint(self.bench.weights_folder(info)), figures)
        measures.drop(engine)


class _Manners(Progress):
    """Stop at the first clip that waits, and when the wish is taken back; both are asked now and then."""

    def __init__(self, queue: JobQueue, engine: str, stopping: threading.Event, watchdog: Watchdog) -> None:
        self._queue, self._engine, self._stopping, self._watchdog = queue, engine, stopping, watchdog
        self._asked, self._rested_s = -1e9, 0.0

    def check(self) -> None:
        self._watchdog.alive()
        if time.monotonic() - self._asked > ASK_EVERY_S:
            self.look()

    def look(self) -> None:
        """Raise Cancelled when a clip goes first or nobody wants to know any more."""
        self._asked = time.monotonic()
        if _must_wait(self._queue, self._stopping) or Measures(self._queue).of(self._engine) is None:
            raise Cancelled

    def rested(self, seconds: float) -> None:
        self._rested_s += seconds

    @property
    def rested_s(self) -> float:
        return self._rested_s


def _must_wait(queue: JobQueue, stopping: threading.Event) -> bool:
    return stopping.is_set() or queue.is_paused() or bool(queue.count()[JobStatus.QUEUED])
