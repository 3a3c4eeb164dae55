"""What a file says of itself: the recipe inside it, and how many frames it really holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadInput, RenderFailed
from svd_studio.core.infotext import LONGEST
from svd_studio.video.ffmpeg import SAFE_INPUT, Ffmpeg, FfmpegFailed
from svd_studio.video.mp4_boxes import read_mp4_comment
from svd_studio.video.poster import read_poster_comment
from svd_studio.video.webm_tags import EBML, read_webm_comment

_STREAM = re.compile(r"^\s*Stream #0:.*: Video: (\w+)[^,]*, (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class VideoFacts:
    """What decoding a file showed; nothing of it is taken on trust from its header."""

    frames: int
    fps: float
    width: int
    height: int
    seconds: float
    codec: str
    pix_fmt: str


def recipe_text(path: Path) -> str:
    """Read a recipe that somebody saved as text or JSON. Raises BadInput."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(LONGEST + 1)
    except (OSError, ValueError) as error:
        raise BadInput("recipe.not_a_recipe") from error


def recipe_json(settings: ClipSettings, made: Mapping[str, Any] | None = None) -> str:
    """The text that a file carries: the recipe, and beside it what else is worth knowing.

    One line of readable JSON; what cannot be UTF-8 (half a surrogate pair) is escaped as JSON does.
    """
    record = {"software": "SVD Studio", "settings": settings.as_json(), "made": dict(made or {})}
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace").decode()


def read_recipe(path: Path) -> dict[str, Any] | None:
    """The settings in a clip or poster, for ClipSettings.from_file; None when it carries none."""
    settings = (read_record(path) or {}).get("settings")
    return settings if isinstance(settings, dict) else None


def read_record(path: Path) -> dict[str, Any] | None:
    """All that recipe_json wrote; None when the file holds nothing of the kind."""
    comment = read_comment(path)
    try:
        record = json.loads(comment or "null", parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def read_comment(path: Path) -> str | None:
    """The comment of an MP4, a WebM or a poster, judged by content and not by name; None when there is none."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head.startswith(EBML):
                return read_webm_comment(file)
            return read_mp4_comment(file) if head[4:8] == b"ftyp" else read_poster_comment(file)
    except (OSError, ValueError):
        return None


def probe(path: Path) -> VideoFacts:
    """Decode all of it and say what it is. Raises RenderFailed when that is not possible."""
    checked = ["-xerror", "-err_detect", "explode", *SAFE_INPUT, "-i", f"file:{path}", "-map", "0:v:0"]
    listed = ["-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "framecrc", "pipe:1"]
    try:
        with Ffmpeg([*checked, *listed]) as ffmpeg:
            frames, seconds, (width, height) = _counted(ffmpeg.output)
            ffmpeg.finish()
    except FfmpegFailed as error:
        raise RenderFailed("video.undecodable", name=path.name) from error
    found = _STREAM.search(ffmpeg.log)
    if not (frames and seconds):
        raise RenderFailed("video.undecodable", name=path.name)
    codec, pix_fmt = found.groups() if found else ("unknown", "unknown")
    return VideoFacts(frames, float(frames / seconds), width, height, float(seconds), codec, pix_fmt)


def check_decodes(path: Path, expected_frames: int) -> None:
    """Raise RenderFailed unless the file decodes to exactly this many frames."""
    if probe(path).frames != expected_frames:
        raise RenderFailed("video.undecodable", name=path.name)


def read_frames(path: Path) -> Iterator[np.ndarray]:
    """Yield the frames as uint8 RGB (height, width, 3). Raises RenderFailed when the file is broken."""
    accurate = ["-vf", "scale=flags=bicubic+accurate_rnd+full_chroma_int", "-pix_fmt", "rgb24"]
    output = ["-map", "0:v:0", "-fps_mode", "passthrough", *accurate, "-c:v", "ppm", "-f", "image2pipe", "pipe:1"]
    try:
        with Ffmpeg(["-loglevel", "error", *SAFE_INPUT, "-i", f"file:{path}", *output]) as ffmpeg:
            while (frame := _next_ppm(ffmpeg.output)) is not None:
                yield frame
            ffmpeg.finish()
    except FfmpegFailed as error:
        raise RenderFailed("video.undecodable", name=path.name) from error


def _counted(lines: IO[bytes]) -> tuple[int, Fraction, tuple[int, int]]:
    """Frames, seconds and size from ffmpeg's framecrc list: one line a frame, times as exact fractions."""
    frames, ticks, tick, size = 0, 0, Fraction(0), (0, 0)
    for line in lines:
        if line.startswith(b"#tb 0:"):
            tick = Fraction(line[6:].decode().strip())
        elif line.startswith(b"#dimensions 0:"):
            width, height = line[14:].split(b"x")
            size = int(width), int(height)
        elif not line.startswith(b"#"):
            frames += 1
            ticks += int(line.split(b",")[3])
    return frames, ticks * tick, size


def _next_ppm(output: IO[bytes]) -> np.ndarray | None:
    """The next picture of a PPM stream; each carries its size, so none has to be known before."""
    if output.readline() != b"P6\n":
        return None
    width, height = map(int, output.readline().split())
    output.readline()
    data = output.read(width * height * 3)
    if len(data) < width * height * 3:
        raise FfmpegFailed(0, "half a frame")
    return np.frombuffer(data, np.uint8).reshape(height, width, 3).copy()  # writable, like any frame


def _refuse(constant: str) -> None:
    raise ValueError(constant)
