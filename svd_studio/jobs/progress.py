"""A running job's progress: written into its row for every face to read, with a picture of the clip so far."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from svd_studio.core.errors import Cancelled, Message, StudioError
from svd_studio.core.job import Job
from svd_studio.core.progress import STAGES, STREAMED, Progress, Stage
from svd_studio.jobs.forecast import Forecast
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.watchdog import Watchdog

if TYPE_CHECKING:
    from PIL import Image

SHARES: dict[Stage, float] = {
    "load": 0.08,
    "encode_inputs": 0.02,
    "denoise": 0.62,
    "decode": 0.2,
    "enlarge": 0.0,
    "finish": 0.03,
    "encode": 0.05,
}
"""How much of a job each stage is, until this machine's own clips tell better."""

WITH_ENLARGING: dict[Stage, float] = {stage: share / 2 for stage, share in SHARES.items()} | {"enlarge": 0.5}

WRITE_EVERY_S = 0.25
ASK_EVERY_S = 0.2
PREVIEW_EVERY_S = 0.5
RENEW_EVERY_S = 30.0


class JobProgress(Progress):
    """Write progress, preview and time to go into a job's row, and hear there whether to stop.

    Rows are written a few times a second at most; `also` hears every report. Every report and
    check is the heartbeat: it holds the watchdog off and lets the claim on the job hold for longer.
    """

    def __init__(
        self,
        queue: JobQueue,
        job: Job,
        previews: Path,
        also: Progress,
        expected: Forecast | None = None,
        now: Callable[[], float] = time.monotonic,
        watchdog: Watchdog | None = None,
    ) -> None:
        self.queue, self.job, self.also = queue, job, also
        self.watchdog = watchdog
        self.preview_path = previews / f"{job.id}.webp"
        self.preview_version = 0
        self._expected = None if expected is None or expected.leaves_out else expected
        self._shares = SHARES if job.request.settings.finish.enlarge == 1 else WITH_ENLARGING
        self._now = now
        self._written = self._asked = self._previewed = -1e9
        self._started = self._stage_started = self._renewed = now()
        self._stage: Stage | None = None
        self._fraction = self._rested_s = 0.0

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        self.check()
        now = self._now()
        is_new = stage != self._stage and not (stage in STREAMED and self._stage in STREAMED)
        if is_new:
            self._stage_started = now - self._rested_s
        if is_new or stage == "enlarge":
            self._stage = stage
        is_beside = self._stage == "enlarge" and stage != "enlarge"  # what takes long is told
        if preview is not None and (done == total or now - self._previewed > PREVIEW_EVERY_S):
            self._previewed = now
            self._show(preview)
        if is_new or done == total or (now - self._written > WRITE_EVERY_S and not is_beside):
            self._written = now
            worked = now - self._rested_s
            eta_s = self._time_to_go(stage, done, total, worked)
            self._fraction = max(self._fraction, self._overall(stage, done, total, eta_s, worked))
            with suppress(StudioError):  # a full disk or a busy database: a row that tells less is no lost render
                self.queue.report(self.job.id, stage, done, total, self._fraction, eta_s, self.preview_version)
        self.also.report(stage, done, total, preview)

    def note(self, message: Message) -> None:
        with suppress(StudioError):
            self.queue.say(self.job.id, message)
        self.also.note(message)

    @property
    def rested_s(self) -> float:
        return self._rested_s

    def rested(self, seconds: float) -> None:
        self._rested_s += seconds

    def check(self) -> None:
        now = self._now()
        if now - self._asked > ASK_EVERY_S:
            self._asked = now
            self._beat(now)
            if self.queue.should_stop(self.job.id):
                raise Cancelled
        self.also.check()

    def _beat(self, now: float) -> None:
        if self.watchdog is not None:
            self.watchdog.alive()
        if now - self._renewed > RENEW_EVERY_S:
            self._renewed = now
            with suppress(StudioError):
                self.queue.renew(self.job.id)

    def _time_to_go(self, stage: Stage, done: int, total: int, now: float) -> float | None:
        """This stage at its own pace (at the expected one before its first unit), the others as expected."""
        spent = now - self._stage_started
        paced = spent / done * (total - done) if done else None
        if self._expected is None:
            return paced if stage == "enlarge" else None
        together = STREAMED if stage in STREAMED else (stage,)
        expected = sum(self._expected.by_stage.get(each, 0.0) for each in together)
        here = max(expected - spent, 0.0) if paced is None else paced
        return here + self._expected.after(together[-1])

    def _overall(self, stage: Stage, done: int, total: int, eta_s: float | None, now: float) -> float:
        if eta_s is not None:
            spent = now - self._started
            return spent / (spent + eta_s) if spent + eta_s > 0 else 0.0
        before = sum(self._shares[earlier] for earlier in STAGES[: STAGES.index(stage)])
        return min(1.0, before + self._shares[stage] * done / max(total, 1))

    def _show(self, preview: np.ndarray) -> None:
        """Replace the preview at once, so that no page ever reads half of it."""
        from PIL import Image

        with suppress(OSError):  # a preview that is being read, or a full disk, must not fail a render
            self._write_preview([Image.fromarray(frame) for frame in preview])

    def forget_preview(self) -> None:
        """Delete the preview; the clip takes its place."""
        for path in (self.preview_path, self.preview_path.with_suffix(".part")):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _write_preview(self, frames: "list[Image.Image]") -> None:
        self.preview_path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.preview_path.with_suffix(".part")
        duration_ms = 1000 // self.job.request.settings.motion_fps
        frames[0].save(
            partial, "WEBP", save_all=True, append_images=frames[1:], duration=duration_ms, loop=0, quality=80, method=0
        )
        partial.replace(self.preview_path)
        self.preview_version += 1
