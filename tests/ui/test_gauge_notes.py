"""Heat comes first, what is usual is said calmly, and nothing is a wall of sentences."""

import dataclasses

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.engines.catalog import ENGINES
from svd_studio.gpu.fit import Fit, fit_clip
from svd_studio.gpu.nvml import CardSample
from svd_studio.gpu.telemetry import MachineSample, Snapshot
from svd_studio.gpu.thermal import HeatLimits
from svd_studio.ui.gauge import gauge_html
from svd_studio.ui.gauge_history import POINTS, history_view
from svd_studio.ui.gauge_notes import MOST, gauge_notes
from svd_studio.ui.texts import LANGUAGES
from tests.ui.test_gauge import CARD, snapshot, words_of

CALM = dataclasses.replace(CARD, used_gb=12.0, studio_gb=12.0, free_gb=12.0)


def seen(**change: object) -> CardSample:
    return dataclasses.replace(CALM, **change)  # type: ignore[arg-type]


def said(*cards: CardSample, fit: Fit | None = None, limits: HeatLimits = HeatLimits()) -> list[tuple[str, str]]:  # noqa: B008  # frozen
    notes = gauge_notes([snapshot(card) for card in cards], limits, fit)
    assert words_of(gauge_html(snapshot(cards[-1]), "zh-CN", fit, notes))
    return [(note.message.code, note.mood) for note in notes[0]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"temperature_c": 83}, [("heat.warm", "warm")]),
        ({"memory_temperature_c": 96}, [("heat.memory.warm", "warm")]),
        ({"temperature_c": 87, "throttle": ("thermal",)}, [("heat.rests", "bad")]),
        ({"temperature_c": 92}, [("heat.waits", "bad")]),
        ({"throttle": ("power_cap",)}, [("slow.power", "calm")]),
        ({"throttle": ("thermal",), "temperature_c": None}, [("slow.hot", "bad")]),
    ],
)
def test_what_is_said(change: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert said(seen(**change)) == expected


def test_at_most_so_many_sentences() -> None:
    everything = seen(temperature_c=93, used_gb=23.9, studio_gb=1.0, free_gb=0.1, throttle=("thermal", "power_brake"))
    assert len(said(everything)) == MOST


def test_changed_limits_count() -> None:
    limits = HeatLimits().changed({"warn_c": 60, "cool_c": 55})
    assert said(seen(temperature_c=67), limits=limits) == [("heat.warm", "warm")]
    assert 'class="chip is-warm"' in gauge_html(snapshot(CALM), "en", limits=limits)


def test_a_game_that_costs_the_clip_a_plan_is_named_from_one_gigabyte_on() -> None:
    settings = ClipSettings.from_person({"seed": 1}).resolve(ENGINES["svd-xt"]).settings

    def fit(free_gb: float) -> Fit | None:
        card = seen(used_gb=24 - free_gb, studio_gb=0.0, free_gb=free_gb)
        return fit_clip(ENGINES["svd-xt"], settings, snapshot(card), on_card=True, wide=False, held_gb=0.0)

    without, beside = fit(24.0), fit(14.0)
    assert without is not None
    assert beside is not None
    assert without.plan != beside.plan
    assert (without.others_gb, beside.others_gb) == (0.0, 10.0)
    costly = dataclasses.replace(beside, others_gb=2.0)
    assert said(seen(used_gb=14.0), fit=costly) == [("slow.others", "warm")]
    assert said(seen(used_gb=14.0), fit=without) == []
    assert said(seen(used_gb=14.0), fit=dataclasses.replace(costly, card=1)) == [], "another card's affair"


def test_a_busy_processor_is_told_where_it_renders() -> None:
    busy = MachineSample(32.0, 20.0, 97.0, 3.0)
    alone = dataclasses.replace(snapshot(), machine=busy)
    assert [note.message.code for note in gauge_notes([alone], HeatLimits(), None)[None]] == ["slow.processor_load"]
    assert None not in gauge_notes([dataclasses.replace(snapshot(CALM), machine=busy)], HeatLimits(), None)
    assert gauge_notes([dataclasses.replace(alone, state="lost")], HeatLimits(), None) == {}


def ten_minutes(*cards: CardSample) -> list[Snapshot]:
    return [
        dataclasses.replace(
            snapshot(*(dataclasses.replace(card, when=second) for card in cards)),
            machine=MachineSample(32.0, 8.0, float(second % 100)),
            when=float(second),
        )
        for second in range(600)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_card_is_drawn_for_ten_minutes(language: str) -> None:
    second = dataclasses.replace(CALM, index=1, uuid="GPU-2", name="RTX 3060", temperature_c=None)
    parts = history_view(ten_minutes(CALM, second), language)["history"]["parts"]
    assert [part["title"] for part in parts] == [CALM.name, "RTX 3060"]
    assert [[plot["kind"] for plot in part["plots"]] for part in parts] == [["memory", "heat"], ["memory"]]
    memory, heat = parts[0]["plots"]
    assert memory["points"] == [0.5] * POINTS
    assert heat["points"] == [0.67] * POINTS
    assert "12.0" in memory["text"]
    assert "24.0" in memory["text"]


def test_where_nothing_was_measured_the_line_breaks() -> None:
    samples = ten_minutes(CALM)
    samples[200:400] = [dataclasses.replace(sample, cards=()) for sample in samples[200:400]]
    points = history_view(samples, "en")["history"]["parts"][0]["plots"][0]["points"]
    assert points[:40] == points[80:] == [0.5] * 40
    assert points[40:80] == [None] * 40


def test_without_a_card_the_machine_is_drawn() -> None:
    (part,) = history_view(ten_minutes(), "en")["history"]["parts"]
    assert [plot["kind"] for plot in part["plots"]] == ["ram", "cpu"]
    assert part["plots"][0]["points"] == [0.75] * POINTS


def test_before_the_first_sample_there_is_a_sentence() -> None:
    assert "Nothing" in history_view([], "en")["history"]["empty"]
