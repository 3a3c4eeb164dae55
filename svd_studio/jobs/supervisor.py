"""Keep one render worker alive from the window process, whatever happens to it."""

import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from svd_studio.host import Child, spawn_child

log = logging.getLogger(__name__)

PACKAGE_HOME = str(Path(__file__).parents[2])

LOOK_EVERY_S = 0.2
LONG_ENOUGH_S = 30.0
LONGEST_PAUSE_S = 30.0


class Supervisor:
    """Spawn a worker, and another when it dies; one lifelong thread does it, because children die with theirs."""

    def __init__(self, command: Sequence[str], log_file: Path) -> None:
        self.command = list(command)
        self.log_file = log_file
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._child: Child | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the worker and wait for it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def worker_pid(self) -> int | None:
        """The living worker's process, to tell its memory from others'."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def _watch(self) -> None:
        pause_s = 0.5
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self.log_file.parent.mkdir(parents=True, exist_ok=True)
                self._child = spawn_child(self.command, worker_environment(), self.log_file)
            except OSError:
                log.exception("the worker could not be started")
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                self._stopping.wait(pause_s)
                continue
            while self._child.poll() is None and not self._stopping.wait(LOOK_EVERY_S):
                pass
            code = self._child.stop()  # also closes the pipe of one that ended by itself
            if self._stopping.is_set():
                return
            lived_s = time.monotonic() - started
            log.warning("the worker ended with code %s after %.1f s", code, lived_s)
            pause_s = 0.5 if lived_s > LONG_ENOUGH_S else min(pause_s * 2, LONGEST_PAUSE_S)
            self._stopping.wait(pause_s)


def worker_environment() -> dict[str, str]:
    """What the worker's libraries need to hear before they are imported."""
    return {
        **os.environ,
        "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads made one render 16 times slower on a busy machine
        "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [PACKAGE_HOME, os.environ.get("PYTHONPATH")])),
    }
