"""Where a render's time goes, learnt from its own progress reports."""

import time
from collections.abc import Callable

import numpy as np

from svd_studio.core.errors import Message
from svd_studio.core.progress import Progress, Stage


class StageClock(Progress):
    """Pass every report on, and charge the time since the last one to the stage that reports.

    A report of 0 done begins a stage: what went before belongs to nobody. `stage` is the last that reported.
    """

    def __init__(self, listener: Progress, now: Callable[[], float] = time.perf_counter) -> None:
        self.listener = listener
        self.seconds: dict[str, float] = {}
        self.stage: Stage = "load"
        self._now = now
        self._last = now() - listener.rested_s

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        now = self._now() - self.rested_s
        spent = now - self._last if done else 0.0
        self.seconds[stage] = self.seconds.get(stage, 0.0) + spent
        self.stage, self._last = stage, now
        self.listener.report(stage, done, total, preview)

    @property
    def rested_s(self) -> float:
        return self.listener.rested_s

    def note(self, message: Message) -> None:
        self.listener.note(message)

    def check(self) -> None:
        self.listener.check()


class Unheard(Progress):
    """Let a render be stopped in work that is too short to be told of."""

    def __init__(self, listener: Progress) -> None:
        self.listener = listener

    def check(self) -> None:
        self.listener.check()
