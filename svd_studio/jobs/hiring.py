"""A worker with everything that it works with: its card, the engine it loads, kept parts, and what watches them."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from svd_studio.core.config import StudioConfig
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import StudioError
from svd_studio.gpu.telemetry import Snapshot, Telemetry
from svd_studio.gpu.thermal import ThermalGuard
from svd_studio.host import peak_memory_gb, used_memory_gb
from svd_studio.jobs import place
from svd_studio.jobs.cooling import HeatSettings
from svd_studio.jobs.memory import MemoryWatch
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.worker import Worker
from svd_studio.library.absent import rife_weights
from svd_studio.library.clips import ClipLibrary
from svd_studio.library.enlarging import enlarging_weights
from svd_studio.library.weights import WeightsLibrary
from svd_studio.rendering.loaded import LoadedEngine
from svd_studio.rendering.parts import PartStore
from svd_studio.rendering.render import Bench


def hire(
    config: StudioConfig,
    queue: JobQueue,
    clips: ClipLibrary,
    heat: HeatSettings,
    weights: Callable[[EngineInfo], Path],
    text_tower: Callable[[EngineInfo], Path | None],
    library: WeightsLibrary,
) -> Worker:
    """Everything that renders, on the queue's card. Imports torch; only the process that renders calls this.

    Raises StudioError when the card that this process is shown is not there.
    """
    from svd_studio.gpu.device import pick_device

    device = pick_device()
    if device.total_gb is None and place.must_have_card():
        raise StudioError("card.lost")
    precision = device.precision(config.precision)
    bench = Bench(
        loaded=LoadedEngine(device.name, precision),
        parts=PartStore(config.parts),
        weights_folder=weights,
        free_gb=lambda: place.free_gb(device.claim_gb()),
        peak_memory_gb=peak_memory_gb,
        text_tower=text_tower,
        place=device.place(precision),
        held_gb=device.held_gb,
        enlarging_weights=partial(enlarging_weights, library),
        rife_weights=partial(rife_weights, library),
    )
    telemetry = Telemetry(lambda: (os.getpid(),))
    memory = MemoryWatch(used_memory_gb, place.share_gb(telemetry.sample()))
    number = None if device.total_gb is None else queue.card

    def look() -> Snapshot:
        return telemetry.sample().of(number)

    guard = ThermalGuard(lambda: next(iter(look().cards), None), heat.limits)
    return Worker(config, queue, clips, bench, look=look, memory=memory, guard=guard)
