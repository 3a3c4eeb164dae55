"""How much of the queue those may take to whom the owner gave a link."""

from svd_studio.core.errors import BadInput
from svd_studio.core.job import JobStatus
from svd_studio.jobs.queue import JobQueue

MOST_JOBS = 4
"""How many clips of all guests together may wait or run."""


def refuse_too_many(queue: JobQueue, guest: str | None, more: int = 1) -> None:
    """Raise BadInput when a guest would have too many clips waiting; None is the owner, who may have any number."""
    if guest is None:
        return
    counts = queue.count(guest)
    if counts[JobStatus.QUEUED] + counts[JobStatus.RUNNING] + more > MOST_JOBS:
        raise BadInput("guest.jobs", most=MOST_JOBS)
