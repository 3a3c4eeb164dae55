"""What a machine shows becomes a sentence that says what to do."""

import dataclasses

import pytest

from svd_studio.gpu.nvml import CardSample
from svd_studio.gpu.slowing import card_slowing, processor_slowing
from svd_studio.gpu.telemetry import MachineSample
from svd_studio.ui.texts import LANGUAGES, say
from tests.ui.test_gauge import CARD

CALM = dataclasses.replace(CARD, used_gb=12.0, studio_gb=12.0, free_gb=12.0)


def seen(**change: object) -> CardSample:
    return dataclasses.replace(CALM, **change)  # type: ignore[arg-type]


def codes(*samples: CardSample, others_from_gb: float = 4.0) -> list[str]:
    said = card_slowing(samples, others_from_gb)
    assert all(say(message, language) for message in said for language in LANGUAGES)
    return [message.code for message in said]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"throttle": ("thermal",), "temperature_c": 88}, ["slow.hot"]),
        ({"throttle": ("thermal", "power_cap"), "temperature_c": None}, ["slow.hot", "slow.power"]),
        ({"throttle": ("power_cap",), "power_limit_w": None}, ["slow.power"]),
        ({"throttle": ("power_brake",)}, ["slow.brake"]),
        ({"throttle": ("hardware",)}, ["slow.hardware"]),
        ({"used_gb": 16.0}, ["slow.others"]),
        ({"used_gb": 15.9}, []),
        ({"used_gb": 23.0, "studio_gb": None}, []),  # on Windows nobody knows whose it is
        ({"free_gb": 0.1}, ["slow.full"]),
        ({"used_gb": None, "free_gb": None, "studio_gb": None}, []),
    ],
)
def test_each_reason_has_its_sentence(change: dict[str, object], expected: list[str]) -> None:
    assert codes(seen(**change)) == expected


def test_a_reason_that_comes_and_goes_does_not_flicker() -> None:
    assert codes(seen(throttle=("power_cap",)), seen(), seen()) == ["slow.power"]


def test_what_others_took_for_a_moment_is_not_held_against_them() -> None:
    assert codes(seen(used_gb=20.0), seen()) == []
    assert codes(seen(used_gb=20.0), seen(used_gb=21.0)) == ["slow.others"]


@pytest.mark.parametrize(
    ("all_percent", "ours_percent", "is_told"),
    [(95.0, 5.0, True), (95.0, 90.0, False), (30.0, 0.0, False), (95.0, None, False), (None, None, False)],
)
def test_a_processor_is_busy_with_others_work(
    all_percent: float | None, ours_percent: float | None, is_told: bool
) -> None:
    said = processor_slowing([MachineSample(32.0, 20.0, all_percent, ours_percent)] * 3)
    assert (said is not None) == is_told
    assert said is None or "90" in say(said)


def test_nothing_measured_is_nothing_said() -> None:
    assert processor_slowing([]) is None
