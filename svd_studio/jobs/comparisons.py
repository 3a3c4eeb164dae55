"""Which jobs were asked for together, to be seen side by side: found by job or clip, whatever became of the others."""

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from svd_studio.database import Database


@dataclass(frozen=True)
class Comparison:
    """Jobs of one picture whose recipes differ in `fields`, in the order in which they are shown."""

    id: str
    title: str
    owner: str
    fields: tuple[str, ...]
    jobs: tuple[int, ...]
    created: float


class Comparisons:
    """Remember comparisons; jobs and clips know nothing of them and may go one by one."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self._now = clock

    def add(self, jobs: Sequence[int], fields: Sequence[str], title: str, owner: str) -> Comparison:
        """Put jobs together, and forget comparisons of which nothing is left."""
        made = Comparison(secrets.token_urlsafe(12), title, owner, tuple(fields), tuple(jobs), self._now())
        with self.database.transaction() as connection:
            self._forget_empty()
            connection.execute(
                "INSERT INTO comparisons (id, title, owner, fields, created) VALUES (?, ?, ?, ?, ?)",
                (made.id, title, owner, json.dumps(made.fields), made.created),
            )
            connection.executemany(
                "INSERT OR REPLACE INTO compared (job_id, comparison) VALUES (?, ?)", [(job, made.id) for job in jobs]
            )
        return made

    def get(self, comparison_id: str) -> Comparison | None:
        """The comparison of that id."""
        connection = self.database.connection
        row = connection.execute(
            "SELECT id, title, owner, fields, created FROM comparisons WHERE id = ?", (comparison_id,)
        ).fetchone()
        if row is None:
            return None
        jobs = connection.execute("SELECT job_id FROM compared WHERE comparison = ? ORDER BY job_id", (row[0],))
        numbers = tuple(int(job[0]) for job in jobs)  # type: ignore[call-overload]  # the column is an integer
        return Comparison(str(row[0]), str(row[1]), str(row[2]), tuple(json.loads(str(row[3]))), numbers, float(row[4]))  # type: ignore[arg-type]

    def of_jobs(self, jobs: Sequence[int | None], owner: str | None = None) -> dict[int, str]:
        """The comparisons to which jobs belong, by job; only those of one owner, or all."""
        asked = [job for job in jobs if job is not None]
        rows = self.database.connection.execute(
            "SELECT job_id, comparison FROM compared JOIN comparisons ON id = comparison"
            f" WHERE job_id IN ({', '.join('?' * len(asked))}) AND (? IS NULL OR owner = ?)",
            (*asked, owner, owner),
        )
        return {int(job): str(comparison) for job, comparison in rows}  # type: ignore[call-overload]

    def fields_of(self, jobs: Sequence[int | None], owner: str | None = None) -> dict[int, tuple[str, ...]]:
        """What the recipes of each job's comparison differ in, by job; only of one owner's, or of all."""
        asked = [job for job in jobs if job is not None]
        rows = self.database.connection.execute(
            "SELECT job_id, fields FROM compared JOIN comparisons ON id = comparison"
            f" WHERE job_id IN ({', '.join('?' * len(asked))}) AND (? IS NULL OR owner = ?)",
            (*asked, owner, owner),
        )
        return {int(job): tuple(json.loads(str(fields))) for job, fields in rows}  # type: ignore[call-overload]

    def _forget_empty(self) -> None:
        with self.database.transaction() as connection:
            connection.execute(
                "DELETE FROM compared WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = compared.job_id)"
                " AND NOT EXISTS (SELECT 1 FROM clips WHERE clips.job_id = compared.job_id)"
            )
            connection.execute("DELETE FROM comparisons WHERE id NOT IN (SELECT comparison FROM compared)")
