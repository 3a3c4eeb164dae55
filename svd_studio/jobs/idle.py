"""What a worker does while nothing waits: it lets the loaded engine make itself faster for the next clip."""

import logging
import threading
from dataclasses import dataclass

from svd_studio.core.errors import Cancelled, OutOfMemory
from svd_studio.core.job import JobStatus
from svd_studio.core.progress import Progress
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.watchdog import Watchdog
from svd_studio.rendering.loaded import LoadedEngine

log = logging.getLogger(__name__)


@dataclass
class Leisure(Progress):
    """Stop at the first job that waits."""

    queue: JobQueue
    stopping: threading.Event
    watchdog: Watchdog

    def check(self) -> None:
        self.watchdog.alive()
        if self.stopping.is_set() or self.queue.count()[JobStatus.QUEUED]:
            raise Cancelled

    def warm(self, loaded: LoadedEngine) -> None:
        """Warm the engine, as far as there is time and memory for it."""
        try:
            loaded.warm(self)
        except Cancelled:
            pass
        except OutOfMemory:
            log.info("no room to make the next clip faster")
