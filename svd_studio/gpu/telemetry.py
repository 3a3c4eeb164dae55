"""The live gauge's source: cards and machine, once a second, the last ten minutes. No torch."""

import ctypes
import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from svd_studio.core.errors import Message
from svd_studio.core.vram import GIB
from svd_studio.gpu.nvml import CardReader, CardSample

__all__ = ["HISTORY_LENGTH", "CardSample", "CardState", "MachineSample", "Snapshot", "Telemetry"]

CardState = Literal["ok", "no_card", "no_driver", "lost"]

HISTORY_LENGTH = 600


@dataclass(frozen=True)
class MachineSample:
    """The computer around the cards, in GiB; the load is since the sample before, None at the first."""

    ram_total_gb: float | None
    ram_free_gb: float | None
    cpu_percent: float | None


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
        total, free = _memory_gb()
        now, before = _cpu_seconds(), self._cpu_before
        self._cpu_before = now
        percent = None
        if now and before and now[1] > before[1]:
            percent = 100 * min(1.0, max(0.0, (now[0] - before[0]) / (now[1] - before[1])))
        return MachineSample(total, free, percent)


if sys.platform == "win32":

    class _MemoryStatus(ctypes.Structure):
        """MEMORYSTATUSEX."""

        _fields_ = [
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            ("total", ctypes.c_uint64),
            ("free", ctypes.c_uint64),
            ("rest", ctypes.c_uint64 * 5),
        ]

    def _memory_gb() -> tuple[float | None, float | None]:
        status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
        if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
            return None, None
        return status.total / GIB, status.free / GIB

    def _cpu_seconds() -> tuple[float, float] | None:
        idle, kernel, user = ctypes.c_uint64(), ctypes.c_uint64(), ctypes.c_uint64()
        if not ctypes.windll.kernel32.GetSystemTimes(ctypes.byref(idle), ctypes.byref(kernel), ctypes.byref(user)):
            return None
        total = kernel.value + user.value  # Windows counts idle as kernel time
        return float(total - idle.value), float(total)

else:

    def _memory_gb() -> tuple[float | None, float | None]:
        """Total and available RAM in GiB, None where the system does not tell."""
        try:
            lines = Path("/proc/meminfo").read_text().splitlines()
        except OSError:
            return None, None
        kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        return kilobytes["MemTotal"] * 1024 / GIB, kilobytes["MemAvailable"] * 1024 / GIB

    def _cpu_seconds() -> tuple[float, float] | None:
        """Busy and all time of all cores since the start, in one unit."""
        try:
            first = Path("/proc/stat").read_text().split("\n", 1)[0]
        except OSError:
            return None
        user, nice, system, idle, waiting, *interrupts = (float(part) for part in first.split()[1:9])
        busy = user + nice + system + sum(interrupts)
        return busy, busy + idle + waiting
