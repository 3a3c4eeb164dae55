"""The gauge says what the cards say, in words too, and survives whatever they do not say."""

import dataclasses
import re

import pytest

from svd_studio.core.errors import Message
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


@pytest.mark.parametrize(("celsius", "mood"), [(60, "chip"), (78, "chip is-warm"), (88, "chip is-bad")])
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
