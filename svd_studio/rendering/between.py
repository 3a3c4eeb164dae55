"""Who draws the frames between frames: a network where the recipe asks for it and it is here, else the flow."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from svd_studio.core.clip import FinishSettings
from svd_studio.core.errors import Message, OutOfMemory
from svd_studio.core.progress import Progress
from svd_studio.video.interpolate import Drawing

log = logging.getLogger(__name__)


def drawing_for(
    settings: FinishSettings, weights: Callable[[], Path | None], device: str, progress: Progress
) -> Drawing | None:
    """What draws a recipe's in-between frames; None is the flow.

    Says so when the weights went after the clip was asked for.
    """
    if not settings.by_rife:
        return None
    folder = weights()
    if folder is None:
        progress.note(Message("note.rife_missing"))
        return None
    return _Rife(folder, device, progress)


class _Rife:
    """Load at the first frame, and leave the rest to the flow once memory ran out."""

    def __init__(self, folder: Path, device: str, progress: Progress) -> None:
        self._folder, self._device, self._progress = folder, device, progress
        self._draw: Drawing | None = None
        self._gave_up = False

    def __call__(self, first: np.ndarray, second: np.ndarray, count: int) -> list[np.ndarray] | None:
        self._progress.check()
        if self._gave_up:
            return None
        try:
            return self._loaded()(first, second, count)
        except OutOfMemory as error:
            log.warning("out of memory in RIFE: the flow goes on: %s", error)
            self._draw, self._gave_up = None, True
            self._progress.note(Message("note.rife_gave_up"))
            return None

    def _loaded(self) -> Drawing:
        if self._draw is None:
            from svd_studio.engines.rife import Rife  # torch

            self._draw = Rife(self._folder, self._device)
        return self._draw
