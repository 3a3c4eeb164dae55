"""What the page says beside the form's fields, and the frame that they ask for."""

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import BadSetting, Message
from svd_studio.library.certificates import Figures
from svd_studio.ui.texts import say
from svd_studio.video.finish import playback_fps

CROP = ("focus_x", "focus_y", "crop_zoom")
FRAMING = ("shape", "width", "height", "fit")
"""What decides about a picture's frame; without the last, or without the last three, it can hardly be wrong."""

LENGTH = ("frames", "parts", "steps")
"""What decides most about how long a clip is and takes."""

MOST_SHOWN = 1e9
"""Beyond every number that a field holds."""

MOTIONS = {"calm": 79, "usual": 149, "lively": 189, "wild": 255}
"""The highest motion bucket of each word."""


def beside(settings: ResolvedSettings, language: str, figures: Figures = MappingProxyType({})) -> dict[str, str]:
    """A few words beside a field, by its name; what its speed costs, where it was measured on these weights."""
    seconds = settings.frames_in_all * settings.finish.smooth / playback_fps(settings)
    return {
        "frames": say(Message("page.beside.seconds", {"seconds": f"{seconds:.1f}"}), language),
        "motion_bucket": say(f"page.motion.{motion(settings.motion_bucket)}", language),
        "speed": _speed(settings.speed, figures, language),
    }


def _speed(speed: str, figures: Figures, language: str) -> str:
    words = say(f"page.speed.{speed}", language)
    if speed not in figures:
        return words
    measured = {name: f"{figures[speed][name]:g}" for name in ("faster", "psnr")}
    return say(Message("page.speed.measured", {"words": words, **measured}), language)


def motion(bucket: int) -> str:
    """How much a bucket moves, in a word."""
    return next(word for word, highest in MOTIONS.items() if bucket <= highest)


def framing(typed: Mapping[str, Any], info: EngineInfo, picture_size: tuple[int, int]) -> ResolvedSettings:
    """The frame that the form asks for, as far as what stands there is possible."""
    for names in (FRAMING, FRAMING[:3], FRAMING[:1], ()):
        with suppress(BadSetting):
            asked = {name: typed[name] for name in (*names, *CROP)}
            return ClipSettings.from_person(asked).resolve(info, picture_size).settings
    return ClipSettings().resolve(info, picture_size).settings


def as_shown(value: Any) -> str | float | None:
    """What a field of the page shows for a value that it sent; nothing for one that none can hold."""
    if isinstance(value, str):
        return value[:40]
    return value if type(value) in (int, float) and abs(value) < MOST_SHOWN else None
