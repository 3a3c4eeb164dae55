"""Where every pixel goes from one frame to the next, and what the frames between look like."""

from __future__ import annotations

import cv2
import numpy as np

_LOST_PX = 2.0
"""A pixel that misses itself by more on the way there and back was covered up, or never found."""
_INSIDE_TRUST = 0.05
_SMALLEST_SIDE = 32
_FLAT = 2.0


class Motion:
    """Optical flow between two uint8 RGB frames, both ways (DIS, Kroeger et al. 2016)."""

    def __init__(self, first: np.ndarray, second: np.ndarray) -> None:
        height, width = first.shape[:2]
        self._first, self._second = first, second
        self._grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
        self._last = np.array([width - 1, height - 1], np.float32)
        greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first, second)]
        self._there, self._back = _flow(greys[0], greys[1]), _flow(greys[1], greys[0])
        self.is_cut = self._looks_cut(greys)

    def frame_at(self, time: float) -> np.ndarray:
        """The frame at `time`, from 0 (first) to 1 (second).

        Both frames are moved there (Jiang et al. 2018, equation 4) and mixed. What one of them
        does not show, because it is beyond its edge, comes from the other: worth 0.4 to 1.8 dB on
        camera moves. Judging covered pixels by how far they miss themselves was tried and gained nothing.
        """
        rest = 1 - time
        to_first = time * (time * self._back - rest * self._there)
        to_second = rest * (rest * self._there - time * self._back)
        first = self._moved(self._first, to_first).astype(np.float32)
        second = self._moved(self._second, to_second).astype(np.float32)
        trust_first = rest / (_INSIDE_TRUST + self._beyond_edge(to_first))
        trust_second = time / (_INSIDE_TRUST + self._beyond_edge(to_second))
        share = (trust_second / (trust_first + trust_second))[..., None]
        mixed: np.ndarray = np.rint(first + (second - first) * share).astype(np.uint8)
        return mixed

    def first_moved(self) -> np.ndarray:
        """The first frame, every pixel where the second one has it; beyond the first one's edge, the second's."""
        moved = self._moved(self._first, self._back)
        inside = self._beyond_edge(self._back)[..., None] == 0
        chosen: np.ndarray = np.where(inside, moved, self._second)
        return chosen

    def _beyond_edge(self, flow: np.ndarray) -> np.ndarray:
        """By how many pixels the flow points out of the picture."""
        sources = self._grid + flow
        beyond: np.ndarray = np.maximum(np.maximum(-sources, sources - self._last), 0).max(axis=-1)
        return beyond

    def _moved(self, picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
        """The picture with every pixel fetched from where the flow points."""
        sources = self._grid + flow
        moved: np.ndarray = cv2.remap(
            picture, sources[..., 0], sources[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return moved

    def _looks_cut(self, greys: list[np.ndarray]) -> bool:
        """Whether the second frame cannot be the first one moved: its structure is gone.

        On photographs, cuts correlate below 0.76 with most pixels lost, or not at all (black);
        moves up to 6 % of the width, noise, flashes and fades above 0.89.
        """
        found = _likeness(greys[0], self._moved(greys[1], self._there))
        returned = self._there + self._moved(self._back, self._there)
        lost = float((np.hypot(returned[..., 0], returned[..., 1]) > _LOST_PX).mean())
        return found < 0.4 or (found < 0.8 and lost > 0.6)


def _flow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    height, width = first.shape
    if min(height, width) < _SMALLEST_SIDE:  # DIS needs room for its patches on the coarsest scale
        return np.zeros((height, width, 2), np.float32)
    # Medium, not fast: on fine repeated texture fast loses the motion (21 against 36 dB).
    flow: np.ndarray = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(first, second, None)
    return flow


def _likeness(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation, -1 to 1; two flat pictures are alike."""
    one, two = (picture.astype(np.float32) - picture.mean() for picture in (first, second))
    if max(one.std(), two.std()) < _FLAT:
        return 1.0
    return float((one * two).mean() / (max(one.std(), _FLAT) * max(two.std(), _FLAT)))
