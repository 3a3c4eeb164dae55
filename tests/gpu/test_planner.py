"""The planner over a table of cards: what is chosen, what it promises, and what to lower when nothing fits."""

import itertools
from dataclasses import replace

import pytest

from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.errors import OutOfMemory
from svd_studio.core.vram import CARD, PROCESSOR, Place
from svd_studio.engines.catalog import ENGINES
from svd_studio.engines.costs import NANO_COSTS, SVD_COSTS
from svd_studio.gpu.planner import ALLOCATOR_SLACK, choose_plan, difference, plan_clip, thriftier

SVD_ENGINES = ("svd", "svd-xt", "svd-xt-1.1")


def recipe(engine: str = "svd-xt", **values: object) -> ResolvedSettings:
    return ClipSettings.from_person({"seed": 1, **values}).resolve(ENGINES[engine]).settings


@pytest.mark.parametrize(
    ("card_gb", "residency", "batched", "window"),
    [
        (24, "all", True, 14),
        (16, "all", True, 8),
        (12, "model", False, 8),
        (8, "group", False, 6),
        (6, "group", False, 4),
    ],
)
def test_svd_xt_in_full_size_on_each_class_of_card(card_gb: float, residency: str, batched: bool, window: int) -> None:
    free_gb = card_gb - 1.0  # the driver, the desktop and our reserve
    plan = plan_clip(ENGINES["svd-xt"], recipe(), CARD, free_gb)
    assert (plan.residency, plan.batched_guidance, plan.decode_window) == (residency, batched, window)
    assert plan.peak_gb * ALLOCATOR_SLACK <= free_gb


@pytest.mark.parametrize("card_gb", [8, 12, 16, 24])
@pytest.mark.parametrize("engine", SVD_ENGINES)
def test_every_size_and_frame_count_fits_every_card_from_8_gb(engine: str, card_gb: float) -> None:
    info = ENGINES[engine]
    for (width, height), frames in itertools.product(info.sizes.values(), range(2, info.frames[1] + 1)):
        settings = recipe(engine, width=width, height=height, frames=frames)
        plan = plan_clip(info, settings, CARD, card_gb - 1.0)
        assert plan.decode_window >= min(3, frames), "smaller windows show their seams"
        assert plan.residency != "sequential"


def test_a_bigger_card_never_gets_a_slower_plan() -> None:
    plans = ENGINES["svd-xt"].plans(recipe())
    ranks = [plans.index(choose_plan(plans, free_gb)) for free_gb in (4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 48, 80)]
    assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("guided", [3.0, 1.0])
@pytest.mark.parametrize("place", [CARD, PROCESSOR])
def test_no_plan_is_listed_twice(place: Place, guided: float) -> None:
    plans = ENGINES["svd-xt"].plans(recipe(guidance_last=guided, guidance_first=1.0), place)
    assert len(set(map(repr, plans))) == len(plans)
    assert {plan.residency for plan in plans} == ({"all", "model", "group", "sequential"} if place.on_card else {"all"})


@pytest.mark.parametrize("stage", ["load", "encode_inputs", "denoise", "decode"])
def test_out_of_memory_steps_down_until_there_is_nothing_left(stage: str) -> None:
    plans = ENGINES["svd-xt"].plans(recipe())
    plan, seen = plans[0], []
    while (following := thriftier(plans, plan, stage)) is not None:
        assert following.expected_peak_gb[stage] < plan.expected_peak_gb[stage]
        assert following.peak_gb <= plan.peak_gb
        seen.append(difference(plan, following).code)
        plan = following
    assert seen
    assert all(code.startswith("memory.goes_on.") for code in seen)


def test_each_step_down_is_told_by_what_it_changes() -> None:
    plan = ENGINES["svd-xt"].plans(recipe())[0]
    changes = {
        "memory.goes_on.group": {"residency": "group", "batched_guidance": False},
        "memory.goes_on.two_passes": {"batched_guidance": False, "decode_window": 8},
        "memory.goes_on.chunked": {"forward_chunk": 1},
        "memory.goes_on.window": {"decode_window": 4},
    }
    for code, change in changes.items():
        assert difference(plan, replace(plan, **change)).code == code  # type: ignore[arg-type]


def refusal(settings: ResolvedSettings, free_gb: float) -> OutOfMemory:
    with pytest.raises(OutOfMemory) as caught:
        plan_clip(ENGINES[settings.engine], settings, CARD, free_gb)
    return caught.value


def test_when_nothing_fits_the_frames_are_lowered_first() -> None:
    settings = recipe(width=1024, height=1024)
    told = refusal(settings, 4.4)
    assert told.message.code == "memory.lower_frames"
    frames = int(told.message.values["frames"])
    assert 12 < frames < 25
    plan_clip(ENGINES["svd-xt"], settings.changed(frames=frames), CARD, 4.4)
    refusal(settings.changed(frames=frames + 1), 4.4)


def test_when_fewer_frames_do_not_help_the_size_is_lowered() -> None:
    settings = recipe(width=1984, height=1024)
    told = refusal(settings, 3.0)
    assert told.message.code == "memory.lower_size"
    width, height = int(told.message.values["width"]), int(told.message.values["height"])
    assert width / height == pytest.approx(1984 / 1024, rel=0.1)
    plan_clip(ENGINES["svd-xt"], settings.changed(width=width, height=height), CARD, 3.0)


def test_when_nothing_helps_only_closing_programs_is_left() -> None:
    assert refusal(recipe(), 0.4).message.code == "memory.nothing_fits"


def test_a_processor_counts_wide_numbers_and_neither_context_nor_workspace() -> None:
    settings = recipe(frames=14)
    card, processor = (SVD_COSTS.plans(settings, place)[0].expected_peak_gb for place in (CARD, PROCESSOR))
    assert processor["load"] == pytest.approx(2 * (card["load"] - 0.5))
    assert processor["denoise"] == pytest.approx(2 * (card["denoise"] - 0.5))
    assert processor["decode"] < 2 * card["decode"]
    assert ENGINES["svd-nano"].plans(recipe("svd-nano"), PROCESSOR)[0].decode_window == 14


def test_main_memory_is_counted_too() -> None:
    large, small = SVD_COSTS.plans(recipe())[0], NANO_COSTS.plans(recipe("svd-nano"))[0]
    assert large.ram_gb > 6
    assert small.ram_gb < 3
    slow = SVD_COSTS.plans(recipe(), PROCESSOR)[0]
    assert slow.ram_gb > slow.peak_gb
