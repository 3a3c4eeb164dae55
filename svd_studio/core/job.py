"""What waits in the queue, and where it stands."""

from dataclasses import dataclass
from enum import StrEnum

from svd_studio.core.clip import ClipRequest
from svd_studio.core.errors import Message
from svd_studio.core.progress import Stage


class JobStatus(StrEnum):
    """Where a job stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(frozen=True)
class Job:
    """One row of the queue; `fraction` is of the whole job, 0 to 1, times are seconds since 1970.

    `worker` is the process that took it, on `card` of the computer `host`; the claim holds until `lease`.
    """

    id: int
    request: ClipRequest
    title: str
    owner: str
    status: JobStatus
    stage: Stage | None = None
    done: int = 0
    total: int = 0
    fraction: float = 0.0
    eta_s: float | None = None
    message: Message | None = None
    attempts: int = 0
    preview_version: int = 0
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    worker: str | None = None
    host: str | None = None
    card: int | None = None
    lease: float | None = None
    clip_id: str | None = None
