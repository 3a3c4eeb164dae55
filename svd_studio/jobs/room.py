"""Let the queue wait while the disk is full, say why, and go on when there is room again."""

import time
from collections.abc import Callable
from pathlib import Path

from svd_studio.core.errors import DiskFull, Message, Value
from svd_studio.jobs.queue import JobQueue
from svd_studio.video.files import check_free, check_room

LOOK_EVERY_S = 2.0


class Room:
    """Watch the disk of one folder for room for a clip; the reason to wait stands in the queue for every face."""

    def __init__(
        self, queue: JobQueue, folder: Path, needed_bytes: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.queue, self.folder, self.needed_bytes = queue, folder, needed_bytes
        self._now = now
        self._looked = -1e9

    def is_there(self) -> bool:
        """Whether a job may begin. Once the disk was full, only room that can really be had counts."""
        if self.queue.blocked() is not None:
            return self._has_come()
        try:
            check_free(self.folder, self.needed_bytes)
        except DiskFull:
            self.wait_for_it()
            return False
        return True

    def wait_for_it(self) -> None:
        """Let the queue wait, because the disk was found full. Raises DiskFull when not even this can be written."""
        values: dict[str, Value] = {"folder": str(self.folder), "needed_mb": -(-self.needed_bytes // 10**6)}
        self.queue.block(Message("queue.waits_for_room", values))

    def _has_come(self) -> bool:
        if self._now() - self._looked < LOOK_EVERY_S:
            return False
        self._looked = self._now()
        try:
            check_room(self.folder, self.needed_bytes)
        except DiskFull:
            return False
        self.queue.unblock()
        return True
