"""Make the index again from the files themselves: what is in clips/ and in the trash counts, and nothing is deleted."""

import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from svd_studio.core.clip import RenderedClip
from svd_studio.library.clips import Clip, ClipLibrary, new_id, size_of
from svd_studio.library.found import clip_in_file

AT_ONCE = 200
CLIP_ID = re.compile(r"[A-Za-z0-9_-]{22}")
DAY_S = 86400.0


@dataclass
class Rebuilt:
    """How many clips were known, found again under another name, and new; which files and rows were left alone."""

    known: int = 0
    moved: int = 0
    new: int = 0
    without_recipe: list[Path] = field(default_factory=list)
    without_file: list[Path] = field(default_factory=list)


class Rebuild:
    """Read every file once; clips that are known keep their ids, stars and measured times.

    Only what a file holds comes back after the index was lost: no stars, and not how long encoding took.
    `owner` is whose a clip is that does not say.
    """

    def __init__(self, clips: ClipLibrary, owner: str) -> None:
        self.clips, self.owner = clips, owner
        rows = sorted(clips.everything(), key=lambda clip: clip.trashed is None)  # of two at one place the kept one
        self._ids = {clip.id for clip in rows}
        self._known = {clip.rendered.path: clip for clip in rows if clip.is_here}
        self._lost = [clip for clip in rows if not clip.is_here]

    def run(self) -> Rebuilt:
        """Index what is there. Raises DiskFull."""
        done, batch = Rebuilt(), list[Clip]()
        for path in self._files():
            clip = self._clip(path, done)
            if clip is not None:
                batch.append(clip)
            if len(batch) == AT_ONCE:
                self.clips.write(batch)
                batch.clear()
        self.clips.write(batch)
        done.without_file = [clip.rendered.path for clip in self._lost]
        return done

    def _files(self) -> Iterator[Path]:
        for folder in (self.clips.folder, self.clips.trash):
            yield from sorted(path for path in folder.rglob("[!.]*.mp4") if path.is_file())

    def _clip(self, path: Path, done: Rebuilt) -> Clip | None:
        found = clip_in_file(path, decode=False)
        thrown = path.is_relative_to(self.clips.trash)
        if found is None or (thrown and not self._has_own_folder(path)):
            done.without_recipe.append(path)
            return None
        rendered, made = found
        if known := self._known.get(path):
            done.known += 1
            return _again(known if thrown else replace(known, trashed=None), rendered)
        if not thrown and (before := self._moved(rendered, made)):
            done.moved += 1
            return _again(before, rendered)
        done.new += 1
        return self._new(rendered, made, thrown)

    def _has_own_folder(self, path: Path) -> bool:
        """Whether a file lies in the trash as we lay one there."""
        folder = path.parent
        is_ours = folder.parent == self.clips.trash and CLIP_ID.fullmatch(folder.name) is not None
        return is_ours and (path in self._known or folder.name not in self._ids)

    def _moved(self, rendered: RenderedClip, made: Mapping[str, Any]) -> Clip | None:
        """The clip that lost its file and is this one: somebody gave the file another name."""
        for clip in self._lost:
            before = clip.rendered
            same = (clip.job_id, before.source_sha256, before.settings)
            if same == (made.get("job"), rendered.source_sha256, rendered.settings):
                self._lost.remove(clip)
                return replace(clip, trashed=None)
        return None

    def _new(self, rendered: RenderedClip, made: Mapping[str, Any], thrown: bool) -> Clip:
        path, job = rendered.path, made.get("job")
        return Clip(
            id=path.parent.name if thrown else new_id(),
            job_id=job if type(job) is int and 0 < job < 2**62 else None,
            title=_text(made.get("title")) or path.stem,
            owner=_text(made.get("owner")) or self.owner,
            created=_moment(made.get("created"), path),
            rendered=rendered,
            trashed=time.time() if thrown else None,
            bytes=size_of(rendered),
        )


def _again(clip: Clip, found: RenderedClip) -> Clip:
    """A known clip as its file tells it now; what was measured after the file was written stays."""
    before = clip.rendered
    rendered = replace(found, seconds_by_stage=before.seconds_by_stage, peak_memory_gb=before.peak_memory_gb)
    return replace(clip, rendered=rendered, bytes=size_of(rendered))


def _text(value: object) -> str:
    return "".join(letter for letter in value if letter.isprintable())[:200].strip() if isinstance(value, str) else ""


def _moment(value: object, path: Path) -> float:
    """When a clip says that it was made, or its file was, if it says nothing that could be true."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and math.isfinite(value) and 0 < value < time.time() + DAY_S:  # type: ignore[arg-type, operator]
        return float(value)  # type: ignore[arg-type]
    return path.stat().st_mtime
