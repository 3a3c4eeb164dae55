"""What a minute of film costs in memory beside four seconds, and how its joins compare with what lies between them."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from svd_studio.core.errors import BadInput
from svd_studio.library.presets import SHIPPED
from svd_studio.quality.likeness import Frame, sharpness
from svd_studio.video.metadata import read_frames

PICTURE = SHIPPED / "pictures" / "mountains.jpg"
SHORT, LONG = 2, 33
"""Parts of four seconds and of a minute of SVD-Nano's 14 frames at 7 a second."""

RECIPE = {
    "engine": "svd-nano",
    "seed": 7,
    "width": 128,
    "height": 80,
    "steps": 5,
    "guidance": "1:1",
    "prompt": "zoom in",
}

MEASURED = (
    "import sys\n"
    "from svd_studio.cli import main\n"
    "from svd_studio.host import peak_memory_gb\n"
    "code = main(sys.argv[1:])\n"
    "print(peak_memory_gb())\n"
    "sys.exit(code)"
)
"""A process of its own for each film: what was in memory before does not count."""

Row = dict[str, Any]


def bench_film(as_json: bool, short: int = SHORT, long: int = LONG, **asked: Any) -> int:
    """Print both films' peak memory, and the steps of colour and sharpness at the long one's joins and inside."""
    with tempfile.TemporaryDirectory(prefix="svd-studio-") as folder:
        rows = [_made(Path(folder), parts, asked) for parts in (short, long)]
        steps = _steps(Path(folder) / f"{long}.mp4", rows[1]["settings"]["frames"] - 1)
    report = {
        "films": [{key: row[key] for key in ("parts", "frames", "fps", "peak_mb")} for row in rows],
        "peak_ratio": round(rows[1]["peak_mb"] / rows[0]["peak_mb"], 3),
        "five_parts": _summary([step for step in steps if step["part"] < 5]),
        "all_parts": _summary(steps),
    }
    print(json.dumps(report, indent=2) if as_json else _table(report))
    return 0


def _made(folder: Path, parts: int, asked: Row) -> Row:
    """Make a film of so many parts; its report, with the peak memory of the whole process."""
    output = folder / f"{parts}.mp4"
    recipe = {**RECIPE, **asked, "parts": parts}
    words = ["animate", str(PICTURE), *(word for name, value in recipe.items() for word in (f"--{name}", str(value)))]
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, *words, "--data", str(folder), "--json", "-o", str(output)],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if run.returncode:
        raise BadInput("bench.no_film", reason=run.stderr.strip().rpartition("\n")[2])
    told, _, peak = run.stdout.strip().rpartition("\n")
    return {**json.loads(told), "parts": parts, "peak_mb": round(float(peak) * 1024)}


def _steps(film: Path, length: int) -> list[Row]:
    """From each frame to the next: how far the mean colour goes (CIELAB), and what is left of the sharpness."""
    seen = [(_colour(frame), sharpness(frame)) for frame in read_frames(film)]
    return [
        {
            "part": at // length,
            "is_join": at > 0 and at % length == 0,
            "delta_e": float(np.linalg.norm(after[0] - before[0])),
            "sharpness": after[1] / before[1],
        }
        for at, (before, after) in enumerate(pairwise(seen))
    ]


def _colour(frame: Frame) -> np.ndarray:
    mean: np.ndarray = cv2.cvtColor(frame.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3).mean(axis=0)
    return mean


def _summary(steps: Sequence[Row]) -> Row:
    return {
        place: {
            "steps": len(chosen),
            "delta_e_median": _rounded(statistics.median, chosen, "delta_e"),
            "delta_e_most": _rounded(max, chosen, "delta_e"),
            "sharpness_median": _rounded(statistics.median, chosen, "sharpness"),
            "sharpness_least": _rounded(min, chosen, "sharpness"),
        }
        for place, chosen in (
            ("joins", [step for step in steps if step["is_join"]]),
            ("inside", [step for step in steps if not step["is_join"]]),
        )
    }


def _rounded(pick: Callable[[list[float]], float], steps: Sequence[Row], kind: str) -> float:
    return round(pick([step[kind] for step in steps]), 3)


def _table(report: Row) -> str:
    lines = ["| film | frames | length | peak memory |", "|---|---|---|---|"]
    for film in report["films"]:
        length = film["frames"] / film["fps"]
        lines.append(f"| {film['parts']} parts | {film['frames']} | {length:.0f} s | {film['peak_mb']} MiB |")
    lines += ["", f"ratio {report['peak_ratio']}", ""]
    lines += ["| from a frame to the next | steps | ΔE, median and most | sharpness kept, median and least |"]
    lines += ["|---|---|---|---|"]
    for parts in ("five_parts", "all_parts"):
        for place, row in report[parts].items():
            colour = f"{row['delta_e_median']}, {row['delta_e_most']}"
            kept = f"{row['sharpness_median']}, {row['sharpness_least']}"
            lines.append(f"| {parts.replace('_', ' ')}: {place} | {row['steps']} | {colour} | {kept} |")
    return "\n".join(lines)
