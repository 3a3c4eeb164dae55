"""A press on Generate counts once, however often the browser sends it."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from svd_studio.studio import Submitted

REMEMBERED = 500


@dataclass
class Press:
    """What became of one press; the number is None until its job was accepted."""

    job_id: int | None = None
    submitted: Submitted | None = None


class Presses:
    """Remember the last presses by the random word that the page was given for its next one."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Press] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def once(self, word: str) -> Iterator[Press]:
        """The press of that word, alone: the second finds what the first has made."""
        with self._lock:
            press = self._known.setdefault(word, Press())
            try:
                yield press
            finally:
                if press.job_id is None:
                    del self._known[word]
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
