"""End a worker that hangs: the rendering thread says that it lives, and nobody else can say it for it."""

import faulthandler
import sys
import time
from collections.abc import Callable
from typing import TextIO

SILENT_S = 1200.0
"""A first step that compiles, or one block of a large model on a processor, may take minutes; no part takes this."""


class Watchdog:
    """End this process when its work shows no sign of life for too long, with every thread's place in the log.

    The timer is faulthandler's: it runs outside the interpreter, so that native code which never
    gives the interpreter back is ended too, on every system, and it stands still while the
    computer sleeps. There is one such timer in a process.
    """

    def __init__(
        self, silent_s: float = SILENT_S, log: TextIO | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.silent_s = silent_s
        self._log, self._now = log, now
        self._armed = -1e9

    def alive(self) -> None:
        """Give a sign of life; cheap enough for inner loops."""
        now = self._now()
        if now - self._armed > self.silent_s / 20:
            self._armed = now
            log = self._log or sys.__stderr__
            if log is not None:
                faulthandler.dump_traceback_later(self.silent_s, exit=True, file=log)

    def off(self) -> None:
        """Stop watching."""
        self._armed = -1e9
        faulthandler.cancel_dump_traceback_later()
