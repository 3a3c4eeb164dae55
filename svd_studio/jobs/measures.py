"""The wish to know what an engine's lossy speeds cost here: asked on a page, kept beside the queue."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from svd_studio.core.errors import Message
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.queue import MAX_ATTEMPTS, JobQueue

MEASURE = "measure:"
"""How names in `state` begin that hold such a wish; the engine's follows."""


@dataclass(frozen=True)
class Measure:
    """One wish: for which card's worker, at which clip it is (0 while it waits), and why it was given up.

    `tries` counts how often a worker began and was gone before it could say how it ended.
    """

    card: int = 0
    clip: int = 0
    tries: int = 0
    failed: Message | None = None


class Measures:
    """Keep one wish for each engine, until it is granted, taken back, or given up; a restart changes nothing."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    def ask(self, engine: str, card: int) -> None:
        """Let that card's worker measure as soon as no clip waits."""
        self._queue.keep_state(MEASURE + engine, _as_text(Measure(card)))

    def drop(self, engine: str) -> None:
        """Take a wish back, or forget how it ended."""
        self._queue.keep_state(MEASURE + engine, None)

    def of(self, engine: str) -> Measure | None:
        """How far the wish for an engine is; None when there is none."""
        text = self._queue.state(MEASURE + engine)
        return None if text is None else _from_text(text)

    def next(self) -> str | None:
        """The engine that this queue's own card shall measure first."""
        wishes = ((name, self.of(name)) for name in ENGINES)
        return next((name for name, wish in wishes if wish and not wish.failed and wish.card == self._queue.card), None)

    def begin(self, engine: str) -> bool:
        """Count another try; False when that gave the wish up, because every worker that tried has died of it."""
        wish = self.of(engine)
        if wish is not None and wish.tries >= MAX_ATTEMPTS:
            self.fail(engine, Message("measure.worker_died", {"attempts": wish.tries}))
            return False
        self._change(engine, clip=1, tries=wish.tries + 1 if wish else 1)
        return True

    def at(self, engine: str, clip: int) -> None:
        """Tell which clip is being made."""
        self._change(engine, clip=clip)

    def wait(self, engine: str) -> None:
        """Let it wait again for its turn: what stopped it was no fault of its own."""
        self._change(engine, clip=0, tries=0)

    def fail(self, engine: str, reason: Message) -> None:
        """Give it up, with the reason."""
        self._change(engine, clip=0, failed=reason)

    def settle(self) -> None:
        """Let all wait again, because the workers have been told to end; what was given up has been told."""
        for name in ENGINES:
            wish = self.of(name)
            if wish is not None and wish.failed:
                self.drop(name)
            elif wish is not None:
                self.wait(name)

    def put_back(self) -> None:
        """Say that what an ended worker of this queue's own card was measuring waits; its try counts."""
        if engine := self.next():
            self._change(engine, clip=0)

    def _change(self, engine: str, **values: Any) -> None:
        """Change a wish that is still there: one that was taken back meanwhile stays so."""
        with self._queue.database.transaction():
            wish = self.of(engine)
            if wish is not None:
                self._queue.keep_state(MEASURE + engine, _as_text(replace(wish, **values)))


def _as_text(wish: Measure) -> str:
    return json.dumps(asdict(wish), ensure_ascii=False)


def _from_text(text: str) -> Measure:
    kept: Mapping[str, Any] = json.loads(text)
    failed = kept["failed"]
    return Measure(**{**kept, "failed": Message(**failed) if failed else None})
