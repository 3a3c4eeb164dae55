"""The presets verb: the looks there are, and saving, renaming, deleting, taking in and giving out one's own."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from svd_studio.core.errors import BadInput, Message
from svd_studio.library.preset_file import Preset, preset_text
from svd_studio.studio import Studio
from svd_studio.ui.texts import say
from svd_studio.video.files import check_writable, write_whole

WANTS = {
    "list": 0,
    "save": 1,
    "rename": 2,
    "delete": 1,
    "restore": 1,
    "import": 1,
    "export": 1,
}
"""How many words each action takes; export may be given a second one, the file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be done with looks, and with which."""
    parser.add_argument("action", nargs="?", choices=tuple(WANTS), default="list", help=say("cli.help.presets_action"))
    parser.add_argument("words", nargs="*", metavar="WORD", help=say("cli.help.presets_words"))
    parser.add_argument("--recipe", type=Path, metavar="CLIP|JSON", help=say("cli.help.presets_recipe"))
    parser.add_argument("--replace", action="store_true", help=say("cli.help.presets_replace"))


def run(studio: Studio, arguments: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    action, words = arguments.action, list(arguments.words)
    most = WANTS[action] + (action == "export")
    if not WANTS[action] <= len(words) <= most:
        raise BadInput(f"presets.how.{action}")
    if action == "list":
        return show(studio, arguments.json)
    preset = _verbs(studio, arguments)[action](*words)
    _print([preset], studio, arguments.json)
    return 0


def show(studio: Studio, as_json: bool) -> int:
    """Print every look, and name the files of one's own that cannot be read."""
    _print(studio.presets.all(), studio, as_json)
    for name in studio.presets.broken():
        print(say(Message("preset.unreadable", {"name": name})), file=sys.stderr)
    return 0


def save(studio: Studio, title: str, recipe: Path | None, replace: bool) -> Preset:
    """Keep what makes the look of a clip or recipe. Raises BadInput."""
    if recipe is None:
        raise BadInput("presets.how.save")
    return studio.presets.save(title, studio.recall(recipe).settings, replace)


def take_in(studio: Studio, file: str) -> Preset:
    """Keep the look in a file that somebody else gave. Raises BadInput."""
    path = Path(file)
    return studio.presets.take_in(preset_text(path), path.name)


def give_out(studio: Studio, name: str, file: str | None, replace: bool) -> Preset:
    """Write a look into a file for somebody else; what stands there stays unless it may be replaced."""
    preset = studio.presets.get(name)
    target = Path(file or f"{preset.name}.json")
    if target.exists() and not replace:
        raise BadInput("presets.file_exists", name=target.name)
    check_writable(target)
    write_whole(target, lambda part: _write(part, preset.as_json()), lambda part: None)
    print(say(Message("presets.written", {"path": str(target)})), file=sys.stderr)
    return preset


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _verbs(studio: Studio, arguments: argparse.Namespace) -> dict[str, Callable[..., Preset]]:
    looks, replace = studio.presets, arguments.replace
    return {
        "save": lambda title: save(studio, title, arguments.recipe, replace),
        "rename": looks.rename,
        "delete": looks.remove,
        "restore": looks.restore,
        "import": lambda file: take_in(studio, file),
        "export": lambda name, file=None: give_out(studio, name, file, replace),
    }


def _print(presets: Sequence[Preset], studio: Studio, as_json: bool) -> None:
    if as_json:
        print(json.dumps([_as_json(preset, studio) for preset in presets], ensure_ascii=False, indent=2))
        return
    for preset in presets:
        mark = "·" if studio.presets.is_own(preset.name) else " "
        print(f"{mark} {preset.name:<20}  {preset.titled('en')}  {preset.described('en')}".rstrip())


def _as_json(preset: Preset, studio: Studio) -> dict[str, Any]:
    own = studio.presets.is_own(preset.name)
    return {"name": preset.name, "own": own, **json.loads(preset.as_json())}
