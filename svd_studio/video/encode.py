"""Frames to an H.264 file that every browser plays: streamed, exact in count, speed and colour."""

from __future__ import annotations

import logging
import math
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np

from svd_studio.core.errors import DiskFull, RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.video.encoders import X264, Encoder
from svd_studio.video.ffmpeg import Ffmpeg, FfmpegFailed
from svd_studio.video.files import PART_SUFFIX, write_whole
from svd_studio.video.filters import scaled_size, video_filter
from svd_studio.video.metadata import check_decodes

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncodedFile:
    """One whole file on disk, decoded once to be sure; `size` is (width, height)."""

    path: Path
    frames: int
    fps: float
    size: tuple[int, int]

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return self.frames / self.fps


def encode_clip(
    frames: Iterable[np.ndarray],
    path: Path,
    fps: float,
    size: tuple[int, int],
    comment: str,
    progress: Progress,
    total: int,
    encoder: Encoder = X264,
) -> EncodedFile:
    """Write the frames as an MP4 of `size` (width, height), scaling when they have another one.

    Odd sides lose one pixel, for yuv420p knows only even ones. `comment` is one text without
    carriage returns, as recipe_json makes it. `frames` is closed in every case; `total` is only
    for the progress. Raises RenderFailed, DiskFull, BadInput, Cancelled; then nothing is left.
    """
    target = scaled_size(size, None)
    written = 0

    def write(part: Path) -> None:
        nonlocal written
        written = _stream(progress.over(frames, "encode", total), part, exact_fps(fps), target, comment, encoder)

    try:
        write_whole(path, write, lambda part: check_decodes(part, written))
    except FfmpegFailed as error:
        _log.error("encoding %s: %s", path.name, error)
        if error.is_disk_full:
            raise DiskFull("files.disk_full", folder=str(path.parent)) from error
        raise RenderFailed("video.encoder_failed", exit_code=error.code) from error
    finally:
        if isinstance(frames, Generator):
            frames.close()
    return EncodedFile(path, written, float(exact_fps(fps)), target)


def exact_fps(fps: float) -> Fraction:
    """The fraction that was meant: 23.976 stays that, 24000 / 1001 written as a float is found again."""
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"not a frame rate: {fps}")
    return Fraction(fps).limit_denominator(1001)


def _stream(
    frames: Iterator[np.ndarray], part: Path, fps: Fraction, target: tuple[int, int], comment: str, encoder: Encoder
) -> int:
    first = next(frames, None)
    if first is None:
        raise RenderFailed("video.no_frames")
    written = 0
    tags = part.with_name(f"{part.stem}-tags{PART_SUFFIX}")  # beside it, where leftovers of killed processes are swept
    try:
        tags.write_bytes(_as_ffmetadata(comment))
        arguments = _arguments(part, fps, _size(first), target, tags, encoder)
        with Ffmpeg(arguments, takes_bytes=True, program=encoder.program) as ffmpeg:
            for frame in chain([first], frames):
                ffmpeg.write(_bytes(frame, first.shape))
                written += 1
            ffmpeg.finish()
    finally:
        tags.unlink(missing_ok=True)
    return written


def _arguments(
    part: Path, fps: Fraction, size: tuple[int, int], target: tuple[int, int], tags: Path, encoder: Encoder
) -> list[str]:
    width, height = size
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}", "-framerate", str(fps)]
    recipe = ["-f", "ffmetadata", "-i", f"file:{tags}", "-map", "0:v", "-map_metadata", "1"]
    codec = [*encoder.arguments, "-vf", video_filter(size, target)]
    # -f mp4, because the temporary name ends otherwise; faststart, so that playing starts before all has arrived
    output = ["-movflags", "+faststart", "-f", "mp4", "-y", f"file:{part}"]
    return ["-loglevel", "error", *raw, "-i", "pipe:0", *recipe, *codec, *output]


def _as_ffmetadata(comment: str) -> bytes:
    """The comment as ffmpeg reads it from a file: a command line is cut at 32 kB on Windows.

    Only what ffmpeg's reader would not give back byte for byte is refused; JSON never holds it.
    """
    if "\r" in comment or "\0" in comment or comment.endswith("\\"):
        raise ValueError("a comment is JSON, or plain text without returns")
    escaped = "".join(f"\\{letter}" if letter in "=;#\\\n" else letter for letter in comment)
    return f";FFMETADATA1\ncomment={escaped}\n".encode()


def _bytes(frame: np.ndarray, shape: tuple[int, ...]) -> memoryview:
    if frame.shape != shape or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f"a frame is uint8 {shape}, not {frame.dtype} {frame.shape}")
    return np.ascontiguousarray(frame).data.cast("B")


def _size(frame: np.ndarray) -> tuple[int, int]:
    return frame.shape[1], frame.shape[0]
