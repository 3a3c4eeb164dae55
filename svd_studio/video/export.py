"""A finished clip for where it goes: other formats, other sizes, one frame as a picture; streamed, memory flat."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from PIL import Image

from svd_studio.core.errors import BadInput, DiskFull, RenderFailed
from svd_studio.video.ffmpeg import SAFE_INPUT, Ffmpeg, FfmpegFailed
from svd_studio.video.files import PART_SUFFIX, write_whole
from svd_studio.video.metadata import read_frames, read_record

Format = Literal["mp4", "webm", "gif", "zip"]
Size = tuple[int, int]

GIF_FPS = 30
"""Browsers slow down what wants more than 50 frames a second of a GIF."""


@dataclass(frozen=True)
class Export:
    """One way to take a clip along; `size` is (width, height) that it is fitted into, None as it is."""

    format: Format
    media_type: str
    size: Size | None = None


EXPORTS = MappingProxyType(
    {
        "1080x1920": Export("mp4", "video/mp4", (1080, 1920)),
        "1920x1080": Export("mp4", "video/mp4", (1920, 1080)),
        "1080x1080": Export("mp4", "video/mp4", (1080, 1080)),
        "webm": Export("webm", "video/webm"),
        "gif": Export("gif", "image/gif"),
        "png": Export("zip", "application/zip"),
    }
)
"""What a clip can be downloaded as, beside the MP4 that it is."""

H264 = ("-c:v", "libx264", "-preset", "fast", "-crf", "18", "-maxrate", "12M", "-bufsize", "24M", "-f", "mp4")
"""Good to the eye, quickly made, and not above what the sites for films and reels ask for at this size."""

VP9 = ("-c:v", "libvpx-vp9", "-crf", "24", "-b:v", "0", "-deadline", "good", "-cpu-used", "4", "-row-mt", "1")


def export_clip(clip: Path, export: Export, target: Path) -> None:
    """Write a clip anew at `target`, which appears whole or not at all.

    MP4 and WebM carry the recipe as their comment, a ZIP of pictures holds it as recipe.json; a GIF has no
    place for it. Raises RenderFailed when the clip cannot be read, DiskFull, BadInput.
    """
    writers: dict[Format, Callable[[Path, Path, Export], None]] = {
        "mp4": _write_mp4,
        "webm": _write_webm,
        "gif": _write_gif,
        "zip": _write_pictures,
    }
    with _in_words(clip, target.parent):
        write_whole(target, lambda part: writers[export.format](clip, part, export), lambda part: None)


def read_frame(clip: Path, number: int) -> bytes:
    """One frame as a PNG, exactly as it is decoded; the first is 1. Raises BadInput and RenderFailed."""
    one = ["-vf", f"select=eq(n\\,{number - 1}),{EXACT}", "-frames:v", "1", "-fps_mode", "passthrough"]
    output = ["-map", "0:v:0", *one, "-pix_fmt", "rgb24", "-c:v", "png", "-f", "image2pipe", "pipe:1"]
    with _in_words(clip, clip.parent), Ffmpeg(["-loglevel", "error", *_from(clip), *output]) as ffmpeg:
        picture = ffmpeg.output.read()
        ffmpeg.finish()
    if not picture:
        raise BadInput("export.no_frame", n=number)
    return picture


EXACT = "scale=flags=bicubic+accurate_rnd+full_chroma_int"
"""To RGB without the shortcuts that shift colours; as metadata.read_frames does it."""


def padding(size: Size) -> str:
    """The filters that show all of a clip in a frame of `size`, its rest filled with the clip itself, blurred.

    As video.pictures pads a start picture: blurring an eighth is 64 times less work.
    """
    width, height = size
    small = (max(2, width // 8), max(2, height // 8))
    fill = f"scale={small[0]}:{small[1]}:force_original_aspect_ratio=increase,crop={small[0]}:{small[1]}"
    blur = f"gblur=sigma={min(small) / 12:.2f},scale={width}:{height}:flags=bicubic"
    fit = f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=lanczos"
    return f"split[a][b];[a]{fill},{blur}[ground];[b]{fit}[clip];[ground][clip]overlay=(W-w)/2:(H-h)/2,setsar=1"


def _write_mp4(clip: Path, part: Path, export: Export) -> None:
    shaped = ["-vf", f"{padding(export.size)},format=yuv420p"] if export.size else []
    _run(clip, [*shaped, *H264, "-movflags", "+faststart"], part)


def _write_webm(clip: Path, part: Path, export: Export) -> None:
    _run(clip, [*VP9, "-pix_fmt", "yuv420p", "-f", "webm"], part)


def _write_gif(clip: Path, part: Path, export: Export) -> None:
    """In two passes: in one, all frames would wait in memory for the colours of the last."""
    palette = part.with_name(f"{part.stem}-palette{PART_SUFFIX}")
    slowed = f"fps=fps='min(source_fps,{GIF_FPS})'"
    try:
        _run(
            clip,
            ["-vf", f"{slowed},palettegen=stats_mode=full", "-update", "1", "-c:v", "png", "-f", "image2"],
            palette,
        )
        drawn = f"[0:v]{slowed}[clip];[clip][1:v]paletteuse=dither=bayer:bayer_scale=3:diff_mode=rectangle"
        taken = ["-f", "png_pipe", "-i", f"file:{palette}", "-filter_complex", drawn]
        _run(clip, [*taken, "-loop", "0", "-f", "gif"], part)
    finally:
        palette.unlink(missing_ok=True)


def _write_pictures(clip: Path, part: Path, export: Export) -> None:
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as pack:  # a PNG is packed already
        for number, frame in enumerate(read_frames(clip), 1):
            stream = io.BytesIO()
            Image.fromarray(frame).save(stream, "PNG", compress_level=4)
            pack.writestr(f"{number:05}.png", stream.getvalue())
        if record := read_record(clip):
            pack.writestr("recipe.json", json.dumps(record, ensure_ascii=False, indent=2))


def _run(clip: Path, arguments: list[str], part: Path) -> None:
    with Ffmpeg(["-loglevel", "error", *_from(clip), *arguments, "-y", f"file:{part}"]) as ffmpeg:
        ffmpeg.finish()


def _from(clip: Path) -> list[str]:
    return [*SAFE_INPUT, "-i", f"file:{clip}"]


@contextmanager
def _in_words(clip: Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except FfmpegFailed as error:
        if error.is_disk_full:
            raise DiskFull("files.disk_full", folder=str(folder)) from error
        raise RenderFailed("video.undecodable", name=clip.name) from error
