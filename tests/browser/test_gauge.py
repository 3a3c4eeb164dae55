"""The gauge in a real browser, under a card that follows a script: real pynvml, a libnvidia-ml compiled here."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.page import StudioPage
from tests.gpu.scripted_card import BUSY, HOT, IDLE, THROTTLED, ScriptedCard, needs_compiler
from tests.journeys.window import Window


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> ScriptedCard:
    needs_compiler()
    card = ScriptedCard(tmp_path_factory.mktemp("nvml"))
    card.set(cards=[IDLE])
    return card


@pytest.fixture(scope="module")
def page(chromium: Any, card: ScriptedCard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioPage]:
    with Window(tmp_path_factory.mktemp("studio"), environment=card.environment()) as window:
        opened = StudioPage(chromium, window)
        yield opened
        opened.context.close()


def shows(page: StudioPage, *words: str) -> None:
    """Wait until the gauge says all of this, whatever its case."""
    page.page.wait_for_function(
        "words => { const said = document.querySelector('#gauge').innerText.toLowerCase();"
        " return words.every(word => said.includes(word.toLowerCase())) }",
        arg=list(words),
    )
    if keep := os.environ.get("BROWSER_SHOTS"):
        page.page.locator("#gauge").screenshot(path=Path(keep) / f"gauge-{'-'.join(words).replace(' ', '_')}.png")


def test_the_gauge_follows_the_card_through_its_day(page: StudioPage, card: ScriptedCard) -> None:
    shows(page, "RTX 4090", "°C", "W")
    card.set(cards=[BUSY])
    shows(page, "99 %", "67", "430")
    card.set(cards=[HOT])
    shows(page, "84")
    card.set(cards=[THROTTLED])
    shows(page, "88", "slowed")
    card.set(cards=[IDLE, BUSY])
    shows(page, "99 %")
    assert page.page.locator("#gauge .gauge-card").count() == 2
    card.set(cards=[{"lost": True}])
    shows(page, "restart")
    assert page.page.is_enabled("#generate"), "a lost card never stops the page"
    card.set(cards=[IDLE])
    shows(page, "RTX 4090", "°C")


def test_a_driver_that_does_not_start_is_said_in_words_and_later_found(
    chromium: Any, card: ScriptedCard, tmp_path: Path
) -> None:
    card.set(cards=[IDLE], init_error=9)
    with Window(tmp_path / "studio", environment=card.environment()) as window:
        page = StudioPage(chromium, window)
        shows(page, "driver", "restart the computer")
        assert page.page.is_enabled("#generate")
        card.set(cards=[IDLE])
        shows(page, "RTX 4090")
        page.context.close()
