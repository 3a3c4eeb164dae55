"""How steady frames are from one to the next, their motion left out of account or not."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from svd_studio.quality.likeness import Frame, grey, ssim
from svd_studio.quality.motion import EDGE, optical_flow

TWO_WAY = 1.0
"""Pixels: where flow there and back does not meet, something is covered or guessed, and nothing is judged."""


def temporal_ssim(frames: Sequence[Frame]) -> float:
    """Mean SSIM of neighbouring frames: 1 stands still, motion and flicker lower it."""
    return float(np.mean([ssim(one, other) for one, other in pairwise(frames)]))


def warp_error(frames: Sequence[Frame]) -> float:
    """Mean difference of grey (0 to 255) between a frame and the next one brought back along the flow.

    As Lai et al. 2018. What moves counts nothing, what flickers all.
    """
    return float(np.mean([_difference(one, other) for one, other in pairwise(frames)]))


def flicker(frames: Sequence[Frame]) -> float:
    """How far mean brightness (0 to 255) is off the line through its neighbours, on average."""
    light = np.array([grey(frame).mean() for frame in frames])
    return float(np.abs(light[1:-1] - (light[:-2] + light[2:]) / 2).mean())


def _difference(one: Frame, other: Frame) -> float:
    there, back = optical_flow(one, other), optical_flow(other, one)
    height, width = there.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    at_x, at_y = x + there[..., 0], y + there[..., 1]
    returned = cv2.remap(back, at_x, at_y, cv2.INTER_LINEAR)
    meets = np.linalg.norm(there + returned, axis=-1) < TWO_WAY
    inside = (at_x > EDGE) & (at_x < width - EDGE) & (at_y > EDGE) & (at_y < height - EDGE)
    brought = cv2.remap(grey(other), at_x, at_y, cv2.INTER_LINEAR)
    judged = meets & inside
    return float(np.abs(brought[judged].astype(float) - grey(one)[judged]).mean()) if judged.any() else 0.0
