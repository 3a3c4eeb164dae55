"""When every waiting clip will be ready, learnt from this machine's own finished clips.

Recipes are built once for each kind of clip and not once for each job, so that ten thousand may wait.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from svd_studio.core.clip import ResolvedSettings
from svd_studio.jobs.forecast import Forecast, forecast
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.clips import ClipLibrary


@dataclass(frozen=True)
class Outlook:
    """Seconds from now until each job is done, and until all are; what cannot be known is missing."""

    ready_s: Mapping[int, float]
    total_s: float | None


def outlook(queue: JobQueue, clips: ClipLibrary) -> Outlook:
    """Add up what runs and what waits, in the order in which it will be made."""
    history = cache(clips.seconds_of)
    expected = cache(lambda kind: forecast(_settings(kind), history(_settings(kind).engine)))
    ready_s: dict[int, float] = {}
    total_s, loaded = 0.0, None
    for job_id, eta_s, engine, kind in _ahead(queue):
        told: Forecast | None = expected(kind)
        if eta_s is not None:
            total_s += eta_s
        elif told is not None:
            total_s += told.seconds - (told.by_stage.get("load", 0.0) if engine == loaded else 0.0)
        else:
            return Outlook(ready_s, None)
        ready_s[job_id], loaded = total_s, engine
    return Outlook(ready_s, total_s)


def _ahead(queue: JobQueue) -> Iterator[tuple[int, float | None, str, str]]:
    """Number, seconds left where it runs, engine and kind of every job that runs or waits."""
    return queue.database.connection.execute(  # type: ignore[return-value]  # the columns have these types
        "SELECT id, CASE status WHEN 'running' THEN eta_s END, settings ->> 'engine',"
        " json_remove(settings, '$.seed', '$.prompt', '$.negative_prompt')"
        " FROM jobs WHERE status IN ('running', 'queued') ORDER BY status = 'queued', position, id"
    )


@lru_cache(maxsize=2000)
def _settings(kind: str) -> ResolvedSettings:
    return ResolvedSettings.from_file(json.loads(kind) | {"seed": 0})[0]
