"""Looks: one JSON file each, holding only the settings that make the look. Shipped ones, and a person's own."""

import os
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadInput, BadSetting, StudioError
from svd_studio.host import private_folder
from svd_studio.library.preset_file import LONGEST_TITLE, Preset, as_preset, look_of, read_preset
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

FREE_TITLE_BYTES = 32
"""So short that a number behind it still fits into the title and the file's name."""

MOST_OWN = 100
REMOVED = "removed"
MOST_REMOVED = 50


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

    def find(self, name: Any) -> Preset | None:
        """The preset of that name; None when there is none that can be read."""
        with suppress(BadInput, BadSetting):
            return self.get(name) if isinstance(name, str) and name else None
        return None

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
        renamed = self._keep(Preset(new, {"en": title}, before.about, before.settings, before.written_for))
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
        return self._keep(Preset(name_of(title), titles, given.about, given.settings, given.written_for))

    def _keep(self, preset: Preset) -> Preset:
        ClipSettings.from_person(dict(preset.settings))
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
