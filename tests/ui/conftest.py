"""What the tests of the Animate page share."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio as gr
import pytest

from svd_studio.core.config import StudioConfig
from svd_studio.gpu.telemetry import Telemetry
from svd_studio.library.clips import Clip
from svd_studio.studio import Studio
from svd_studio.ui.animate_tab import AnimateTab
from svd_studio.ui.language import ENDONYMS
from tests.library.made_clips import Maker
from tests.ui.form_page import RECIPE, Page


@pytest.fixture(scope="package")
def tab(tmp_path_factory: pytest.TempPathFactory) -> AnimateTab:
    """The page, drawn once: Gradio takes longer for that than for all the rest."""

    async def draw() -> AnimateTab:
        with gr.Blocks(analytics_enabled=False) as page:
            drawn = AnimateTab(Studio(StudioConfig(tmp_path_factory.mktemp("page"))), Telemetry(), lambda: None)
            drawn.draw(page, gr.Radio(list(ENDONYMS), value="en"))
        return drawn

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(draw())).result()


@pytest.fixture
def page(tab: AnimateTab, tmp_path: Path) -> Page:
    return Page(tab, Studio(StudioConfig(tmp_path / "data")))


@pytest.fixture
def clip(page: Page, picture_file: Path, monkeypatch: pytest.MonkeyPatch) -> Clip:
    """A real clip, whose picture the library has."""
    kept = page.studio.keep_picture(picture_file)
    return Maker(page.studio, kept, monkeypatch).clip("the sea", **{**RECIPE, "width": None, "height": None})
