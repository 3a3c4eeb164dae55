"""When every waiting clip will be ready, learnt from this machine's own finished clips.

Recipes are built once for each kind of clip and not once for each job, so that ten thousand may wait.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from heapq import heappop, heappush

from svd_studio.core.clip import ResolvedSettings
from svd_studio.jobs.forecast import Forecast, forecast
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.clips import ClipLibrary


@dataclass(frozen=True)
class Outlook:
    """Seconds from now until each job is done, and until all are; what cannot be known is missing."""

    ready_s: Mapping[int, float]
    total_s: float | None


def outlook(queue: JobQueue, clips: ClipLibrary, workers: int = 1) -> Outlook:
    """Add up what runs and what waits, in the order in which it will be made: each by whoever is free first."""
    history = cache(clips.seconds_of)
    expected = cache(lambda kind: forecast(_settings(kind), history(_settings(kind).engine)))
    ready_s: dict[int, float] = {}
    free: list[tuple[float, int, str]] = []  # when each worker is, and which model it has loaded then
    for job_id, is_running, eta_s, engine, kind in _ahead(queue):
        starts_now = is_running or len(free) < workers
        begins_s, _, loaded = (0.0, 0, "") if starts_now else heappop(free)
        takes_s = _seconds(expected(kind), loaded == engine) if eta_s is None else eta_s
        if takes_s is None:
            return Outlook(ready_s, None)
        ready_s[job_id] = begins_s + takes_s
        heappush(free, (ready_s[job_id], job_id, engine))
    return Outlook(ready_s, max(ready_s.values(), default=0.0))


def _seconds(told: Forecast | None, is_loaded: bool) -> float | None:
    if told is None:
        return None
    return told.seconds - (told.by_stage.get("load", 0.0) if is_loaded else 0.0)


def _ahead(queue: JobQueue) -> Iterator[tuple[int, int, float | None, str, str]]:
    """Number, whether it runs, seconds left where it does, engine and kind of every job that runs or waits."""
    return queue.database.connection.execute(  # type: ignore[return-value]  # the columns have these types
        "SELECT id, status = 'running', CASE status WHEN 'running' THEN eta_s END, settings ->> 'engine',"
        " json_remove(settings, '$.seed', '$.prompt', '$.negative_prompt')"
        " FROM jobs WHERE status IN ('running', 'queued') ORDER BY status = 'queued', position, id"
    )


@lru_cache(maxsize=2000)
def _settings(kind: str) -> ResolvedSettings:
    return ResolvedSettings.from_file(json.loads(kind) | {"seed": 0})[0]
