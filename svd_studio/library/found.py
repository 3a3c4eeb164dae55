"""Read a finished clip back from its own file: what the index knows of it is all inside."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from svd_studio.core.clip import RenderedClip, ResolvedSettings
from svd_studio.core.errors import DiskFull, StudioError
from svd_studio.video.metadata import VideoFacts, probe, read_comment, read_frames, read_record
from svd_studio.video.poster import make_poster

LONGEST_STAGE_S = 1e7
SLOWEST_FPS = 0.1


def clip_in_file(path: Path, decode: bool = True) -> tuple[RenderedClip, Mapping[str, Any]] | None:
    """The clip in a file and what was written of its making; None when it is not ours or does not play.

    Decodes all of it, or believes what it says of itself where that will do. Draws its poster where
    there is none. Raises DiskFull.
    """
    record = read_record(path) or {}
    made = record.get("made")
    if not isinstance(made, dict):
        return None
    try:
        settings, _ = ResolvedSettings.from_file(record["settings"])
        facts = (None if decode else _told(made.get("video"))) or probe(path)
        clip = RenderedClip(
            path=path,
            settings=settings,
            source_sha256=_sha256(made["source_sha256"]),
            frames=facts.frames,
            fps=max(SLOWEST_FPS, facts.fps),
            size=(facts.width, facts.height),
            seconds_by_stage={str(stage): _seconds(told) for stage, told in made["seconds"].items()},
            peak_memory_gb=float(made["peak_memory_gb"]),
            plan=dict(made["plan"]),
            poster=_poster(path),
        )
        told = [clip.plan, dict(clip.seconds_by_stage), clip.peak_memory_gb]
        json.dumps(told, ensure_ascii=False, allow_nan=False).encode()
    except DiskFull:
        raise
    except (StudioError, KeyError, TypeError, ValueError, OverflowError, RecursionError, AttributeError):
        return None
    return clip, made


def _sha256(told: object) -> str:
    if not isinstance(told, str) or not re.fullmatch(r"[0-9a-f]{64}", told):
        raise ValueError("no sha256")
    return told


def _seconds(told: Any) -> float:
    seconds = float(told)
    if not 0 <= seconds <= LONGEST_STAGE_S:
        raise ValueError("nothing takes that long")
    return seconds


def _told(video: object) -> VideoFacts | None:
    """What a file says of its frames; None when it says nothing that could be true."""
    if not isinstance(video, dict):
        return None
    width, height, frames = (video.get(name) for name in ("width", "height", "frames"))
    fps = video.get("fps")
    numbers = all(type(number) is int and 0 < number < 10**5 for number in (width, height, frames))
    if not numbers or not isinstance(fps, float) or not SLOWEST_FPS <= fps < 1000:
        return None
    return VideoFacts(frames, fps, width, height, frames / fps, "unknown", "unknown")  # type: ignore[arg-type, operator]


def _poster(clip: Path) -> Path:
    poster = clip.with_suffix(".webp")
    if not poster.exists():
        make_poster(next(read_frames(clip)), poster, read_comment(clip) or "")
    return poster
