"""`heat` at the command line: at which temperatures a card warns, rests and begins no clip."""

import argparse
import json
from dataclasses import asdict, fields

from svd_studio.core.errors import Message
from svd_studio.gpu.thermal import BOUNDS, HeatLimits
from svd_studio.studio import Studio
from svd_studio.ui.texts import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A flag for every limit, and one to go back."""
    for field in fields(HeatLimits):
        low, high = BOUNDS["memory" if field.name.startswith("memory") else "core"]
        words = say(Message("cli.help.degrees", {"low": low, "high": high}))
        flag = f"--{field.name.removesuffix('_c').replace('_', '-')}"
        parser.add_argument(flag, dest=field.name, type=int, metavar="C", help=words)
    parser.add_argument("--reset", action="store_true", help=say("cli.help.heat_reset"))


def run(studio: Studio, arguments: argparse.Namespace) -> int:
    """Change what was given and print what holds now. Raises BadInput."""
    given = {field.name: getattr(arguments, field.name) for field in fields(HeatLimits)}
    changes = {name: value for name, value in given.items() if value is not None}
    if arguments.reset:
        studio.heat.forget()
    limits = studio.heat.change(changes) if changes else studio.heat.limits()
    told = asdict(limits)
    print(json.dumps(told, indent=2) if arguments.json else say(Message("heat.limits", told)))
    return 0
