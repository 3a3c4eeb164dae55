"""What this machine can do, said once in plain words, and the one button that gets the real model."""

import time
from typing import Any

from svd_studio.core.clip import ClipSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import Message
from svd_studio.engines.catalog import ENGINES
from svd_studio.gpu.fit import Fit
from svd_studio.gpu.telemetry import CardSample, Snapshot
from svd_studio.library.errands import Errand
from svd_studio.studio import Studio
from svd_studio.ui.result import spoken_seconds
from svd_studio.ui.texts import say

OFFERED = "svd-xt"
PRACTICE = "svd-nano"
KEEP_S = 5.0

PRACTICE_S = 35
"""What the practice model takes on two processor cores, until this machine's own clips tell better."""


class Offers:
    """Keep the note for a moment, because every page asks twice a second and the answer rarely changes."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._kept: dict[tuple[Any, ...], tuple[float, dict[str, Any] | None]] = {}

    def now(self, snapshot: Snapshot, language: str) -> dict[str, Any] | None:
        """The note as it stands."""
        download = offered_download(self.studio)
        problem = download.problem.code if download.problem else None
        changes = self.studio.errands.changes
        asked = (language, snapshot.state, download.is_running, download.done, problem, changes)
        until, offer = self._kept.get(asked, (0.0, None))
        if time.monotonic() > until:
            offer = offer_view(self.studio, snapshot, language)
            others = [(key, kept) for key, kept in self._kept.items() if key != asked]
            self._kept = dict([*others[-4:], (asked, (time.monotonic() + KEEP_S, offer))])
        return offer


def offered_download(studio: Studio) -> Errand:
    """The download behind the button, which the Models page shows, too."""
    weights = ENGINES[OFFERED].weights
    assert weights is not None
    return studio.errands.of(weights)


def offer_view(studio: Studio, snapshot: Snapshot, language: str) -> dict[str, Any] | None:
    """The note under the gauge, or nothing once a real model is here."""
    if snapshot.state == "lost":
        return None
    card = max(snapshot.cards, key=lambda card: card.total_gb or 0.0, default=None)
    if card is None:
        return {"text": say(_practice(studio, language), language)}
    download = offered_download(studio)
    if download.is_running:
        return _downloading(download, language)
    if any(studio.is_installed(info) for info in ENGINES.values() if info.weights):
        return None
    return _offered(studio, snapshot, card, download, language)


def prompt_note(studio: Studio, info: EngineInfo) -> Message:
    """What words mean for an engine as it stands here."""
    if "prompt" not in info.takes:
        return Message("page.prompt.note.unheard")
    if info.text is None:
        return Message("page.prompt.note.moves")
    if studio.text_tower(info):
        return Message("page.prompt.note.heard")
    return Message(
        "page.prompt.note.deaf", {"text": info.text.name, "gb": info.text.size_gb, "licence": info.text.licence}
    )


def _practice(studio: Studio, language: str) -> Message:
    info = ENGINES[PRACTICE]
    settings = ClipSettings(engine=PRACTICE).resolve(info).settings
    known = studio.forecast(settings)
    seconds = known.seconds if known else PRACTICE_S
    size = f"{settings.width} × {settings.height}"
    return Message("page.offer.practice", {"size": size, "time": spoken_seconds(seconds, language)})


def _downloading(download: Errand, language: str) -> dict[str, Any]:
    values: dict[str, str | int | float] = {
        "done": f"{download.done / 1e9:.1f}",
        "total": f"{download.total / 1e9 or download.weights.size_gb:.1f}",
        "title": ENGINES[OFFERED].title,
    }
    percent = 100 * download.done / download.total if download.total else 0
    return {"text": say(Message("page.offer.downloading", values), language), "percent": round(percent, 1)}


def how_it_runs(fit: Fit | None) -> str:
    """What the planner says of the offered model on this machine as it is now."""
    if fit is not None and fit.card is None:
        return "page.offer.idle_card"
    if fit is None or (fit.plan is None and not fit.is_hopeless):
        return "page.offer.fits_smaller"
    if fit.plan is None:
        return "page.offer.too_small"
    return "page.offer.fits" if fit.plan.residency == "all" else "page.offer.fits_slowly"


def _offered(studio: Studio, snapshot: Snapshot, card: CardSample, download: Errand, language: str) -> dict[str, Any]:
    info = ENGINES[OFFERED]
    assert info.weights is not None
    offer = studio.weights.describe(info.weights)
    settings = ClipSettings(engine=OFFERED).resolve(info).settings
    fit = studio.fit(settings, snapshot)
    values: dict[str, str | int | float] = {
        "card": card.name,
        "memory": f"{card.total_gb or 0:.0f}",
        "size": f"{settings.width} × {settings.height}",
        "frames": settings.frames,
        "gb": f"{offer.size_gb:.1f}",
        "licence": offer.licence,
        "host": offer.host,
        "free": f"{offer.free_gb:.0f}",
    }
    text = say(Message(how_it_runs(fit), values), language)
    if fit is not None and (fit.card is None or fit.is_hopeless):
        return {"text": text}
    return {
        "text": text,
        "more": say(download.problem or Message("page.offer.terms", values), language),
        "bad": download.problem is not None,
        "link": offer.licence_url,
        "link_text": say("page.offer.licence", language),
        "button": say(Message("page.offer.get", values), language),
    }
