"""The clips verb: what was made, finding, starring, throwing away and bringing back, and the index made again."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from svd_studio.core.errors import BadInput, Message
from svd_studio.host import FileLock
from svd_studio.library.clip_search import ClipFilter
from svd_studio.library.clips import Clip
from svd_studio.studio import Studio
from svd_studio.ui.texts import say

ACTIONS = ("list", "search", "star", "unstar", "trash", "restore", "empty-trash")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be done with clips, and with which."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help=say("cli.help.clips_action"))
    parser.add_argument("names", nargs="*", metavar="CLIP|WORD", help=say("cli.help.clips_names"))
    parser.add_argument("--in-trash", action="store_true", help=say("cli.help.in_trash"))
    parser.add_argument("--starred", action="store_true", help=say("cli.help.starred"))
    parser.add_argument("--rebuild", action="store_true", help=say("cli.help.rebuild"))
    parser.add_argument("--limit", type=int, default=50, metavar="N", help=say("cli.help.limit"))
    parser.add_argument("--yes", action="store_true", help=say("cli.help.yes_delete"))


def run(studio: Studio, arguments: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    if arguments.rebuild:
        return rebuild(studio, arguments.json)
    if arguments.action in ("list", "search"):
        return show(studio, arguments)
    if arguments.action == "empty-trash":
        return empty_trash(studio, arguments)
    if not arguments.names:
        raise BadInput("clips.which", action=arguments.action)
    clips = [find(studio, name) for name in arguments.names]
    for clip in clips:
        _verbs(studio)[arguments.action](clip)
    changed = [clip for clip in (studio.clips.get(clip.id) for clip in clips) if clip is not None]
    _print(changed, arguments.json)
    return 0


def show(studio: Studio, arguments: argparse.Namespace) -> int:
    """Print the newest clips, or those that hold every word."""
    if arguments.action == "search" and not arguments.names:
        raise BadInput("clips.which_words")
    words = " ".join(arguments.names) if arguments.action == "search" else ""
    wanted = ClipFilter(words, starred=arguments.starred, in_trash=arguments.in_trash)
    _print(studio.clips.page(wanted, None, max(1, arguments.limit)), arguments.json)
    return 0


def find(studio: Studio, name: str) -> Clip:
    """The clip of that id or file. Raises BadInput."""
    clip = studio.clips.get(name) or studio.clips.of_file(Path(name))
    if clip is None:
        raise BadInput("clips.unknown", name=name[:80])
    return clip


def empty_trash(studio: Studio, arguments: argparse.Namespace) -> int:
    """Delete what was thrown away for good, once somebody is sure."""
    held = studio.clips.holdings(ClipFilter(in_trash=True))
    values: dict[str, str | int | float] = {"n": held.count, "mb": f"{held.bytes / 1e6:.1f}"}
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise BadInput("clips.say_yes", **values)
        if input(say(Message("clips.sure", values)) + " ").strip().lower() not in ("y", "yes"):
            return 0
    deleted = studio.trash.empty()
    _tell({"deleted": deleted}, say(Message("clips.emptied", {"n": deleted})), arguments.json)
    return 0


def rebuild(studio: Studio, as_json: bool) -> int:
    """Make the index again and say what was found; files without a recipe are named and left alone."""
    mend(studio)
    done = studio.rebuild_clips()
    foreign, lost = [str(path) for path in done.without_recipe], [str(path) for path in done.without_file]
    counts = {"new": done.new, "moved": done.moved, "known": done.known}
    _tell({**counts, "without_recipe": foreign, "without_file": lost}, say(Message("clips.rebuilt", counts)), as_json)
    for code, paths in (("clips.without_recipe", foreign), ("clips.without_file", lost)):
        for path in paths:
            print(say(Message(code, {"path": path})), file=sys.stderr)
    return 0


def mend(studio: Studio) -> None:
    """Replace a damaged database first, unless a studio is open on the folder."""
    lock = FileLock(studio.config.studio_lock)
    if studio.config.data.is_dir() and lock.try_acquire():
        try:
            studio.mend()
        finally:
            lock.release()
    if studio.mended:
        print(say(studio.mended), file=sys.stderr)


def _verbs(studio: Studio) -> dict[str, Callable[[Clip], None]]:
    return {
        "star": lambda clip: studio.clips.star(clip.id, True),
        "unstar": lambda clip: studio.clips.star(clip.id, False),
        "trash": studio.trash.put,
        "restore": studio.trash.restore,
    }


def _print(clips: Iterable[Clip], as_json: bool) -> None:
    if as_json:
        print(json.dumps([_as_json(clip) for clip in clips], ensure_ascii=False, indent=2))
        return
    for clip in clips:
        mark = "★" if clip.starred else " "
        gone = "" if clip.is_here else f"  ({say('clips.gone')})"
        print(f"{clip.id}  {mark}  {clip.rendered.path}{gone}")


def _as_json(clip: Clip) -> dict[str, Any]:
    made = clip.rendered
    return {
        "id": clip.id,
        "path": str(made.path),
        "title": clip.title,
        "created": clip.created,
        "starred": clip.starred,
        "in_trash": clip.trashed is not None,
        "here": clip.is_here,
        "bytes": clip.bytes,
        "settings": made.settings.as_json(),
    }


def _tell(facts: dict[str, Any], sentence: str, as_json: bool) -> None:
    print(json.dumps(facts, ensure_ascii=False, indent=2) if as_json else sentence)
