"""A job as the page shows it while it waits, runs and ends."""

from typing import Any

from svd_studio.core.errors import Message
from svd_studio.core.job import Job, JobStatus
from svd_studio.ui.result import spoken_seconds
from svd_studio.ui.texts import say

IN_STEPS = ("denoise", "decode")
RESTING = ("heat.resting", "heat.memory.resting")
"""What a job says while it waits for its card to cool down: where it stands, and no note beside it."""


def job_view(job: Job, language: str, ahead: int = 0, trouble: Message | None = None) -> dict[str, Any]:
    """What to show of a job: with so many `ahead` of it, and what keeps the worker from taking any."""
    percent = round(100 * job.fraction)
    is_running = job.status is JobStatus.RUNNING
    return {
        "id": job.id,
        "name": job.title,
        "status": job.status.value,
        "line": _line(job, language, ahead, trouble),
        "note": say(job.message, language) if is_running and job.message and not _rest(job) else "",
        "eta": _eta(job, language) if is_running else "",
        "percent": percent,
        "preview": f"/media/job/{job.id}/preview?v={job.preview_version}" if job.preview_version else None,
        "title": f"{percent} % · " if is_running else "",
        "clip": job.clip_id,
    }


def _line(job: Job, language: str, ahead: int, trouble: Message | None) -> str:
    """Where the job stands, in words."""
    if job.status is JobStatus.QUEUED and trouble is not None:
        return say(trouble, language)
    if job.status is JobStatus.QUEUED:
        return say(Message("page.job.waiting", {"n": ahead}) if ahead else "page.job.next", language)
    if job.status is JobStatus.FAILED:
        return say(job.message or Message("page.job.failed"), language)
    if job.status is not JobStatus.RUNNING:
        return say(f"page.job.{job.status.value}", language)
    if rest := _rest(job):
        return say(rest, language)
    if job.stage is None:
        return say("page.job.starting", language)
    stage = say(f"page.stage.{job.stage}", language)
    if job.stage not in IN_STEPS or not job.done:
        return stage
    return say(Message(f"page.job.{job.stage}", {"stage": stage, "done": job.done, "total": job.total}), language)


def _rest(job: Job) -> Message | None:
    return job.message if job.message is not None and job.message.code in RESTING else None


def _eta(job: Job, language: str) -> str:
    if job.eta_s is None:
        return ""
    return say(Message("page.job.eta", {"time": spoken_seconds(job.eta_s, language)}), language)
