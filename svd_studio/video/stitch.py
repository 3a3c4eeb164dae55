"""Parts of a film become one: no frame twice, no step in colour, no jolt where one goes on from the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Frame = np.ndarray
"""uint8 RGB, (height, width, 3)."""

FADE = 3
"""Frames after a join in which the part before still shows, moved along with what it shows."""

MOST = 1.25
"""How much a colour's spread may be changed: beyond it the parts show different things."""


@dataclass(frozen=True)
class Colours:
    """How a part's colours become those of the part before: times `scale`, plus `offset`, for each channel."""

    scale: np.ndarray
    offset: np.ndarray

    def __call__(self, frame: Frame) -> Frame:
        changed: Frame = np.clip(frame * self.scale + self.offset + 0.5, 0, 255).astype(np.uint8)
        return changed


SAME = Colours(np.ones(3, np.float32), np.zeros(3, np.float32))


def colours_like(frame: Frame, wanted: Frame) -> Colours:
    """What gives a frame the mean and spread of colours that the wanted one has (Reinhard et al. 2001, in RGB)."""
    one, other = (picture.reshape(-1, 3).astype(np.float32) for picture in (frame, wanted))
    scale = np.clip(other.std(axis=0) / np.maximum(one.std(axis=0), 1.0), 1 / MOST, MOST)
    return Colours(scale, other.mean(axis=0) - scale * one.mean(axis=0))


@dataclass(frozen=True)
class Piece:
    """One part: how to get its frames, how many of them are shown, and what its colours need."""

    frames: Callable[[], np.ndarray]
    shown: int
    colours: Colours = SAME

    def last(self) -> Frame:
        """The frame that the next part goes on from, as it is shown."""
        return self.colours(self.frames()[self.shown - 1])


class Film(Sequence[Frame]):
    """All frames of all parts in a row, read part by part: memory stays flat at any length.

    A part's first frame is the last one of the part before, and is left out.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces

    def __len__(self) -> int:
        return sum(piece.shown for piece in self.pieces) - (len(self.pieces) - 1)

    def __getitem__(self, index: int) -> Frame:  # type: ignore[override]  # one frame is all that a poster needs
        return next(frame for at, frame in enumerate(self) if at == index)

    def __iter__(self) -> Iterator[Frame]:
        before: Frame | None = None
        for piece in self.pieces:
            frames = piece.frames()
            shown: Frame | None = None
            for at in range(0 if before is None else 1, piece.shown):
                shown = piece.colours(frames[at])
                if before is not None and at <= FADE:
                    shown = _faded(before, shown, 1 - at / (FADE + 1))
                yield shown
            before = shown if shown is not None else before


def _faded(before: Frame, frame: Frame, share: float) -> Frame:
    """The frame with so much of an earlier one in it, every pixel moved to where the frame has it."""
    from svd_studio.video.flow import Motion  # OpenCV: not on the path of quick commands

    motion = Motion(before, frame)
    if motion.is_cut:
        return frame
    mixed: Frame = np.rint(frame + (motion.first_moved().astype(np.float32) - frame) * share).astype(np.uint8)
    return mixed
