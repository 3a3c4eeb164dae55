"""Work jobs off, one at a time; the only place that catches whatever an engine may throw."""

import logging
import os
import socket
import threading
from dataclasses import dataclass
from datetime import datetime

from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import Cancelled, Message, StudioError
from svd_studio.core.job import Job
from svd_studio.core.progress import Progress
from svd_studio.jobs.forecast import forecast
from svd_studio.jobs.progress import JobProgress
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.clips import Clip, ClipLibrary
from svd_studio.rendering.render import Bench, render
from svd_studio.video.files import remove_leftovers, safe_name

log = logging.getLogger(__name__)

IDLE_S = 0.25


class CardLost(StudioError):
    """End this process because its card answers nothing any more; the job waits for the next one."""


@dataclass(frozen=True)
class Worker:
    """Run claimed jobs; every one ends as a clip, as a failure with a reason, or cancelled."""

    config: StudioConfig
    queue: JobQueue
    clips: ClipLibrary
    bench: Bench

    def run(self, job: Job, also: Progress | None = None) -> Clip | None:
        """Make one job's clip and return it; None when it failed or was cancelled, which its row tells."""
        settings = job.request.settings
        expected = forecast(settings, self.clips.seconds_of(settings.engine))
        progress = JobProgress(self.queue, job, self.config.previews, also or Progress(), expected)
        try:
            clip = self._make(job, progress)
        except Cancelled:
            self.queue.mark_cancelled(job.id)
            return None
        except StudioError as error:
            log.warning("job %d failed: %s", job.id, error)
            self.queue.fail(job.id, error.message)
            return None
        except Exception as error:  # an engine may throw anything, and the queue goes on
            log.exception("job %d failed", job.id)
            if is_sticky(error):
                raise CardLost("render.card_lost") from error
            self.queue.fail(job.id, Message("render.unexpected", {"kind": type(error).__name__}))
            return None
        finally:
            progress.forget_preview()
        return clip

    def work(self, stopping: threading.Event) -> None:
        """Take job after job until told to stop; only the holder of worker.lock may."""
        self.queue.recover()
        remove_leftovers(self.config.clips)
        self.bench.parts.sweep()
        while not stopping.is_set():
            job = self.queue.claim(worker_name())
            if job is not None:
                self.run(job)
            else:
                stopping.wait(IDLE_S)

    def _make(self, job: Job, progress: Progress) -> Clip:
        self.config.clips.mkdir(parents=True, exist_ok=True)
        target = self.config.clips / f"{clip_name(job)}.mp4"
        rendered = render(job.request, target, self.bench, progress, job.title)
        with self.queue.database.transaction():  # a kill leaves both or neither
            clip = self.clips.add(rendered, job.title, job.owner, job.id)
            self.queue.finish(job.id, clip.id)
        return clip


def clip_name(job: Job) -> str:
    """A file name that a person recognises: when, which picture, which seed; the job's number makes it unique."""
    when = datetime.fromtimestamp(job.created).strftime("%Y-%m-%d %H.%M.%S")
    return f"{safe_name(f'{when} {job.title}'[:40])} seed {job.request.settings.seed} #{job.id}"


def is_sticky(error: Exception) -> bool:
    """Whether CUDA has failed for good in this process: every later call would fail too."""
    return type(error).__name__ == "AcceleratorError" or "CUDA error" in str(error)


def worker_name() -> str:
    """This process, as a row of the queue names it."""
    return f"{socket.gethostname()}:{os.getpid()}"
