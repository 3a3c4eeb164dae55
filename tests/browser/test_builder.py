"""The prompt builder writes plain words into the prompt; negatives come by a button and never by themselves."""

from collections.abc import Callable

import pytest

from tests.browser.page import StudioPage

pytestmark = pytest.mark.slow

OpenPage = Callable[..., StudioPage]


def test_suggestions_and_own_words_become_a_prompt(open_page: OpenPage) -> None:
    page = open_page()
    assert page.field("prompt") == ""
    page.page.click("[data-builder=open]")
    dialog = page.page.locator(".builder-dialog")
    assert dialog.locator("[type=submit]").is_disabled(), "nothing to use yet"
    dialog.locator("[data-builder-part=subject]").fill("a lighthouse")
    dialog.locator("[data-builder-chips=camera] .chip", has_text="pan left").click()
    dialog.locator("[data-builder-chips=camera] .chip", has_text="zoom in").click()
    dialog.locator("[data-builder-chips=camera] .chip", has_text="zoom in").click()  # and out again
    assert dialog.locator(".builder-words").inner_text() == "a lighthouse, pan left"
    dialog.locator("[type=submit]").click()
    page.wait_until(lambda: page.field("prompt") == "a lighthouse, pan left")
    page.load()
    page.wait_until(lambda: page.field("prompt") == "a lighthouse, pan left")  # Gradio heard of it


def test_the_usual_negatives_are_added_once(open_page: OpenPage) -> None:
    page = open_page(locale="zh-CN")
    assert page.field("negative-prompt") == ""
    page.page.click("[data-builder=negatives]")
    page.wait_until(lambda: page.field("negative-prompt").startswith("闪烁，抖动"))
    said = page.field("negative-prompt")
    page.page.click("[data-builder=negatives]")
    assert page.field("negative-prompt") == said
