"""The form: what it says beside its fields, what it remembers, and the keys of the page."""

from collections.abc import Callable
from typing import Any

import pytest

from svd_studio.library.presets import SHIPPED
from tests.browser.page import StudioPage
from tests.journeys.window import Window
from tests.library.made_clips import Maker
from tests.waiting import until

OpenPage = Callable[..., StudioPage]
PICTURE = SHIPPED / "pictures" / "coffee.jpg"


def shows(page: StudioPage, selector: str, words: str) -> None:
    page.page.wait_for_selector(f"{selector}:has-text('{words}')")


def test_fields_say_what_they_mean_and_the_page_remembers_them(open_page: OpenPage) -> None:
    page = open_page()
    own = {name: page.field(name) for name in ("frames", "motion-bucket", "steps")}
    page.set_number("frames", 7)
    page.set_number("motion-bucket", 200)
    shows(page, "#field-frames .beside", "1.0 s")
    shows(page, "#field-motion-bucket .beside", "wild")
    page.page.locator("#field-speed label").first.click()
    page.wait_until(lambda: int(page.field("steps")) < int(own["steps"]))
    page.page.click("#look-portrait-alive")
    page.wait_until(lambda: page.field("motion-bucket") == "35")
    assert page.page.locator("#look-portrait-alive img").evaluate("image => image.naturalWidth") > 0
    shows(page, "#field-motion-bucket .beside", "calm")
    page.load()
    assert page.field("motion-bucket") == "35"
    assert page.field("frames") == "7"
    page.page.wait_for_selector("#field-speed label:nth-child(1).selected")
    page.page.wait_for_selector("#look-portrait-alive.is-chosen")
    page.page.click(".native")
    page.wait_until(lambda: {name: page.field(name) for name in own} == own)
    page.page.wait_for_selector("#field-speed label:nth-child(3).selected")
    assert page.page.locator(".look .is-chosen").count() == 0


def test_a_late_answer_about_fewer_frames_changes_no_length(open_page: OpenPage) -> None:
    """When a recipe comes back its fields change one by one, and the picture's frame is asked for in between."""
    page, held = open_page(), []
    framing = page.page.evaluate("window.gradio_config.dependencies.find(one => one.api_name === 'frame').id")

    def pass_or_hold(route: Any) -> None:
        is_framing = route.request.post_data_json["fn_index"] == framing and not held
        held.append((route, route.fetch())) if is_framing else route.continue_()

    page.set_number("frames", 14)
    shows(page, "#field-frames .beside", "2.0 s")
    page.page.route("**/run/predict*", pass_or_hold)
    page.page.locator("#field-shape label").nth(2).click()
    page.wait_until(lambda: held)
    page.set_number("frames", 7)
    shows(page, "#field-frames .beside", "1.0 s")
    route, answer = held[0]
    route.fulfill(response=answer)
    shows(page, ".picture-facts", "144 × 256")
    assert page.text("#field-frames .beside") == "1.0 s"


def test_an_exact_size_is_shown_at_once_and_ends_with_a_shape(open_page: OpenPage) -> None:
    page = open_page()
    page.page.click("#more > button")
    page.page.fill("#field-width input", "320")
    page.page.wait_for_selector("#field-height .problem")
    page.page.fill("#field-height input", "192")
    shows(page, ".picture-facts", "320 × 192")
    page.page.wait_for_selector("#field-height .problem", state="detached")
    page.page.locator("#field-shape label").nth(2).click()
    shows(page, ".picture-facts", "144 × 256")
    assert page.page.input_value("#field-width input") == ""


def test_keys_generate_play_step_and_never_while_typing(open_page: OpenPage, window: Window) -> None:
    with pytest.MonkeyPatch.context() as patch:
        Maker(window.studio, PICTURE, patch).clip("the sea", frames=4)
    page = open_page()
    page.wait_for_mode("clip")
    page.page.evaluate("document.querySelector('.player').play()")
    page.page.evaluate("document.activeElement.blur()")
    paused = "document.querySelector('.player').paused"
    page.page.wait_for_function(f"!{paused}")
    page.page.keyboard.press(" ")
    page.page.wait_for_function(paused)
    for key, said in (("ArrowRight", 1), ("ArrowRight", 1), ("ArrowLeft", -1)):
        before = int(page.text(".counter").split()[1])
        page.page.keyboard.press(key)
        expected = (before - 1 + said) % 4 + 1
        shows(page, ".counter", f"frame {expected} of 4")
    page.page.click("#field-prompt textarea")
    page.page.keyboard.type("a b?")
    assert page.field("prompt") == "a b?"
    assert page.page.evaluate(paused)
    assert page.page.locator("#shortcuts").is_hidden()
    page.page.evaluate("document.activeElement.blur()")
    page.page.keyboard.press("?")
    page.page.wait_for_selector("#shortcuts dd")
    assert page.page.locator("#shortcuts dd").count() == page.page.locator("#shortcuts dt").count() == 8
    page.page.keyboard.press("Escape")
    page.page.wait_for_selector("#shortcuts", state="hidden")
    page.page.keyboard.press("Control+Enter")
    until(lambda: window.studio.queue.find())
    window.studio.cancel(window.studio.queue.find()[0].id)
