"""Read a finished clip back from its own file: what the index knows of it is all inside."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from svd_studio.core.clip import RenderedClip, ResolvedSettings
from svd_studio.core.errors import DiskFull, StudioError
from svd_studio.video.metadata import probe, read_comment, read_frames, read_record
from svd_studio.video.poster import make_poster


def clip_in_file(path: Path) -> tuple[RenderedClip, Mapping[str, Any]] | None:
    """The clip in a file and what was written of its making; None when it is not ours or does not play.

    Decodes all of it, and draws its poster where there is none. Raises DiskFull.
    """
    record = read_record(path) or {}
    made = record.get("made")
    if not isinstance(made, dict):
        return None
    try:
        settings, _ = ResolvedSettings.from_file(record["settings"])
        facts = probe(path)
        clip = RenderedClip(
            path=path,
            settings=settings,
            source_sha256=str(made["source_sha256"]),
            frames=facts.frames,
            fps=facts.fps,
            size=(facts.width, facts.height),
            seconds_by_stage={str(stage): float(seconds) for stage, seconds in made["seconds"].items()},
            peak_memory_gb=float(made["peak_memory_gb"]),
            plan=dict(made["plan"]),
            poster=_poster(path),
        )
        json.dumps([clip.plan, dict(clip.seconds_by_stage)], allow_nan=False)
    except DiskFull:
        raise
    except (StudioError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return clip, made


def _poster(clip: Path) -> Path:
    poster = clip.with_suffix(".webp")
    if not poster.exists():
        make_poster(next(read_frames(clip)), poster, read_comment(clip) or "")
    return poster
