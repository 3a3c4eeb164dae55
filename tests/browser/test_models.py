"""The Models and System pages as the owner uses them, with a model hub of our own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.page import StudioPage
from tests.journeys.window import Window
from tests.library.fake_checkpoint import svd_folder
from tests.library.fake_hub import FakeHub, fake_hub
from tests.waiting import until

OpenPage = Callable[..., StudioPage]
XT = "[data-model=svd-xt]"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    there = svd_folder(tmp_path_factory.mktemp("there"))
    with fake_hub(there, repo="stabilityai/stable-video-diffusion-img2vid-xt") as hub:
        yield hub


@pytest.fixture(scope="module")
def window(chromium: Any, hub: FakeHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    with Window(tmp_path_factory.mktemp("studio"), environment={"HF_ENDPOINT": hub.url}) as opened:
        until(opened.worker_pid, 60)
        yield opened


def enter(page: StudioPage, room: str, until_there: str) -> StudioPage:
    page.page.click(f".rooms [data-room={room}]")
    page.page.wait_for_selector(until_there)
    return page


def test_a_model_is_got_paused_gone_on_with_and_deleted(open_page: OpenPage, hub: FakeHub) -> None:
    page = enter(open_page(), "models", XT).page
    hub.bytes_per_second = 100_000
    page.click(f"{XT} [data-act=get]")
    page.wait_for_selector(f"{XT} .model-progress:not([hidden])")
    page.click(f"{XT} [data-act=pause]")
    page.wait_for_selector(f"{XT}[data-state=begun]")
    hub.bytes_per_second = None
    page.click(f"{XT} [data-act=resume]")
    page.wait_for_selector(f"{XT}[data-state=installed]")
    page.click(f"{XT} [data-act=delete]")
    page.click(".sure-no")
    page.click(f"{XT} [data-act=delete]")
    page.click(".sure-yes")
    page.wait_for_selector(f"{XT}[data-state=missing]")


@pytest.mark.slow
def test_measuring_is_begun_and_stopped_with_the_keyboard(open_page: OpenPage, window: Window) -> None:
    nano = "[data-model=svd-nano]"
    page = enter(open_page(), "models", nano).page
    page.focus(f"{nano} [data-act=measure]")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{nano} [data-act=stop_measuring]:focus")
    page.wait_for_selector(f"{nano} .model-measuring:not(:empty)")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{nano} [data-act=measure]:focus")
    assert window.studio.wishes.measures.of("svd-nano") is None


@pytest.mark.slow
def test_a_token_leaves_no_trace_on_the_page(open_page: OpenPage, window: Window) -> None:
    gate = "[data-model='svd-xt-1.1'] .model-gate"
    page = enter(open_page(), "models", gate).page
    page.fill(f"{gate} input", "hf_secret_of_the_test")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{gate} [data-act=forget_token]")
    assert window.studio.weights.read_token() == "hf_secret_of_the_test"
    assert page.input_value(f"{gate} input") == ""
    assert "hf_secret" not in page.content()
    assert "hf_secret" not in window.log.read_text()
    page.click(f"{gate} [data-act=forget_token]")
    until(lambda: window.studio.weights.read_token() is None)


@pytest.mark.slow
def test_a_wrong_folder_is_told_and_can_be_mended(open_page: OpenPage, hub: FakeHub) -> None:
    page = enter(open_page(), "models", XT).page
    page.click(f"{XT} [data-act=use]")
    page.fill(f"{XT} .model-use input", str(hub.folder / "nowhere"))
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{XT} .model-problems li")
    page.fill(f"{XT} .model-use input", str(hub.folder))
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{XT}[data-state=installed]")
    page.click(f"{XT} [data-act=delete]")
    page.click(".sure-yes")
    page.wait_for_selector(f"{XT}[data-state=missing]")


def test_the_owner_sees_the_computer_and_gets_a_fresh_worker(open_page: OpenPage, window: Window) -> None:
    page = enter(open_page(), "system", ".system-card li").page
    before = window.worker_pid()
    page.fill(".system-heat [name=warn_c]", "99")
    page.click(".system-heat [type=submit]")
    page.wait_for_selector(".system-heat .problem:not([hidden])")
    page.click("[data-act=restart]")
    until(lambda: window.worker_pid() not in (None, before), 60)
