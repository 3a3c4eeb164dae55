"""The clips that are kept: files in clips/ (thrown away: in trash/), with an index in studio.db."""

import json
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from apsw import Connection

from svd_studio.core.clip import RenderedClip, ResolvedSettings
from svd_studio.core.errors import BadInput
from svd_studio.database import SLOWLY_FINISHED, Database
from svd_studio.library.clip_search import RATED_APART, ClipFilter, Cursor, searchable
from svd_studio.video.files import write_whole

COLUMNS = (
    "id, job_id, file, poster, settings, engine, words, source_sha256, title, owner, frames, fps, width, height,"
    " bytes, seconds, peak_memory_gb, plan, created, starred, trashed, rating"
)
MOST_STARS = 5
NAMES = COLUMNS.split(", ")
WRITE = (
    f"INSERT INTO clips ({COLUMNS}) VALUES ({', '.join('?' * len(NAMES))})"
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in NAMES[1:])}"
)


@dataclass(frozen=True)
class Clip:
    """One clip of the library; `id` is random, so that knowing one tells nothing about another.

    `trashed` is when it was thrown away; `bytes` what its files took when they were last looked at;
    `rating` is 1 to 5, or 0 where nobody has rated it.
    """

    id: str
    job_id: int | None
    title: str
    owner: str
    created: float
    rendered: RenderedClip
    starred: bool = False
    trashed: float | None = None
    bytes: int = 0
    rating: int = 0

    @property
    def is_here(self) -> bool:
        """Whether its file is still where we put it; somebody may have moved or deleted it by hand."""
        return self.rendered.path.is_file()

    def cursor(self, wanted: ClipFilter) -> Cursor:
        """Where a page of that list ended which ends with this clip."""
        if self.trashed is not None:
            return (self.trashed, self.id)
        return (self.rating * RATED_APART + self.created if wanted.best_first else self.created, self.id)


@dataclass(frozen=True)
class Holdings:
    """How many clips there are, and how many bytes they take."""

    count: int
    bytes: int


class ClipLibrary:
    """Add and find clips. Files are named by the caller; rows hold names relative to the folder."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.trash = folder.with_name("trash")
        self.database = database

    def add(self, rendered: RenderedClip, title: str, owner: str, job_id: int | None = None) -> Clip:
        """Index a finished file that already stands in the folder."""
        clip = Clip(new_id(), job_id, title, owner, time.time(), rendered, bytes=size_of(rendered))
        return self.write([clip])[0]

    def write(self, clips: Sequence[Clip]) -> list[Clip]:
        """Put clips into the index, over what stood there under their ids; a file that is there keeps its own.

        So a clip that somebody finds in the folder while its worker adds it is still one clip.
        """
        with self.database.transaction() as connection:
            written = [self._with_known_id(connection, clip) for clip in clips]
            connection.executemany(WRITE, [self._as_row(clip) for clip in written])
        return written

    def get(self, clip_id: str) -> Clip | None:
        """The clip of that id, also from the trash."""
        return next(self._select("id = ?", (clip_id,)), None)

    def of_file(self, path: Path) -> Clip | None:
        """The clip whose file this is, also in the trash; None when it is none of ours."""
        path = path.absolute()
        file = path.parent.name if path.is_relative_to(self.trash) else self._name(path)
        found = self._select("file = ? OR id = ?", (file, file))
        return next((clip for clip in found if clip.rendered.path == path), None)

    def newest(self, limit: int = 50, owner: str | None = None) -> list[Clip]:
        """The latest clips, of one owner or of all."""
        return self.page(ClipFilter(owner=owner), None, limit)

    def page(self, wanted: ClipFilter, after: Cursor | None = None, limit: int = 60) -> list[Clip]:
        """The clips that come after a cursor, latest first."""
        return list(self._select(*wanted.page(after, limit)))

    def everything(self) -> Iterator[Clip]:
        """Every clip, also those in the trash."""
        return self._select("1", ())

    def since(self, mark: int, wanted: ClipFilter, limit: int = 60) -> list[Clip]:
        """What was added after a mark, latest first; `mark` says how far the index has come."""
        where, values = wanted.where()
        return list(
            self._select(f"{where} AND rowid > ? ORDER BY created DESC, id DESC LIMIT ?", (*values, mark, limit))
        )

    def mark(self, owner: str | None = None) -> int:
        """How far the index of one owner, or of all, has come; a clock that jumps does not touch it."""
        asked = "SELECT max(rowid) FROM clips WHERE ?1 IS NULL OR owner = ?1"
        row = self.database.connection.execute(asked, (owner,)).fetchone()
        return int(row[0] or 0) if row else 0

    def holdings(self, wanted: ClipFilter) -> Holdings:
        """How much all of these are."""
        where, values = wanted.where()
        row = self.database.connection.execute(
            f"SELECT count(*), coalesce(sum(bytes), 0) FROM clips WHERE {where}", values
        ).fetchone()
        return Holdings(*map(int, row or (0, 0)))  # type: ignore[call-overload]  # two whole numbers

    def sizes(self, owner: str) -> dict[str, int]:
        """What each clip of one owner takes, by id, also those in the trash."""
        rows = self.database.connection.execute("SELECT id, bytes FROM clips WHERE owner = ?", (owner,))
        return {str(clip_id): int(size) for clip_id, size in rows}  # type: ignore[call-overload]  # a whole number

    def engines(self, owner: str | None = None) -> list[str]:
        """The engines that made the clips that are kept."""
        where, values = ClipFilter(owner=owner).where()
        rows = self.database.connection.execute(f"SELECT DISTINCT engine FROM clips WHERE {where} ORDER BY 1", values)
        return [str(row[0]) for row in rows]

    def has_made(self, sha256: str, owner: str) -> bool:
        """Whether a clip of that owner began with the picture of that hash."""
        found = self.database.connection.execute(
            "SELECT 1 FROM clips WHERE source_sha256 = ? AND owner = ? LIMIT 1", (sha256, owner)
        )
        return next(iter(found), None) is not None

    def of_jobs(self, jobs: Sequence[int], owner: str) -> dict[int, Clip]:
        """The clips that these jobs of one owner made, by job, also from the trash."""
        found = self._select(f"owner = ? AND job_id IN ({', '.join('?' * len(jobs))})", (owner, *jobs))
        return {clip.job_id: clip for clip in found if clip.job_id is not None}

    def star(self, clip_id: str, starred: bool) -> None:
        """Mark a clip as one of the best, or no longer."""
        with self.database.transaction() as connection:
            connection.execute("UPDATE clips SET starred = ? WHERE id = ?", (int(starred), clip_id))

    def marks(self, ids: Sequence[str], owner: str | None = None) -> dict[str, tuple[int, bool]]:
        """Rating and star of these clips by id, as far as they are there and that owner's (None: anybody's)."""
        asked = f"SELECT id, rating, starred FROM clips WHERE id IN ({', '.join('?' * len(ids))})"
        rows = self.database.connection.execute(f"{asked} AND (? IS NULL OR owner = ?)", (*ids, owner, owner))
        return {str(clip_id): (int(rating), bool(starred)) for clip_id, rating, starred in rows}  # type: ignore[call-overload]  # a whole number

    def rate(self, clip_id: str, rating: int) -> None:
        """Give a clip 1 to 5 stars, or none. Raises BadInput."""
        if type(rating) is not int or not 0 <= rating <= MOST_STARS:
            raise BadInput("clips.rating", most=MOST_STARS)
        with self.database.transaction() as connection:
            connection.execute("UPDATE clips SET rating = ? WHERE id = ?", (rating, clip_id))

    def forget(self, clip: Clip) -> None:
        """Take a clip whose file is gone off the list. Raises BadInput while its file is here."""
        if clip.is_here:
            raise BadInput("clips.still_here", title=clip.title)
        with suppress(OSError):
            clip.rendered.before.unlink(missing_ok=True)
            if clip.rendered.poster:
                clip.rendered.poster.unlink()
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM clips WHERE id = ?", (clip.id,))

    def seconds_of(self, engine: str, limit: int = 20) -> list[tuple[ResolvedSettings, Mapping[str, float]]]:
        """What recent clips of an engine took, by stage, to forecast the next; some that are slow to finish, too."""
        recent = (
            "SELECT id, settings, seconds FROM clips WHERE engine = :engine AND {} ORDER BY created DESC LIMIT :limit"
        )
        kinds = (f"SELECT * FROM ({recent.format(kind)})" for kind in ("trashed IS NULL", SLOWLY_FINISHED))
        asked = f"SELECT settings, seconds FROM ({' UNION '.join(kinds)})"
        rows = self.database.connection.execute(asked, {"engine": engine, "limit": limit})
        return [(_settings(settings), json.loads(seconds)) for settings, seconds in rows]

    def in_trash(self, clip_id: str, file: str) -> Path:
        """Where a file of a clip lies once it is thrown away; a folder each, so that names never meet."""
        return self.trash / clip_id / PurePosixPath(file).name

    def _with_known_id(self, connection: Connection, clip: Clip) -> Clip:
        """The clip under the id that its file has already."""
        if clip.trashed is not None:
            return clip
        row = connection.execute(
            "SELECT id FROM clips WHERE file = ? AND trashed IS NULL", (self._name(clip.rendered.path),)
        ).fetchone()
        return replace(clip, id=str(row[0])) if row else clip

    def _select(self, where: str, values: Any) -> Iterator[Clip]:
        rows = self.database.connection.execute(f"SELECT {COLUMNS} FROM clips WHERE {where}", values)
        return (self._as_clip(row) for row in rows)

    def _name(self, path: Path) -> str:
        """A file's name in the row: where it stands in the folder, or will stand when it comes back."""
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else path.name

    def _as_row(self, clip: Clip) -> tuple[Any, ...]:
        made = clip.rendered
        return (
            clip.id,
            clip.job_id,
            self._name(made.path),
            self._name(made.poster) if made.poster else None,
            json.dumps(made.settings.as_json(), ensure_ascii=False),
            made.settings.engine,
            searchable(clip.title, made.settings.prompt, made.settings.negative_prompt),
            made.source_sha256,
            clip.title,
            clip.owner,
            made.frames,
            float(made.fps),
            *made.size,
            clip.bytes,
            json.dumps(dict(made.seconds_by_stage)),
            float(made.peak_memory_gb),
            json.dumps(dict(made.plan)),
            clip.created,
            int(clip.starred),
            clip.trashed,
            clip.rating,
        )

    def _as_clip(self, row: tuple[Any, ...]) -> Clip:
        (
            clip_id, job_id, file, poster, settings, _, _, sha256, title, owner, frames, fps, width, height,
            size, seconds, peak_memory_gb, plan, created, starred, trashed, rating,
        ) = row  # fmt: skip
        rendered = RenderedClip(
            path=self._find(clip_id, file, trashed),
            settings=_settings(settings),
            source_sha256=sha256,
            frames=frames,
            fps=fps,
            size=(width, height),
            seconds_by_stage=json.loads(seconds),
            peak_memory_gb=peak_memory_gb,
            plan=json.loads(plan),
            poster=self._find(clip_id, poster, trashed) if poster else None,
        )
        return Clip(clip_id, job_id, title, owner, created, rendered, bool(starred), trashed, size, rating)

    def _find(self, clip_id: str, file: str, trashed: float | None) -> Path:
        """Where a file is; a kill between its move and its row leaves it in the other of the two places."""
        kept, thrown = self.folder / file, self.in_trash(clip_id, file)
        here, there = (kept, thrown) if trashed is None else (thrown, kept)
        return there if not here.exists() and there.exists() else here


def new_id() -> str:
    """An id that cannot be guessed: 128 random bits. None begins with a dash, which a terminal takes for a flag."""
    while (drawn := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return drawn


def size_of(rendered: RenderedClip) -> int:
    """How many bytes a clip's files take."""
    total = 0
    for path in (rendered.path, rendered.poster, rendered.before):
        with suppress(OSError):
            total += path.stat().st_size if path else 0
    return total


def copy_out(clip: Path, target: Path) -> None:
    """Copy a clip to where a person wants it, whole or not at all."""

    def write(part: Path) -> None:
        shutil.copyfile(clip, part)

    write_whole(target, write, lambda part: None)


def _settings(text: str) -> ResolvedSettings:
    return ResolvedSettings.from_file(json.loads(text))[0]
