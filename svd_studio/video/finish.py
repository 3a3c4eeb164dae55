"""The order in which finished frames are made better, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from svd_studio.core.clip import FinishSettings, ResolvedSettings
from svd_studio.video.better import make_better
from svd_studio.video.filters import scaled_size
from svd_studio.video.interpolate import Drawing, smooth

Enlarging = Callable[[Iterator[np.ndarray]], Iterator[np.ndarray]]


def finish(
    frames: Iterable[np.ndarray],
    settings: FinishSettings,
    count: int,
    enlarging: Enlarging = iter,
    drawing: Drawing | None = None,
) -> tuple[Iterator[np.ndarray], int]:
    """The better frames as a stream, and how many `count` frames will become.

    `enlarging` draws them larger before they are smoothed: a network is slower than the flow. Scaling is not done
    here but while encoding, to `finished_size`. `drawing` makes in-between frames in place of the flow.
    """
    better = enlarging(make_better(frames, settings))
    if settings.smooth == 1:
        return better, count
    return smooth(better, settings.smooth, drawing), count * settings.smooth


def finished_size(size: tuple[int, int], settings: FinishSettings) -> tuple[int, int]:
    """The (width, height) of the file."""
    return scaled_size((size[0] * settings.enlarge, size[1] * settings.enlarge), settings.scale)


def playback_fps(settings: ResolvedSettings) -> float:
    """Frames a second in the file: as asked, else the engine's own speed kept through smoothing."""
    return float(settings.export.fps or settings.motion_fps * settings.finish.smooth)
