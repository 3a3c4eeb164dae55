"""Stock diffusers and the studio side by side on a card: seconds by stage, share of the floor, distances, memory.

Full-size networks with random weights do where none are installed: they cost what the real ones cost.
"""

import json
import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from svd_studio.bench.path import SAMPLE, stock_clip
from svd_studio.bench.peaks import growth, peaks_by_plan
from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import BadInput
from svd_studio.core.progress import Progress
from svd_studio.core.vram import Place, VramPlan
from svd_studio.engines.base import Scene
from svd_studio.engines.blank import BlankEngine
from svd_studio.engines.catalog import engine_info
from svd_studio.engines.lean import make_lean, make_stock
from svd_studio.engines.sampling import blank_network, shape_of
from svd_studio.engines.svd import SvdEngine
from svd_studio.gpu.device import Device, pick_device
from svd_studio.gpu.planner import plan_clip
from svd_studio.rendering.clock import StageClock
from svd_studio.rendering.render import framed_picture
from svd_studio.studio import Studio

STEP_TFLOP, FRAME_TFLOP = 3.198, 6.94
"""One frame of SVD-XT at 1024 × 576: through the UNet once, without its twin, and through the decoder."""

STOCK_WINDOW = 8
"""decode_chunk_size as diffusers' own guide sets it."""

Report = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """What is measured: a loaded engine, where it runs, and the clip."""

    engine: SvdEngine
    device: Device
    place: Place
    scene: Scene
    plan: VramPlan

    @property
    def settings(self) -> ResolvedSettings:
        return self.scene.settings

    def with_speed(self, **values: Any) -> "Subject":
        """The same clip at another speed."""
        settings = ClipSettings.from_person({**self.settings.model_dump(), **values}).resolve(self.engine.info).settings
        return replace(self, scene=replace(self.scene, settings=settings))


def bench_gpu(studio: Studio, engine: str, runs: int, as_json: bool) -> int:
    """Print everything that a card can be asked; takes some minutes."""
    device = pick_device()
    if device.total_gb is None:
        raise BadInput("bench.no_card")
    subject = _subject(studio, engine_info(engine), device)
    if subject.plan.residency != "all":
        raise BadInput("bench.small_card")
    report: Report = {
        "device": device.title,
        "torch": torch.__version__,
        "weights": "random" if isinstance(subject.engine, BlankEngine) else "installed",
        "peak_tflops": round(peak_tflops(device), 1),
        "distances": distances(subject),
    }
    report["speeds"] = speeds(subject, runs, report["peak_tflops"])
    report["memory"] = peaks_by_plan(subject.engine, device)
    report["growth"] = growth(subject.engine, device)
    print(json.dumps(report, indent=2) if as_json else as_text(report))
    return 0


def speeds(subject: Subject, runs: int, peak: float | None) -> list[Report]:
    """Seconds of each way to make the same clip, medians of interleaved runs after a warm one."""
    ways: Mapping[str, Callable[[], Report]] = {
        "stock diffusers": lambda: _stock(subject),
        "best, not compiled": lambda: _ours(subject, compiled=False),
        "best": lambda: _ours(subject),
        "good": lambda: _ours(subject.with_speed(speed="good")),
        "draft": lambda: _ours(subject.with_speed(speed="draft", steps=None, scheduler=None)),
    }
    taken: dict[str, list[Report]] = {name: [way()] for name, way in ways.items()}  # warm
    for _ in range(runs):
        for name, way in ways.items():
            taken[name].append(way())
    rows = [{"way": name, **_median(found[1:])} for name, found in taken.items()]
    floor_s = _floor_tflop(subject.settings) / peak if peak else None
    for row in rows:
        row["faster"] = round(rows[0]["seconds"] / row["seconds"], 2)
        if floor_s and row["way"] in ("stock diffusers", "best, not compiled", "best"):
            row["of_the_floor"] = round(floor_s / row["seconds"], 3)
    return rows


def distances(subject: Subject) -> Report:
    """‖a − b‖ / ‖b‖ of one UNet step against stock diffusers': lean, and compiled."""
    engine, plan = subject.engine, subject.plan
    answers = {}
    with torch.no_grad():
        list(engine.decode(engine.denoise(subject.with_speed(steps=1).scene, plan, Progress())[:1], plan, Progress()))
        network = blank_network(engine.pipeline, subject.settings, plan, engine.device)
        latents = torch.randn(network.inputs.image_latents[:1].shape, generator=torch.Generator().manual_seed(1))
        latents = latents.to(engine.device, engine.pipeline.unet.dtype)
        time_ = torch.ones((), device=engine.device)
        make_stock(engine.pipeline)
        stock = network.predict(latents, time_, 0).float()
        make_lean(engine.pipeline, engine.attend)
        answers["lean"] = network.predict(latents, time_, 0).float()
        shape = shape_of(subject.settings, plan)
        engine.blocks.warm(shape, lambda: network.predict(latents, time_, 0))
        with engine.blocks.used_for(shape) as compiled:
            if compiled:
                answers["compiled"] = network.predict(latents, time_, 0).float()
    return {name: float(f"{float((answer - stock).norm() / stock.norm()):.2e}") for name, answer in answers.items()}


def peak_tflops(device: Device, side: int = 8192, runs: int = 10) -> float:
    """Product of two square fp16 matrices, the best of some runs: what this card can really do."""
    on_card = device.total_gb is not None
    dtype = torch.float16 if on_card else torch.float32
    a, b = (torch.randn(side, side, device=device.name, dtype=dtype) for _ in range(2))
    best = math.inf
    for _ in range(runs + 1):
        _wait(device)
        started = time.perf_counter()
        a @ b
        _wait(device)
        best = min(best, time.perf_counter() - started)
    return 2 * side**3 / best / 1e12


def as_text(report: Report) -> str:
    """The tables of docs/benchmarks.md."""
    lines = [f"{report['device']}, torch {report['torch']}, {report['weights']} weights, "]
    lines[0] += f"{report['peak_tflops']} TFLOP/s of fp16 products; distances {report['distances']}"
    for name in ("speeds", "memory"):
        rows = report[name]
        columns = list(dict.fromkeys(key for row in rows for key in row))
        lines += ["", "| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
        lines += ["| " + " | ".join(str(row.get(column, "")) for column in columns) + " |" for row in rows]
    return "\n".join([*lines, "", f"growth: {report['growth']}"])


def _subject(studio: Studio, info: EngineInfo, device: Device) -> Subject:
    precision = device.precision(studio.config.precision)
    place = device.place(precision)
    if studio.is_installed(info):
        engine = SvdEngine(info, studio.sound_weights(info), device.name, precision)
    else:
        engine = BlankEngine(info, Path(), device.name, precision)
    settings = ClipSettings(seed=7).resolve(info).settings
    plan = plan_clip(info, settings, place, device.claim_gb() or math.inf)
    return Subject(engine, device, place, Scene(settings, framed_picture(SAMPLE, settings)), plan)


def _ours(subject: Subject, compiled: bool = True) -> Report:
    engine, clock = subject.engine, StageClock(Progress())
    make_lean(engine.pipeline, engine.attend)
    usable, engine.blocks.usable = engine.blocks.usable, engine.blocks.usable and compiled
    engine.warm(Progress())
    started = time.perf_counter()
    latents = engine.denoise(subject.scene, subject.plan, clock)
    for _ in engine.decode(latents, subject.plan, clock):
        pass
    seconds = time.perf_counter() - started
    engine.blocks.usable = usable
    return {"seconds": seconds, "denoise": clock.seconds["denoise"], "decode": clock.seconds["decode"]}


def _stock(subject: Subject) -> Report:
    started = time.perf_counter()
    stock_clip(subject.engine, subject.scene, STOCK_WINDOW)
    return {"seconds": time.perf_counter() - started}


def _median(found: list[Report]) -> Report:
    return {key: round(statistics.median(run[key] for run in found), 2) for key in found[0]}


def _floor_tflop(settings: ResolvedSettings) -> float:
    """What the networks compute, linear in the size: a little much for small sizes, whose attention is cheaper."""
    share = settings.width * settings.height / (1024 * 576) * settings.frames
    return share * (STEP_TFLOP * settings.level.work(settings.steps, settings.is_guided) + FRAME_TFLOP)


def _wait(device: Device) -> None:
    if device.total_gb is not None:
        torch.cuda.synchronize(device.name)
