"""Notice steps that take far longer than this machine's own clips foretell, and say what slows them."""

import time
from collections import deque
from collections.abc import Callable

import numpy as np

from svd_studio.core.errors import Message
from svd_studio.core.progress import Progress, Stage
from svd_studio.gpu.slowing import card_slowing
from svd_studio.gpu.telemetry import Snapshot

FAR_SLOWER = 2.5
STEPS_IN_A_ROW = 3
"""One slow step is a hiccup."""


class SlownessWatch(Progress):
    """Pass every report on, and tell once when several steps in a row are far slower than expected.

    `step_s` is what one step should take, None when nothing like it was made yet. `look` reads
    the machine. A plan that changed on the way has told its own reason, and nothing more is said.
    """

    def __init__(
        self,
        listener: Progress,
        step_s: float | None,
        look: Callable[[], Snapshot | None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listener, self._step_s, self._look, self._now = listener, step_s, look, now
        self._last = now() - listener.rested_s
        self._steps: deque[float] = deque(maxlen=STEPS_IN_A_ROW)
        self._told = step_s is None

    @property
    def rested_s(self) -> float:
        return self._listener.rested_s

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        now = self._now() - self.rested_s
        if stage == "denoise" and done:
            self._steps.append(now - self._last)
        self._last = now
        self._listener.report(stage, done, total, preview)
        if stage == "denoise" and not self._told and self._is_slow():
            self.note(slowed_by(self._look()))

    def note(self, message: Message) -> None:
        self._told = True
        self._listener.note(message)

    def check(self) -> None:
        self._listener.check()

    def _is_slow(self) -> bool:
        enough = len(self._steps) == STEPS_IN_A_ROW
        return enough and self._step_s is not None and min(self._steps) > FAR_SLOWER * self._step_s


def slowed_by(snapshot: Snapshot | None) -> Message:
    """The likeliest reason that the machine shows, with what can be done about it."""
    if snapshot is None or not snapshot.cards:
        return Message("slow.processor")
    return next(iter(card_slowing(snapshot.cards[:1])), Message("slow.unknown"))
