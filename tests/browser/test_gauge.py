"""The gauge in a real browser, under a card that follows a script: real pynvml, a libnvidia-ml compiled here."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.page import StudioPage
from tests.gpu.scripted_card import BUSY, HOT, IDLE, THROTTLED, ScriptedCard, needs_compiler, records_of_cuda
from tests.journeys.window import Window


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> ScriptedCard:
    needs_compiler()
    card = ScriptedCard(tmp_path_factory.mktemp("nvml"))
    card.set(cards=[IDLE])
    return card


@pytest.fixture(scope="module")
def page(chromium: Any, card: ScriptedCard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioPage]:
    environment = card.environment() | records_of_cuda(tmp_path_factory.mktemp("records"))
    with Window(tmp_path_factory.mktemp("studio"), environment=environment) as window:
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


SECOND = {**IDLE, "name": "NVIDIA GeForce RTX 3060", "uuid": "GPU-3060", "total_gb": 12.0, "used_gb": 3.0}


def outline(page: StudioPage, where: str = "0") -> list[float]:
    """Where on the bar of the card at a place the clip of the form begins, and how wide it is, in percent."""
    wanted = f".gauge-part:nth-of-type({int(where) + 1}) i.wanted"
    page.page.wait_for_selector(wanted, state="attached")
    style = page.page.locator(wanted).get_attribute("style") or ""
    return [float(part.split(":")[1].rstrip("%")) for part in style.split(";")]


def test_before_generate_the_outline_shows_what_the_clip_will_take(page: StudioPage, card: ScriptedCard) -> None:
    card.set(cards=[IDLE | {"used_gb": 1.2}])
    shows(page, "in use 1.2 GB", "This clip:", "all of the model on the card", "main memory")
    left, width = outline(page)
    assert 1 < left < 6, "behind what is in use"
    assert 2 < width < 20, "SVD-Nano is small"
    said = page.text(".gauge .needs")
    assert float(said.split()[2]) == pytest.approx(width * 24 / 100, abs=0.1), "the words and the outline agree"
    page.set_number("frames", 2)
    page.wait_until(lambda: outline(page)[1] < width)
    page.set_number("frames", 14)
    card.set(cards=[IDLE | {"used_gb": 12.0}])
    page.wait_until(lambda: outline(page)[0] > 45)


def test_when_its_card_is_lost_the_outline_stands_on_the_other(page: StudioPage, card: ScriptedCard) -> None:
    card.set(cards=[IDLE, SECOND])
    shows(page, "4090", "3060")
    outline(page, "0")
    assert page.page.locator("i.wanted").count() == 1
    card.set(cards=[{"lost": True}, SECOND])
    shows(page, "3060", "stopped answering")
    left, _ = outline(page, "0")
    assert left > 20, "3 of the 12 GB are in use"
    card.set(cards=[IDLE])
    shows(page, "4090")


def test_what_slows_the_card_is_said_in_words(page: StudioPage, card: ScriptedCard) -> None:
    card.set(cards=[BUSY | {"throttle": ["power_cap"]}])
    shows(page, "power limit of 450 W")
    assert page.page.locator(".gauge-note.is-bad").count() == 0, "usual under load, and no alarm"
    card.set(cards=[BUSY | {"temperature_c": 84}])
    shows(page, "84 °C warm")
    card.set(cards=[THROTTLED])
    shows(page, "clips rest between their steps until it is down to 78")
    card.set(cards=[THROTTLED | {"temperature_c": 93}])
    shows(page, "the next clip begins when it is down to 78")
    card.set(cards=[BUSY | {"memory_temperature_c": 101}])
    shows(page, "the card's memory is 101 °C hot")
    card.set(cards=[IDLE])


def test_ten_minutes_are_drawn_while_somebody_looks(page: StudioPage, card: ScriptedCard) -> None:
    card.set(cards=[BUSY])
    history = page.page.locator(".history")
    assert history.get_attribute("open") is None, "closed at first"
    assert page.page.locator(".history svg").count() == 0, "and nothing asked"
    page.page.focus(".history summary")
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector(".history svg polyline", state="attached")
    assert [plot.get_attribute("aria-label").split(":")[0] for plot in page.page.locator(".history svg").all()] == [
        "Memory",
        "Temperature",
    ] or page.page.locator(".history svg").count() > 2, "one drawing a reading, for every card that was seen"
    card.set(cards=[BUSY | {"temperature_c": 71}])
    shows(page, "71 °C")
    page.page.wait_for_function("document.querySelector('.history-body').innerText.includes('now 71')")
    assert history.get_attribute("open") is not None, "a fresh gauge does not close it"
    page.page.click("#language label:has-text('中文')")
    page.page.wait_for_function("document.querySelector('.history-body').innerText.includes('现在 71')")
    page.page.click("#language label:has-text('English')")
    shows(page, "temperature")
    page.load()
    assert page.page.locator(".history").get_attribute("open") is None, "nothing is remembered"
    assert page.problems == []


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
