"""What stands behind a seam where the real thing cannot: an engine that pans a picture in no time."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.core.vram import VramPlan
from svd_studio.engines.base import Frame, Latents, Scene


class FakeEngine:
    """Shift the picture by one pixel a frame; remember what was asked of it."""

    calls: ClassVar[list[str]] = []
    fail_decoding_after: ClassVar[int | None] = None
    raises: ClassVar[BaseException | None] = None

    def __init__(self, info: EngineInfo, folder: Path, device: str, precision: str) -> None:
        self.info = info
        self.calls.append("load")

    def denoise(self, scene: Scene, plan: VramPlan, progress: Progress) -> Latents:
        self.calls.append("denoise")
        if self.raises is not None:
            raise self.raises
        progress.report("encode_inputs", 1, 1)
        picture = np.asarray(scene.start, dtype=np.float32)
        for step in range(scene.settings.steps):
            progress.report("denoise", step + 1, scene.settings.steps, preview=picture[None, ::8, ::8].astype(np.uint8))
        return np.stack([np.roll(picture, frame, axis=1) for frame in range(scene.settings.frames)])

    def decode(self, latents: Latents, plan: VramPlan, progress: Progress) -> Iterator[Frame]:
        self.calls.append("decode")
        for done, frame in enumerate(progress.over(latents, "decode", len(latents))):
            if done == self.fail_decoding_after:
                raise RenderFailed("render.not_finite")
            yield frame.astype(np.uint8)

    def warm(self, progress: Progress) -> None:
        self.calls.append("warm")

    def peak_memory_gb(self) -> float | None:
        return None

    def unload(self) -> None:
        self.calls.append("unload")
