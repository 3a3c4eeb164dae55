"""In-between frames against the true ones: the flow and RIFE on photographs that are moved by a known amount."""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from svd_studio.core.errors import MissingWeights
from svd_studio.engines.rife import Rife
from svd_studio.gpu.device import pick_device
from svd_studio.library.absent import rife_weights
from svd_studio.library.presets import SHIPPED
from svd_studio.quality.likeness import psnr
from svd_studio.studio import Studio
from svd_studio.video.flow import Motion

SIZES = ((256, 144), (1024, 576))
MOVES = (0.02, 0.04, 0.08)
"""Of the width, between two frames: SVD's own moves are mostly below the first."""

Frame = np.ndarray
Row = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """Two frames and the true one between them."""

    first: Frame
    truth: Frame
    second: Frame


def bench_smooth(studio: Studio, as_json: bool, sizes: tuple[tuple[int, int], ...] = SIZES, most: int = 6) -> int:
    """Print the median PSNR of middle frames and the time that one takes. Raises MissingWeights without RIFE."""
    folder = rife_weights(studio.weights)
    if folder is None:
        raise MissingWeights("bench.no_rife")
    rife = Rife(folder, pick_device().name)
    rows = [measured(rife, size, move, passing, most) for size in sizes for move in MOVES for passing in (False, True)]
    print(json.dumps(rows, indent=2) if as_json else _table(rows))
    return 0


def measured(rife: Rife, size: tuple[int, int], move: float, passing: bool, most: int) -> Row:
    """Medians over the shipped pictures; `passing` moves a part of the picture against the rest of it."""
    makers: dict[str, Callable[[Scene], Frame]] = {
        "repeated": lambda scene: scene.first,
        "flow": lambda scene: Motion(scene.first, scene.second).frame_at(0.5),
        "rife": lambda scene: rife(scene.first, scene.second, 1)[0],
    }
    row: Row = {"size": "{} × {}".format(*size), "move": move, "passing": passing}
    scenes = list(_scenes(size, move, passing, most))
    for name, make in makers.items():
        start = time.perf_counter()
        made = [make(scene) for scene in scenes]
        row[f"{name}_s"] = round((time.perf_counter() - start) / len(scenes), 3)
        likeness = [psnr(frame, scene.truth) for frame, scene in zip(made, scenes, strict=True)]
        row[name] = round(statistics.median(likeness), 1)
    return row


def _scenes(size: tuple[int, int], move: float, passing: bool, most: int) -> Iterator[Scene]:
    half = round(move * size[0] / 2)
    for path in sorted((SHIPPED / "pictures").glob("*.jpg"))[:most]:
        picture = _covering(path, (size[0] + 2 * half, size[1]))
        frames = [picture[:, step * half : step * half + size[0]].copy() for step in range(3)]
        if passing:
            for step, frame in enumerate(frames):
                _put(frame, picture, round(0.3 * size[0]) + step * half)
        yield Scene(*frames)


def _covering(path: Path, size: tuple[int, int]) -> Frame:
    """The middle of a picture, scaled to fill (width, height)."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    factor = max(size[0] / picture.width, size[1] / picture.height)
    width, height = round(picture.width * factor), round(picture.height * factor)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    scaled = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))
    return scaled[top : top + size[1], left : left + size[0]]


def _put(frame: Frame, picture: Frame, left: int) -> None:
    """Lay a part of the picture, upside down so that it stands out, over the frame."""
    height, width = frame.shape[0] // 3, frame.shape[1] // 5
    frame[height : 2 * height, left : left + width] = picture[::-1][:height, :width]


def _table(rows: list[Row]) -> str:
    lines = ["| size | move | repeated | flow | RIFE | flow takes | RIFE takes |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        move = f"{row['move']:.0%}" + (", something passes" if row["passing"] else "")
        likeness = (f"{row[name]} dB" for name in ("repeated", "flow", "rife"))
        cells = (row["size"], move, *likeness, f"{row['flow_s']} s", f"{row['rife_s']} s")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
