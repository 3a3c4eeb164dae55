"""How much of the queue and of the disk those may take to whom the owner gave a link."""

from pathlib import Path

from svd_studio.core.errors import BadInput
from svd_studio.core.job import JobStatus
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.clips import ClipLibrary
from svd_studio.library.exports import Exports
from svd_studio.library.inputs import Inputs

MOST_JOBS = 4
"""How many clips of all guests together may wait or run."""

MOST_ENDED = 1000
"""How many that failed or were cancelled stay on their list: whoever asks and cancels for days fills no disk."""


class Guests:
    """Keep the clips of guests few in the queue, and their pictures, clips and exports within a part of the disk.

    Everywhere None is the owner, who may have any number.
    """

    def __init__(self, queue: JobQueue, inputs: Inputs, clips: ClipLibrary, exports: Exports, limit_bytes: int) -> None:
        self.queue, self.inputs, self.clips, self.exports = queue, inputs, clips, exports
        self.limit_bytes = limit_bytes
        self.most_ended = MOST_ENDED

    def refuse(self, guest: str | None, more: int = 1, picture: Path | None = None) -> None:
        """Raise BadInput when so many more clips, or this picture on the disk, are too much."""
        self.refuse_too_many(guest, more)
        self.refuse_full(guest, picture)

    def refuse_too_many(self, guest: str | None, more: int = 1) -> None:
        """Raise BadInput when a guest would have too many clips waiting."""
        if guest is None:
            return
        counts = self.queue.count(guest)
        if counts[JobStatus.QUEUED] + counts[JobStatus.RUNNING] + more > MOST_JOBS:
            raise BadInput("guest.jobs", most=MOST_JOBS)

    def held_bytes(self, guest: str) -> int:
        """What everything of a guest takes; of 10,000 pictures that takes some 100 ms."""
        clips = self.clips.sizes(guest)
        return self.inputs.bytes_of(guest) + sum(clips.values()) + self.exports.bytes_of(clips)

    def refuse_full(self, guest: str | None, picture: Path | None = None) -> None:
        """Raise BadInput when there is no room for more, or for this picture."""
        if guest is None:
            return
        more_bytes = picture.stat().st_size if picture and picture.is_file() else 0
        if self.held_bytes(guest) + more_bytes >= self.limit_bytes:
            raise BadInput("guest.room", gb=f"{self.limit_bytes / 1e9:g}")

    def tidy(self, guest: str) -> None:
        """Take the oldest of a guest's failed and cancelled clips off the list; what was made stays."""
        with self.queue.database.transaction() as connection:
            connection.execute(
                "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE owner = ? AND clip_id IS NULL"
                " AND status IN ('failed', 'cancelled') ORDER BY finished DESC, id DESC LIMIT -1 OFFSET ?)",
                (guest, self.most_ended),
            )
