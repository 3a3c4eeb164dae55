"""Which cards render, one worker each. Knows how CUDA is told to see only one of them; no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from svd_studio.gpu.nvml import CardSample

MUCH_SMALLER = 0.5
"""Of the largest card's memory: a card with less would fail clips that the other one makes."""


@dataclass(frozen=True)
class Card:
    """A place for one worker: the card's number as the driver counts, and the name by which CUDA is shown it alone.

    Without a name a process sees what it sees anyway: the only card, or none.
    """

    index: int = 0
    visible: str | None = None

    def environment(self) -> Mapping[str, str]:
        """What a process must hear before it loads torch."""
        if self.visible is None:
            return {}
        return {"CUDA_VISIBLE_DEVICES": self.visible, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


ANYWHERE = (Card(),)
"""One worker, wherever torch finds a place."""


def rendering_cards(cards: Sequence[CardSample], allowed: str | None) -> tuple[Card, ...]:
    """The cards that get a worker; never none, for without a card the processor renders.

    `allowed` is CUDA_VISIBLE_DEVICES as a person set it, None when nobody did.
    """
    usable = [card for card in cards if allowed is None or _is_named(card, allowed)]
    largest_gb = max((card.total_gb or 0.0 for card in usable), default=0.0)
    worth = [card for card in usable if (card.total_gb or 0.0) >= MUCH_SMALLER * largest_gb]
    if len(usable) == 1:
        return (Card(usable[0].index),)
    return tuple(_alone(card) for card in worth) or ANYWHERE


def _alone(card: CardSample) -> Card:
    """By its own name where it tells one: numbers also count cards that are not lent to a container."""
    return Card(card.index, card.uuid or str(card.index))


def _is_named(card: CardSample, allowed: str) -> bool:
    names = [name.strip() for name in allowed.split(",")]
    return str(card.index) in names or any(name and (card.uuid or "").startswith(name) for name in names)
