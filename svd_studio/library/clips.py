"""The clips that are kept: files in clips/, with an index in studio.db."""

import json
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from svd_studio.core.clip import RenderedClip, ResolvedSettings
from svd_studio.database import Database
from svd_studio.video.files import write_whole

COLUMNS = (
    "id, job_id, file, poster, settings, source_sha256, title, owner, frames, fps, width, height, seconds,"
    " peak_memory_gb, plan, created"
)


@dataclass(frozen=True)
class Clip:
    """One clip of the library; `id` is random, so that knowing one tells nothing about another."""

    id: str
    job_id: int | None
    title: str
    owner: str
    created: float
    rendered: RenderedClip


class ClipLibrary:
    """Add and find clips. Files are named by the caller; rows hold names relative to the folder."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.database = database

    def add(self, rendered: RenderedClip, title: str, owner: str, job_id: int | None = None) -> Clip:
        """Index a finished file that already stands in the folder."""
        clip = Clip(new_id(), job_id, title, owner, time.time(), rendered)
        with self.database.transaction() as connection:
            connection.execute(f"INSERT INTO clips ({COLUMNS}) VALUES ({', '.join('?' * 16)})", self._as_row(clip))
        return clip

    def get(self, clip_id: str) -> Clip | None:
        """The clip of that id."""
        rows = self.database.connection.execute(f"SELECT {COLUMNS} FROM clips WHERE id = ?", (clip_id,))
        return next((self._as_clip(row) for row in rows), None)

    def newest(self, limit: int = 50, owner: str | None = None) -> list[Clip]:
        """The latest clips, of one owner or of all."""
        rows = self.database.connection.execute(
            f"SELECT {COLUMNS} FROM clips WHERE ?1 IS NULL OR owner = ?1 ORDER BY created DESC LIMIT ?2", (owner, limit)
        )
        return [self._as_clip(row) for row in rows]

    def seconds_of(self, engine: str, limit: int = 20) -> list[tuple[ResolvedSettings, Mapping[str, float]]]:
        """What recent clips of an engine took, by stage, to forecast the next."""
        rows = self.database.connection.execute(
            "SELECT settings, seconds FROM clips WHERE settings ->> 'engine' = ? ORDER BY created DESC LIMIT ?",
            (engine, limit),
        )
        return [(_settings(settings), json.loads(seconds)) for settings, seconds in rows]

    def _as_row(self, clip: Clip) -> tuple[Any, ...]:
        made = clip.rendered
        return (
            clip.id,
            clip.job_id,
            made.path.relative_to(self.folder).as_posix(),
            made.poster.relative_to(self.folder).as_posix() if made.poster else None,
            json.dumps(made.settings.as_json(), ensure_ascii=False),
            made.source_sha256,
            clip.title,
            clip.owner,
            made.frames,
            float(made.fps),
            *made.size,
            json.dumps(dict(made.seconds_by_stage)),
            float(made.peak_memory_gb),
            json.dumps(dict(made.plan)),
            clip.created,
        )

    def _as_clip(self, row: tuple[Any, ...]) -> Clip:
        clip_id, job_id, file, poster, settings, sha256, title, owner, frames, fps, width, height, *rest = row
        seconds, peak_memory_gb, plan, created = rest
        rendered = RenderedClip(
            path=self.folder / file,
            settings=_settings(settings),
            source_sha256=sha256,
            frames=frames,
            fps=fps,
            size=(width, height),
            seconds_by_stage=json.loads(seconds),
            peak_memory_gb=peak_memory_gb,
            plan=json.loads(plan),
            poster=self.folder / poster if poster else None,
        )
        return Clip(clip_id, job_id, title, owner, created, rendered)


def new_id() -> str:
    """An id that cannot be guessed: 128 random bits."""
    return secrets.token_urlsafe(16)


def copy_out(clip: Path, target: Path) -> None:
    """Copy a clip to where a person wants it, whole or not at all."""

    def write(part: Path) -> None:
        shutil.copyfile(clip, part)

    write_whole(target, write, lambda part: None)


def _settings(text: str) -> ResolvedSettings:
    return ResolvedSettings.from_file(json.loads(text))[0]
