"""Work jobs off, one at a time; the only place that catches whatever an engine may throw."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from svd_studio.core.clip import RenderedClip
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import Cancelled, DiskFull, Message, StudioError
from svd_studio.core.job import Job
from svd_studio.core.progress import Progress
from svd_studio.gpu.telemetry import Snapshot
from svd_studio.gpu.thermal import ThermalGuard
from svd_studio.jobs.adoption import adopt, clip_name, keep
from svd_studio.jobs.cooling import Chill, Cooling
from svd_studio.jobs.forecast import forecast
from svd_studio.jobs.housekeeping import sweep
from svd_studio.jobs.idle import Leisure
from svd_studio.jobs.memory import MemoryWatch
from svd_studio.jobs.neighbours import Neighbours
from svd_studio.jobs.progress import JobProgress
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.room import Room
from svd_studio.jobs.slowness import SlownessWatch
from svd_studio.jobs.supervisor import FRESH_WORKER
from svd_studio.jobs.surveyor import Surveyor
from svd_studio.jobs.watchdog import Watchdog
from svd_studio.jobs.wishes import Wishes
from svd_studio.library.certificates import Certificates
from svd_studio.library.clips import Clip, ClipLibrary
from svd_studio.rendering.render import Bench, render

log = logging.getLogger(__name__)

IDLE_S = 0.25
FULL_S = 2.0
WORTH_TELLING_GB = 0.1


class CardLost(StudioError):
    """End this process because its card answers nothing any more; the job waits for the next one."""


@dataclass(frozen=True)
class Worker:
    """Run claimed jobs; every one ends as a clip, as a failure with a reason, or cancelled.

    `look` reads its card and the machine, to tell what slows a clip; `guard` says when that card must rest.
    `measured` changes the recipe of the clips that speeds are measured with.
    """

    config: StudioConfig
    queue: JobQueue
    clips: ClipLibrary
    bench: Bench
    watchdog: Watchdog = field(default_factory=Watchdog)
    look: Callable[[], Snapshot | None] = lambda: None
    memory: MemoryWatch = field(default_factory=lambda: MemoryWatch(lambda: None, None))
    guard: ThermalGuard = field(default_factory=lambda: ThermalGuard(lambda: None))
    measured: Mapping[str, Any] = field(default_factory=dict)

    def run(self, job: Job, also: Progress | None = None) -> Clip | None:
        """Make one job's clip and return it; None when it failed or was cancelled, which its row tells.

        Raises DiskFull when not even the row could be written; `take_over` then knows the clip again.
        """
        settings = job.request.settings
        expected = forecast(settings, self.clips.seconds_of(settings.engine))
        previews = self.config.previews
        progress = JobProgress(self.queue, job, previews, also or Progress(), expected, watchdog=self.watchdog)
        self.watchdog.alive()
        try:
            step_s = expected.by_stage["denoise"] / settings.steps if expected else None
            rendered = self._make(job, SlownessWatch(Cooling(progress, self.guard), step_s, self.look))
        finally:
            progress.forget_preview()
            self.watchdog.off()
        return keep(rendered, job, self.queue, self.clips) if rendered else None

    def work(self, stopping: threading.Event) -> int:
        """Take job after job until told to stop; returns the exit code. Only the holder of the card's lock may."""
        try:
            while not stopping.is_set():
                try:
                    self.take_over()
                    return self._serve(stopping)
                except DiskFull as error:  # the database's own writes
                    log.warning("waiting for room: %s", error)
                    stopping.wait(FULL_S)
            return 0
        finally:
            self.watchdog.off()

    def take_over(self) -> None:
        """Put in order what a killed worker left: whole clips are kept, jobs wait again, halves are deleted."""
        self.watchdog.alive()
        adopt(self.queue, self.clips)
        self.queue.recover()
        self.neighbours.take_over()
        Wishes(self.queue).measures.put_back()
        sweep(self.config, self.neighbours)
        self._tell_what_is_held()

    @property
    def neighbours(self) -> Neighbours:
        """Who renders on the other cards."""
        return Neighbours(self.config, self.queue, self.clips)

    def _tell_what_is_held(self) -> None:
        """Let the window know, so that our own memory is not taken for somebody else's."""
        held_gb = self.bench.held_gb()
        if abs(held_gb - self.queue.held_gb()) > WORTH_TELLING_GB:
            self.queue.hold(held_gb)

    def _serve(self, stopping: threading.Event) -> int:
        room, heat, busy = self._room(), Chill(self.queue, self.guard), False
        while not stopping.is_set():
            self.watchdog.alive()
            self.neighbours.take_over()
            job = self.queue.claim(worker_name()) if heat.allows() and room.is_there() else None
            if job is None:
                if busy:  # the encoder of a killed worker may have ended only now
                    sweep(self.config, self.neighbours)
                # what runs has ended: let others have the card
                if self.queue.is_paused() or Wishes(self.queue).memory_is_asked_for():
                    self.bench.loaded.free()
                    self._tell_what_is_held()
                elif not (heat.allows() and self._measure(stopping)) and not busy:
                    Leisure(self.queue, stopping, self.watchdog).warm(self.bench.loaded)
                stopping.wait(IDLE_S)
            else:
                self.run(job)
                self._tell_what_is_held()
                if self.memory.is_too_much(job.request.settings.engine):
                    log.warning("the memory has grown: a fresh worker goes on")
                    return FRESH_WORKER
            busy = job is not None
        return 0

    def _measure(self, stopping: threading.Event) -> bool:
        """Measure an engine's speeds where somebody asked for it; False when there was nothing to measure."""
        certificates, wishes = Certificates(self.config.certificates), Wishes(self.queue).measures
        engine = wishes.next()
        try:
            surveyor = Surveyor(self.queue, self.bench, certificates, self.watchdog, self.guard, self.measured)
            if not surveyor.measure(stopping):
                return False
        except Exception as error:  # as of a clip: the worker goes on
            log.exception("measuring %s failed", engine)
            if is_sticky(error):
                raise CardLost("render.card_lost") from error
            if engine is not None:
                wishes.fail(engine, Message("render.unexpected", {"kind": type(error).__name__}))
        self._tell_what_is_held()
        return True

    def _room(self) -> Room:
        return Room(self.queue, self.config.data, self.config.room_for_a_clip, self.bench.parts)

    def _make(self, job: Job, progress: Progress) -> RenderedClip | None:
        """The finished file, or None when the job has ended without one."""
        try:
            self.config.clips.mkdir(parents=True, exist_ok=True)
            target = self.config.clips / f"{clip_name(job)}.mp4"
            return render(job.request, target, self.bench, progress, job.title, job.id, job.owner)
        except Cancelled:
            self.queue.mark_cancelled(job.id)
        except StudioError as error:
            log.warning("job %d failed: %s", job.id, error)
            self.queue.fail(job.id, error.message)
            if isinstance(error, DiskFull):
                self._room().wait_for_it()
        except Exception as error:  # an engine may throw anything, and the queue goes on
            log.exception("job %d failed", job.id)
            if is_sticky(error):
                raise CardLost("render.card_lost") from error
            self.queue.fail(job.id, Message("render.unexpected", {"kind": type(error).__name__}))
        return None


def is_sticky(error: Exception) -> bool:
    """Whether CUDA has failed for good in this process: every later call would fail too."""
    return type(error).__name__ == "AcceleratorError" or "CUDA error" in str(error)


def worker_name() -> str:
    """This process, as a row of the queue names it."""
    return f"{socket.gethostname()}:{os.getpid()}"
