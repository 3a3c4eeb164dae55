"""Steps far slower than forecast are noticed once, and the reason is the one that the card shows."""

import dataclasses

import pytest

from svd_studio.core.errors import Message
from svd_studio.core.progress import Progress
from svd_studio.gpu.telemetry import CardSample, MachineSample, Snapshot
from svd_studio.jobs.slowness import SlownessWatch, slowed_by
from tests.ui.test_gauge import CARD


class Heard(Progress):
    def __init__(self) -> None:
        self.notes: list[Message] = []

    def note(self, message: Message) -> None:
        self.notes.append(message)


def run(seconds: list[float], step_s: float | None, snapshot: Snapshot | None = None) -> list[Message]:
    heard, clock = Heard(), [0.0]
    watch = SlownessWatch(heard, step_s, lambda: snapshot, lambda: clock[0])
    watch.report("denoise", 0, len(seconds))
    for done, spent in enumerate(seconds, start=1):
        clock[0] += spent
        watch.report("denoise", done, len(seconds))
    return heard.notes


def test_slow_steps_in_a_row_are_told_once() -> None:
    assert len(run([5.0] * 6, step_s=1.0)) == 1


@pytest.mark.parametrize(
    ("seconds", "step_s"),
    [([1.0] * 6, 1.0), ([9.0, 1.0, 9.0, 9.0, 1.0, 1.0], 1.0), ([5.0] * 6, None), ([2.0] * 6, 1.0), ([9.0] * 2, 1.0)],
)
def test_what_is_usual_or_a_hiccup_or_unknown_is_not_told(seconds: list[float], step_s: float | None) -> None:
    assert run(seconds, step_s) == []


def test_after_a_change_of_plan_slowness_is_no_news() -> None:
    heard = Heard()
    watch = SlownessWatch(heard, 1e-9, lambda: None)
    watch.note(Message("memory.goes_on.group"))
    for done in range(1, 6):
        watch.report("denoise", done, 5)
    assert [note.code for note in heard.notes] == ["memory.goes_on.group"]


def seen(**change: object) -> Snapshot:
    card: CardSample = dataclasses.replace(CARD, used_gb=15.0, studio_gb=14.6, free_gb=9.0, **change)  # type: ignore[arg-type]
    return Snapshot((card,), MachineSample(32.0, 20.0, 12.0), "ok", None, "580", (13, 0), 0.0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"throttle": ("thermal", "power_cap"), "temperature_c": 88}, "slow.hot"),
        ({"studio_gb": 9.0}, "slow.others"),
        ({"free_gb": 0.1}, "slow.full"),
        ({"throttle": ("power_cap",)}, "slow.power"),
        ({}, "slow.unknown"),
        ({"studio_gb": None}, "slow.unknown"),
    ],
)
def test_the_reason_is_the_one_that_the_card_shows(change: dict[str, object], code: str) -> None:
    shown = seen()
    shown = dataclasses.replace(shown, cards=(dataclasses.replace(shown.cards[0], **change),))  # type: ignore[arg-type]
    assert slowed_by(shown).code == code


def test_without_a_card_the_processor_is_busy() -> None:
    assert slowed_by(None).code == "slow.processor"
