"""The durable queue: one row a job, in SQLite, which is also the only wire between window and worker."""

import json
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from apsw import Connection

from svd_studio.core.clip import ClipRequest, ResolvedSettings
from svd_studio.core.errors import Message
from svd_studio.core.job import Job, JobStatus
from svd_studio.core.progress import Stage
from svd_studio.database import Database

MAX_ATTEMPTS = 3

PAUSED = "paused"
"""The name in `state` under which a person's pause is kept, also across a restart."""

BLOCKED = "blocked"
"""The name in `state` of why workers wait by themselves; it goes when they go on."""

HELD = "held"
"""How names in `state` begin of what a card's worker holds there, for drivers that do not tell."""

HOT = "hot"
"""How names in `state` begin that say why a card's worker waits; its number follows."""

LEASE_S = 1800.0
"""Longer than a worker may show no sign of life, so that a living one never loses its claim."""

WAITS_AGAIN = "status = 'queued', worker = NULL, lease = NULL, stage = NULL, fraction = 0, eta_s = NULL"
"""What becomes of a running job that its worker has left: how far it was means nothing to the next one."""

COLUMNS = (
    "id, settings, start_image, end_image, title, owner, status, stage, done, total, fraction, eta_s, message_code,"
    " message_values, attempts, preview_version, created, started, finished, worker, host, card, lease, clip_id"
)


MINE = "status = 'running' AND coalesce(card, 0) = ?"
"""The jobs that the worker of one card runs."""


class JobQueue:
    """Add, claim, report and end jobs; every call is one transaction, so a kill between calls loses nothing.

    Jobs are claimed for `card`, and only that card's are put back.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time, card: int = 0) -> None:
        self.database = database
        self.card = card
        self._now = clock
        self._here = (socket.gethostname(), card)

    def on(self, card: int) -> "JobQueue":
        """The same queue as the worker of another card sees it."""
        return JobQueue(self.database, self._now, card)

    def add(self, request: ClipRequest, title: str, owner: str) -> int:
        """Accept a job at the end of the queue and return its number."""
        with self.database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO jobs (position, settings, start_image, end_image, title, owner, status, created)"
                " VALUES ((SELECT coalesce(max(position), 0) + 1 FROM jobs), ?, ?, ?, ?, ?, 'queued', ?) RETURNING id",
                (
                    json.dumps(request.settings.as_json(), ensure_ascii=False),
                    str(request.start_image),
                    str(request.end_image) if request.end_image else None,
                    title,
                    owner,
                    self._now(),
                ),
            ).fetchone()
        return int(row[0])  # type: ignore[index]  # an INSERT … RETURNING always has its row

    def get(self, job_id: int) -> Job | None:
        """The job of that number."""
        rows = self.database.connection.execute(f"SELECT {COLUMNS} FROM jobs WHERE id = ?", (job_id,))
        return next((_as_job(row) for row in rows), None)

    def find(
        self, statuses: Sequence[JobStatus] = tuple(JobStatus), limit: int = 1000, owner: str | None = None
    ) -> list[Job]:
        """Jobs in these states, of one owner or all: running, waiting in their order, then ended, newest first."""
        asked, values = finding(statuses, limit, owner)
        found = [_as_job(row) for row in self.database.connection.execute(asked, values)] if asked else []
        return sorted(found, key=_in_line)[:limit]

    def count(self, owner: str | None = None) -> dict[JobStatus, int]:
        """How many jobs of one owner, or of all, are in each state."""
        whose, values = ("", ()) if owner is None else ("WHERE owner = ?", (owner,))
        rows = self.database.connection.execute(f"SELECT status, count(*) FROM jobs {whose} GROUP BY status", values)
        return dict.fromkeys(JobStatus, 0) | {JobStatus(status): int(number) for status, number in rows}

    def next_of(self, owner: str) -> Job | None:
        """What this owner has running, or else first in line."""
        return next(iter(self.find((JobStatus.RUNNING, JobStatus.QUEUED), 1, owner)), None)

    def has_used(self, picture: Path, owner: str) -> bool:
        """Whether a job of that owner begins with this picture."""
        found = self.database.connection.execute(
            "SELECT 1 FROM jobs WHERE start_image = ? AND owner = ? LIMIT 1", (str(picture), owner)
        )
        return next(iter(found), None) is not None

    def ahead_of(self, job_id: int) -> int:
        """How many jobs run or wait before a waiting one."""
        row = self.database.connection.execute(
            "SELECT (SELECT count(*) FROM jobs WHERE status = 'running')"
            " + (SELECT count(*) FROM jobs WHERE status = 'queued' AND position < mine.position)"
            " FROM jobs AS mine WHERE id = ?",
            (job_id,),
        ).fetchone()
        return int(row[0]) if row else 0

    def claim(self, worker: str, job_id: int | None = None) -> Job | None:
        """Take the next waiting job for a worker, or nothing; a job asked for by number also while paused."""
        with self.database.transaction() as connection:
            row = connection.execute(
                "UPDATE jobs SET status = 'running', worker = ?, started = ?, host = ?4, card = ?5, lease = ?2 + ?6,"
                " attempts = attempts + 1, stage = NULL, done = 0, total = 0, fraction = 0, eta_s = NULL,"
                " message_code = NULL, message_values = NULL"
                " WHERE id = (SELECT id FROM jobs WHERE status = 'queued' AND (id = ?3 OR ?3 IS NULL"
                f" AND NOT EXISTS (SELECT 1 FROM state WHERE name = '{PAUSED}' AND value = '1'))"
                f" ORDER BY position LIMIT 1) RETURNING {COLUMNS}",
                (worker, self._now(), job_id, *self._here, LEASE_S),
            ).fetchone()
        return _as_job(row) if row else None

    def report(
        self, job_id: int, stage: Stage, done: int, total: int, fraction: float, eta_s: float | None, preview: int
    ) -> None:
        """Write how far a running job is."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET stage = ?, done = ?, total = ?, fraction = ?, eta_s = ?, preview_version = ?"
                " WHERE id = ? AND status = 'running'",
                (stage, done, total, fraction, eta_s, preview, job_id),
            )

    def renew(self, job_id: int) -> None:
        """Let the claim on a running job hold for longer."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET lease = ? WHERE id = ? AND status = 'running'", (self._now() + LEASE_S, job_id)
            )

    def say(self, job_id: int, message: Message) -> None:
        """Show a message beside a job that goes on."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET message_code = ?, message_values = ? WHERE id = ?", (*_as_columns(message), job_id)
            )

    def should_stop(self, job_id: int) -> bool:
        """Whether somebody asked this job to stop."""
        row = self.database.connection.execute("SELECT stop FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return row is None or bool(row[0])

    def cancel(self, job_id: int) -> bool:
        """Stop a job: a waiting one at once, a running one at its next step. False when it had ended."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET status = 'cancelled', finished = ? WHERE id = ? AND status = 'queued'",
                (self._now(), job_id),
            )
            cancelled = connection.changes()
            connection.execute("UPDATE jobs SET stop = 1 WHERE id = ? AND status = 'running'", (job_id,))
            return bool(cancelled or connection.changes())

    def finish(self, job_id: int, clip_id: str) -> None:
        """Mark a job done; its clip is already in the library."""
        self._end(job_id, JobStatus.DONE, None, clip_id)

    def fail(self, job_id: int, message: Message) -> None:
        """Mark a job failed, with the reason."""
        self._end(job_id, JobStatus.FAILED, message)

    def mark_cancelled(self, job_id: int) -> None:
        """Mark a running job as stopped, once its engine has let go."""
        self._end(job_id, JobStatus.CANCELLED, None)

    def release(self) -> None:
        """Put the card's jobs back because its worker was told to end; that does not count as a try.

        Only the holder of the card's worker.lock may call this.
        """
        with self.database.transaction() as connection:
            self._cancel_asked(connection)
            connection.execute(f"UPDATE jobs SET {WAITS_AGAIN}, attempts = attempts - 1 WHERE {MINE}", (self.card,))

    def _cancel_asked(self, connection: Connection) -> None:
        """End the card's jobs that somebody asked to stop; their worker is gone."""
        connection.execute(
            f"UPDATE jobs SET status = 'cancelled', finished = ? WHERE {MINE} AND stop = 1", (self._now(), self.card)
        )

    def _end(self, job_id: int, status: JobStatus, message: Message | None, clip_id: str | None = None) -> None:
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET status = ?, message_code = ?, message_values = ?, clip_id = ?, finished = ?,"
                " fraction = CASE ? WHEN 'done' THEN 1 ELSE fraction END, eta_s = NULL, lease = NULL WHERE id = ?",
                (status.value, *_as_columns(message), clip_id, self._now(), status.value, job_id),
            )

    def set_paused(self, paused: bool) -> None:
        """Let workers take no new job, or take them again; what runs goes on."""
        self.keep_state(PAUSED, str(int(paused)))

    def is_paused(self) -> bool:
        """Whether the queue waits for a person."""
        return self.state(PAUSED) == "1"

    def block(self, reason: Message) -> None:
        """Say why workers take no job; unlike a pause they go on by themselves."""
        self.keep_state(BLOCKED, _as_text(reason))

    def unblock(self) -> None:
        """Say that workers take jobs again."""
        self.keep_state(BLOCKED, None)

    def blocked(self) -> Message | None:
        """Why workers wait by themselves; None while they do not."""
        return _as_message(self.state(BLOCKED))

    def cool_down(self, reason: Message | None) -> None:
        """Say why this card's worker takes no job, or that it takes them again."""
        self.keep_state(f"{HOT}{self.card}", _as_text(reason) if reason else None)

    def standstill(self) -> Message | None:
        """What waiting jobs wait for besides a person: room on the disk, or else a card that cools down."""
        row = self.database.connection.execute(
            "SELECT value FROM state WHERE name = ? OR name GLOB ? ORDER BY name LIMIT 1", (BLOCKED, f"{HOT}*")
        ).fetchone()
        return _as_message(str(row[0])) if row else None

    def state(self, name: str) -> str | None:
        """What is kept under a name for the whole studio."""
        row = self.database.connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def keep_state(self, name: str, value: str | None) -> None:
        """Keep a value under a name, or forget it."""
        with self.database.transaction() as connection:
            if value is None:
                connection.execute("DELETE FROM state WHERE name = ?", (name,))
            else:
                connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))

    def hold(self, gb: float) -> None:
        """Write what the worker holds on its card, in GiB."""
        self.keep_state(f"{HELD}{self.card}", str(round(gb, 2)))

    def held_gb(self) -> float:
        """What the worker holds on its card, as it last said."""
        return float(self.state(f"{HELD}{self.card}") or 0.0)

    def cards_at_work(self) -> set[int]:
        """The cards that running jobs were claimed for, also those whose worker is gone."""
        rows = self.database.connection.execute("SELECT DISTINCT coalesce(card, 0) FROM jobs WHERE status = 'running'")
        return {int(row[0]) for row in rows}  # type: ignore[call-overload]  # the column is an integer

    def recover(self) -> list[int]:
        """Put the card's jobs back, whose worker is gone, and fail those that it died on three times.

        Only the holder of the card's worker.lock may call this: nobody else can be running them.
        """
        with self.database.transaction() as connection:
            lost = [int(row[0]) for row in connection.execute(f"SELECT id FROM jobs WHERE {MINE}", (self.card,))]
            self._cancel_asked(connection)
            connection.execute(
                "UPDATE jobs SET status = 'failed', finished = ?, message_code = 'job.worker_died', message_values = ?"
                f" WHERE {MINE} AND attempts >= ?",
                (self._now(), json.dumps({"attempts": MAX_ATTEMPTS}), self.card, MAX_ATTEMPTS),
            )
            connection.execute(f"UPDATE jobs SET {WAITS_AGAIN} WHERE {MINE}", (self.card,))
        return lost


def _as_columns(message: Message | None) -> tuple[str | None, str | None]:
    if message is None:
        return None, None
    return message.code, json.dumps(dict(message.values), ensure_ascii=False)


def _as_text(message: Message) -> str:
    return json.dumps([message.code, dict(message.values)], ensure_ascii=False)


def _as_message(text: str | None) -> Message | None:
    return Message(*json.loads(text)) if text else None


def finding(statuses: Sequence[JobStatus], limit: int, owner: str | None) -> tuple[str, list[str | int]]:
    """The question for jobs in these states: a part for each, read off its index, so that nothing is sorted."""
    whose, parts, values = "" if owner is None else " AND owner = ?", [], []
    for status in statuses:
        order = "finished DESC" if status.is_final else "position"
        parts.append(f"SELECT * FROM (SELECT {COLUMNS} FROM jobs WHERE status = ?{whose} ORDER BY {order} LIMIT ?)")
        values += [status.value, *([] if owner is None else [owner]), limit]
    return " UNION ALL ".join(parts), values


def _in_line(job: Job) -> tuple[int, float]:
    """Running, then waiting, each as they were read, then ended, newest first."""
    if job.status.is_final:
        return 2, -(job.finished or 0.0)
    return int(job.status is JobStatus.QUEUED), 0.0


def _as_job(row: tuple[Any, ...]) -> Job:
    """Read a row in the order of COLUMNS."""
    (
        job_id, settings, start, end, title, owner, status, stage, done, total, fraction, eta_s, code, values,
        attempts, preview, created, started, finished, worker, host, card, lease, clip_id,
    ) = row  # fmt: skip
    return Job(
        id=job_id,
        request=ClipRequest(
            ResolvedSettings.from_file(json.loads(settings))[0], Path(start), Path(end) if end else None
        ),
        title=title,
        owner=owner,
        status=JobStatus(status),
        stage=stage,
        done=done,
        total=total,
        fraction=fraction,
        eta_s=eta_s,
        message=Message(code, json.loads(values)) if code else None,
        attempts=attempts,
        preview_version=preview,
        created=created,
        started=started,
        finished=finished,
        worker=worker,
        host=host,
        card=card,
        lease=lease,
        clip_id=clip_id,
    )
