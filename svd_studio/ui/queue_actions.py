"""What can be done on the Queue page, for those who may do it."""

from collections.abc import Callable
from typing import Any

from svd_studio.core.errors import BadInput, Message
from svd_studio.core.job import Job, JobStatus
from svd_studio.jobs.arrange import WAYS, Row
from svd_studio.studio import OWNER, Studio, seen_by
from svd_studio.ui.queue_view import GROUPS
from svd_studio.ui.rooms import View
from svd_studio.ui.texts import say

MOST_AT_ONCE = 200

Sent = dict[str, Any]
"""What a page sent: a stranger's, looked at before it is used."""

Action = Callable[[Sent, str, str], View]
"""Told what was sent, the owner who asks and the language; answers with what there is to say."""


class QueueActions:
    """Change the queue for one studio; the last removal of each owner can be undone."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._removed: dict[str, list[Row]] = {}
        self._actions: dict[str, Action] = {
            "shift": self._shift,
            "move": self._move,
            "duplicate": self._duplicate,
            "cancel": self._cancel,
            "retry": self._retry,
            "retry_failed": self._retry_failed,
            "remove": self._remove,
            "clear": self._clear,
            "take_back": self._take_back,
            "undo": self._undo,
            "pause": self._pause,
            "resume": self._resume,
        }

    def act(self, sent: Sent, owner: str, language: str) -> View:
        """Do one thing by its name. Raises BadInput, which says why not."""
        action = self._actions.get(str(sent.get("what")))
        if action is None:
            raise BadInput("job.unknown_action")
        return action(sent, owner, language)

    def _shift(self, sent: Sent, owner: str, language: str) -> View:
        way = sent.get("way")
        if way not in WAYS:
            raise BadInput("job.unknown_action")
        self.studio.arrangement.shift(self._job(sent, owner).id, way, seen_by(owner))
        return {}

    def _move(self, sent: Sent, owner: str, language: str) -> View:
        job, arrangement = self._job(sent, owner), self.studio.arrangement
        if "behind" in sent:
            arrangement.move_behind(job.id, self._job(sent, owner, "behind").id, seen_by(owner))
        else:
            arrangement.move(job.id, self._job(sent, owner, "before").id, seen_by(owner))
        return {}

    def _duplicate(self, sent: Sent, owner: str, language: str) -> View:
        with self.studio.database.transaction():
            self.studio.duplicate(self._job(sent, owner).id)
        return {"notice": say("page.queue.duplicated", language)}

    def _cancel(self, sent: Sent, owner: str, language: str) -> View:
        job = self._job(sent, owner)
        if not self.studio.cancel(job.id):
            raise BadInput("job.has_ended", id=job.id)
        return {}

    def _retry(self, sent: Sent, owner: str, language: str) -> View:
        job = self._job(sent, owner)
        with self.studio.database.transaction():
            self.studio.guests.refuse(seen_by(owner))
            self.studio.arrangement.retry(job.id)
        return {}

    def _retry_failed(self, sent: Sent, owner: str, language: str) -> View:
        with self.studio.database.transaction():
            failed = self.studio.queue.count(seen_by(owner))[JobStatus.FAILED]
            self.studio.guests.refuse(seen_by(owner), failed)
            self.studio.arrangement.retry_failed(seen_by(owner))
        return {}

    def _remove(self, sent: Sent, owner: str, language: str) -> View:
        job = self._job(sent, owner)
        return self._gone(owner, [self.studio.arrangement.remove(job.id)], language)

    def _clear(self, sent: Sent, owner: str, language: str) -> View:
        statuses, _ = GROUPS.get(str(sent.get("group")), ((), 0))
        ended = [status for status in statuses if status.is_final]
        return self._gone(owner, self.studio.arrangement.clear(ended, seen_by(owner)), language)

    def _take_back(self, sent: Sent, owner: str, language: str) -> View:
        """Remove those of some jobs that still wait, such as those of one heap of pictures."""
        asked = sent.get("jobs")
        numbers = asked[:MOST_AT_ONCE] if isinstance(asked, list) else []
        with self.studio.database.transaction():  # so that no worker takes one in between
            jobs = [seen_job(self.studio, number, owner) for number in numbers]
            waiting = [job.id for job in jobs if job and job.status is JobStatus.QUEUED]
            rows = [self.studio.arrangement.remove(number) for number in dict.fromkeys(waiting)]
        return self._gone(owner, rows, language)

    def _undo(self, sent: Sent, owner: str, language: str) -> View:
        removed = self._removed.get(owner, [])
        with self.studio.database.transaction():
            self.studio.guests.refuse(seen_by(owner), len(removed))
            self.studio.arrangement.put_back(removed)
        self._removed.pop(owner, None)  # only now: what cannot be put back yet can be tried again
        return {"removed": ""}

    def _pause(self, sent: Sent, owner: str, language: str) -> View:
        return self._set_paused(True, owner)

    def _resume(self, sent: Sent, owner: str, language: str) -> View:
        return self._set_paused(False, owner)

    def _set_paused(self, paused: bool, owner: str) -> View:
        if owner != OWNER:
            raise BadInput("job.pause_is_the_owners")
        self.studio.queue.set_paused(paused)
        return {}

    def _gone(self, owner: str, rows: list[Row], language: str) -> View:
        """Remember what was removed, and offer it back."""
        if not rows:
            return {}
        self._removed[owner] = rows
        return {"removed": say(Message("page.queue.removed", {"n": len(rows)}), language)}

    def _job(self, sent: Sent, owner: str, name: str = "job") -> Job:
        return visible_job(self.studio, sent.get(name), owner)


def visible_job(studio: Studio, job_id: object, owner: str) -> Job:
    """The job of that number, as far as somebody may see it. Raises BadInput."""
    job = seen_job(studio, job_id, owner)
    if job is None:
        raise BadInput("job.unknown", id=str(job_id)[:20])
    return job


def seen_job(studio: Studio, job_id: object, owner: str) -> Job | None:
    """The same job; None when there is none, or none that somebody may see."""
    is_number = isinstance(job_id, int) and not isinstance(job_id, bool) and 0 < job_id < 2**62
    job = studio.queue.get(job_id) if is_number else None  # type: ignore[arg-type]
    return job if job and seen_by(owner) in (None, job.owner) else None
