"""The live gauge beside Generate: memory, load, heat and power of each card in one glance."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape

from svd_studio.core.errors import Message, Value
from svd_studio.core.vram import RESERVE_GB, VramPlan
from svd_studio.gpu.fit import Fit
from svd_studio.gpu.telemetry import CardSample, Snapshot
from svd_studio.gpu.thermal import HeatLimits, Sensor, over
from svd_studio.ui.gauge_notes import NO_NOTES, Note, Notes
from svd_studio.ui.texts import say

DEFAULT_LIMITS = HeatLimits()

ORDINARY = "card.no_driver"
"""No driver at all: a computer without an NVIDIA card, and nothing to complain of."""

STAGES = ("encode_inputs", "denoise", "decode")


def gauge_html(
    snapshot: Snapshot,
    language: str,
    fit: Fit | None = None,
    notes: Notes = NO_NOTES,
    limits: HeatLimits = DEFAULT_LIMITS,
) -> str:
    """The gauge as it stands in the page, with what the clip of the form would take where it would run.

    `notes` are said under each card, and under the machine (None).
    """
    parts = [
        _card(card, language, fit if fit and fit.card == card.index else None, limits)
        + _said(notes.get(card.index, ()), language)
        for card in snapshot.cards
    ]
    if snapshot.problem is not None and snapshot.problem.code != ORDINARY:
        parts.append(f'<p class="gauge-note is-bad">{escape(say(snapshot.problem, language))}</p>')
    if not snapshot.cards:
        parts.append(_machine(snapshot, language, fit) + _said(notes.get(None, ()), language))
    elif fit is not None and fit.card is None:
        parts.append(_needs(fit, language))
    return "".join(f'<div class="gauge-part">{part}</div>' for part in parts)


def _said(notes: Sequence[Note], language: str) -> str:
    return "".join(
        f'<p class="gauge-note is-{note.mood}" role="status">{escape(say(note.message, language))}</p>'
        for note in notes
    )


def _card(card: CardSample, language: str, fit: Fit | None, limits: HeatLimits) -> str:
    chips = [
        _chip(card.load_percent, "{:.0f} %", "load", language),
        _chip(card.temperature_c, "{:.0f} °C", "heat", language, _heat(card, limits, "core")),
        _chip(card.memory_temperature_c, "{:.0f} °C", "memory_heat", language, _heat(card, limits, "memory")),
        _chip(card.power_w, "{:.0f} W", "power", language),
    ]
    if set(card.throttle) - {"power_cap"}:
        chips.append(f'<span class="chip is-bad">{escape(say("page.gauge.throttled", language))}</span>')
    held = _held(card)
    bar = _bar(card.total_gb, held, language, fit, card_from_gb(card, fit))
    return _block(card.name, bar + _needs(fit, language), "".join(chips))


def _held(card: CardSample) -> dict[str, float]:
    """Who holds how much; of a card that does not tell whose it is, only that it is in use."""
    if card.studio_gb is None:
        return {"used": card.used_gb or 0.0}
    return {"others": max(0.0, (card.used_gb or 0.0) - card.studio_gb), "studio": card.studio_gb}


def card_from_gb(card: CardSample, fit: Fit | None) -> float:
    """Where on a card's bar the clip would begin: behind what others hold; what our worker holds it may fill."""
    used_gb, total_gb = card.used_gb or 0.0, card.total_gb or 0.0
    if card.studio_gb is not None or fit is None:
        return max(0.0, used_gb - (card.studio_gb or 0.0))
    return max(0.0, min(used_gb, total_gb - fit.free_gb - RESERVE_GB))


def _needs(fit: Fit | None, language: str) -> str:
    """What the clip of the form would take, or what to lower so that it fits."""
    if fit is None:
        return ""
    told = f'<p class="needs">{escape(_plan_in_words(fit.plan, fit, language))}</p>' if fit.plan else ""
    if fit.problem is not None:
        told += f'<p class="needs is-bad">{escape(say(fit.problem, language))}</p>'
    return told


def _plan_in_words(plan: VramPlan, fit: Fit, language: str) -> str:
    """The peak, how it is run, and the memory of every stage."""
    values: dict[str, Value] = {stage: f"{plan.expected_peak_gb[stage]:.1f}" for stage in STAGES}
    values |= {"needed": f"{fit.needed_gb:.1f}", "free": f"{fit.free_gb:.1f}", "ram": f"{plan.ram_gb:.1f}"}
    values["plan"] = say(f"plan.{plan.residency}" if fit.card is not None else "plan.processor", language)
    return say(Message("page.needs.card" if fit.card is not None else "page.needs.machine", values), language)


def _machine(snapshot: Snapshot, language: str, fit: Fit | None) -> str:
    """The machine's memory, and in words why there is no card."""
    machine = snapshot.machine
    total, free = machine.ram_total_gb, machine.ram_free_gb
    used = max(0.0, total - free) if total is not None and free is not None else 0.0
    title = say("page.gauge.lost" if snapshot.state == "lost" else "page.gauge.no_card", language)
    chips = _chip(machine.cpu_percent, "{:.0f} %", "cpu", language)
    fit = fit if fit is not None and fit.card is None else None
    bar = _bar(total, {"machine": used}, language, fit, used) + _needs(fit, language)
    why = escape(say(snapshot.problem, language), quote=True) if snapshot.problem else ""
    return _block(title, bar, chips, why)


def _block(title: str, bar: str, chips: str, why: str = "") -> str:
    hint = f' title="{why}"' if why else ""
    return (
        f'<div class="gauge-card"{hint}><div class="gauge-head"><span class="gauge-name">{escape(title)}</span>'
        f'<span class="chips">{chips}</span></div>{bar}</div>'
    )


def _bar(
    total_gb: float | None, used_gb: dict[str, float], language: str, fit: Fit | None = None, from_gb: float = 0.0
) -> str:
    """A bar of who holds how much, and the same in words; outlined on it, from where on, what the clip would take."""
    if not total_gb:
        return f'<p class="gauge-note">{escape(say("page.gauge.no_memory", language))}</p>'
    free_gb = max(0.0, total_gb - sum(used_gb.values()))
    segments = "".join(
        f'<i class="seg seg-{kind}" style="width:{min(100.0, 100 * gb / total_gb):.1f}%"></i>'
        for kind, gb in used_gb.items()
    )
    named = {**used_gb, "free": free_gb}
    words = {kind: say(Message(f"page.gauge.{kind}", {"gb": f"{gb:.1f}"}), language) for kind, gb in named.items()}
    legend = "".join(f'<span class="key key-{kind}">{escape(text)}</span>' for kind, text in words.items())
    spoken = escape(" · ".join(words.values()), quote=True)
    return (
        f'<div class="bar" role="img" aria-label="{spoken}">{segments}{_outline(total_gb, fit, from_gb)}</div>'
        f'<div class="legend" aria-hidden="true">{legend}</div>'
    )


def _outline(total_gb: float, fit: Fit | None, from_gb: float) -> str:
    if fit is None or fit.needed_gb is None:
        return ""
    left = min(100.0, 100 * from_gb / total_gb)
    width = min(100.0 - left, 100 * fit.needed_gb / total_gb)
    return f'<i class="wanted" style="left:{left:.1f}%;width:{width:.1f}%"></i>'


def _heat(card: CardSample, limits: HeatLimits, sensor: Sensor) -> str:
    """How a chip looks: amber where its sensor is warm, red where clips rest."""
    alone = replace(card, memory_temperature_c=None) if sensor == "core" else replace(card, temperature_c=None)
    if over(alone, limits, "rest"):
        return " is-bad"
    return " is-warm" if over(alone, limits, "warn") else ""


def _chip(value: float | None, form: str, kind: str, language: str, mood: str = "") -> str:
    if value is None:
        return ""
    label = escape(say(f"page.gauge.{kind}", language), quote=True)
    return f'<span class="chip{mood}" title="{label}"><b>{label}</b> {form.format(value)}</span>'
