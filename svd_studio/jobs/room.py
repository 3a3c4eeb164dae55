"""Let the queue wait while the disk is full, say why, and go on when there is room again."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from svd_studio.core.errors import DiskFull, Message, Value
from svd_studio.jobs.queue import JobQueue
from svd_studio.rendering.parts import PartStore
from svd_studio.video.files import check_free, check_room

LOOK_EVERY_S = 2.0


def make_room(folder: Path, needed_bytes: int, parts: PartStore) -> None:
    """Raise DiskFull when the disk of a folder has not this much room, also without kept parts, which then give way."""
    missing = needed_bytes - shutil.disk_usage(folder).free
    if missing > 0:
        parts.give_way(missing)
        check_free(folder, needed_bytes)


class Room:
    """Watch the disk of one folder for room for a clip; the reason to wait stands in the queue for every face."""

    def __init__(
        self,
        queue: JobQueue,
        folder: Path,
        needed_bytes: int,
        parts: PartStore,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.queue, self.folder, self.needed_bytes, self.parts = queue, folder, needed_bytes, parts
        self._now = now
        self._looked = -1e9

    def is_there(self) -> bool:
        """Whether a job may begin. Once the disk was full, only room that can really be had counts."""
        if self.queue.blocked() is not None:
            return self._has_come()
        try:
            make_room(self.folder, self.needed_bytes, self.parts)
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
            make_room(self.folder, self.needed_bytes, self.parts)
            check_room(self.folder, self.needed_bytes)
        except DiskFull:
            return False
        self.queue.unblock()
        return True
