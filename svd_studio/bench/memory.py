"""What plans expect SVD-Nano to take of a processor's memory, beside what torch takes, stage by stage."""

import json
from collections.abc import Callable
from typing import Any

import torch

from svd_studio.bench.path import SAMPLE
from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.progress import Progress
from svd_studio.core.vram import GIB, PROCESSOR, VramPlan
from svd_studio.engines.base import Scene
from svd_studio.engines.catalog import NANO_FOLDER, engine_info
from svd_studio.engines.encoding import EncodedPictures
from svd_studio.engines.sampling import encode_inputs
from svd_studio.engines.svd import SvdEngine
from svd_studio.gpu.allocations import most_allocated
from svd_studio.rendering.render import framed_picture


def bench_cpu(as_json: bool) -> int:
    """Print expected and measured megabytes of every stage of a clip in native size."""
    info = engine_info("svd-nano")
    engine = SvdEngine(info, NANO_FOLDER, "cpu", "fp32")
    rows = memory_by_stage(engine, ClipSettings(seed=7, steps=1, guidance_last=3.0).resolve(info).settings)
    if as_json:
        print(json.dumps(rows, indent=2))
    for row in () if as_json else rows:
        guidance = "in one batch" if row["batched_guidance"] else "in two passes"
        told = f"{row['expected_mb']:>7.1f} MB expected, {row['measured_mb']:>7.1f} MB measured"
        print(f"{row['stage']:<14} {told}, guidance {guidance}, decode window {row['decode_window']}")
    return 0


def memory_by_stage(engine: SvdEngine, settings: ResolvedSettings, window: int = 4) -> list[dict[str, Any]]:
    """Megabytes beside the weights, as planned and as torch allocates them, for guidance in one batch and in two."""
    scene = Scene(settings, framed_picture(SAMPLE, settings))
    batched, apart = [plan for plan in engine.info.plans(settings, PROCESSOR) if plan.decode_window == window]
    latents = engine.denoise(scene, batched, Progress())
    generator, cpu = torch.Generator().manual_seed(0), torch.device("cpu")
    runs: list[tuple[VramPlan, str, Callable[[], Any]]] = [
        (
            batched,
            "encode_inputs",
            lambda: encode_inputs(engine.pipeline, scene, generator, EncodedPictures(engine.pipeline, cpu), None),
        ),
        (batched, "denoise", lambda: engine.denoise(scene, batched, Progress())),
        (apart, "denoise", lambda: engine.denoise(scene, apart, Progress())),
        (batched, "decode", lambda: list(engine.decode(latents, batched, Progress()))),
    ]
    return [_row(plan, stage, run) for plan, stage, run in runs]


def _row(plan: VramPlan, stage: str, run: Callable[[], Any]) -> dict[str, Any]:
    expected = (plan.expected_peak_gb[stage] - plan.expected_peak_gb["load"]) * GIB
    with torch.no_grad():
        measured = most_allocated(run)
    how = {"stage": stage, "batched_guidance": plan.batched_guidance, "decode_window": plan.decode_window}
    return how | {"expected_mb": round(expected / 1e6, 1), "measured_mb": round(measured / 1e6, 1)}
