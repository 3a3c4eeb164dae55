"""The engine that a measurement asks for, loaded where a clip would be made."""

import math
from dataclasses import dataclass

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.vram import Place, VramPlan
from svd_studio.engines.catalog import engine_info
from svd_studio.engines.svd import SvdEngine
from svd_studio.gpu.device import pick_device
from svd_studio.gpu.planner import plan_clip
from svd_studio.studio import Studio


@dataclass(frozen=True)
class Loaded:
    """An engine, and the memory that its clips may fill."""

    info: EngineInfo
    engine: SvdEngine
    place: Place
    free_gb: float

    def plan(self, settings: ResolvedSettings) -> VramPlan:
        """How a clip would be run here. Raises OutOfMemory."""
        return plan_clip(self.info, settings, self.place, self.free_gb)


def load(studio: Studio, engine: str) -> Loaded:
    """Load installed weights onto the card, or the processor. Raises BadSetting, MissingWeights, RenderFailed."""
    info, device = engine_info(engine), pick_device()
    precision = device.precision(studio.config.precision)
    made = SvdEngine(info, studio.sound_weights(info), device.name, precision)
    return Loaded(info, made, device.place(precision), device.claim_gb() or math.inf)
