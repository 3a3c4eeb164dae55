"""What a person sets for a whole studio beside its queue: to stay off the network, its cards' memory, measurements."""

from collections.abc import Iterable

from svd_studio.jobs.measures import Measures
from svd_studio.jobs.queue import JobQueue

OFFLINE = "offline"
"""The name in `state` under which the switch is kept, also across a restart."""

FREE = "free"
"""How names in `state` begin that ask a card's worker for its memory; the card's number follows."""


class Wishes:
    """Keep them in the studio's database, where window, worker and command line see them."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self.measures = Measures(queue)

    def stays_offline(self) -> bool:
        """Whether nothing may be asked of another machine."""
        return self._queue.state(OFFLINE) == "1"

    def stay_offline(self, offline: bool) -> None:
        """Stay off the network, or go back to it."""
        self._queue.keep_state(OFFLINE, "1" if offline else None)

    def ask_for_memory(self, cards: Iterable[int]) -> None:
        """Let the workers of these cards give back what the loaded model takes, as soon as they are idle."""
        for card in cards:
            self._queue.keep_state(f"{FREE}{card}", "1")

    def memory_is_asked_for(self) -> bool:
        """Whether this queue's own card shall be freed; asked once, it is answered once."""
        if self._queue.state(f"{FREE}{self._queue.card}") is None:
            return False
        self._queue.keep_state(f"{FREE}{self._queue.card}", None)
        return True
