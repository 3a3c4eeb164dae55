"""What a person does with the queue: reorder, edit, duplicate, remove, retry."""

import json

from svd_studio.core.clip import ClipRequest, ResolvedSettings
from svd_studio.core.errors import BadInput
from svd_studio.core.job import Job, JobStatus
from svd_studio.jobs.queue import JobQueue


class Arrangement:
    """Change what waits; a job that runs or has ended is left as it is, and the refusal says so."""

    def __init__(self, queue: JobQueue) -> None:
        self.queue = queue
        self.database = queue.database

    def move(self, job_id: int, before: int | None) -> None:
        """Put a waiting job before another one, or at the end. Raises BadInput."""
        self._waiting(job_id)
        others = [job.id for job in self.queue.find([JobStatus.QUEUED]) if job.id != job_id]
        if before is not None and before not in others:
            raise BadInput("job.not_waiting", id=before)
        place = len(others) if before is None else others.index(before)
        others.insert(place, job_id)
        with self.database.transaction() as connection:
            connection.executemany(
                "UPDATE jobs SET position = ? WHERE id = ? AND status = 'queued'", list(enumerate(others, start=1))
            )

    def edit(self, job_id: int, settings: ResolvedSettings) -> None:
        """Give a waiting job another recipe. Raises BadInput."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET settings = ? WHERE id = ? AND status = 'queued'",
                (json.dumps(settings.as_json(), ensure_ascii=False), job_id),
            )
            changed = connection.changes()
        if not changed:
            raise BadInput("job.not_waiting", id=job_id)

    def duplicate(self, job_id: int, **changed: int) -> int:
        """Ask for the same clip again, perhaps with another seed; returns the new job."""
        job = self._job(job_id)
        settings = job.request.settings.changed(**changed) if changed else job.request.settings
        return self.queue.add(
            ClipRequest(settings, job.request.start_image, job.request.end_image), job.title, job.owner
        )

    def retry(self, job_id: int) -> None:
        """Let a failed or cancelled job wait again, with all its tries. Raises BadInput."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET status = 'queued', stop = 0, attempts = 0, worker = NULL, finished = NULL,"
                " message_code = NULL, message_values = NULL, fraction = 0,"
                " position = (SELECT coalesce(max(position), 0) + 1 FROM jobs)"
                " WHERE id = ? AND status IN ('failed', 'cancelled')",
                (job_id,),
            )
            changed = connection.changes()
        if not changed:
            raise BadInput("job.not_ended", id=job_id)

    def remove(self, job_id: int) -> None:
        """Take a job off the list; one that runs must be cancelled first. Raises BadInput."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM jobs WHERE id = ? AND status <> 'running'", (job_id,))
            changed = connection.changes()
        if not changed and self._job(job_id).status is JobStatus.RUNNING:
            raise BadInput("job.still_running", id=job_id)

    def _job(self, job_id: int) -> Job:
        job = self.queue.get(job_id)
        if job is None:
            raise BadInput("job.unknown", id=job_id)
        return job

    def _waiting(self, job_id: int) -> Job:
        job = self._job(job_id)
        if job.status is not JobStatus.QUEUED:
            raise BadInput("job.not_waiting", id=job_id)
        return job
