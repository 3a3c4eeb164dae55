"""Sizes and the ffmpeg filters that take frames there with their colours unchanged."""

from __future__ import annotations

import math

from svd_studio.core.clip import Scale

_SHORTER_SIDE: dict[Scale, int] = {"720p": 720, "1080p": 1080}
LONGEST_SIDE = 4096
MOST_PIXELS = 4096 * 2304
"""What H.264 decoders in phones and browsers take (level 5.2)."""


def scaled_size(size: tuple[int, int], scale: Scale | None) -> tuple[int, int]:
    """The (width, height) of the file: shape kept, both sides even, the shorter one 720 or 1080.

    A picture stops at what players take; below that and without scale, odd sides only lose one pixel.
    """
    factor = min(LONGEST_SIDE / max(size), math.sqrt(MOST_PIXELS / (size[0] * size[1])))
    if scale is None and factor >= 1:
        return _even(size[0]), _even(size[1])
    if scale is not None:
        factor = min(_SHORTER_SIDE[scale] / min(size), factor)
    return _even(size[0] * factor + 1), _even(size[1] * factor + 1)  # + 1 rounds to the nearest even number


def video_filter(size: tuple[int, int], target: tuple[int, int]) -> str:
    """The filter chain from full-range sRGB frames to tagged BT.709 yuv420p of the target size.

    The matrix is named because ffmpeg would take BT.601 for untagged RGB while players take
    BT.709, which shifts reds and greens. An odd side loses its last pixel instead of being scaled.
    """
    (width_made, height_made), (width, height) = size, target
    crop = [f"crop={width}:{height}:0:0"] if (_even(width_made), _even(height_made)) == target else []
    scale = (
        f"scale={width}:{height}:flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp"
        ":in_range=pc:out_range=tv:out_color_matrix=bt709"
    )
    tags = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    return ",".join([*crop, scale, "format=yuv420p", tags])


def _even(side: float) -> int:
    return max(2, int(side) // 2 * 2)
