"""One look as its file holds it: titles by language, and the settings that it sets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from svd_studio.core.clip import ClipSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import BadInput
from svd_studio.engines.catalog import ENGINES

LOOK_FIELDS = (
    *("shape", "width", "height", "motion_bucket", "steps", "scheduler"),
    *("guidance_first", "guidance_last", "motion_fps", "image_noise"),
    *(
        "finish.smooth",
        "finish.between",
        "finish.enlarge",
        "finish.scale",
        "finish.deflicker",
        "finish.contrast",
        "finish.colour",
        "finish.sharpen",
    ),
    "export.fps",
)
"""What makes a look, and what a look replaces: its own value or, where it is silent, the engine's."""

LARGEST_FILE = 64 * 1024
LONGEST_TITLE = 40
LONGEST_ABOUT = 400
MOST_LANGUAGES = 20


@dataclass(frozen=True)
class Preset:
    """A named part of a recipe; titles and about lines by language."""

    name: str
    title: Mapping[str, str]
    about: Mapping[str, str]
    settings: Mapping[str, Any]
    written_for: str | None = None
    """The engine that its steps and guidance are meant for; None: they are meant as they stand."""

    def on(self, info: EngineInfo) -> dict[str, Any]:
        """Its fields for an engine: steps and guidance stand to that one's own as they do where it was written."""
        written = ENGINES.get(self.written_for or "", info)
        return {**self.settings, **_in_proportion(self.settings, written.native, info.native)}

    def onto(self, settings: ClipSettings, info: EngineInfo) -> ClipSettings:
        """The recipe with this look's fields replaced, as they are for an engine."""
        return ClipSettings.from_person({**settings.model_dump(), **self.on(info)})

    def titled(self, language: str) -> str:
        """The title in that language, or in one that it has."""
        return _spoken(self.title, language) or self.name

    def described(self, language: str) -> str:
        """What the look is for."""
        return _spoken(self.about, language)

    def as_json(self) -> str:
        """The look as its file holds it."""
        content: dict[str, Any] = {
            "title": dict(self.title),
            "about": dict(self.about),
            "settings": dict(self.settings),
        }
        if self.written_for:
            content["for"] = self.written_for
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def read_preset(path: Path) -> Preset:
    """Read one file strictly. Raises BadInput or BadSetting with what is wrong."""
    return as_preset(preset_text(path), path.name)


def preset_text(path: Path) -> str:
    """What stands in a preset file. Raises BadInput when it cannot be one."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadInput("preset.unreadable", name=path.name)
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadInput("preset.unreadable", name=path.name) from error


def as_preset(text: str, file: str) -> Preset:
    """The look that a file of that name holds. Raises BadInput or BadSetting with what is wrong."""
    try:
        if len(text) > LARGEST_FILE:
            raise ValueError("too large")
        content = json.loads(text)
        title, about = _words(content["title"], LONGEST_TITLE), _words(content.get("about", {}), LONGEST_ABOUT)
        if not isinstance(content["settings"], dict):
            raise TypeError("not settings by name")
        written_for = content.get("for")
        if written_for is not None and written_for not in ENGINES:
            raise ValueError("for no engine that there is")
        preset = Preset(file.removesuffix(".json"), title, about, content["settings"], written_for)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput("preset.unreadable", name=file[:80]) from error
    ClipSettings.from_person(dict(preset.settings))
    return preset


def _in_proportion(values: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    share = (new["guidance_last"] - 1) / (old["guidance_last"] - 1)
    given = {name: value for name, value in values.items() if value is not None}
    guidance = {name: given[name] for name in ("guidance_first", "guidance_last") if name in given}
    meant: dict[str, Any] = {name: round(1 + (value - 1) * share, 2) for name, value in guidance.items()}
    if "steps" in given:
        meant["steps"] = max(1, round(given["steps"] * new["steps"] / old["steps"]))
    return meant


def look_of(settings: ClipSettings) -> dict[str, Any]:
    """Those fields of a recipe that make its look; what is as it always is stays out."""
    values, usual = settings.as_json(), ClipSettings().as_json()
    look: dict[str, Any] = {}
    for name in LOOK_FIELDS:
        part, _, leaf = name.rpartition(".")
        value, default = ((found[part] if part else found).get(leaf) for found in (values, usual))
        if value != default:
            (look.setdefault(part, {}) if part else look)[leaf] = value
    return look


def _spoken(words: Mapping[str, str], language: str) -> str:
    return words.get(language) or words.get("en") or next(iter(words.values()), "")


def _words(texts: Any, longest: int) -> dict[str, str]:
    """Texts by language. Raises TypeError or ValueError for anything else."""
    words = dict(texts)
    if len(words) > MOST_LANGUAGES:
        raise ValueError("too many languages")
    for language, text in words.items():
        if not (isinstance(language, str) and isinstance(text, str) and 0 < len(text) <= longest):
            raise TypeError("not texts by language")
        if not text.isprintable():
            raise ValueError("unprintable")
    return words
