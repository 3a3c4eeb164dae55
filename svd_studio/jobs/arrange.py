"""What a person does with the queue: reorder, edit, duplicate, retry, remove, put back."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal, NoReturn, get_args

from svd_studio.core.clip import ClipRequest
from svd_studio.core.errors import BadInput
from svd_studio.core.job import Job, JobStatus
from svd_studio.jobs.queue import COLUMNS, JobQueue

Way = Literal["up", "down", "top", "end"]
WAYS: tuple[Way, ...] = get_args(Way)

WHOLE_ROW = f"position, stop, {COLUMNS}"

Row = tuple[Any, ...]
"""A removed job as its row was, for the undo."""

Place = Callable[[list[int], int], int]
"""Where a job belongs: told the other waiting ones in their order, and how many of them it stands behind."""

PLACES: dict[Way, Place] = {
    "up": lambda others, at: max(at - 1, 0),
    "down": lambda others, at: min(at + 1, len(others)),
    "top": lambda others, at: 0,
    "end": lambda others, at: len(others),
}


class Arrangement:
    """Change what waits; a job that runs or has ended is left as it is, and the refusal says so.

    `owner` confines a call to the jobs of one owner; None is everybody's. A move then only trades
    places among these jobs, so that nobody gets in front of somebody else.
    """

    def __init__(self, queue: JobQueue) -> None:
        self.queue = queue
        self.database = queue.database

    def move(self, job_id: int, before: int | None, owner: str | None = None) -> None:
        """Put a waiting job before another one, or at the end. Raises BadInput."""
        self._reorder(job_id, PLACES["end"] if before is None else lambda others, at: _index(others, before), owner)

    def move_behind(self, job_id: int, after: int, owner: str | None = None) -> None:
        """Put a waiting job right behind another one. Raises BadInput."""
        self._reorder(job_id, lambda others, at: _index(others, after) + 1, owner)

    def shift(self, job_id: int, way: Way, owner: str | None = None) -> None:
        """Move a waiting job by one place, or all the way. Raises BadInput."""
        self._reorder(job_id, PLACES[way], owner)

    def edit(self, job_id: int, request: ClipRequest, title: str) -> None:
        """Give a waiting job another recipe and picture; it keeps its place. Raises BadInput."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET settings = ?, start_image = ?, end_image = ?, title = ?"
                " WHERE id = ? AND status = 'queued'",
                (
                    json.dumps(request.settings.as_json(), ensure_ascii=False),
                    str(request.start_image),
                    str(request.end_image) if request.end_image else None,
                    title,
                    job_id,
                ),
            )
            changed = connection.changes()
        if not changed:
            self._refuse(job_id, "job.not_waiting")

    def duplicate(self, job_id: int, **changed: int) -> int:
        """Ask for the same clip again, perhaps with another seed; returns the new job. Raises BadInput."""
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
                " message_code = NULL, message_values = NULL, fraction = 0, preview_version = 0,"
                " position = (SELECT coalesce(max(position), 0) + 1 FROM jobs)"
                " WHERE id = ? AND status IN ('failed', 'cancelled')",
                (job_id,),
            )
            changed = connection.changes()
        if not changed:
            self._refuse(job_id, "job.not_ended")

    def retry_failed(self, owner: str | None = None) -> int:
        """Let everything that failed wait again, in its old order; returns how many that are."""
        with self.database.transaction() as connection:
            failed = connection.execute(
                "SELECT id FROM jobs WHERE status = 'failed' AND (?1 IS NULL OR owner = ?1) ORDER BY position, id",
                (owner,),
            ).fetchall()
            for (job_id,) in failed:
                self.retry(int(job_id))  # type: ignore[arg-type]  # ids are integers
        return len(failed)

    def remove(self, job_id: int) -> Row:
        """Take a job off the list, its clip stays; one that runs must be cancelled first. Raises BadInput."""
        rows = self._delete("id = ? AND status <> 'running'", (job_id,))
        if not rows:
            self._refuse(job_id, "job.still_running")
        return rows[0]

    def clear(self, statuses: Sequence[JobStatus], owner: str | None = None) -> list[Row]:
        """Take everything that ended in one of these ways off the list; clips stay."""
        marks = ", ".join("?" for status in statuses if status.is_final)
        ended = [status.value for status in statuses if status.is_final]
        return self._delete(f"status IN ({marks}) AND (? IS NULL OR owner = ?)", (*ended, owner, owner))

    def put_back(self, rows: Sequence[Row]) -> None:
        """Undo a removal: the same numbers at the same places, behind whatever has taken one since."""
        with self.database.transaction() as connection:
            connection.executemany(
                f"INSERT OR IGNORE INTO jobs ({WHOLE_ROW}) VALUES ((SELECT CASE WHEN EXISTS"
                " (SELECT 1 FROM jobs WHERE position = ?1) THEN max(position) + 1 ELSE ?1 END FROM jobs),"
                f" {', '.join(f'?{n}' for n in range(2, WHOLE_ROW.count(',') + 2))})",
                rows,
            )

    def _reorder(self, job_id: int, place: Place, owner: str | None) -> None:
        """Deal the places of these jobs out anew, in one go that no worker can come between."""
        with self.database.transaction() as connection:
            rows = connection.execute(
                "SELECT id, position FROM jobs WHERE status = 'queued' AND (?1 IS NULL OR owner = ?1)"
                " ORDER BY position",
                (owner,),
            ).fetchall()
            before = [int(row[0]) for row in rows]  # type: ignore[arg-type]  # ids are integers
            if job_id not in before:
                self._refuse(job_id, "job.not_waiting")
            others = [other for other in before if other != job_id]
            others.insert(place(others, before.index(job_id)), job_id)
            moved = [(row[1], new) for row, old, new in zip(rows, before, others, strict=True) if old != new]
            connection.executemany("UPDATE jobs SET position = ? WHERE id = ?", moved)

    def _delete(self, condition: str, values: Sequence[Any]) -> list[Row]:
        with self.database.transaction() as connection:
            rows = connection.execute(f"DELETE FROM jobs WHERE {condition} RETURNING {WHOLE_ROW}", values)
            return rows.fetchall()

    def _job(self, job_id: int) -> Job:
        job = self.queue.get(job_id)
        if job is None:
            raise BadInput("job.unknown", id=job_id)
        return job

    def _refuse(self, job_id: int, why: str) -> NoReturn:
        raise BadInput(why, id=self._job(job_id).id)


def _index(others: list[int], job_id: int) -> int:
    if job_id not in others:
        raise BadInput("job.not_waiting", id=job_id)
    return others.index(job_id)
