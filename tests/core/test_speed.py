"""What a speed gives up, as arithmetic that forecasts and plans use too."""

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadSetting
from svd_studio.core.speed import LEVELS, SHALLOW_COST, Level
from svd_studio.engines.catalog import ENGINES


def test_best_gives_up_nothing() -> None:
    assert LEVELS["best"] == Level()
    assert LEVELS["best"].work(25, guided=True) == 50
    assert ClipSettings().speed == "best"


def test_work_counts_whole_and_shallow_and_unguided_steps() -> None:
    level = Level(reuse=2, guided=0.5)
    # whole and guided, shallow and guided, whole, shallow
    assert level.work(4, guided=True) == pytest.approx(2 + 2 * SHALLOW_COST + 1 + SHALLOW_COST)
    assert level.work(4, guided=False) == pytest.approx(2 + 2 * SHALLOW_COST)


@pytest.mark.parametrize(("speed", "faster"), [("good", 1.6), ("draft", 2.5)])
def test_each_speed_is_worth_its_loss(speed: str, faster: float) -> None:
    made = ClipSettings.from_person({"speed": speed, "steps": 25}).resolve(ENGINES["svd-xt"]).settings
    assert LEVELS["best"].work(25, guided=True) / made.level.work(25, guided=True) > faster


def test_a_draft_takes_fewer_steps_unless_they_were_set() -> None:
    info = ENGINES["svd-xt"]
    drafted = ClipSettings(speed="draft").resolve(info).settings
    assert (drafted.steps, drafted.scheduler) == (15, "dpm")
    asked = ClipSettings(speed="draft", steps=30, scheduler="euler").resolve(info).settings
    assert (asked.steps, asked.scheduler) == (30, "euler")


def test_an_unknown_speed_is_refused_with_the_choices() -> None:
    with pytest.raises(BadSetting, match=r"setting\.unknown_choice") as refusal:
        ClipSettings.from_person({"speed": "ludicrous"})
    assert refusal.value.message.values["choices"] == "best, good, draft"
