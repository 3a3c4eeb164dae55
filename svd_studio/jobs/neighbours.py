"""The workers on the other cards of one data folder: who they are, and what becomes of the jobs of those that died."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from svd_studio.core.config import StudioConfig
from svd_studio.core.job import JobStatus
from svd_studio.host import FileLock
from svd_studio.jobs.adoption import adopt
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.clips import ClipLibrary


@dataclass(frozen=True)
class Neighbours:
    """Everybody who renders here but the worker whose queue this is; there may be none."""

    config: StudioConfig
    queue: JobQueue
    clips: ClipLibrary

    def processes(self) -> set[int]:
        """The numbers of their processes."""
        holders = (lock.holder() for lock in self._locks())
        return {int(holder["pid"]) for holder in holders if holder}

    def jobs(self) -> set[int]:
        """The numbers of the jobs that they run."""
        return {job.id for job in self.queue.find([JobStatus.RUNNING]) if (job.card or 0) != self.queue.card}

    def take_over(self) -> None:
        """Let the jobs of those wait again that died and have no successor yet; the living keep theirs."""
        take_over(self.config, self.queue, self.clips, self.queue.cards_at_work() - {self.queue.card})

    def _locks(self) -> Iterator[FileLock]:
        mine = self.config.worker_lock(self.queue.card)
        return (FileLock(path) for path in self.config.data.glob("worker*.lock") if path != mine)


def take_over(config: StudioConfig, queue: JobQueue, clips: ClipLibrary, cards: Iterable[int]) -> None:
    """Keep whole clips and let jobs wait again on those of the cards where nobody renders any more."""
    for card in cards:
        lock = FileLock(config.worker_lock(card))
        if lock.try_acquire():
            try:
                adopt(queue.on(card), clips)
                queue.on(card).recover()
            finally:
                lock.release()
