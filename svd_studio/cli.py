"""The command line: every verb of the studio, without torch until something is rendered.

Exit codes: 0 done, 1 failed, 2 bad input, 130 cancelled.
"""

import argparse
import faulthandler
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from svd_studio import __version__, clips, heat, joblist, presets
from svd_studio.animate import animate
from svd_studio.core.clip import ClipSettings, bounds, choices, field_info
from svd_studio.core.config import HUB, PACKAGE_INDEX, StudioConfig
from svd_studio.core.errors import BadInput, Message, StudioError
from svd_studio.core.infotext import as_infotext
from svd_studio.database import in_words
from svd_studio.host import die_with_parent, exit_when_parent_dies, user_data_folder
from svd_studio.jobs.watchdog import Watchdog
from svd_studio.studio import Studio
from svd_studio.ui.texts import say

CANCELLED = 130

CLIP_FLAGS: Mapping[str, type] = {
    "engine": str,
    "prompt": str,
    "negative_prompt": str,
    "prompt_strength": float,
    "frames": int,
    "parts": int,
    "steps": int,
    "motion_bucket": int,
    "motion_fps": int,
    "image_noise": float,
    "scheduler": str,
    "shape": str,
    "width": int,
    "height": int,
    "fit": str,
    "focus_x": float,
    "focus_y": float,
    "crop_zoom": float,
    "seed": int,
    "export.fps": int,
    "finish.smooth": int,
    "finish.between": str,
    "finish.enlarge": int,
    "finish.scale": str,
    "finish.deflicker": float,
    "finish.contrast": float,
    "finish.colour": float,
    "finish.sharpen": float,
}
"""Fields of the recipe that have a flag of their own, by their name in ClipSettings."""


class Parser(argparse.ArgumentParser):
    """Argparse that complains as everything else here does: one sentence, exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise BadInput("cli.usage", problem=message, verb=self.prog)


def flag(name: str) -> str:
    """The flag of a field: finish.smooth is --smooth."""
    return "--" + name.rpartition(".")[2].replace("_", "-")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # a console may speak cp437
    try:
        return run_verb(build_parser().parse_args(argv))
    except StudioError as error:
        return say_error(error)
    except KeyboardInterrupt:
        return CANCELLED
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return say_error(StudioError("files.unusable", path=str(error.filename or ""), reason=reason))


def run_verb(arguments: argparse.Namespace) -> int:
    """Run the verb that was typed; a database that breaks under it is told as everything else is."""
    if not hasattr(arguments, "data"):
        return int(arguments.run(arguments))
    with in_words(config_of(arguments).database):
        return int(arguments.run(arguments))


def say_error(error: StudioError) -> int:
    """Print an error's sentence and return its exit code."""
    print(say(with_flags(error.message)), file=sys.stderr)
    return error.exit_code


def with_flags(message: Message) -> Message:
    """The message with fields called as they are typed here."""
    if "field" not in message.values:
        return message
    return Message(message.code, {**message.values, "field": flag(str(message.values["field"]))})


def config_of(arguments: argparse.Namespace) -> StudioConfig:
    """Where things are: --data, else SVD_STUDIO_DATA, else the platform's user data folder."""
    folder = arguments.data or os.environ.get("SVD_STUDIO_DATA") or user_data_folder()
    precision = os.environ.get("SVD_STUDIO_PRECISION", "auto")
    if precision not in ("auto", "fp16", "bf16", "fp32"):
        raise BadInput("cli.precision", given=precision[:20])
    return StudioConfig(
        data=Path(folder).expanduser().absolute(),
        precision=precision,  # type: ignore[arg-type]  # checked above
        hub_endpoint=os.environ.get("HF_ENDPOINT") or HUB,
        hub_token=os.environ.get("HF_TOKEN") or None,
        package_index=os.environ.get("PIP_INDEX_URL") or PACKAGE_INDEX,
    )


def build_parser() -> Parser:
    """Every verb with its arguments; help and bounds come from the recipe's fields."""
    parser = Parser(prog="svd_studio", description=say("cli.about"))
    parser.add_argument("--version", action="version", version=f"SVD Studio {__version__}")
    parser.set_defaults(run=lambda _: run_help(parser))
    verbs = parser.add_subparsers(metavar="VERB", title=say("cli.verbs"), parser_class=Parser)
    _add_animate(verbs)
    inspect = _add(verbs, "inspect", run_inspect, "clip", json_flag=True)
    inspect.add_argument("--text", action="store_true", help=say("cli.help.text"))
    joblist.add_arguments(_add(verbs, "jobs", run_jobs, json_flag=True))
    clips.add_arguments(_add(verbs, "clips", run_clips, json_flag=True))
    presets.add_arguments(_add(verbs, "presets", run_presets, json_flag=True))
    models = _add(verbs, "models", run_models)
    models.add_argument("action", nargs="?", choices=("list", "get", "check", "remove", "use"), default="list")
    models.add_argument("name", nargs="?", metavar="NAME")
    models.add_argument("folder", nargs="?", metavar="FOLDER", type=Path)
    models.add_argument("--token", metavar="TOKEN", help=say("cli.help.token"))
    models.add_argument("--yes", action="store_true", help=say("cli.help.yes"))
    _add(verbs, "doctor", run_doctor, json_flag=True)
    heat.add_arguments(_add(verbs, "heat", run_heat, json_flag=True))
    _add(verbs, "work", run_work).add_argument("--card", type=int, metavar="N", default=0, help=say("cli.help.card"))
    bench = _add(verbs, "bench", run_bench, json_flag=True)
    bench.add_argument("what", choices=("path", "cpu", "gpu", "page", "queue", "smooth", "finish", "film", "certify"))
    bench.add_argument("engine", nargs="?", metavar="ENGINE", help=say("cli.help.bench_engine"))
    bench.add_argument("--prompts", action="store_true", help=say("cli.help.bench_prompts"))
    bench.add_argument("--pairs", type=int, default=5, help=say("cli.help.pairs"))
    return parser


def _add(verbs: Any, name: str, run: Any, *positional: str, json_flag: bool = False) -> Parser:
    parser: Parser = verbs.add_parser(name, help=say(f"cli.verb.{name}"), description=say(f"cli.verb.{name}"))
    parser.set_defaults(run=run)
    for argument in positional:
        parser.add_argument(argument, type=Path, metavar=argument.upper(), help=say(f"cli.help.{argument}"))
    parser.add_argument("--data", type=Path, metavar="DIR", help=say("cli.help.data"))
    if json_flag:
        parser.add_argument("--json", action="store_true", help=say("cli.help.json"))
    return parser


def _add_animate(verbs: Any) -> None:
    parser = _add(verbs, "animate", run_animate, "picture", json_flag=True)
    parser.add_argument("--preset", metavar="P", help=say("cli.help.preset"))
    parser.add_argument("--recipe", type=Path, metavar="CLIP|JSON", help=say("cli.help.recipe"))
    parser.add_argument("--guidance", metavar="A:B", help=say("cli.help.guidance"))
    parser.add_argument("--sweep", action="append", default=[], metavar="FIELD=A,B", help=say("cli.help.sweep"))
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.mp4", help=say("cli.help.output"))
    for name, kind in CLIP_FLAGS.items():
        parser.add_argument(flag(name), dest=name, metavar=_metavar(name, kind), help=_help(name))


def _metavar(name: str, kind: type) -> str:
    allowed = choices(name)
    if allowed:
        return "|".join(map(str, allowed))
    return {int: "N", float: "X", str: "T"}[kind]


def _help(name: str) -> str:
    text = str(field_info(name).description)
    if choices(name) or name in ("engine", "prompt", "negative_prompt"):
        return text
    low, high = bounds(name)
    return f"{text} ({low:g} to {high:g})"


def run_help(parser: Parser) -> int:
    """Say what the verbs are."""
    parser.print_help()
    return 0


def run_animate(arguments: argparse.Namespace) -> int:
    """Make a clip from a picture and say where it is."""
    return animate(Studio(config_of(arguments)), arguments, CLIP_FLAGS)


def run_inspect(arguments: argparse.Namespace) -> int:
    """Print the recipe inside a clip."""
    recalled = Studio(config_of(arguments)).recall(arguments.clip)
    if arguments.json:
        _print_json(dict(recalled.record))
        return 0
    if arguments.text:
        print(as_infotext(recalled.settings))
    else:
        print_settings(recalled.settings)
    for note in recalled.notes:
        print(say(note), file=sys.stderr)
    return 0


def print_settings(settings: ClipSettings) -> None:
    """Print a recipe, one field a line."""
    for name, value in settings.as_json().items():
        if value not in ("", {}):
            print(f"{name}: {value}")


def run_jobs(arguments: argparse.Namespace) -> int:
    """List what waits, runs and has ended, or do with it what the Queue page can."""
    return joblist.run(Studio(config_of(arguments)), arguments)


def run_clips(arguments: argparse.Namespace) -> int:
    """List, find, star, throw away or bring back clips, or make their index again."""
    return clips.run(Studio(config_of(arguments)), arguments)


def run_presets(arguments: argparse.Namespace) -> int:
    """List the looks, or save, rename, delete, take in or give out one's own."""
    return presets.run(Studio(config_of(arguments)), arguments)


def run_heat(arguments: argparse.Namespace) -> int:
    """Show or change the temperatures at which a card rests."""
    return heat.run(Studio(config_of(arguments)), arguments)


def run_doctor(arguments: argparse.Namespace) -> int:
    """Say what this machine has, what is missing and what to do about it."""
    from svd_studio.doctor import examine_studio

    findings = examine_studio(Studio(config_of(arguments)))
    if arguments.json:
        _print_json([{"code": item.code, "level": item.level, **item.values} for item in findings])
    else:
        for item in findings:
            mark = {"ok": "✓", "note": "·", "problem": "✗"}[item.level]
            print(f"{mark} {say(Message(item.code, item.values))}")
    return 1 if any(item.level == "problem" for item in findings) else 0


def run_models(arguments: argparse.Namespace) -> int:
    """List, get, check, remove or adopt weights."""
    from svd_studio.models import run

    return run(Studio(config_of(arguments)), arguments)


def run_work(arguments: argparse.Namespace) -> int:
    """Render what the window accepts, until the window ends; the studio starts this itself."""
    exit_when_parent_dies()
    die_with_parent()  # also while native code holds the interpreter and no thread can watch
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    studio = Studio(config_of(arguments))
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(studio.config.compiled))  # before torch is imported
    lock = studio.render_lock(arguments.card)
    while not lock.try_acquire():
        time.sleep(0.5)  # a terminal's `animate` is rendering
    Watchdog().alive()  # a sick card may hang the first call to it
    return studio.worker(arguments.card).work(threading.Event())


def run_bench(arguments: argparse.Namespace) -> int:
    """Measure our path against the bare pipeline, our page against an empty one, or a large queue."""
    if arguments.what == "cpu":
        from svd_studio.bench.memory import bench_cpu

        return bench_cpu(arguments.json)
    if arguments.what == "page":
        from svd_studio.bench.page import bench_page

        return bench_page(arguments.pairs, arguments.json)
    if arguments.what == "queue":
        from svd_studio.bench.queue import bench_queue

        return bench_queue(arguments.json)
    if arguments.what == "film":
        from svd_studio.bench.film import bench_film

        return bench_film(arguments.json)
    return run_engine_bench(arguments)


def run_engine_bench(arguments: argparse.Namespace) -> int:
    """Measure an engine: the bundled one, on a card SVD-XT, unless another is named."""
    studio = Studio(config_of(arguments))
    engine = arguments.engine or ("svd-xt" if arguments.what == "gpu" else "svd-nano")
    if arguments.what == "gpu":
        from svd_studio.bench.gpu import bench_gpu

        return bench_gpu(studio, engine, arguments.pairs, arguments.json)
    if arguments.what == "path":
        from svd_studio.bench.path import bench_path

        return bench_path(studio, engine, arguments.pairs, arguments.json)
    if arguments.what == "smooth":
        from svd_studio.bench.smooth import bench_smooth

        return bench_smooth(studio, arguments.json)
    if arguments.what == "finish":
        from svd_studio.bench.finishing import bench_finish

        return bench_finish(studio, arguments.json)
    if arguments.prompts:
        from svd_studio.bench.prompts import bench_prompts

        return bench_prompts(studio, engine, arguments.json)
    from svd_studio.bench.certify import bench_certify

    return bench_certify(studio, engine, arguments.json)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
