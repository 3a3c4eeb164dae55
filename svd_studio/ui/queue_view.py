"""What the Queue page shows: what runs, waits and has ended, in words, and when it will be ready."""

from typing import Any

from svd_studio.core.errors import Message
from svd_studio.core.job import Job, JobStatus
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.housekeeping import holdings
from svd_studio.jobs.outlook import Outlook
from svd_studio.library.trash import KEPT_DAYS
from svd_studio.studio import OWNER, Studio, seen_by
from svd_studio.ui.progress_view import job_view
from svd_studio.ui.result import spoken_seconds
from svd_studio.ui.rooms import View
from svd_studio.ui.texts import say, spoken_bytes

MOST_WAITING, MOST_ENDED = 100, 30

GROUPS: dict[str, tuple[tuple[JobStatus, ...], int]] = {
    "running": ((JobStatus.RUNNING,), MOST_WAITING),
    "waiting": ((JobStatus.QUEUED,), MOST_WAITING),
    "failed": ((JobStatus.FAILED, JobStatus.CANCELLED), MOST_ENDED),
    "done": ((JobStatus.DONE,), MOST_ENDED),
}
"""What stands together on the page, and how many rows of it are shown."""


def queue_view(studio: Studio, owner: str, language: str) -> View:
    """The whole page for one asker; a guest's shows his own jobs only."""
    seen, counts = seen_by(owner), studio.queue.count(seen_by(owner))
    paused, blocked = studio.queue.is_paused(), studio.queue.standstill()
    told = Outlook({}, None) if paused or blocked else studio.outlook()
    found = {name: studio.queue.find(statuses, most, seen) for name, (statuses, most) in GROUPS.items()}
    compared = studio.comparisons.of_jobs([job.id for jobs in found.values() for job in jobs], seen)
    groups = [
        {
            "name": name,
            "rows": [row_view(job, told, language, seen) | {"comparison": compared.get(job.id)} for job in found[name]],
            "total": sum(counts[status] for status in statuses),
        }
        for name, (statuses, _) in GROUPS.items()
    ]
    queue = {
        "groups": [group | {"more": _more(group, language)} for group in groups],
        "summary": _summary(counts, told, seen is None, language),
        "paused": paused,
        "is_owner": owner == OWNER,
        "blocked": say(blocked, language) if blocked else "",
        "failed": counts[JobStatus.FAILED],
    }
    return {"queue": queue, "counts": {"queue": counts[JobStatus.QUEUED]}}


def kept_line(studio: Studio, language: str) -> str:
    """What the data folder holds besides clips and models, and what bounds it."""
    held = holdings(studio.config)
    sizes: dict[str, str | int | float] = {one.kind: spoken_bytes(one.bytes) for one in held}
    limits = {f"{one.kind}_limit": spoken_bytes(one.limit_bytes) for one in held if one.limit_bytes}
    return say(Message("page.queue.kept", {**sizes, **limits, "days": KEPT_DAYS}), language)


def row_view(job: Job, told: Outlook, language: str, seen: str | None) -> dict[str, Any]:
    """One job as its row shows it to whoever sees the jobs of `seen`, or everybody's."""
    return {
        "id": job.id,
        "status": job.status.value,
        "title": job.title,
        "picture": f"/media/job/{job.id}/picture?v={job.request.start_image.stem[:12]}",
        "facts": _facts(job, language, seen),
        "prompt": job.request.settings.prompt[:200],
        "line": _line(job, language),
        "eta": _eta(job, told, language),
        "percent": round(100 * job.fraction),
        "clip": job.clip_id,
        "frames": _frames(job),
    }


def _frames(job: Job) -> int:
    """How many the clip has once it is finished."""
    settings = job.request.settings
    return settings.frames_in_all * settings.finish.smooth


def _facts(job: Job, language: str, seen: str | None) -> str:
    """What will be made, and whose it is where it stands among those of others and is not the owner's own."""
    settings = job.request.settings
    info = ENGINES.get(settings.engine)
    values: dict[str, str | int | float] = {
        "engine": info.title.partition(" (")[0] if info else settings.engine,
        "frames": settings.frames_in_all,
        "steps": settings.steps,
        "seed": settings.seed,
    }
    facts = say(Message("page.queue.facts", values), language)
    if job.owner in (OWNER, seen):
        return facts
    return f"{facts} · {say(Message('page.queue.from', {'owner': job.owner}), language)}"


def _line(job: Job, language: str) -> str:
    """How it goes or has ended; nothing for what waits."""
    if job.status is JobStatus.RUNNING:
        return str(job_view(job, language)["line"])
    if job.status is JobStatus.FAILED:
        return say(job.message or Message("page.queue.failed_silently"), language)
    if job.status is JobStatus.CANCELLED:
        return say("page.queue.cancelled", language)
    if job.status is JobStatus.DONE and job.started and job.finished:
        took = spoken_seconds(max(0.0, job.finished - job.started), language)  # a clock may have been set back
        return say(Message("page.clip.took", {"time": took}), language)
    return ""


def _eta(job: Job, told: Outlook, language: str) -> str:
    left_s = told.ready_s.get(job.id, job.eta_s)
    if job.status.is_final or left_s is None:
        return ""
    code = "page.job.eta" if job.status is JobStatus.RUNNING else "page.queue.ready"
    return say(Message(code, {"time": spoken_seconds(left_s, language)}), language)


def _summary(counts: dict[JobStatus, int], told: Outlook, sees_all: bool, language: str) -> str:
    """How much waits and when everything is done; the time only where it is known and everything is seen."""
    waiting = counts[JobStatus.QUEUED]
    if not waiting:
        return ""
    if told.total_s is None or not sees_all:
        return say(Message("page.queue.waits", {"n": waiting}), language)
    time = spoken_seconds(told.total_s, language)
    return say(Message("page.queue.waits_until", {"n": waiting, "time": time}), language)


def _more(group: dict[str, Any], language: str) -> str:
    hidden = group["total"] - len(group["rows"])
    return say(Message("page.queue.more", {"n": hidden}), language) if hidden > 0 else ""
