"""The live gauge beside Generate: memory, load, heat and power of each card in one glance."""

from html import escape

from svd_studio.core.errors import Message
from svd_studio.gpu.telemetry import CardSample, Snapshot
from svd_studio.ui.texts import say

ORDINARY = "card.no_driver"
"""No driver at all: a computer without an NVIDIA card, and nothing to complain of."""

WARM_C, HOT_C = 75, 83
"""Where the chip turns amber and red; a 4090 slows itself down at 83 to 90 °C."""


def gauge_html(snapshot: Snapshot, language: str) -> str:
    """The gauge as it stands in the page."""
    parts = [_card(card, language) for card in snapshot.cards]
    if snapshot.problem is not None and snapshot.problem.code != ORDINARY:
        parts.append(f'<p class="gauge-note is-bad">{escape(say(snapshot.problem, language))}</p>')
    if not snapshot.cards:
        parts.append(_machine(snapshot, language))
    return "".join(parts)


def _card(card: CardSample, language: str) -> str:
    studio_gb = card.studio_gb or 0.0
    others_gb = max(0.0, (card.used_gb or 0.0) - studio_gb)
    chips = [
        _chip(card.load_percent, "{:.0f} %", "load", language),
        _chip(card.temperature_c, "{:.0f} °C", "heat", language, _heat(card.temperature_c)),
        _chip(card.power_w, "{:.0f} W", "power", language),
    ]
    if card.throttle:
        chips.append(f'<span class="chip is-bad">{escape(say("page.gauge.throttled", language))}</span>')
    bar = _bar(card.total_gb, {"others": others_gb, "studio": studio_gb}, language)
    return _block(card.name, bar, "".join(chips))


def _machine(snapshot: Snapshot, language: str) -> str:
    """The machine's memory, and in words why there is no card."""
    machine = snapshot.machine
    total, free = machine.ram_total_gb, machine.ram_free_gb
    used = max(0.0, total - free) if total is not None and free is not None else 0.0
    title = say("page.gauge.lost" if snapshot.state == "lost" else "page.gauge.no_card", language)
    chips = _chip(machine.cpu_percent, "{:.0f} %", "cpu", language)
    bar = _bar(total, {"machine": used}, language)
    why = escape(say(snapshot.problem, language), quote=True) if snapshot.problem else ""
    return _block(title, bar, chips, why)


def _block(title: str, bar: str, chips: str, why: str = "") -> str:
    hint = f' title="{why}"' if why else ""
    return (
        f'<div class="gauge-card"{hint}><div class="gauge-head"><span class="gauge-name">{escape(title)}</span>'
        f'<span class="chips">{chips}</span></div>{bar}</div>'
    )


def _bar(total_gb: float | None, used_gb: dict[str, float], language: str) -> str:
    """A bar of who holds how much, and the same in words."""
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
        f'<div class="bar" role="img" aria-label="{spoken}">{segments}</div>'
        f'<div class="legend" aria-hidden="true">{legend}</div>'
    )


def _heat(celsius: int | None) -> str:
    if celsius is None or celsius < WARM_C:
        return ""
    return " is-bad" if celsius >= HOT_C else " is-warm"


def _chip(value: float | None, form: str, kind: str, language: str, mood: str = "") -> str:
    if value is None:
        return ""
    label = escape(say(f"page.gauge.{kind}", language), quote=True)
    return f'<span class="chip{mood}" title="{label}"><b>{label}</b> {form.format(value)}</span>'
