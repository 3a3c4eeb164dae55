"""Make a finished clip longer: its recipe with one part more, what becomes of it in a line, or why that cannot be."""

from dataclasses import dataclass
from pathlib import Path

from svd_studio.core.clip import ClipSettings, ResolvedSettings, bounds
from svd_studio.core.errors import BadInput, Message
from svd_studio.engines.catalog import ENGINES
from svd_studio.library.clips import Clip
from svd_studio.studio import Studio
from svd_studio.video.finish import playback_fps
from svd_studio.video.pictures import picture_size


@dataclass(frozen=True)
class Longer:
    """The recipe of the longer clip, the picture that it begins with, and a line that says what Generate will do."""

    settings: ClipSettings
    picture: Path
    said: Message


def longer(studio: Studio, clip: Clip, shown: int | None) -> Longer:
    """Let a clip go on from its end, or from the frame that is shown (the first is 1).

    A film of several parts goes on from its end: all its joins are alike. Raises BadInput, with a way on.
    """
    before = clip.rendered.settings
    picture = _start_of(studio, clip)
    _refuse_other_makers(studio, clip, picture)
    if before.parts >= bounds("parts")[1]:
        raise BadInput("extend.longest", title=clip.title, most=before.parts)
    asked: dict[str, int | None] = {"parts": before.parts + 1}
    if before.parts == 1:
        asked["go_on_from"] = _join(clip, shown)
    after = before.changed(**asked)
    return Longer(after, picture, _said(clip, before, after))


def _join(clip: Clip, shown: int | None) -> int | None:
    """How many frames the engine made before the one that is shown; None at the end."""
    made = clip.rendered.settings
    at = made.frames - 1 if shown is None else min((shown - 1) // made.finish.smooth, made.frames - 1)
    if at == 0:
        raise BadInput("extend.first", title=clip.title)
    return None if at == made.frames - 1 else at


def _start_of(studio: Studio, clip: Clip) -> Path:
    if clip.trashed is not None:
        raise BadInput("extend.trashed", title=clip.title)
    picture = studio.inputs.of_hash(clip.rendered.source_sha256)
    if picture is None:
        raise BadInput("extend.no_start", title=clip.title)
    return picture


def _refuse_other_makers(studio: Studio, clip: Clip, picture: Path) -> None:
    """A new part of another model or size would not fit onto the others."""
    made = clip.rendered.settings
    info = ENGINES.get(made.engine)
    if info is None or not studio.is_installed(info):
        raise BadInput("extend.engine", title=clip.title, engine=made.engine)
    now = made.resolve(info, picture_size(picture)).settings
    if (now.width, now.height, now.frames) != (made.width, made.height, made.frames):
        raise BadInput("extend.size", title=clip.title, width=made.width, height=made.height)


def _said(clip: Clip, before: ResolvedSettings, after: ResolvedSettings) -> Message:
    joined_at = before.parts * (after.part_frames - 1) + 1
    smooth = after.finish.smooth
    code = "extend.from_end" if joined_at == before.frames_in_all else "extend.from_frame"
    seconds = f"{after.frames_in_all * smooth / playback_fps(after):.1f}"
    frame = (joined_at - 1) * smooth + 1
    return Message(code, {"title": clip.title, "n": frame, "parts": after.parts, "seconds": seconds})
