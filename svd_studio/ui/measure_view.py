"""What the Models page says of measuring an engine's lossy speeds: how long it takes, how far it is, what it found."""

from collections.abc import Sequence
from dataclasses import dataclass

from svd_studio.core.clip import ClipSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import Message, Value
from svd_studio.jobs.measures import Measure
from svd_studio.rendering.measuring import COMPARED, LOSSY
from svd_studio.studio import Studio
from svd_studio.ui.result import spoken_seconds


@dataclass(frozen=True)
class Measuring:
    """The button, the line while it waits or runs, the reason why it was given up, and the fact beside "Measured"."""

    acts: Sequence[str] = ()
    line: Message | None = None
    problem: Message | None = None
    fact: Message | None = None


def measuring(studio: Studio, info: EngineInfo, language: str) -> Measuring:
    """Everything of an engine; nothing for one that is not here or has but one speed."""
    if not can_measure(studio, info):
        return Measuring()
    wish = studio.wishes.measures.of(info.name)
    fact = _figures(studio, info) or promised("not_yet", studio, info, language)
    if wish is None or wish.failed:
        return Measuring(("measure",), problem=wish.failed if wish else None, fact=fact)
    return Measuring(("stop_measuring",), _line(studio, wish), fact=fact)


def can_measure(studio: Studio, info: EngineInfo) -> bool:
    """Whether an engine is here and has speeds to compare."""
    return "speed" not in info.locked and studio.is_installed(info)


def promised(code: str, studio: Studio, info: EngineInfo, language: str) -> Message:
    """A sentence that tells how long it takes, where that is known."""
    known = [studio.forecast(ClipSettings(engine=info.name, speed=speed).resolve(info).settings) for speed in COMPARED]
    seconds = sum(clip.seconds for clip in known if clip)
    if not seconds:
        return Message(f"page.models.measure.{code}_unknown", {"n": len(COMPARED)})
    return Message(f"page.models.measure.{code}", {"time": spoken_seconds(seconds, language)})


def _line(studio: Studio, wish: Measure) -> Message:
    if wish.clip:
        return Message("page.models.measure.clip", {"clip": wish.clip, "of": len(COMPARED)})
    return Message("page.models.measure.paused" if studio.queue.is_paused() else "page.models.measure.waits")


def _figures(studio: Studio, info: EngineInfo) -> Message | None:
    """What this machine's own measurement said of the lossy speeds."""
    figures = studio.certified(info)
    if not set(LOSSY) <= figures.keys():
        return None
    values: dict[str, Value] = {
        f"{name}_{key}": f"{figures[name][key]:.1f}" for name in LOSSY for key in ("faster", "psnr")
    }
    return Message("page.models.measured", values)
