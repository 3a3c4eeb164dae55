"""A real Chromium on a real studio; where there is none, the journeys are skipped by name, in CI they fail."""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.browser.page import FLAGS, StudioPage
from tests.journeys.window import Window
from tests.waiting import until

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUICK = "test_journeys.py"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the plain check its ten minutes: of the pages it walks only a clip's first way, `--all` all of them."""
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.name != QUICK:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    if shutil.which(CHROMIUM) is None or importlib.util.find_spec("playwright") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "the browser journeys need Chromium, playwright"
        )
    from playwright import sync_api

    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def window(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    data = tmp_path_factory.mktemp("studio")
    leftover = data / "clips" / ".999999-left.svd-part"
    leftover.parent.mkdir(mode=0o700)
    leftover.touch()
    with Window(data) as opened:
        until(lambda: not leftover.exists(), 60)  # only then tests may write there, too: its worker sweeps as it begins
        yield opened


@pytest.fixture
def open_page(chromium: Any, window: Window) -> Iterator[Callable[..., StudioPage]]:
    """Open pages on the studio; afterwards nothing waits or runs any more, and none asked another machine."""
    opened: list[StudioPage] = []

    def open_one(**options: Any) -> StudioPage:
        opened.append(StudioPage(chromium, window, **options))
        return opened[-1]

    yield open_one
    for number, page in enumerate(opened):
        keep = os.environ.get("BROWSER_SHOTS")
        if keep and not page.page.is_closed():
            page.page.screenshot(
                path=f"{keep}/{os.environ['PYTEST_CURRENT_TEST'].split('::')[1].split()[0]}-{number}.png"
            )
        page.context.close()
    for job in window.studio.queue.find():
        if not job.status.is_final:
            window.studio.cancel(job.id)
    until(lambda: all(job.status.is_final for job in window.studio.queue.find()), 60)
    assert [address for page in opened for address in page.foreign] == []
    assert [problem for page in opened for problem in page.problems] == []


@pytest.fixture
def small_picture(picture: Image.Image, tmp_path: Path) -> Path:
    path = tmp_path / "valley.png"
    picture.save(path)
    return path
