"""The live gauge's source: cards and machine, once a second, the last ten minutes. No torch."""

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal, Self

from svd_studio.core.errors import Message
from svd_studio.gpu.computer import cpu_seconds, memory_gb, process_seconds
from svd_studio.gpu.nvml import CardReader, CardSample

__all__ = ["HISTORY_LENGTH", "CardSample", "CardState", "MachineSample", "Snapshot", "Telemetry"]

CardState = Literal["ok", "no_card", "no_driver", "lost"]

HISTORY_LENGTH = 600


@dataclass(frozen=True)
class MachineSample:
    """The computer around the cards, in GiB; loads are since the sample before, None at the first.

    `studio_cpu_percent` is the share of all cores that our own processes take.
    """

    ram_total_gb: float | None
    ram_free_gb: float | None
    cpu_percent: float | None
    studio_cpu_percent: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """Everything the gauge shows at one moment (`when`, seconds since 1970).

    `problem` says what a person can do unless the state is ok; with one of two cards lost the
    other is still in `cards`. `cuda` is the highest CUDA version that the driver runs.
    """

    cards: tuple[CardSample, ...]
    machine: MachineSample
    state: CardState
    problem: Message | None
    driver: str | None
    cuda: tuple[int, int] | None
    when: float

    def of(self, card: int | None) -> Self:
        """The same with only that card, or none."""
        return replace(self, cards=tuple(one for one in self.cards if one.index == card))


class Telemetry:
    """Read cards and machine; whatever the driver does, nothing here raises.

    `studio_pids` tells which processes are ours. A driver that does not answer is asked to start
    again every `retry_s` seconds.
    """

    def __init__(
        self, studio_pids: Callable[[], Collection[int]] = tuple, *, every_s: float = 1.0, retry_s: float = 5.0
    ) -> None:
        self._studio_pids = studio_pids
        self._every_s = every_s
        self._retry_s = retry_s
        self._reader = CardReader()
        self._reading = threading.Lock()
        self._reopen_at = -math.inf
        self._problem: Message | None = None
        self._cpu_before: tuple[float, float] | None = None
        self._ours_before: dict[int, float] = {}
        self._history: deque[Snapshot] = deque(maxlen=HISTORY_LENGTH)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def sample(self) -> Snapshot:
        """Read everything now; takes about a millisecond, longer while a driver starts."""
        with self._reading:
            when = time.time()
            cards, state, problem = self._read_cards(when)
            return Snapshot(cards, self._read_machine(), state, problem, self._reader.driver, self._reader.cuda, when)

    def latest(self) -> Snapshot:
        """The newest sample of the thread; reads one now when there is none."""
        return self._history[-1] if self._history else self.sample()

    def history(self) -> tuple[Snapshot, ...]:
        """What the thread sampled in the last ten minutes, oldest first."""
        return tuple(self._history)

    def start(self) -> None:
        """Sample in the background until stop."""
        if self._thread is None:
            self._stopping = threading.Event()
            self._thread = threading.Thread(
                target=self._sample_on, args=(self._stopping,), name="telemetry", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the background thread; does not wait for a driver that hangs."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=2)
            self._thread = None

    def _sample_on(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            self._history.append(self.sample())
            stopping.wait(self._every_s)

    def _read_cards(self, when: float) -> tuple[tuple[CardSample, ...], CardState, Message | None]:
        now = time.monotonic()
        if now >= self._reopen_at:
            self._problem = self._reader.open()
            self._reopen_at = math.inf
        cards, state, problem = self._ask_cards(when)
        if state != "ok":
            self._reopen_at = min(self._reopen_at, now + self._retry_s)
        return cards, state, problem

    def _ask_cards(self, when: float) -> tuple[tuple[CardSample, ...], CardState, Message | None]:
        if self._problem is not None:
            return (), "no_driver", self._problem
        cards, lost = self._reader.read(self._studio_pids(), when)
        if lost:
            return cards, "lost", Message("card.lost")
        if not cards:
            return (), "no_card", Message("card.none")
        return cards, "ok", None

    def _read_machine(self) -> MachineSample:
        total, free = memory_gb()
        now, before = cpu_seconds(), self._cpu_before
        self._cpu_before = now
        ours_s = self._our_seconds()
        if not now or not before or now[1] <= before[1]:
            return MachineSample(total, free, None)
        busy, ours = ((100 * min(1.0, max(0.0, s / (now[1] - before[1])))) for s in (now[0] - before[0], ours_s))
        return MachineSample(total, free, busy, ours)

    def _our_seconds(self) -> float:
        """What our processes computed since the sample before; one that has just come did nothing before."""
        before = self._ours_before
        seconds = {pid: process_seconds(pid) for pid in {*self._studio_pids(), os.getpid()}}
        self._ours_before = {pid: spent for pid, spent in seconds.items() if spent is not None}
        return sum(spent - before.get(pid, spent) for pid, spent in self._ours_before.items())
