"""Let a render rest between its steps while the card is too hot, and keep the limits that say what too hot is."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict

import numpy as np

from svd_studio.core.errors import Message, StudioError
from svd_studio.core.progress import Progress, Stage
from svd_studio.gpu.thermal import Heat, HeatLimits, ThermalGuard
from svd_studio.jobs.queue import JobQueue

BETWEEN = ("denoise", "decode")
"""Stages whose units make a card hot, and between which nothing is lost by waiting."""

LOOK_S = 0.5

LIMITS = "heat_limits"
"""The name in `state` under which changed limits are kept."""


class Cooling(Progress):
    """Pass every report on, and hold the render up after it while the guard says so.

    Somebody who cancels is heard while it rests, the watchdog too, and what it took is nobody's work.
    """

    def __init__(
        self,
        listener: Progress,
        guard: ThermalGuard,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listener, self._guard, self._sleep, self._now = listener, guard, sleep, now

    @property
    def rested_s(self) -> float:
        return self._listener.rested_s

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        self._listener.report(stage, done, total, preview)
        if stage in BETWEEN and 0 < done < total and (heat := self._guard.must_rest()) is not None:
            self._rest(heat)

    def note(self, message: Message) -> None:
        self._listener.note(message)

    def check(self) -> None:
        self._listener.check()

    def _rest(self, heat: Heat) -> None:
        began = self._now()
        self._listener.note(heat.told("resting"))
        while not self._guard.may_go_on(self._now() - began):
            self._listener.check()
            self._sleep(LOOK_S)
        self._listener.rested(self._now() - began)
        self._listener.note(Message("heat.rested", {"seconds": round(self._listener.rested_s)}))


class Chill:
    """Let the queue wait while the card is too hot to begin anything; the reason stands there for every face."""

    def __init__(self, queue: JobQueue, guard: ThermalGuard) -> None:
        self._queue, self._guard = queue, guard
        self._told: Heat | None = None
        queue.cool_down(None)  # what an ended worker said

    def allows(self) -> bool:
        """Whether a job may begin."""
        heat = self._guard.must_wait()
        if heat != self._told:
            self._queue.cool_down(heat.told("waits") if heat else None)
            self._told = heat
        return heat is None


class HeatSettings:
    """The limits of one studio, kept in its database beside the queue's own state."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._known = HeatLimits()

    def limits(self) -> HeatLimits:
        """What holds now; while the database does not answer, what held before."""
        with suppress(StudioError):
            self._known = _from_file(self._queue.state(LIMITS))
        return self._known

    def change(self, changes: Mapping[str, object]) -> HeatLimits:
        """Keep other limits, and return all. Raises BadInput."""
        limits = self.limits().changed(changes)
        self._queue.keep_state(LIMITS, json.dumps(asdict(limits)))
        return limits

    def forget(self) -> HeatLimits:
        """Go back to the limits that the studio comes with."""
        self._queue.keep_state(LIMITS, None)
        return HeatLimits()


def _from_file(kept: str | None) -> HeatLimits:
    """What was kept, or the limits that the studio comes with when that is not to be understood any more."""
    with suppress(StudioError, ValueError):
        found = json.loads(kept or "{}")
        return HeatLimits().changed(found if isinstance(found, dict) else {})
    return HeatLimits()
