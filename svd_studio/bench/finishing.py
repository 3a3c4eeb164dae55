"""What each finishing step does to frames that move and flicker by a known amount, and what a frame costs."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from svd_studio.core.clip import FinishSettings
from svd_studio.core.errors import BadSetting
from svd_studio.library.enlarging import enlarging_weights
from svd_studio.library.presets import SHIPPED
from svd_studio.quality.likeness import sharpness
from svd_studio.quality.stability import flicker, temporal_ssim, warp_error
from svd_studio.studio import Studio
from svd_studio.video.better import make_better
from svd_studio.video.enlarge import EnlargingNetwork
from svd_studio.video.tiles import enlarged

Frame = np.ndarray
Row = dict[str, Any]

PICTURE = SHIPPED / "pictures" / "pagoda.jpg"
FRAMES, MOVE, GAIN, TINT = 8, 4, 0.04, 0.02
"""Pixels that the camera moves a frame, and how far light and each colour stray (standard deviation)."""

STEPS: dict[str, FinishSettings] = {
    "as made": FinishSettings(),
    "deflicker 1": FinishSettings(deflicker=1.0),
    "contrast 0.3": FinishSettings(contrast=0.3),
    "colour 1.2": FinishSettings(colour=1.2),
    "sharpen 0.5": FinishSettings(sharpen=0.5),
    "all of them": FinishSettings(deflicker=1.0, contrast=0.3, colour=1.2, sharpen=0.5),
}


def bench_finish(studio: Studio, as_json: bool, size: tuple[int, int] = (1024, 576)) -> int:
    """Print each step's figures, and what drawing a frame larger takes where Real-ESRGAN is here."""
    frames = list(_flickering(size))
    rows = [_measured(name, frames, settings) for name, settings in STEPS.items()]
    larger = {factor: round(_enlarging_s(studio, frames[0], factor), 2) for factor in _factors(studio)}
    print(json.dumps({"steps": rows, "enlarge_s": larger}, indent=2) if as_json else _table(rows, larger))
    return 0


def _flickering(size: tuple[int, int]) -> Iterator[Frame]:
    """A steady camera move over a photograph whose light strays."""
    draw = np.random.default_rng(3)
    width, height = size
    with Image.open(PICTURE) as opened:
        picture = np.asarray(opened.convert("RGB").resize((width + FRAMES * MOVE, height), Image.Resampling.LANCZOS))
    for step in range(FRAMES):
        gain = 1 + GAIN * draw.normal() + TINT * draw.normal(size=3)
        yield np.clip(picture[:, step * MOVE : step * MOVE + width] * gain, 0, 255).astype(np.uint8)


def _measured(name: str, frames: list[Frame], settings: FinishSettings) -> Row:
    start = time.perf_counter()
    after = list(make_better(frames, settings))
    spent = time.perf_counter() - start
    measures: dict[str, Callable[[list[Frame]], float]] = {
        "temporal_ssim": temporal_ssim,
        "warp_error": warp_error,
        "flicker": flicker,
        "sharpness": lambda made: float(np.mean([sharpness(frame) for frame in made])),
    }
    figures = {kind: round(measure(after), 3) for kind, measure in measures.items()}
    return {"step": name, **figures, "ms_a_frame": round(1000 * spent / len(frames))}


def _factors(studio: Studio) -> tuple[int, ...]:
    try:
        enlarging_weights(studio.weights)
    except BadSetting:
        return ()
    return (2, 4)


def _enlarging_s(studio: Studio, frame: Frame, factor: int) -> float:
    network = EnlargingNetwork(enlarging_weights(studio.weights), factor)  # type: ignore[arg-type]
    start = time.perf_counter()
    enlarged(frame, factor, network, lambda: None)
    return time.perf_counter() - start


def _table(rows: list[Row], larger: dict[int, float]) -> str:
    lines = ["| step | temporal SSIM | warp error | flicker | sharpness | a frame |", "|---|---|---|---|---|---|"]
    for row in rows:
        figures = (row[kind] for kind in ("temporal_ssim", "warp_error", "flicker", "sharpness"))
        lines.append(f"| {row['step']} | " + " | ".join(map(str, figures)) + f" | {row['ms_a_frame']} ms |")
    return "\n".join([*lines, *(f"upscale ×{factor}: {spent} s a frame" for factor, spent in larger.items())])
