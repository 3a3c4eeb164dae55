"""Looks: one JSON file each, holding only the settings that make the look."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadInput, StudioError

SHIPPED = Path(__file__).parents[2] / "presets"

ORDER = (
    "gentle-drift",
    "portrait-alive",
    "product-turn",
    "landscape",
    "water-and-smoke",
    "hyper-motion",
    "draft",
    "social",
)
"""How the shipped looks stand on the page: the safest first."""

LARGEST_FILE = 64 * 1024


@dataclass(frozen=True)
class Preset:
    """A named part of a recipe; titles and about lines by language."""

    name: str
    title: Mapping[str, str]
    about: Mapping[str, str]
    settings: Mapping[str, Any]

    def onto(self, settings: ClipSettings) -> ClipSettings:
        """The recipe with this look's fields replaced."""
        return ClipSettings.from_person({**settings.model_dump(), **self.settings})


class PresetLibrary:
    """Find presets: the shipped ones, and a person's own in the data folder."""

    def __init__(self, own: Path, shipped: Path = SHIPPED) -> None:
        self.own = own
        self.shipped = shipped

    def all(self) -> list[Preset]:
        """Every readable preset, shipped ones first in their order."""
        found = [read_preset(self.shipped / f"{name}.json") for name in ORDER]
        for path in sorted(self.own.glob("*.json")):
            try:
                found.append(read_preset(path))
            except StudioError:
                continue  # a broken file of one's own must not hide the others; asking for it by name tells why
        return found

    def get(self, name: str) -> Preset:
        """The preset of that name. Raises BadInput naming the choices, or what is wrong with the file."""
        for folder in (self.shipped, self.own):
            path = folder / f"{name}.json"
            if path.parent == folder and path.is_file():
                return read_preset(path)
        names = ", ".join(preset.name for preset in self.all())
        raise BadInput("preset.unknown", given=name[:40], choices=names)


def read_preset(path: Path) -> Preset:
    """Read one file strictly. Raises BadInput or BadSetting with what is wrong."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadInput("preset.unreadable", name=path.name)
        content = json.loads(path.read_text(encoding="utf-8"))
        title, about = _words(content["title"]), _words(content.get("about", {}))
        preset = Preset(path.stem, title, about, dict(content["settings"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput("preset.unreadable", name=path.name) from error
    preset.onto(ClipSettings())
    return preset


def _words(texts: Any) -> dict[str, str]:
    """Texts by language. Raises TypeError or ValueError for anything else."""
    words = dict(texts)
    if not all(isinstance(language, str) and isinstance(text, str) for language, text in words.items()):
        raise TypeError("not texts by language")
    return words
