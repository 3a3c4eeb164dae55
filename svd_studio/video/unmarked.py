"""A clip without what it says of itself, for giving away: the same pictures, no recipe, no words."""

from __future__ import annotations

from pathlib import Path

from svd_studio.core.errors import DiskFull, RenderFailed
from svd_studio.video.ffmpeg import SAFE_INPUT, Ffmpeg, FfmpegFailed
from svd_studio.video.files import write_whole
from svd_studio.video.metadata import read_comment


def write_without_recipe(clip: Path, target: Path) -> None:
    """Copy the streams of a clip into a new file at `target`, which appears whole or not at all.

    Nothing is encoded again. Raises RenderFailed when the clip cannot be read, DiskFull, BadInput.
    """
    try:
        write_whole(target, lambda part: _copy_streams(clip, part), _check_says_nothing)
    except FfmpegFailed as error:
        if error.is_disk_full:
            raise DiskFull("files.disk_full", folder=str(target.parent)) from error
        raise RenderFailed("video.undecodable", name=clip.name) from error


def _copy_streams(clip: Path, part: Path) -> None:
    bare = ["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]
    streams = ["-map", "0:v", "-map", "0:a?", "-c", "copy"]
    output = ["-movflags", "+faststart", "-f", "mp4", "-y", f"file:{part}"]
    with Ffmpeg(["-loglevel", "error", *SAFE_INPUT, "-i", f"file:{clip}", *streams, *bare, *output]) as ffmpeg:
        ffmpeg.finish()


def _check_says_nothing(part: Path) -> None:
    if read_comment(part) is not None:
        raise RenderFailed("video.undecodable", name=part.name)
