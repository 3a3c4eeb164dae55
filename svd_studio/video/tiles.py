"""A frame made larger piece by piece, so that memory does not grow with it, and without a trace of the pieces."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

Frame = np.ndarray
"""uint8 RGB, (height, width, 3)."""

Network = Callable[[Frame], Frame]
"""Makes a picture of any size larger by the same factor."""

TILE = 256
"""Pixels a side that a tile shows at most; on two processor cores such a one takes a second or two."""

REACH = 24
"""Pixels around a tile that the network sees, too: at least as far as it looks, so that neighbours meet exactly."""

Span = tuple[int, int]


def tiles_of(size: tuple[int, int]) -> int:
    """How many tiles a frame of (width, height) takes."""
    return math.prod(len(list(_spans(side))) for side in size)


def enlarged(frame: Frame, factor: int, network: Network, tile_done: Callable[[], None]) -> Frame:
    """The frame, larger by `factor`; `tile_done` is called after each tile, and may raise to stop."""
    height, width = frame.shape[:2]
    large = np.empty((height * factor, width * factor, 3), np.uint8)
    for top, bottom in _spans(height):
        for left, right in _spans(width):
            high, wide = _around(top, bottom, height), _around(left, right, width)
            tile = network(np.ascontiguousarray(frame[slice(*high), slice(*wide)]))
            rows, columns = _inside(top, bottom, high[0], factor), _inside(left, right, wide[0], factor)
            large[top * factor : bottom * factor, left * factor : right * factor] = tile[rows, columns]
            tile_done()
    return large


def _spans(side: int) -> Iterator[Span]:
    """A side cut into equal parts, none longer than a tile."""
    parts = math.ceil(side / TILE)
    for part in range(parts):
        yield side * part // parts, side * (part + 1) // parts


def _around(first: int, last: int, side: int) -> Span:
    return max(0, first - REACH), min(side, last + REACH)


def _inside(first: int, last: int, start: int, factor: int) -> slice:
    return slice((first - start) * factor, (last - start) * factor)
