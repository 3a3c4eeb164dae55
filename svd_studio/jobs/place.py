"""Where renders run on this computer: its cards and what of its memory they may take. No torch."""

import math
import os
from functools import cache

from svd_studio.gpu.cards import Card, rendering_cards
from svd_studio.gpu.telemetry import Snapshot, Telemetry
from svd_studio.installed import installed_torch


def cards_here() -> tuple[Card, ...]:
    """The cards that get a worker each, as the driver tells now; never none."""
    samples = Telemetry().sample().cards if torch_has_cuda() else ()
    return rendering_cards(samples, os.environ.get("CUDA_VISIBLE_DEVICES"))


@cache
def torch_has_cuda() -> bool:
    """Whether torch was built for CUDA; told by its records, without importing it."""
    torch = installed_torch()
    return torch is not None and torch.cuda is not None


def must_have_card() -> bool:
    """Whether this process is shown one card by its name, as each of several workers is.

    Such a worker leaves the processor alone when its card is lost.
    """
    return torch_has_cuda() and os.environ.get("CUDA_VISIBLE_DEVICES", "").startswith("GPU-")


def renders_on(snapshot: Snapshot) -> bool:
    """Whether a render would use a card: one that fell silent for a moment is still the place."""
    return (bool(snapshot.cards) or snapshot.state == "lost") and torch_has_cuda()


def share_gb(snapshot: Snapshot) -> float | None:
    """What one worker may call its own of the machine's memory, where each card has one."""
    total_gb = snapshot.machine.ram_total_gb
    return None if total_gb is None else total_gb / max(1, len(snapshot.cards))


def free_gb(card_gb: float | None) -> float:
    """Memory that a render may take: the card's, or the machine's where there is none."""
    if card_gb is not None:
        return card_gb
    free = Telemetry().sample().machine.ram_free_gb
    return math.inf if free is None else free
