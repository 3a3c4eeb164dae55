"""Our denoise and decode against the bare diffusers pipeline with the same components, in interleaved pairs."""

import json
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.errors import BadInput
from svd_studio.core.progress import Progress
from svd_studio.core.vram import VramPlan
from svd_studio.engines.base import Scene
from svd_studio.engines.catalog import engine_info
from svd_studio.engines.lean import make_lean, make_stock
from svd_studio.engines.svd import SvdEngine
from svd_studio.gpu.device import pick_device
from svd_studio.gpu.planner import plan_clip
from svd_studio.library.presets import SHIPPED
from svd_studio.rendering.render import framed_picture
from svd_studio.studio import Studio

SAMPLE = SHIPPED / "pictures" / "coffee.jpg"


def bench_path(studio: Studio, engine: str, pairs: int, as_json: bool, **asked: Any) -> int:
    """Print our denoise + decode over the bare pipeline's, as the median of interleaved pairs."""
    if pairs < 1:
        raise BadInput("bench.pairs", given=pairs)
    info, device = engine_info(engine), pick_device()
    typed = {"seed": 7, "guidance_first": 1.0, "guidance_last": 1.0, **asked}
    settings = ClipSettings.from_person(typed).resolve(info).settings
    loaded = SvdEngine(info, studio.weights_folder(info), device.name, device.precision(studio.config.precision))
    scene = Scene(settings, framed_picture(SAMPLE, settings))
    place = device.place(device.precision(studio.config.precision))
    plan = plan_clip(info, settings, place, device.claim_gb() or math.inf)
    ours: list[float] = []
    bare: list[float] = []
    for turn in range(pairs + 1):
        for run, seconds in [(_ours, ours), (_bare, bare)][:: 1 if turn % 2 else -1]:  # neither is always first
            seconds.append(_seconds(lambda run=run: run(loaded, scene, plan)))  # type: ignore[misc]
    ratios = [mine / theirs for mine, theirs in zip(ours[1:], bare[1:], strict=True)]
    report = {
        "engine": engine,
        "pairs": pairs,
        "ours_s": round(statistics.median(ours[1:]), 3),
        "bare_s": round(statistics.median(bare[1:]), 3),
        "ratio_median": round(statistics.median(ratios), 4),
        "ratio_range": [round(min(ratios), 4), round(max(ratios), 4)],
    }
    print(json.dumps(report, indent=2) if as_json else "\n".join(f"{key}: {value}" for key, value in report.items()))
    return 0


def _ours(engine: SvdEngine, scene: Scene, plan: VramPlan) -> None:
    make_lean(engine.pipeline, engine.attend)
    latents = engine.denoise(scene, plan, Progress())
    for _ in engine.decode(latents, plan, Progress()):
        pass


def _bare(engine: SvdEngine, scene: Scene, plan: VramPlan) -> None:
    stock_clip(engine, scene, plan.decode_window)


def stock_clip(engine: SvdEngine, scene: Scene, window: int) -> None:
    """Make the clip with diffusers' own pipeline and networks."""
    settings: ResolvedSettings = scene.settings
    make_stock(engine.pipeline)
    engine.pipeline(
        scene.start,
        height=settings.height,
        width=settings.width,
        num_frames=settings.frames,
        num_inference_steps=settings.steps,
        min_guidance_scale=settings.guidance_first,
        max_guidance_scale=settings.guidance_last,
        fps=settings.motion_fps,
        motion_bucket_id=settings.motion_bucket,
        noise_aug_strength=settings.image_noise,
        decode_chunk_size=window,
        generator=torch.Generator("cpu").manual_seed(settings.seed),
        output_type="np",
    )


def _seconds(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
