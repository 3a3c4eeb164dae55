"""What a lossy speed costs on loaded weights: the time that its steps take and how like the best its frames stay."""

import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import OutOfMemory
from svd_studio.core.progress import Progress
from svd_studio.core.speed import Speed
from svd_studio.core.vram import VramPlan
from svd_studio.engines.base import Engine, Scene
from svd_studio.gpu.planner import plan_clip
from svd_studio.rendering.render import Bench, framed_picture

PICTURES = ("coffee.jpg", "mountains.jpg", "pagoda.jpg")
"""Of the sample pictures, those that are measured with."""

LOSSY: tuple[Speed, ...] = ("good", "draft")
COMPARED: tuple[Speed, ...] = ("best", *LOSSY)
"""The clips of one measurement of all speeds, in their order."""

WARM_STEPS = 4
"""Enough for every kind of step that any speed takes: whole and shallow, guided and not."""


@dataclass(frozen=True)
class Made:
    """A measured clip: its frames, uint8 (frames, height, width, 3), and the seconds that its steps took."""

    frames: np.ndarray
    seconds: float


@dataclass(frozen=True)
class Cost:
    """How many times as fast as the best, and how like it: PSNR in dB, SSIM up to 1."""

    faster: float
    psnr: float
    ssim: float

    def rounded(self) -> dict[str, float]:
        return {"faster": round(self.faster, 2), "psnr": round(self.psnr, 1), "ssim": round(self.ssim, 3)}


def recipe(info: EngineInfo, asked: Mapping[str, Any], **values: Any) -> ResolvedSettings:
    """The recipe of a measured clip: the engine's native one with a fixed seed, changed as asked."""
    return ClipSettings.from_person({"seed": 7, **asked, **values}).resolve(info).settings


def make(engine: Engine, settings: ResolvedSettings, picture: Path, plan: VramPlan, progress: Progress) -> Made:
    """One clip; rests on the way do not count. Raises Cancelled, OutOfMemory, RenderFailed."""
    scene = Scene(settings, framed_picture(picture, settings))
    started, rested_s = time.perf_counter(), progress.rested_s
    latents = engine.denoise(scene, plan, progress)
    seconds = time.perf_counter() - started - (progress.rested_s - rested_s)
    return Made(np.stack(list(engine.decode(latents, plan, progress))), seconds)


def cost(made: Made, best: Made) -> Cost:
    """What a clip gives up, and gains, against the best one of the same recipe."""
    from svd_studio.quality.likeness import psnr, ssim  # OpenCV is not on the path of quick commands

    alike = statistics.mean(ssim(frame, other) for frame, other in zip(made.frames, best.frames, strict=True))
    return Cost(best.seconds / made.seconds, psnr(made.frames, best.frames), alike)


def measure_speeds(
    info: EngineInfo,
    picture: Path,
    bench: Bench,
    progress: Progress,
    begins: Callable[[int], None] = lambda clip: None,
    asked: Mapping[str, Any] = {},
) -> dict[str, dict[str, float]]:
    """The figures of each lossy speed on one picture, with the engine that clips are made with.

    `begins` hears the number of each clip of COMPARED. Raises Cancelled, OutOfMemory, StudioError.
    """
    begins(1)
    engine = bench.loaded.get(info, bench.weights_folder(info), progress)
    clips: dict[str, Made] = {}
    for number, speed in enumerate(COMPARED, start=1):
        begins(number)
        settings = recipe(info, asked, speed=speed)
        plan = plan_clip(info, settings, bench.place, bench.free_gb())
        _warm(engine, recipe(info, asked, speed=speed, steps=min(WARM_STEPS, settings.steps)), picture, plan, progress)
        clips[speed] = make(engine, settings, picture, plan, progress)
    return {speed: cost(clips[speed], clips["best"]).rounded() for speed in LOSSY}


def _warm(engine: Engine, few: ResolvedSettings, picture: Path, plan: VramPlan, progress: Progress) -> None:
    """Let the engine see each kind of step and make it as fast as clips have it, so that no speed pays for that."""
    engine.denoise(Scene(few, framed_picture(picture, few)), plan, progress)
    with suppress(OutOfMemory):  # clips go on without what there is no room for, and so does this
        engine.warm(progress)
