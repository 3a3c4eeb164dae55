"""What is done with weights in the background: getting them, taking a folder, checking; asked from every page alike."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from svd_studio.core.engine import WeightSet
from svd_studio.core.errors import BadInput, Cancelled, Message, StudioError
from svd_studio.library.weights import WeightsLibrary

log = logging.getLogger(__name__)

What = Literal["get", "use", "check"]
Work = Callable[[], list[Message]]


@dataclass
class Errand:
    """One weight set's work in the background, one thing at a time; a second press while it runs does nothing.

    `done` and `total` are bytes. `findings` is what a check found, None before one has ended;
    `problem` why the last errand came to nothing. `changed` is called when what is installed may be another.
    """

    library: WeightsLibrary
    weights: WeightSet
    changed: Callable[[str | None], None] = lambda name: None
    what: What = "get"
    done: int = 0
    total: int = 0
    problem: Message | None = None
    findings: list[Message] | None = None
    is_running: bool = False
    is_stopping: bool = False
    _starting: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _forgets: bool = False

    def get(self) -> None:
        """Download, or go on with what was begun."""
        self._start("get", self._fetched)

    def use(self, folder: Path) -> None:
        """Take the weights in a folder that somebody else keeps."""
        self._start("use", lambda: self._taken(folder))

    def check(self) -> None:
        """Hash every file again; `findings` tells what it found."""
        self._start("check", lambda: self.library.check(self.weights, self._hear))

    def stop(self, forget: bool = False) -> None:
        """Let it end soon; what has arrived is kept for the next time, or deleted."""
        with self._starting:
            if self.is_running:
                self.is_stopping, self._forgets = True, forget and self.what == "get"

    def remove(self) -> int:
        """Delete the weights, begun ones too; the bytes that came free. Raises StudioError while something runs."""
        with self._starting:
            if self.is_running:
                raise BadInput("weights.already_at_work", name=self.weights.name)
            freed = self.library.remove(self.weights)
            self.problem = self.findings = None
        self.changed(None)
        return freed

    def _start(self, what: What, work: Work) -> None:
        with self._starting:
            if self.is_running:
                return
            self.is_running, self.is_stopping, self._forgets = True, False, False
            self.what, self.done, self.total, self.problem, self.findings = what, 0, 0, None, None
        threading.Thread(target=self._run, args=(work,), name=f"{what}-{self.weights.name}", daemon=True).start()

    def _run(self, work: Work) -> None:
        try:
            found = work()
            self.findings = found if self.what == "check" else None
        except Cancelled:
            self._forget()
        except StudioError as error:
            self.problem = error.message
        except Exception:  # a thread that dies silently would leave a bar that never ends
            log.exception("%s of %s failed", self.what, self.weights.name)
            self.problem = Message("page.error.unexpected")
        finally:
            self.is_running = self.is_stopping = False
        if self.what == "check" and self.findings:
            self.changed(None)

    def _fetched(self) -> list[Message]:
        self.library.get(self.weights, self._hear)
        self.changed(self.weights.name)
        return []

    def _taken(self, folder: Path) -> list[Message]:
        self.library.use(self.weights, folder, self._hear)
        self.changed(self.weights.name)
        return []

    def _forget(self) -> None:
        if not self._forgets:
            return
        try:
            self.library.remove(self.weights)
        except StudioError as error:
            self.problem = error.message

    def _hear(self, done: int, total: int, file: str) -> None:
        self.done, self.total = done, total
        if self.is_stopping:
            raise Cancelled


class Errands:
    """The errands of one studio by weight set, and how often what is installed has changed.

    `newest` is the set that came with the last change; None where one went.
    """

    def __init__(self, library: WeightsLibrary) -> None:
        self._library = library
        self._known: dict[str, Errand] = {}
        self.changes = 0
        self.newest: str | None = None

    def of(self, weights: WeightSet) -> Errand:
        """The one errand of a weight set."""
        return self._known.setdefault(weights.name, Errand(self._library, weights, self._changed))

    def stop_all(self) -> None:
        """Let every download end; what has arrived is kept."""
        for errand in list(self._known.values()):
            if errand.what == "get":
                errand.stop()

    def _changed(self, came: str | None) -> None:
        self.newest = came
        self.changes += 1
