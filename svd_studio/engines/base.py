"""The one seam: what a model must do to be an engine of the studio."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.progress import Progress
from svd_studio.core.vram import VramPlan

Frame = np.ndarray
"""uint8 RGB, (height, width, 3)."""

Latents = np.ndarray
"""float32, (frames, channels, height / f, width / f): small enough to keep, whole enough to decode later."""


@dataclass(frozen=True)
class Scene:
    """What a clip starts from: resolved settings, and pictures already framed to (width, height).

    `text_tower` is a folder from which words can be read, where the engine's own brings none.
    """

    settings: ResolvedSettings
    start: Image.Image
    end: Image.Image | None = None
    text_tower: Path | None = None


class Engine(Protocol):
    """Make frames from a scene; loaded by its constructor, kept between jobs, freed by unload."""

    info: EngineInfo

    def __init__(self, info: EngineInfo, folder: Path, device: str, precision: str) -> None:
        """Load the weights in `folder` onto `device` ("cpu", "cuda:0"); precision is fp32, fp16 or bf16."""

    def denoise(self, scene: Scene, plan: VramPlan, progress: Progress) -> Latents:
        """Make the clip's latents, reporting encode_inputs and denoise. Raises Cancelled, OutOfMemory."""

    def warm(self, progress: Progress) -> None:
        """Make ready what speeds up the next clip like the last one; while nothing waits. Raises Cancelled."""

    def decode(self, latents: Latents, plan: VramPlan, progress: Progress) -> Iterator[Frame]:
        """Yield the frames in order, reporting decode. Raises Cancelled, OutOfMemory, RenderFailed."""

    def peak_memory_gb(self) -> float | None:
        """Highest use of the card's memory since denoise began; None where there is no card."""

    def unload(self) -> None:
        """Give the memory back; the engine is not used again."""
