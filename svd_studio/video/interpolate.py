"""In-between frames, so that seven frames a second play like twenty-eight."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Literal

import numpy as np


def smooth(frames: Iterable[np.ndarray], factor: Literal[2, 4]) -> Iterator[np.ndarray]:
    """Yield exactly factor times as many frames: each original at its own time, new ones between.

    The last original is held for as long as it was shown before, so that at factor times the
    speed the clip lasts exactly as long. Across a cut the frame before it is repeated. Two
    frames are in memory; `frames` is closed with this generator.
    """
    before: np.ndarray | None = None
    try:
        for frame in frames:
            if before is not None:
                yield from _between(before, frame, factor)
            yield frame
            before = frame
        if before is not None:
            yield from [before] * (factor - 1)
    finally:
        if isinstance(frames, Generator):
            frames.close()


def _between(first: np.ndarray, second: np.ndarray, factor: int) -> Iterator[np.ndarray]:
    from svd_studio.video.flow import Motion  # OpenCV: not on the path of quick commands

    motion = Motion(first, second)
    for step in range(1, factor):
        yield first if motion.is_cut else motion.frame_at(step / factor)
