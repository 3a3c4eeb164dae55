"""How a render looks in a terminal: bars where somebody watches, one line a stage in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from svd_studio.core.errors import Cancelled, Message
from svd_studio.core.progress import Progress, Stage
from svd_studio.ui.texts import say


class StageLines(Progress):
    """Print one line when a stage is done."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._since = time.monotonic()
        self._told: set[Stage] = set()

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        if done == total and stage not in self._told:
            self._told.add(stage)
            now = time.monotonic()
            print(f"{say('stage.' + stage)}: {total}/{total}, {now - self._since:.1f} s", file=self._stream, flush=True)
            self._since = now

    def note(self, message: Message) -> None:
        print(say(message), file=self._stream, flush=True)


class StageBars(Progress):
    """Draw one bar a stage."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[Stage, TaskID] = {}

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(say("stage." + stage), total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    def note(self, message: Message) -> None:
        self._bars.console.print(say(message))


class Stoppable(Progress):
    """Pass reports on until somebody asked to stop, then raise Cancelled at the next chance."""

    def __init__(self, listener: Progress) -> None:
        self._listener = listener
        self.stopped = False

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        self.check()
        self._listener.report(stage, done, total, preview)

    def note(self, message: Message) -> None:
        self._listener.note(message)

    def check(self) -> None:
        if self.stopped:
            raise Cancelled


@contextmanager
def shown_progress(stream: TextIO = sys.stderr) -> Iterator[Progress]:
    """Bars on a terminal, lines in a file or pipe."""
    if not stream.isatty():
        yield StageLines(stream)
        return
    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(file=stream)) as bars:
        yield StageBars(bars)
