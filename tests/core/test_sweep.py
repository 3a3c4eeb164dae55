"""One recipe and values to try become recipes, and what cannot be is refused beside its field."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from svd_studio.core.clip import MAX_SEED, ClipSettings
from svd_studio.core.errors import BadInput, BadSetting
from svd_studio.core.sweep import around, differing, expand, numbers, seeds
from svd_studio.engines.catalog import ENGINES

NANO = ENGINES["svd-nano"]


def test_every_combination_is_made_once_and_the_motion_changes_fastest() -> None:
    made = expand(ClipSettings(prompt="waves"), {"seed": [1, 2], "motion_bucket": [30, 127, 30]}, NANO)
    assert [(one.seed, one.motion_bucket) for one in made] == [(1, 30), (1, 127), (2, 30), (2, 127)]
    assert {one.prompt for one in made} == {"waves"}
    assert differing(made) == ("seed", "motion_bucket")


def test_all_share_one_seed_unless_seeds_are_tried() -> None:
    drawn = {one.seed for one in expand(ClipSettings(), {"prompt": ["a", "b", "c"]}, NANO)}
    assert len(drawn) == 1
    assert None not in drawn
    assert {one.seed for one in expand(ClipSettings(seed=7), {"prompt": ["a", "b"]}, NANO)} == {7}


def test_a_speed_brings_its_own_steps_unless_somebody_chose_them() -> None:
    usual = ClipSettings(steps=NANO.native["steps"], scheduler=NANO.native["scheduler"])
    made = [one.resolve(NANO).settings for one in expand(usual, {"speed": ["draft", "best"]}, NANO)]
    assert made[0].steps < made[1].steps
    own = expand(usual.changed(steps=3), {"speed": ["draft", "best"]}, NANO)
    assert [one.steps for one in own] == [3, 3]


@pytest.mark.parametrize(
    ("sweep", "code", "field"),
    [
        ({}, "sweep.nothing", None),
        ({"motion_bucket": [60]}, "sweep.nothing", None),
        ({"motion_bucket": [60, 60]}, "sweep.nothing", None),
        ({"motion_bucket": [1, 2, 3, 4, 5, 6]}, "sweep.too_many_of", "motion_bucket"),
        ({"motion_bucket": [30, 256]}, "setting.out_of_range", "motion_bucket"),
        ({"motion_bucket": [30, "wild"]}, "setting.not_a_number", "motion_bucket"),
        ({"motion_bucket": [30, True]}, "setting.not_a_number", "motion_bucket"),
        ({"prompt": ["a", "b" * 3000]}, "setting.too_long", "prompt"),
        ({"speed": ["best", "warp"]}, "setting.unknown_choice", "speed"),
        ({"seed": [1, 2, 3], "motion_bucket": [1, 2, 3, 4, 5], "speed": ["best", "draft"]}, "sweep.too_many", None),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(sweep: Mapping[str, Any], code: str, field: str | None) -> None:
    with pytest.raises(BadInput) as refused:
        expand(ClipSettings(), sweep, NANO)
    assert refused.value.message.code == code
    assert (refused.value.field if isinstance(refused.value, BadSetting) else None) == field


def test_an_engine_that_knows_one_motion_only_says_so() -> None:
    locked = replace(NANO, locked={"motion_bucket": 127})
    with pytest.raises(BadSetting, match="locked"):
        expand(ClipSettings(), {"motion_bucket": [30, 127]}, locked)
    assert len(expand(ClipSettings(), {"motion_bucket": [127], "seed": [1, 2]}, locked)) == 2


def test_numbers_are_read_however_they_are_set_apart() -> None:
    assert numbers(" 30,60，127、200; 5 ") == [30, 60, 127, 200, 5]
    assert numbers("12.5, -3, ٣") == ["12.5", "-3", "٣"]
    assert numbers("") == []


def test_suggestions_are_three_possible_motions_with_the_present_one() -> None:
    for bucket in range(1, 256):
        offered = around(bucket)
        assert bucket in offered
        assert len(set(offered)) == 3
        assert all(1 <= one <= 255 for one in offered)


def test_seeds_follow_a_chosen_one() -> None:
    assert seeds(MAX_SEED, 3) == [MAX_SEED, 0, 1]
    assert len(set(seeds(None, 4))) == 4
