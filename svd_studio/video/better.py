"""Frames made better one by one, as streams: flicker taken out, contrast, colour and sharpness put in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from svd_studio.core.clip import FinishSettings

Frame = np.ndarray
"""uint8 RGB, (height, width, 3)."""

REACH = 3
"""Frames before and after that a frame's brightness is compared with: about half a second at 7 fps."""

CUT = 40.0
"""Of 255: where mean colours jump by more, another scene begins, whose light is its own."""

TILES, CLIP_LIMIT = 8, 2.0
"""Contrast-limited adaptive histogram equalisation (Zuiderveld 1994): tiles a side, and how steep a curve may be."""

RADIUS = 1.2
"""Of the unsharp mask, in pixels of the frame as the model made it."""


def make_better(frames: Iterable[Frame], settings: FinishSettings) -> Iterator[Frame]:
    """The frames with what was asked for, in the order in which each helps the next; untouched where nothing was."""
    better: Iterator[Frame] = iter(frames)
    if settings.deflicker:
        better = deflicker(better, settings.deflicker)
    if settings.contrast or settings.colour != 1:
        better = _each(better, lambda frame: grade(frame, settings.contrast, settings.colour))
    if settings.sharpen:
        better = _each(better, lambda frame: sharpened(frame, settings.sharpen))
    return better


def deflicker(frames: Iterable[Frame], strength: float) -> Iterator[Frame]:
    """Let each frame's mean and spread of every colour follow those of its neighbours, by `strength` (0 to 1).

    Seven frames are in memory. Never across a cut. `frames` is closed with this generator.
    """
    waiting: deque[tuple[Frame, np.ndarray]] = deque()
    behind: deque[np.ndarray] = deque(maxlen=REACH)
    try:
        for frame in frames:
            waiting.append((frame, _light(frame)))
            if len(waiting) > REACH:
                yield _steadied(waiting, behind, strength)
        while waiting:
            yield _steadied(waiting, behind, strength)
    finally:
        if isinstance(frames, Generator):
            frames.close()


def _steadied(waiting: deque[tuple[Frame, np.ndarray]], behind: deque[np.ndarray], strength: float) -> Frame:
    frame, light = waiting.popleft()
    around = [*behind, light, *(later for _, later in waiting)]
    wanted = _smoothed(around, len(behind))
    behind.append(light)
    mean, spread = light + strength * (wanted - light)
    shifted = (frame - light[0]) * (spread / np.maximum(light[1], 1.0)) + mean
    steadied: Frame = np.clip(shifted + 0.5, 0, 255).astype(np.uint8)
    return steadied


def _light(frame: Frame) -> np.ndarray:
    """Mean and spread of each colour, (2, 3)."""
    pixels = frame[::4, ::4].reshape(-1, 3).astype(np.float32)
    return np.stack([pixels.mean(axis=0), pixels.std(axis=0)])


def _smoothed(lights: list[np.ndarray], here: int) -> np.ndarray:
    """The straight line through the neighbours' light, at this frame: a fade that is meant stays a fade."""
    first = last = here
    while first > 0 and np.abs(lights[first - 1][0] - lights[first][0]).max() < CUT:
        first -= 1
    while last + 1 < len(lights) and np.abs(lights[last + 1][0] - lights[last][0]).max() < CUT:
        last += 1
    near = np.stack(lights[first : last + 1])
    if len(near) < 3:
        return lights[here]
    places = np.arange(first, last + 1) - here
    _, level = np.polyfit(places, near.reshape(len(near), -1), 1)
    return np.asarray(level.reshape(2, 3), dtype=np.float32)


def grade(frame: Frame, contrast: float, colour: float) -> Frame:
    """Local contrast on lightness alone, by `contrast` (0 to 1), and colours times `colour` (0 to 2)."""
    import cv2  # not on the path of quick commands

    lab = cv2.cvtColor(frame, cv2.COLOR_RGB2LAB)
    if contrast:
        even = cv2.createCLAHE(CLIP_LIMIT, (TILES, TILES)).apply(lab[..., 0])
        lab[..., 0] = cv2.addWeighted(even, contrast, lab[..., 0], 1 - contrast, 0)
    if colour != 1:
        chroma = lab[..., 1:].astype(np.float32) - 128
        lab[..., 1:] = np.clip(chroma * colour + 128.5, 0, 255)
    graded: Frame = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return graded


def sharpened(frame: Frame, amount: float) -> Frame:
    """Unsharp mask on lightness, so that colours get no edges; twice the detail at 1."""
    import cv2

    lab = cv2.cvtColor(frame, cv2.COLOR_RGB2LAB)
    light = lab[..., 0]
    lab[..., 0] = cv2.addWeighted(light, 1 + amount, cv2.GaussianBlur(light, (0, 0), RADIUS), -amount, 0)
    sharp: Frame = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return sharp


def _each(frames: Iterator[Frame], change: Callable[[Frame], Frame]) -> Iterator[Frame]:
    try:
        for frame in frames:
            yield change(frame)
    finally:
        if isinstance(frames, Generator):
            frames.close()
