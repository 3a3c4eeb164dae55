"""In-between frames, so that seven frames a second play like twenty-eight."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Literal

import numpy as np

Drawing = Callable[[np.ndarray, np.ndarray, int], list[np.ndarray] | None]
"""Draws so many frames evenly between two; None where it cannot, and the flow does it."""


def smooth(frames: Iterable[np.ndarray], factor: Literal[2, 4], drawing: Drawing | None = None) -> Iterator[np.ndarray]:
    """Yield exactly factor times as many frames: each original at its own time, new ones between.

    The last original is held for as long as it was shown before, so that at factor times the
    speed the clip lasts exactly as long. Across a cut the frame before it is repeated. Without
    `drawing` the flow makes the new ones. Two frames are in memory; `frames` is closed with this generator.
    """
    before: np.ndarray | None = None
    try:
        for frame in frames:
            if before is not None:
                yield from _between(before, frame, factor, drawing)
            yield frame
            before = frame
        if before is not None:
            yield from [before] * (factor - 1)
    finally:
        if isinstance(frames, Generator):
            frames.close()


def _between(first: np.ndarray, second: np.ndarray, factor: int, drawing: Drawing | None) -> Iterable[np.ndarray]:
    from svd_studio.video.flow import Motion  # OpenCV: not on the path of quick commands

    motion = Motion(first, second)
    if motion.is_cut:
        return [first] * (factor - 1)
    drawn = drawing(first, second, factor - 1) if drawing else None
    return drawn or (motion.frame_at(step / factor) for step in range(1, factor))
