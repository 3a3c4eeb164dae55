"""Notice steps that take far longer than this machine's own clips foretell, and say what slows them."""

import time
from collections import deque
from collections.abc import Callable

import numpy as np

from svd_studio.core.errors import Message
from svd_studio.core.progress import Progress, Stage
from svd_studio.gpu.telemetry import CardSample, Snapshot

FAR_SLOWER = 2.5
STEPS_IN_A_ROW = 3
"""One slow step is a hiccup."""

FULL_GB, OTHERS_GB = 0.3, 1.5


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
        self._last = now()
        self._steps: deque[float] = deque(maxlen=STEPS_IN_A_ROW)
        self._told = step_s is None

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        now = self._now()
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
    card = snapshot.cards[0] if snapshot is not None and snapshot.cards else None
    if card is None:
        return Message("slow.processor")
    if "thermal" in card.throttle:
        return Message("slow.hot", {"degrees": card.temperature_c or 0})
    if (others_gb := _held_by_others(card)) > OTHERS_GB:
        return Message("slow.others", {"gb": f"{others_gb:.0f}"})
    if card.free_gb is not None and card.free_gb < FULL_GB:
        return Message("slow.full")
    if card.throttle:
        return Message("slow.power")
    return Message("slow.unknown")


def _held_by_others(card: CardSample) -> float:
    """GiB that other programs hold; 0 where the driver does not tell which are ours."""
    return 0.0 if card.used_gb is None or card.studio_gb is None else card.used_gb - card.studio_gb
