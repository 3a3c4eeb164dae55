"""The house stands as drawn: imports run downwards, heavy libraries stay in their rooms, names say something."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "svd_studio"

FLOORS = (
    {
        "app",
        "ui",
        "cli",
        "animate",
        "heat",
        "clips",
        "doctor",
        "joblist",
        "models",
        "presets",
        "terminal",
        "bench",
        "api",
        "machine",
        "__main__",
    },
    {"studio"},
    {"jobs"},
    {"rendering", "library"},
    {"engines", "gpu", "video", "quality", "storyboard", "database", "host", "installed", "hardware"},
    {"core"},
)
"""From the faces down to the words. Rooms of one floor are strangers, but for the faces' shared words."""

NEIGHBOURS = {
    ("ui.texts", None),  # pure words, which every face may use
    ("cli", "animate"),
    ("cli", "clips"),
    ("cli", "heat"),
    ("cli", "joblist"),
    ("cli", "models"),
    ("cli", "presets"),
    ("cli", "doctor"),
    ("ui", "doctor"),
    ("ui", "machine"),
    ("doctor", "machine"),
    ("cli", "bench"),
    ("animate", "terminal"),
    ("__main__", "cli"),
    ("app", "cli"),
    ("app", "ui"),
    ("app", "api"),
    ("machine", "installed"),
    ("machine", "hardware"),
}

ROOMS = {
    "gradio": {"ui", "app"},
    "torch": {"engines", "gpu", "quality", "bench"},
    "diffusers": {"engines", "gpu", "quality", "bench"},
    "transformers": {"engines", "gpu", "quality", "bench"},
    "apsw": {"database", "jobs", "library"},
    "fastapi": {"api"},
    "starlette": {"api", "app"},
    "ray": {"jobs"},
    "ncnn": {"video"},
}
TORCHLESS = {"engines/catalog.py", "engines/costs.py"} | {
    f"gpu/{name}.py"
    for name in ("cards", "computer", "fit", "nvml", "planner", "recovery", "slowing", "telemetry", "thermal")
}
BANNED = {"utils", "helpers", "common", "misc", "manager", "service", "handler"}


def sources() -> list[Path]:
    return [*PACKAGE.rglob("*.py"), *ROOT.glob("app.py")]


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts if path.is_relative_to(PACKAGE) else (path.stem,)
    return parts[0]


def imports_of(source: str) -> set[str]:
    """Every module that a source imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def floor_of(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def offences(room: str, source: str, name: str) -> list[str]:
    """What is wrong with the imports of one source that stands in a room."""
    wrong = []
    for module in imports_of(source):
        top, _, rest = module.partition(".")
        if top in ROOMS and (room not in ROOMS[top] or (name in TORCHLESS and top != "apsw")):
            wrong.append(f"{name} imports {top}")
        target = rest.split(".")[0]
        if top != "svd_studio" or not target or target in (room, "__version__") or rest.startswith("ui.texts"):
            continue
        if floor_of(target) <= floor_of(room) and (room, target) not in NEIGHBOURS:
            wrong.append(f"{name} imports {module}")
    return wrong


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downwards_and_heavy_libraries_stay_in_their_rooms(path: Path) -> None:
    name = str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else path.name
    assert offences(room_of(path), path.read_text(encoding="utf-8"), name) == []


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("core", "from svd_studio.engines.catalog import ENGINES"),
        ("video", "import svd_studio.gpu.planner"),
        ("engines", "from svd_studio.studio import Studio"),
        ("library", "def late():\n    from svd_studio.rendering import render"),
        ("video", "import torch"),
        ("cli", "import gradio as gr"),
        ("ui", "import apsw"),
    ],
)
def test_a_planted_violation_is_seen(room: str, source: str) -> None:
    assert offences(room, source, "planted.py")


def test_the_catalog_stays_free_of_torch() -> None:
    assert offences("engines", "import torch", "engines/catalog.py")


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_and_their_names_say_something(path: Path) -> None:
    assert path.stem not in BANNED
    assert path.read_text(encoding="utf-8").count("\n") <= 350
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 60, f"{node.name} is too long"
        if isinstance(node, ast.ClassDef):
            assert not node.name.endswith(("Manager", "Service", "Factory", "Impl", "DTO"))


def test_the_command_line_imports_neither_torch_nor_gradio() -> None:
    script = (
        "import sys, svd_studio.cli; print([m for m in ('torch', 'diffusers', 'gradio', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
