"""What the gauge says in words under each card: heat first, then what slows it down. Calm where nothing is to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from svd_studio.core.errors import Message
from svd_studio.gpu.fit import Fit
from svd_studio.gpu.nvml import CardSample
from svd_studio.gpu.slowing import card_slowing, others, processor_slowing
from svd_studio.gpu.telemetry import Snapshot
from svd_studio.gpu.thermal import HeatLimits, over

SAMPLES = 10
"""A reason is told for as many seconds after it was last seen, so that nothing flickers."""

MUCH_GB = 4.0
"""What other programs must hold to be named although it costs the clip of the form nothing."""

MOST = 2
"""More sentences than this under one card are a wall."""

CALM = ("slow.power",)
SERIOUS = ("slow.hot", "slow.brake", "slow.hardware")


@dataclass(frozen=True)
class Note:
    """One sentence and how it looks."""

    message: Message
    mood: Literal["calm", "warm", "bad"]


Notes = Mapping[int | None, Sequence[Note]]
"""By the card's number; None is the machine itself."""

NO_NOTES: Notes = MappingProxyType({})


def gauge_notes(samples: Sequence[Snapshot], limits: HeatLimits, fit: Fit | None) -> Notes:
    """What to say after the last samples, the newest last; `fit` is the clip of the form, if it would run here."""
    newest = samples[-1]
    notes: dict[int | None, Sequence[Note]] = {
        card.index: _card_notes(
            [seen for snapshot in samples for seen in snapshot.cards if seen.index == card.index], limits, fit
        )
        for card in newest.cards
    }
    busy = processor_slowing([snapshot.machine for snapshot in samples])
    if busy is not None and not newest.cards and newest.state != "lost":
        notes[None] = (Note(busy, "warm"),)
    return notes


def _card_notes(samples: Sequence[CardSample], limits: HeatLimits, fit: Fit | None) -> Sequence[Note]:
    heat, slowing = _heat(samples[-1], limits), card_slowing(samples, MUCH_GB)
    codes = {message.code for message in slowing}
    if fit is not None and fit.card == samples[-1].index and fit.others_gb and "slow.others" not in codes:
        slowing.append(others(fit.others_gb))
    told = [Note(message, _mood(message)) for message in slowing if not (heat and message.code == "slow.hot")]
    return [*heat, *told][:MOST]


def _heat(card: CardSample, limits: HeatLimits) -> list[Note]:
    """The worst that can be said of a card's temperature."""
    if stops := over(card, limits, "stop"):
        return [Note(stops.told("waits"), "bad")]
    if rests := over(card, limits, "rest"):
        return [Note(rests.told("rests"), "bad")]
    warms = over(card, limits, "warn")
    return [Note(warms.told("warm"), "warm")] if warms else []


def _mood(message: Message) -> Literal["calm", "warm", "bad"]:
    if message.code in CALM:
        return "calm"
    return "bad" if message.code in SERIOUS else "warm"
