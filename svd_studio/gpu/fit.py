"""Will it fit? What a clip needs and what this machine has free, told before anything is started. No torch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import Message, OutOfMemory
from svd_studio.core.vram import PROCESSOR, RESERVE_GB, Place, VramPlan
from svd_studio.gpu.nvml import CardSample
from svd_studio.gpu.planner import ALLOCATOR_SLACK, plan_clip
from svd_studio.gpu.slowing import OTHERS_GB
from svd_studio.gpu.telemetry import Snapshot


@dataclass(frozen=True)
class Fit:
    """What a clip needs in GiB, and where: `card` is None in the machine's own memory.

    With no `plan` nothing fits, and `problem` says what to lower; with one it may say that the
    machine's own memory is short. `others_gb` is what other programs hold when a faster plan would
    fit without them, else 0.
    """

    card: int | None
    free_gb: float
    plan: VramPlan | None
    problem: Message | None = None
    others_gb: float = 0.0

    @property
    def is_hopeless(self) -> bool:
        """Whether not even the smallest clip of this model fits."""
        return self.problem is not None and self.problem.code == "memory.nothing_fits"

    @property
    def needed_gb(self) -> float | None:
        """The highest of the stages with an allocator's slack; without a card, all that the program takes."""
        if self.plan is None:
            return None
        return self.plan.ram_gb if self.card is None else self.plan.peak_gb * ALLOCATOR_SLACK


def fit_clip(
    info: EngineInfo, settings: ResolvedSettings, snapshot: Snapshot, *, on_card: bool, wide: bool, held_gb: float
) -> Fit | None:
    """Where a clip would run and with which plan; None where the machine does not tell its memory.

    `held_gb` is what our worker holds, for cards that do not tell; `wide` is computing in fp32.
    """
    card = next(iter(snapshot.cards), None) if on_card else None
    ram_gb = snapshot.machine.ram_free_gb
    free_gb = card_free_gb(card, held_gb) if card else ram_gb
    if free_gb is None or (on_card and card is None):
        return None
    number, place = (card.index, Place(True, 4 if wide else 2)) if card else (None, PROCESSOR)
    plan, problem = _planned(info, settings, place, free_gb)
    if card is None:
        return Fit(None, free_gb, plan, problem)
    others_gb = _held_by_others(card, held_gb)
    costs = others_gb >= OTHERS_GB and _planned(info, settings, place, free_gb + others_gb)[0] != plan
    short = _short_of_ram(plan, ram_gb) if plan else None
    return Fit(number, free_gb, plan, problem or short, others_gb if costs else 0.0)


def _planned(
    info: EngineInfo, settings: ResolvedSettings, place: Place, free_gb: float
) -> tuple[VramPlan | None, Message | None]:
    """The plan, or what to lower so that there is one."""
    try:
        return plan_clip(info, settings, place, free_gb), None
    except OutOfMemory as error:
        return None, error.message


def _held_by_others(card: CardSample, held_gb: float) -> float:
    ours_gb = held_gb if card.studio_gb is None else card.studio_gb
    return max(0.0, (card.used_gb or 0.0) - ours_gb)


def freest(cards: Iterable[CardSample], held_gb: Mapping[int, float]) -> CardSample | None:
    """The card with most to fill, the first of equals; a worker there holds `held_gb`, by the card's number."""
    return max(cards, key=lambda card: card_free_gb(card, held_gb.get(card.index, 0.0)) or 0.0, default=None)


def card_free_gb(card: CardSample, held_gb: float) -> float | None:
    """What a plan may fill: free memory and what our own processes hold already, minus the reserve."""
    if card.free_gb is None:
        return None
    ours_gb = held_gb if card.studio_gb is None else card.studio_gb
    return max(0.0, card.free_gb + ours_gb - RESERVE_GB)


def _short_of_ram(plan: VramPlan, free_gb: float | None) -> Message | None:
    if free_gb is None or plan.ram_gb <= free_gb:
        return None
    return Message("memory.short_of_ram", {"needed": f"{plan.ram_gb:.1f}", "free": f"{free_gb:.1f}"})
