"""How long a clip will take, learnt from this machine's own finished clips."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.progress import STAGES, Stage

LEAST_S: dict[Stage, float] = dict.fromkeys(STAGES, 0.0) | {"load": 0.1}
"""A load shorter than this loaded nothing, and tells nothing of one that does."""

SHORTER_SIDE = {"720p": 720, "1080p": 1080}

History = Iterable[tuple[ResolvedSettings, Mapping[str, float]]]


@dataclass(frozen=True)
class Forecast:
    """Expected seconds by stage, and the slow stage, if any, of which nobody knows yet how long it takes here."""

    by_stage: Mapping[Stage, float]
    leaves_out: Stage | None = None

    @property
    def seconds(self) -> float:
        """The whole job."""
        return sum(self.by_stage.values())

    def after(self, stage: Stage) -> float:
        """What is still to come once a stage is done."""
        return sum(self.by_stage.get(later, 0.0) for later in STAGES[STAGES.index(stage) + 1 :])


def forecast(settings: ResolvedSettings, history: History) -> Forecast | None:
    """Scale what earlier clips of the same engine took to this one's size; None without any.

    Stages that kept parts spared are not in a clip's seconds and do not count. A network takes some ten times as long
    as the flow for a frame between frames, so neither tells of the other.
    """
    rates: dict[Stage, list[float]] = {stage: [] for stage in STAGES}
    for earlier, seconds in history:
        is_alike = earlier.finish.by_rife == settings.finish.by_rife
        for stage in STAGES:
            if seconds.get(stage, 0.0) > LEAST_S[stage] and (stage != "finish" or is_alike):
                rates[stage].append(seconds[stage] / work(earlier, stage))
    if not rates["denoise"]:
        return None
    if settings.finish.enlarge == 1:
        rates["enlarge"] = []
    expected = {stage: statistics.median(found) * work(settings, stage) for stage, found in rates.items() if found}
    slow: dict[Stage, bool] = {"enlarge": settings.finish.enlarge > 1, "finish": settings.finish.by_rife}
    return Forecast(expected, next((stage for stage in slow if slow[stage] and stage not in expected), None))


def work(settings: ResolvedSettings, stage: Stage) -> float:
    """How much there is to do, in units that only mean something within one stage of one engine."""
    pixels = settings.width * settings.height
    if stage == "load":
        return 1.0
    if stage == "encode_inputs":
        return pixels
    frames = settings.frames * pixels
    if stage == "denoise":
        return settings.parts * frames * settings.level.work(settings.steps, settings.is_guided)
    if stage == "decode":
        return settings.parts * frames
    frames = settings.frames_in_all * pixels
    if stage == "enlarge":  # both networks look at every pixel once, whatever they make of it
        return frames
    made = frames * settings.finish.enlarge**2 * settings.finish.smooth
    scale = settings.finish.scale
    if stage == "finish" or scale is None:
        return made
    factor = SHORTER_SIDE[scale] / min(settings.width, settings.height)
    return frames * settings.finish.smooth * factor**2
