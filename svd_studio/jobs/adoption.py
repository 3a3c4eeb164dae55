"""Know a clip again whose file was finished and whose row was not: a kill in between costs nothing."""

import logging
from datetime import datetime
from pathlib import Path

from svd_studio.core.clip import RenderedClip
from svd_studio.core.job import Job, JobStatus
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.clips import Clip, ClipLibrary
from svd_studio.library.found import clip_in_file
from svd_studio.video.files import safe_name

log = logging.getLogger(__name__)


def clip_name(job: Job) -> str:
    """A file name that a person recognises: when, which picture, which seed; the job's number makes it unique."""
    when = datetime.fromtimestamp(job.created).strftime("%Y-%m-%d %H.%M.%S")
    return f"{safe_name(f'{when} {job.title}'[:40])} seed {job.request.settings.seed} #{job.id}"


def keep(rendered: RenderedClip, job: Job, queue: JobQueue, clips: ClipLibrary) -> Clip:
    """Index a job's finished file and end the job; a kill leaves both or neither."""
    with queue.database.transaction():
        clip = clips.add(rendered, job.title, job.owner, job.id)
        queue.finish(job.id, clip.id)
    return clip


def adopt(queue: JobQueue, clips: ClipLibrary) -> list[int]:
    """End lost jobs of the queue's card whose clip is whole, also those asked to stop; returns their numbers.

    Only the holder of the card's worker.lock may call this.
    """
    adopted = []
    for job in queue.find([JobStatus.RUNNING]):
        rendered = _finished_file(job, clips.folder) if (job.card or 0) == queue.card else None
        if rendered is not None:
            log.warning("job %d: its clip was finished, its row was not", job.id)
            keep(rendered, job, queue, clips)
            adopted.append(job.id)
    return adopted


def _finished_file(job: Job, folder: Path) -> RenderedClip | None:
    for path in folder.glob(f"*#{job.id}.mp4"):  # not by its whole name, which tells a local time
        found = clip_in_file(path)
        if found and found[1].get("job") == job.id and found[0].settings == job.request.settings:
            return found[0]
    return None
