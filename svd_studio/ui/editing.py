"""A waiting clip that is being changed on the Animate page: which one, and whether it still waits."""

from typing import Any

from svd_studio.core.errors import Message
from svd_studio.core.job import Job, JobStatus
from svd_studio.studio import Studio
from svd_studio.ui.queue_actions import seen_job
from svd_studio.ui.texts import say


def edited_job(studio: Studio, kept: object, owner: str) -> Job | None:
    """The job that a browser says it is changing, as it stands now; None when there is none to be seen."""
    return seen_job(studio, kept.get("job"), owner) if isinstance(kept, dict) else None


def editing_view(studio: Studio, kept: object, owner: str, language: str) -> dict[str, Any] | None:
    """What stands above Generate while a clip is being changed."""
    if not isinstance(kept, dict):
        return None
    job = edited_job(studio, kept, owner)
    if job is None:
        return {"waits": False, "line": say("page.editing.gone", language)}
    waits = job.status is JobStatus.QUEUED
    code = "page.editing.line" if waits else "page.editing.started"
    return {"waits": waits, "line": say(Message(code, {"title": job.title}), language)}
