"""Whether a picture is out of focus at the size at which it will be used. Knows NumPy only: the page asks it."""

from __future__ import annotations

import numpy as np
from PIL import Image

SOFT_BELOW = 50.0
"""The shipped pictures have 1000 to 13,000 at a clip's size, blurred by two pixels 6 to 32 (tests/quality)."""

TILES = 8
SHARPEST = 90


def is_soft(picture: Image.Image) -> bool:
    """Whether even the sharpest parts of a picture have no fine detail; what is behind them may be blurred."""
    return detail(picture) < SOFT_BELOW


def detail(picture: Image.Image) -> float:
    """Variance of the Laplacian of luma in the sharpest tenth of 64 tiles."""
    grey = np.asarray(picture.convert("L"), dtype=np.float32)
    edges = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    rows = (row for row in np.array_split(edges, TILES) if row.size)
    tiles = (tile for row in rows for tile in np.array_split(row, TILES, axis=1) if tile.size)
    return float(np.percentile([tile.var() for tile in tiles], SHARPEST))
