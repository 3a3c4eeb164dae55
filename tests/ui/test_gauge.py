"""The gauge says what the cards say, in words too, and survives whatever they do not say."""

import dataclasses
import re

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import Message
from svd_studio.engines.catalog import ENGINES
from svd_studio.gpu.fit import card_free_gb, fit_clip
from svd_studio.gpu.telemetry import CardSample, CardState, MachineSample, Snapshot
from svd_studio.ui.gauge import gauge_html

CARD = CardSample(
    index=0,
    name="NVIDIA GeForce RTX 4090",
    uuid="GPU-1",
    total_gb=24.0,
    used_gb=15.0,
    free_gb=9.0,
    studio_gb=12.0,
    load_percent=99,
    temperature_c=67,
    memory_temperature_c=None,
    power_w=431.2,
    power_limit_w=450.0,
    throttle=(),
    compute=(8, 9),
    when=0.0,
)


def snapshot(*cards: CardSample, state: CardState = "ok", problem: str | None = None) -> Snapshot:
    machine = MachineSample(32.0, 20.0, 12.0)
    return Snapshot(cards, machine, state, Message(problem) if problem else None, "580", (13, 0), 0.0)


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_a_busy_card_shows_who_holds_what() -> None:
    html = gauge_html(snapshot(CARD), "en")
    shown = words_of(html)
    for said in ("RTX 4090", "others 3.0 GB", "studio 12.0 GB", "free 9.0 GB", "99 %", "67 °C", "431 W"):
        assert said in shown
    assert "width:50.0%" in html
    assert 'aria-label="others 3.0 GB · studio 12.0 GB · free 9.0 GB"' in html


@pytest.mark.parametrize(("celsius", "mood"), [(82, "chip"), (83, "chip is-warm"), (87, "chip is-bad")])
def test_heat_shows(celsius: int, mood: str) -> None:
    card = dataclasses.replace(CARD, temperature_c=celsius)
    assert f'<span class="{mood}" title="temperature">' in gauge_html(snapshot(card), "en")


def test_a_slowed_card_says_so() -> None:
    assert "slowed down" in gauge_html(snapshot(dataclasses.replace(CARD, throttle=("thermal",))), "en")


def test_every_card_has_its_bar() -> None:
    assert gauge_html(snapshot(CARD, dataclasses.replace(CARD, index=1)), "en").count('class="bar"') == 2


def test_without_a_card_the_machines_memory_is_shown() -> None:
    shown = words_of(gauge_html(snapshot(state="no_driver", problem="card.no_driver"), "en"))
    assert "no NVIDIA card" in shown
    assert "in use 12.0 GB" in shown


def test_a_lost_card_is_said_in_words_in_both_languages() -> None:
    lost = snapshot(state="lost", problem="card.lost")
    assert "stopped answering" in gauge_html(lost, "en")
    assert "停止响应" in gauge_html(lost, "zh-CN")


def test_what_a_card_does_not_tell_is_left_out() -> None:
    silent = dataclasses.replace(
        CARD, total_gb=None, used_gb=None, studio_gb=None, load_percent=None, temperature_c=None, power_w=None
    )
    html = gauge_html(snapshot(silent), "en")
    assert "None" not in html
    assert "does not say" in html


def test_a_cards_name_cannot_be_html() -> None:
    assert "<b>x" not in gauge_html(snapshot(dataclasses.replace(CARD, name="<b>x")), "en")


def planned(card_gb: float | None, ram_gb: float = 20.0) -> Snapshot:
    return dataclasses.replace(
        snapshot(*([dataclasses.replace(CARD, free_gb=card_gb, studio_gb=0.0)] if card_gb else [])),
        machine=MachineSample(32.0, ram_gb, 12.0),
    )


def needs(shown: Snapshot, engine: str = "svd-xt", language: str = "en", **values: object) -> str:
    settings = ClipSettings.from_person({"seed": 1, **values}).resolve(ENGINES[engine]).settings
    fit = fit_clip(ENGINES[engine], settings, shown, on_card=bool(shown.cards), wide=False, held_gb=0.0)
    return words_of(gauge_html(shown, language, fit))


def test_the_gauge_says_what_the_clip_needs_and_how_it_is_run() -> None:
    shown = needs(planned(23.0))
    assert "17.4 of 22.5 GB, all of the model on the card" in shown
    assert "Picture 6.6, motion 11.8, frames 16.4 GB; main memory 6.7 GB" in shown
    assert "streams through the card" in needs(planned(7.5))
    assert "模型分层流经显卡" in needs(planned(7.5), language="zh-CN")


def test_the_outline_starts_where_other_programs_end() -> None:
    settings = ClipSettings.from_person({"seed": 1}).resolve(ENGINES["svd-xt"]).settings
    shown = planned(21.0)
    fit = fit_clip(ENGINES["svd-xt"], settings, shown, on_card=True, wide=False, held_gb=0.0)
    assert 'class="wanted" style="left:62.5%' in gauge_html(shown, "en", fit)  # 15 of 24 GB are used by others


def test_when_nothing_fits_the_gauge_names_the_field_to_lower_and_to_what() -> None:
    assert re.search(r"lower the frames to \d+", needs(planned(4.8), width=1024, height=1024))
    assert "请关闭其他程序" in needs(planned(1.0), language="zh-CN")


def test_a_machine_that_is_short_of_main_memory_is_told_so() -> None:
    assert "close other programs first" in needs(planned(23.0, ram_gb=3.0))


def test_on_a_processor_the_machines_memory_counts() -> None:
    shown = needs(planned(None), engine="svd-nano")
    assert re.search(r"This clip: [\d.]+ GB of main memory, 20.0 GB are free, on the processor", shown)


def test_what_our_worker_holds_already_is_free_to_the_clip() -> None:
    card = dataclasses.replace(CARD, used_gb=20.0, free_gb=4.0, studio_gb=18.5)
    assert card_free_gb(card, 0.0) == 22.0
    untold = dataclasses.replace(card, studio_gb=None)  # as on Windows, where the worker says it itself
    assert card_free_gb(untold, 18.5) == 22.0
