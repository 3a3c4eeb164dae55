"""The models verb: what is installed, and getting, checking, removing or adopting weights."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from svd_studio.core.engine import WeightSet
from svd_studio.core.errors import BadInput, Message
from svd_studio.engines.catalog import CLIP_TEXT, ENGINES, EXTRAS, weight_set
from svd_studio.studio import Studio
from svd_studio.ui.texts import say, spoken_bytes


def run(studio: Studio, arguments: argparse.Namespace) -> int:
    """Do what was asked with the weights of one engine; returns the exit code."""
    if arguments.action == "list":
        return list_models(studio)
    if arguments.name is None:
        raise BadInput("models.name_missing", action=arguments.action)
    weights = weight_set(arguments.name)
    if weights is None:
        raise BadInput("models.bundled", engine=arguments.name)
    if arguments.action == "get":
        return get(studio, weights, arguments.token, arguments.yes)
    if arguments.action == "check":
        return check(studio, weights)
    if arguments.action == "remove":
        freed = studio.weights.remove(weights)
        print(say(Message("models.removed", {"name": weights.name, "size": spoken_bytes(freed)})))
        return 0
    return use(studio, weights, arguments.folder)


def list_models(studio: Studio) -> int:
    """Print every engine and extra, whether its weights are here, their size and licence."""
    for info in ENGINES.values():
        print(f"{info.name:<11}  {_state(studio, info.weights):<14}  {info.title} ({info.licence})")
    hearing = ", ".join(info.name for info in ENGINES.values() if info.text is CLIP_TEXT)
    for name, weights in EXTRAS.items():
        title = say(Message(f"models.extra.{name}", {"engines": hearing}))
        print(f"{name:<11}  {_state(studio, weights):<14}  {title} ({weights.licence})")
    return 0


def _state(studio: Studio, weights: WeightSet | None) -> str:
    if weights is None:
        return say("models.state.bundled")
    if studio.weights.installed(weights):
        return say("models.state.installed")
    return say(Message("models.state.missing", {"size": spoken_bytes(weights.size_gb * 1e9)}))


def get(studio: Studio, weights: WeightSet, token: str | None, sure: bool) -> int:
    """Say what comes, from where and under which licence, then download it."""
    if token:
        studio.weights.save_token(token)
    offer = studio.weights.describe(weights)
    values = {
        "name": offer.name,
        "size": spoken_bytes(offer.size_gb * 1e9),
        "host": offer.host,
        "folder": str(offer.folder),
        "licence": offer.licence,
        "url": offer.licence_url,
        "free": f"{offer.free_gb:.0f}",
    }
    print(say(Message("models.offer", values)), file=sys.stderr)
    if not sure and sys.stdin.isatty() and input(say("models.sure") + " ").strip().lower() not in ("y", "yes"):
        return 0
    with _bars() as bars:
        task = bars.add_task(weights.name, total=None)
        folder = studio.weights.get(
            weights, lambda done, total, file: bars.update(task, completed=done, total=total, description=file)
        )
    print(folder)
    return 0


def check(studio: Studio, weights: WeightSet) -> int:
    """Hash every file again; exit code 1 when one is not what was installed."""
    with _bars() as bars:
        task = bars.add_task(weights.name, total=None)
        problems = studio.weights.check(
            weights, lambda done, total, file: bars.update(task, completed=done, total=total)
        )
    for problem in problems:
        print(say(problem), file=sys.stderr)
    if not problems:
        print(say(Message("models.sound", {"name": weights.name})))
    return 1 if problems else 0


def use(studio: Studio, weights: WeightSet, folder: Path | None) -> int:
    """Adopt a folder that somebody else keeps."""
    if folder is None:
        raise BadInput("models.folder_missing", name=weights.name)
    print(studio.weights.use(weights, folder.expanduser()))
    return 0


def _bars() -> Bars:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
