"""Looks: one JSON file each, holding only the settings that make the look. Shipped ones, and a person's own."""

import json
import os
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadInput, StudioError
from svd_studio.host import private_folder
from svd_studio.video.files import safe_name, write_whole

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
FREE_TITLE_BYTES = 32
"""So short that a number behind it still fits into the title and the file's name."""

MOST_LANGUAGES = 20
MOST_OWN = 100
REMOVED = "removed"
MOST_REMOVED = 50


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

    def titled(self, language: str) -> str:
        """The title in that language, or in one that it has."""
        return _spoken(self.title, language) or self.name

    def described(self, language: str) -> str:
        """What the look is for."""
        return _spoken(self.about, language)

    def as_json(self) -> str:
        """The look as its file holds it."""
        content = {"title": dict(self.title), "about": dict(self.about), "settings": dict(self.settings)}
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


class PresetLibrary:
    """Find and keep presets: the shipped ones, which stay as they are, and a person's own in the data folder."""

    def __init__(self, own: Path, shipped: Path = SHIPPED) -> None:
        self.own = own
        self.shipped = shipped
        self._read: dict[Path, tuple[tuple[int, int], Preset | None]] = {}

    def all(self) -> list[Preset]:
        """Every readable preset: the shipped ones in their order, then a person's own by title."""
        own = [preset for preset in map(self._known, self._own_files()) if preset]
        return [*self._shipped(), *sorted(own, key=lambda preset: preset.titled("en").casefold())]

    def broken(self) -> list[str]:
        """The file names of a person's own that cannot be read; asking for one by name tells why."""
        return [path.name for path in self._own_files() if self._known(path) is None]

    def get(self, name: str) -> Preset:
        """The preset of that name. Raises BadInput naming the choices, or what is wrong with the file."""
        for folder in (self.shipped, self.own):
            path = folder / f"{name}.json"
            if _stands_in(path, folder):
                return read_preset(path)
        names = ", ".join(preset.name for preset in self.all())
        raise BadInput("preset.unknown", given=name[:40], choices=names)

    def is_own(self, name: str) -> bool:
        """Whether a person made that look, so that it can be renamed and removed."""
        return name not in ORDER and _stands_in(self.own / f"{name}.json", self.own)

    def save(self, title: str, settings: ClipSettings, replace: bool = False) -> Preset:
        """Keep what makes the look of a recipe as one's own. Raises BadInput when the title cannot be taken."""
        title = checked_title(title)
        return self._keep(Preset(self._free_name(title, replace), {"en": title}, {}, look_of(settings)))

    def rename(self, name: str, title: str) -> Preset:
        """Give a look of one's own another title. Raises BadInput."""
        before, title = self._own(name), checked_title(title)
        new = name if name_of(title) == name else self._free_name(title)
        renamed = self._keep(Preset(new, {"en": title}, before.about, before.settings))
        if new != name:
            (self.own / f"{name}.json").unlink(missing_ok=True)
        return renamed

    def remove(self, name: str) -> Preset:
        """Put a look of one's own aside, from where `restore` gets it back. Raises BadInput."""
        preset, aside = self._own(name), self.own / REMOVED
        private_folder(aside)
        os.replace(self.own / f"{name}.json", aside / f"{name}.json")
        os.utime(aside / f"{name}.json")
        for path in sorted(aside.glob("*.json"), key=_age)[MOST_REMOVED:]:
            path.unlink(missing_ok=True)
        return preset

    def restore(self, name: str) -> Preset:
        """Undo `remove`. Raises BadInput when there is nothing to restore, or its name was taken meanwhile."""
        removed = self.own / REMOVED / f"{name}.json"
        if not _stands_in(removed, self.own / REMOVED):
            raise BadInput("preset.not_removed", given=name[:40])
        preset = read_preset(removed)
        if (self.own / removed.name).exists():
            raise BadInput("preset.exists", title=preset.titled("en"))
        os.replace(removed, self.own / removed.name)
        return preset

    def take_in(self, text: str, file: str) -> Preset:
        """Keep what a preset file holds; where its title is taken, with a number. Raises BadInput, BadSetting."""
        given = as_preset(text, file)
        title = self._free_title(checked_title(given.titled("en")))
        titles = given.title if title == given.titled("en") else {"en": title}
        return self._keep(Preset(name_of(title), titles, given.about, given.settings))

    def _keep(self, preset: Preset) -> Preset:
        preset.onto(ClipSettings())
        if len(self._own_files()) >= MOST_OWN and not (self.own / f"{preset.name}.json").exists():
            raise BadInput("preset.too_many", most=MOST_OWN)
        private_folder(self.own)
        write_whole(
            self.own / f"{preset.name}.json",
            lambda part: _write(part, preset.as_json()),
            lambda part: None,
        )
        return preset

    def _own(self, name: str) -> Preset:
        if name in ORDER:
            raise BadInput("preset.shipped", title=self.get(name).titled("en"))
        if not self.is_own(name):
            raise BadInput("preset.unknown_own", given=name[:40])
        return read_preset(self.own / f"{name}.json")

    def _free_name(self, title: str, replace: bool = False) -> str:
        name = name_of(title)
        if name in ORDER:
            raise BadInput("preset.shipped", title=title)
        if not replace and (self.own / f"{name}.json").exists():
            raise BadInput("preset.exists", title=title)
        return name

    def _free_title(self, title: str) -> str:
        taken = {*ORDER, *(path.stem for path in self._own_files())}
        number, free = 1, title
        while name_of(free) in taken:
            number += 1
            free = f"{title.encode()[:FREE_TITLE_BYTES].decode(errors='ignore')} {number}"
        return free

    def _own_files(self) -> list[Path]:
        return sorted(path for path in self.own.glob("*.json") if path.stem not in ORDER)

    def _shipped(self) -> Iterable[Preset]:
        return (_shipped_preset(self.shipped / f"{name}.json") for name in ORDER)

    def _known(self, path: Path) -> Preset | None:
        """A file of one's own, read again only when it has changed: every page asks all the time."""
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if path not in self._read or self._read[path][0] != stamp:
                self._read[path] = stamp, _readable(path)
            return self._read[path][1]
        except OSError:
            return None


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
        preset = Preset(file.removesuffix(".json"), title, about, content["settings"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput("preset.unreadable", name=file[:80]) from error
    preset.onto(ClipSettings())
    return preset


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


def checked_title(title: str) -> str:
    """A title as it may stand on a button: NFC, one line. Raises BadInput."""
    words = " ".join(unicodedata.normalize("NFC", title).split())
    if not words or not words.isprintable():
        raise BadInput("preset.no_title")
    if len(words) > LONGEST_TITLE:
        raise BadInput("preset.title_too_long", limit=LONGEST_TITLE)
    return words


def name_of(title: str) -> str:
    """The file's name without suffix, and what `--preset` is given: My Look is my-look."""
    return safe_name(title.lower()).replace(" ", "-")


@cache
def _shipped_preset(path: Path) -> Preset:
    return read_preset(path)


def _readable(path: Path) -> Preset | None:
    try:
        return read_preset(path)
    except StudioError:
        return None  # a broken file of one's own must not hide the others


def _stands_in(path: Path, folder: Path) -> bool:
    """Whether a name was a name and not a way to somewhere else."""
    try:
        return path.parent == folder and path.is_file()
    except (OSError, ValueError):
        return False


def _age(path: Path) -> float:
    return -path.stat().st_mtime


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


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
