"""Keep one render worker alive from the window process, whatever happens to it."""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from svd_studio.host import Child, spawn_child
from svd_studio.jobs.housekeeping import rotate

log = logging.getLogger(__name__)

PACKAGE_HOME = str(Path(__file__).parents[2])

LONG_ENOUGH_S = 30.0
FRESH_WORKER = 4
"""Exit code of a worker that asks to be replaced: no death, and no reason to wait."""


@dataclass(frozen=True)
class Patience:
    """How often to look, how long a worker must live to count as sound, and how long to wait after deaths in a row."""

    look_every_s: float = 0.2
    long_enough_s: float = LONG_ENOUGH_S
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0


class Supervisor:
    """Spawn a worker, and another when it dies; one lifelong thread does it, because children die with theirs.

    `deaths` counts those in a row, until one lives long enough; `last_words` is the last line
    that the latest of them wrote to the log, None when it wrote nothing or none has died.
    While `may_start` says no, such as for a card that is lost, `is_waiting` and none is spawned.
    """

    def __init__(
        self,
        command: Sequence[str],
        log_file: Path,
        patience: Patience | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
        may_start: Callable[[], bool] = lambda: True,
    ) -> None:
        self.command = list(command)
        self.log_file = log_file
        self.deaths = 0
        self.last_words: str | None = None
        self.is_waiting = False
        self._environment, self._may_start = environment, may_start
        self._patience = patience or Patience()
        self._stopping, self._renewing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._child: Child | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def end(self) -> None:
        """Let the worker end; returns at once."""
        self._stopping.set()

    def renew(self) -> None:
        """Put a fresh worker in the place of this one; what it renders begins again there. Returns at once."""
        self._renewing.set()

    def stop(self) -> None:
        """End the worker and wait for it."""
        self.end()
        if self._thread.is_alive():
            self._thread.join()

    def worker_pid(self) -> int | None:
        """The living worker's process, to tell its memory from others'."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def _watch(self) -> None:
        while self._wait_for_its_card():
            started, written = time.monotonic(), 0
            try:
                written = self._spawn()
                code = self._attend()
            except OSError:
                log.exception("the worker could not be started")
                code = None
            if self._stopping.is_set():
                return
            if code != FRESH_WORKER and not self._renewing.is_set():
                self._count_death(code, time.monotonic() - started, written)
                self._stopping.wait(self._pause_s())

    def _wait_for_its_card(self) -> bool:
        """Wait until a worker may start; False when none shall any more."""
        while not self._stopping.is_set() and not self._may_start():
            self.is_waiting = True
            self._stopping.wait(self._patience.look_every_s)
        self.is_waiting = False
        return not self._stopping.is_set()

    def _spawn(self) -> int:
        """Start a worker; returns how long the log already is."""
        self._renewing.clear()
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        rotate(self.log_file)
        self.log_file.touch()
        written = self.log_file.stat().st_size
        self._child = spawn_child(self.command, {**worker_environment(), **self._environment}, self.log_file)
        return written

    def _attend(self) -> int:
        """Wait until the worker has ended or shall end; returns its exit code."""
        assert self._child is not None
        started = time.monotonic()
        while self._child.poll() is None and not self._renewing.is_set():
            if self._stopping.wait(self._patience.look_every_s):
                break
            if time.monotonic() - started > self._patience.long_enough_s:
                self.deaths = 0
        return self._child.stop()  # also closes the pipe of one that ended by itself

    def _count_death(self, code: int | None, lived_s: float, written: int) -> None:
        log.warning("the worker ended with code %s after %.1f s", code, lived_s)
        self.last_words = last_line(self.log_file, written)
        self.deaths += 1

    def _pause_s(self) -> float:
        patience = self._patience
        return float(min(patience.first_pause_s * 2 ** min(self.deaths - 1, 20), patience.longest_pause_s))


def last_line(path: Path, after: int) -> str | None:
    """The last line with words that a file holds behind a position."""
    try:
        with path.open("rb") as file:
            file.seek(max(after, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return None
    return next((line.strip() for line in reversed(lines) if line.strip()), None)


def worker_environment() -> dict[str, str]:
    """What the worker's libraries need to hear before they are imported."""
    return {
        **os.environ,
        "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads made one render 16 times slower on a busy machine
        "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # as the driver numbers cards to the gauge
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [PACKAGE_HOME, os.environ.get("PYTHONPATH")])),
    }
