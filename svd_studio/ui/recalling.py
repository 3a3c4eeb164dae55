"""Recipes that come back: where one was found, what of it fits into the form here, and what has to be told about it."""

import mimetypes
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from svd_studio.core.clip import ClipSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import BadInput, Message, StudioError
from svd_studio.core.infotext import LONGEST, Recalled, read_text
from svd_studio.engines.catalog import ENGINES
from svd_studio.library.clips import Clip
from svd_studio.library.uploads import confined_upload
from svd_studio.studio import TEXT_FILES, Studio, seen_by
from svd_studio.ui.picture_box import picture_name
from svd_studio.ui.settings_form import ROWS, as_typed, flat

MOTION = ("motion_bucket", "motion_fps", "image_noise", "guidance_first", "guidance_last", "steps", "scheduler")
"""What makes a clip move as it does, whatever its picture, length and shape."""

Sent = Mapping[str, Any]
"""What a page sent: a stranger's, looked at before it is used."""


@dataclass(frozen=True)
class Source:
    """A recipe that somebody pointed at: a clip of the library, a file that was dropped, or a text."""

    title: str
    recalled: Recalled
    picture: Path | None = None
    """The start picture, where the library has it and the asker may see it."""
    is_picture: bool = False
    """Whether the file could be a start picture itself, as a poster can."""
    is_text: bool = False


@dataclass(frozen=True)
class Fitted:
    """A recipe's fields as the form takes them, for one engine, and what had to be changed or left out."""

    info: EngineInfo
    named: Mapping[str, Any]
    notes: list[Message] = field(default_factory=list)


def find_source(studio: Studio, sent: Sent, owner: str) -> Source:
    """The recipe that a page points at. Raises BadInput or BadSetting when there is none that can be used."""
    if "clip" in sent:
        return _of_clip(studio, sent["clip"], owner)
    if "text" in sent:
        return Source("", read_text(str(sent["text"])[: LONGEST + 1]), is_text=True)
    found = dropped_source(studio, sent, owner)
    if found is None:
        raise BadInput("recipe.none_inside", name=_called(sent))
    return found


def dropped_source(studio: Studio, sent: Sent, owner: str) -> Source | None:
    """The recipe in a file that was dropped; None for a picture without one, which is a start picture.

    Raises BadInput for a video without a recipe, and for a recipe that cannot be used.
    """
    path = confined_upload(studio.config, str(sent.get("path")))
    is_video = (mimetypes.guess_type(path.name)[0] or "").startswith("video/")
    try:
        recalled = studio.recall(path)
    except BadInput as error:
        if error.message.code != "recipe.none_inside":
            raise
        if is_video:
            raise BadInput("recipe.video_without", name=_called(sent)) from None
        return None
    made = recalled.record.get("made")
    made = made if isinstance(made, dict) else {}
    title = picture_name({"name": made.get("title") or Path(_called(sent)).stem}, path)
    is_text = path.suffix.lower() in TEXT_FILES
    picture = _picture(studio, made.get("source_sha256"), owner)
    return Source(title, recalled, picture, is_picture=not (is_video or is_text), is_text=is_text)


def fitted(studio: Studio, settings: ClipSettings, present: EngineInfo) -> Fitted:
    """The recipe for its own engine, or for the present one where its own is not here."""
    info, notes = _engine(studio, settings, present)
    named = as_typed(settings) | {"engine": info.name}
    named |= {name: native for name, native in info.native.items() if named[name] is None}
    if named["shape"] is None and settings.width and settings.height:
        named["shape"] = info.nearest_shape((settings.width, settings.height))
    notes += _limit(named, info)
    return Fitted(info, {name: named[name] for name in ROWS}, notes)


def motion_of(settings: ClipSettings, present: EngineInfo) -> Fitted:
    """Only what makes the motion, for the engine that is chosen now."""
    values = flat(settings)
    named = {name: present.native.get(name) if values[name] is None else values[name] for name in MOTION}
    return Fitted(present, named, _limit(named, present))


def _of_clip(studio: Studio, clip_id: object, owner: str) -> Source:
    clip = studio.clips.get(clip_id[:40]) if isinstance(clip_id, str) else None
    if clip is None or seen_by(owner) not in (None, clip.owner):
        raise BadInput("recall.no_clip")
    picture = studio.inputs.of_hash(clip.rendered.source_sha256)
    return Source(clip.title, _recipe_of(studio, clip), picture)


def _recipe_of(studio: Studio, clip: Clip) -> Recalled:
    """What the file says, which a newer version may have written; without the file, what the index says."""
    with suppress(StudioError):
        return studio.recall(clip.rendered.path)
    return Recalled(clip.rendered.settings)


def _picture(studio: Studio, sha256: object, owner: str) -> Path | None:
    """The start picture that a dropped clip names, unless only others have made clips from it."""
    path = studio.inputs.of_hash(sha256)
    seen = seen_by(owner)
    return path if path and (seen is None or studio.clips.has_made(str(sha256), seen)) else None


def _engine(studio: Studio, settings: ClipSettings, present: EngineInfo) -> tuple[EngineInfo, list[Message]]:
    if settings.engine is None:
        return present, []
    info = ENGINES.get(settings.engine)
    if info is not None and studio.is_installed(info):
        return info, []
    code = "recall.engine_unknown" if info is None else "recall.engine_not_here"
    return present, [Message(code, {"engine": settings.engine, "present": present.name})]


def _limit(named: dict[str, Any], info: EngineInfo) -> list[Message]:
    """Change what this engine cannot do, and say so."""
    notes: list[Message] = []
    if "frames" in named:
        low, high, _ = info.frames
        given, named["frames"] = named["frames"], min(max(named["frames"], low), high)
        if given != named["frames"]:
            notes.append(Message("note.rounded", {"field": "frames", "given": given, "value": named["frames"]}))
    for name, fixed in info.locked.items():
        if name in named and named[name] != fixed:
            notes.append(Message("note.locked", {"engine": info.name, "field": name, "value": fixed}))
            named[name] = fixed
    return notes


def _called(sent: Sent) -> str:
    name = str(sent.get("name") or "")
    return "".join(letter if letter.isprintable() else "?" for letter in name[:80]) or "?"
