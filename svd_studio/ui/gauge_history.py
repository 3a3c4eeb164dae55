"""The last ten minutes of every card, or of the machine where there is none, as the page draws them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from svd_studio.core.errors import Message
from svd_studio.gpu.telemetry import HISTORY_LENGTH, CardSample, Snapshot
from svd_studio.ui.rooms import View
from svd_studio.ui.texts import say

POINTS = 120
HOTTEST_C = 100
"""The upper edge of a temperature's plot."""

Reading = tuple[float, float | None]
"""When, in seconds since 1970, and how much."""


@dataclass(frozen=True)
class Plot:
    """One line: its words, what it reads, and the upper edge."""

    kind: str
    readings: Sequence[Reading]
    top: float | None
    digits: int = 0


def history_view(samples: Sequence[Snapshot], language: str) -> View:
    """What assets/gauge.js draws: for each card its plots, each a sentence and points between 0 and 1."""
    if not samples:
        return {"history": {"empty": say("page.history.empty", language), "parts": []}}
    end = samples[-1].when
    parts = [
        {"title": title, "plots": [_drawn(plot, end, language) for plot in plots if _is_known(plot)]}
        for title, plots in _parts(samples, language)
    ]
    return {"history": {"empty": "", "parts": parts}}


def _parts(samples: Sequence[Snapshot], language: str) -> Iterable[tuple[str, list[Plot]]]:
    seen: dict[object, list[CardSample]] = {}
    for snapshot in samples:
        for card in snapshot.cards:
            seen.setdefault(card.uuid or card.index, []).append(card)
    for cards in seen.values():
        yield cards[-1].name, _card_plots(cards)
    if not seen:
        yield say("page.gauge.no_card", language), _machine_plots(samples)


def _card_plots(cards: Sequence[CardSample]) -> list[Plot]:
    memory = [(card.when, card.used_gb) for card in cards]
    heat = [(card.when, card.temperature_c) for card in cards]
    return [Plot("memory", memory, cards[-1].total_gb, digits=1), Plot("heat", heat, HOTTEST_C)]


def _machine_plots(samples: Sequence[Snapshot]) -> list[Plot]:
    def used_gb(snapshot: Snapshot) -> float | None:
        total, free = snapshot.machine.ram_total_gb, snapshot.machine.ram_free_gb
        return None if total is None or free is None else total - free

    load = [(snapshot.when, snapshot.machine.cpu_percent) for snapshot in samples]
    memory = [(snapshot.when, used_gb(snapshot)) for snapshot in samples]
    return [Plot("ram", memory, samples[-1].machine.ram_total_gb, digits=1), Plot("cpu", load, 100)]


def _is_known(plot: Plot) -> bool:
    return plot.top is not None and any(value is not None for _, value in plot.readings)


def _drawn(plot: Plot, end: float, language: str) -> dict[str, Any]:
    assert plot.top is not None
    known = [value for _, value in plot.readings if value is not None]
    top, now = max(known), plot.readings[-1][1]
    form = f"{{:.{plot.digits}f}}".format
    values: dict[str, str | int | float] = {
        "now": "–" if now is None else form(now),
        "top": form(top),
        "all": form(plot.top),
    }
    points = [None if value is None else round(min(1.0, value / plot.top), 3) for value in _points(plot, end)]
    return {"kind": plot.kind, "text": say(Message(f"page.history.{plot.kind}", values), language), "points": points}


def _points(plot: Plot, end: float) -> list[float | None]:
    """One value for every few seconds up to now, and None where nothing was measured."""
    step_s = HISTORY_LENGTH / POINTS
    gathered: list[list[float]] = [[] for _ in range(POINTS)]
    for when, value in plot.readings:
        place = POINTS - 1 - int((end - when) // step_s)
        if value is not None and 0 <= place < POINTS:
            gathered[place].append(value)
    fold: Callable[[list[float]], float] = _mean if plot.kind == "cpu" else max
    return [fold(values) if values else None for values in gathered]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
