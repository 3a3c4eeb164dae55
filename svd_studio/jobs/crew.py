"""One supervised worker a card; a card that is lost gets its worker back when it answers again."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from svd_studio.core.errors import Message
from svd_studio.gpu.cards import Card
from svd_studio.jobs.supervisor import Patience, Supervisor

TROUBLE_AFTER = 2
"""Deaths of a worker in a row: one may be an accident."""


class Crew:
    """Start `command` once for each card, told its number, and keep all of them alive.

    `answering` tells which cards the driver reaches now. The worker of a card that it does not
    reach is not started again, unless no card is left: then the first one goes on as it can.
    """

    def __init__(
        self,
        command: Sequence[str],
        logs: Path,
        cards: Sequence[Card],
        answering: Callable[[], Collection[int]],
        patience: Patience | None = None,
    ) -> None:
        self._cards, self._answering = tuple(cards), answering
        self.supervisors = [
            Supervisor(
                [*command, "--card", str(card.index)],
                logs / (f"worker-{card.index}.log" if card.index else "worker.log"),
                patience,
                card.environment(),
                lambda card=card: self._may_start(card),  # type: ignore[misc]  # each its own
            )
            for card in self._cards
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        for supervisor in self.supervisors:
            supervisor.start()

    def stop(self) -> None:
        """End all workers, side by side, and wait for them."""
        for supervisor in self.supervisors:
            supervisor.end()
        for supervisor in self.supervisors:
            supervisor.stop()

    def renew(self) -> None:
        """Put fresh workers in the place of all; returns at once."""
        for supervisor in self.supervisors:
            supervisor.renew()

    def pids(self) -> list[int]:
        """The living workers' processes."""
        return [pid for pid in (supervisor.worker_pid() for supervisor in self.supervisors) if pid]

    def trouble(self) -> Message | None:
        """What to tell somebody whose clip waits, when not one worker stays alive."""
        dying = [one for one in self.supervisors if one.deaths >= TROUBLE_AFTER]
        if not dying or any(one not in dying and not one.is_waiting for one in self.supervisors):
            return None
        said, log = dying[0].last_words or "-", str(dying[0].log_file)
        return Message("page.job.no_worker", {"said": said[:160], "log": log})

    def _may_start(self, card: Card) -> bool:
        if len(self._cards) == 1:
            return True
        answering = self._answering()
        none_is_left = not any(other.index in answering for other in self._cards)
        return card.index in answering or (none_is_left and card == self._cards[0])
