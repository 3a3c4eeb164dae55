"""Choose how a render uses memory: the fastest plan that fits, or what to lower so that one does. No torch."""

from collections.abc import Iterator, Sequence

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import Message, OutOfMemory, Value
from svd_studio.core.vram import Place, VramPlan

ALLOCATOR_SLACK = 1.06
"""Blocks that torch's caching allocator holds and cannot reuse, as a share of what is live."""

WORTH_A_TRY = 0.97
"""A plan that promises less relief than this is not worth another try after memory ran out."""


def choose_plan(plans: Sequence[VramPlan], free_gb: float) -> VramPlan:
    """The first plan, fastest first, whose peak fits. Raises OutOfMemory naming what the thriftiest needs."""
    for plan in plans:
        if plan.peak_gb * ALLOCATOR_SLACK <= free_gb:
            return plan
    needed = min(plan.peak_gb for plan in plans) * ALLOCATOR_SLACK
    raise OutOfMemory("memory.nothing_fits", needed=f"{needed:.1f}", free=f"{free_gb:.1f}")


def plan_clip(info: EngineInfo, settings: ResolvedSettings, place: Place, free_gb: float) -> VramPlan:
    """The plan for a clip. Raises OutOfMemory, whose message names the field to lower and to what."""
    try:
        return choose_plan(info.plans(settings, place), free_gb)
    except OutOfMemory as error:
        code, values = _lower(info, settings, place, free_gb)
        raise OutOfMemory(code, **error.message.values, **values) from None


def thriftier(plans: Sequence[VramPlan], plan: VramPlan, stage: str) -> VramPlan | None:
    """The next plan after one that ran out of memory in a stage: it takes less there and nowhere more."""
    before = plan.expected_peak_gb
    for other in plans[plans.index(plan) + 1 :] if plan in plans else ():
        peaks = other.expected_peak_gb
        if peaks[stage] < WORTH_A_TRY * before[stage] and all(peaks[name] <= before[name] for name in peaks):
            return other
    return None


def difference(before: VramPlan, after: VramPlan) -> Message:
    """In words, what a thriftier plan does to need less: the change that matters most."""
    if after.residency != before.residency:
        return Message(f"memory.goes_on.{after.residency}")
    if after.forward_chunk != before.forward_chunk:
        return Message("memory.goes_on.chunked")
    if after.batched_guidance != before.batched_guidance:
        return Message("memory.goes_on.two_passes")
    return Message("memory.goes_on.window", {"n": after.decode_window})


def _lower(info: EngineInfo, settings: ResolvedSettings, place: Place, free_gb: float) -> tuple[str, dict[str, Value]]:
    """What to lower so that something fits: frames while half of them stay, else the size, else whatever helps."""

    def fits(smaller: ResolvedSettings) -> bool:
        return min(plan.peak_gb for plan in info.plans(smaller, place)) * ALLOCATOR_SLACK <= free_gb

    frames = next((fewer.frames for fewer in _fewer_frames(info, settings) if fits(fewer)), 0)
    if 2 * frames >= settings.frames:
        return "memory.lower_frames", {"frames": frames}
    for smaller in _smaller_sizes(info, settings):
        if fits(smaller):
            return "memory.lower_size", {"width": smaller.width, "height": smaller.height}
    return ("memory.lower_frames", {"frames": frames}) if frames else ("memory.nothing_fits", {})


def _fewer_frames(info: EngineInfo, settings: ResolvedSettings) -> Iterator[ResolvedSettings]:
    low, _, step = info.frames
    for frames in range(settings.frames - step, low - 1, -step):
        yield settings.model_copy(update={"frames": frames})


def _smaller_sizes(info: EngineInfo, settings: ResolvedSettings) -> Iterator[ResolvedSettings]:
    """Sizes of nearly the same shape, largest first."""
    long, short = max(settings.width, settings.height), min(settings.width, settings.height)
    for side in range(short - info.size_step, info.shortest_side - 1, -info.size_step):
        other = round(side * long / short / info.size_step) * info.size_step
        width, height = (other, side) if settings.width >= settings.height else (side, other)
        yield settings.model_copy(update={"width": width, "height": height})
