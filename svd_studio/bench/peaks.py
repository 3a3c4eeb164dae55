"""Predicted and measured memory on a card that is held to less than it has: every plan, and clip after clip."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from svd_studio.bench.path import SAMPLE
from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.errors import OutOfMemory
from svd_studio.core.progress import Progress
from svd_studio.core.vram import CARD, CONTEXT_GB, RESERVE_GB
from svd_studio.engines.base import Scene
from svd_studio.engines.svd import SvdEngine
from svd_studio.gpu.device import Device
from svd_studio.gpu.planner import plan_clip
from svd_studio.rendering.render import framed_picture

CARDS_GB = (24.0, 16.0, 12.0, 8.0)
IN_A_ROW = 20

Row = dict[str, Any]


def peaks_by_plan(engine: SvdEngine, device: Device) -> list[Row]:
    """Every size and two frame counts on each class of card, two steps each."""
    rows = []
    for card_gb in CARDS_GB:
        with held_to(device, card_gb):
            rows += [_row(engine, settings, card_gb) for settings in _clips(engine)]
    return rows


def growth(engine: SvdEngine, device: Device, times: int = IN_A_ROW) -> Row:
    """Peaks of the same small clip again and again: the second over the first, the last over the second."""
    settings = ClipSettings(seed=7, steps=1, frames=engine.info.frames[0]).resolve(engine.info).settings
    with held_to(device, CARDS_GB[0]):
        peaks = [_row(engine, settings, CARDS_GB[0])["measured_gb"] for _ in range(times)]
    first, second, last = peaks[0], peaks[1], peaks[-1]
    return {"second_over_first": round(second / first, 4), "last_over_second": round(last / second, 4)}


@contextmanager
def held_to(device: Device, card_gb: float) -> Iterator[None]:
    """Let torch have what a smaller card would, its context counted."""
    assert device.total_gb is not None
    share = min(1.0, (card_gb - CONTEXT_GB - RESERVE_GB) / device.total_gb)
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(share, device.name)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device.name)


def _clips(engine: SvdEngine) -> Iterator[ResolvedSettings]:
    most = engine.info.native["frames"]
    for shape in engine.info.sizes:
        for frames in (most, (most + engine.info.frames[0]) // 2):
            yield ClipSettings(seed=7, steps=2, shape=shape, frames=frames).resolve(engine.info).settings


def _row(engine: SvdEngine, settings: ResolvedSettings, card_gb: float) -> Row:
    size = f"{settings.width}×{settings.height}×{settings.frames}"
    try:
        plan = plan_clip(engine.info, settings, CARD, card_gb - RESERVE_GB)
        torch.cuda.reset_peak_memory_stats(engine.device)
        scene = Scene(settings, framed_picture(SAMPLE, settings))
        measured = []
        latents = engine.denoise(scene, plan, Progress())
        measured.append(engine.peak_memory_gb() or 0.0)
        for _ in engine.decode(latents, plan, Progress()):
            pass
        measured.append(engine.peak_memory_gb() or 0.0)
    except OutOfMemory as error:
        return {"card_gb": card_gb, "clip": size, "plan": str(error.message.code)}
    expected, found = plan.peak_gb - CONTEXT_GB, max(measured)
    how = f"{plan.residency}, {'one batch' if plan.batched_guidance else 'two passes'}, window {plan.decode_window}"
    figures = {"predicted_gb": round(expected, 2), "measured_gb": round(found, 2), "ratio": round(expected / found, 3)}
    return {"card_gb": card_gb, "clip": size, "plan": how, **figures}
