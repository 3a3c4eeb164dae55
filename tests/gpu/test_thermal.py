"""A hot card rests until it is cool, a hotter one takes nothing new, and a silent one stops nothing."""

import dataclasses
from dataclasses import asdict

import pytest

from svd_studio.core.errors import BadInput
from svd_studio.gpu.nvml import CardSample
from svd_studio.gpu.thermal import REST_AT_MOST_S, Heat, HeatLimits, ThermalGuard, over
from svd_studio.ui.texts import LANGUAGES, say
from tests.ui.test_gauge import CARD


def at(core: int | None, memory: int | None = None) -> CardSample:
    return dataclasses.replace(CARD, temperature_c=core, memory_temperature_c=memory)


class Card:
    """A guard whose card says what a test wants; a second passes at every look."""

    def __init__(self, limits: HeatLimits = HeatLimits()) -> None:  # noqa: B008  # frozen
        self.sample: CardSample | None = at(40)
        self.clock = 0.0
        self.looks = 0
        self.guard = ThermalGuard(self.look, lambda: limits, lambda: self.clock)

    def look(self) -> CardSample | None:
        self.looks += 1
        return self.sample

    def now(self, core: int | None, memory: int | None = None) -> ThermalGuard:
        self.sample = at(core, memory)
        self.clock += 1.0
        return self.guard


@pytest.mark.parametrize(
    ("core", "memory", "rests"),
    [(86, None, False), (87, None, True), (60, 99, False), (60, 100, True), (None, None, False), (None, 101, True)],
)
def test_a_clip_rests_from_the_limit_on(core: int | None, memory: int | None, rests: bool) -> None:
    assert (Card().now(core, memory).must_rest() is not None) == rests


@pytest.mark.parametrize(
    ("core", "memory", "goes_on"),
    [(79, None, False), (78, None, True), (78, 95, False), (78, 94, True), (None, None, True)],
)
def test_it_goes_on_when_every_sensor_is_cool(core: int | None, memory: int | None, goes_on: bool) -> None:
    assert Card().now(core, memory).may_go_on(1.0) == goes_on


def test_a_card_that_never_gets_cool_goes_on_when_it_need_not_rest() -> None:
    card = Card()
    assert not card.now(80).may_go_on(REST_AT_MOST_S - 1)
    assert card.now(80).may_go_on(REST_AT_MOST_S)
    assert not card.now(88).may_go_on(10 * REST_AT_MOST_S)


def test_no_clip_begins_from_the_highest_limit_until_it_is_cool() -> None:
    card = Card()
    assert card.now(91).must_wait() is None
    assert card.now(92).must_wait() == Heat("core", 92, 78)
    assert card.now(79).must_wait() == Heat("core", 79, 78)
    assert card.now(78).must_wait() is None
    assert card.now(91).must_wait() is None
    assert card.now(60, 105).must_wait() == Heat("memory", 105, 94)
    assert card.now(60, 95).must_wait() == Heat("memory", 95, 94)
    assert card.now(60, 94).must_wait() is None


def test_a_sensor_that_fails_stops_nothing() -> None:
    card = Card()
    assert card.now(95).must_wait() is not None
    card.sample = None
    card.clock += 1
    assert card.guard.must_wait() is None
    assert card.guard.must_rest() is None
    assert card.guard.may_go_on(0.0)


def test_the_card_is_not_asked_more_than_once_a_second() -> None:
    card = Card()
    for _ in range(50):
        card.guard.must_rest()
    assert card.looks == 1


def test_limits_can_be_changed_and_stay_in_their_bounds_and_order() -> None:
    changed = HeatLimits().changed({"warn_c": 70, "rest_c": 75, "cool_c": 65})
    assert asdict(changed) == asdict(HeatLimits()) | {"warn_c": 70, "rest_c": 75, "cool_c": 65}
    assert Card(changed).now(75).must_rest() is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"rest_c": 96},
        {"rest_c": 49},
        {"rest_c": True},
        {"rest_c": "80"},
        {"rest_c": 85.5},
        {"rest_c": None},
        {"rest_c": 10**400},
        {"memory_stop_c": 111},
        {"fans": 80},
        {"rest_c": 80},  # below the warning
        {"cool_c": 83},
        {"stop_c": 86},
        {"memory_rest_c": 90},
    ],
)
def test_what_is_no_limit_is_refused_in_words(changes: dict[str, object]) -> None:
    with pytest.raises(BadInput) as refused:
        HeatLimits().changed(changes)
    for language in LANGUAGES:
        assert say(refused.value.message, language)


@pytest.mark.parametrize("code", ["warm", "rests", "resting", "waits"])
@pytest.mark.parametrize("card", [at(99), at(40, 109)])
def test_every_heat_has_words(code: str, card: CardSample) -> None:
    heat = over(card, HeatLimits(), "stop")
    assert heat is not None
    for language in LANGUAGES:
        assert str(heat.degrees) in say(heat.told(code), language)
