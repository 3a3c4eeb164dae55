"""One's own looks, beside the shipped ones: saved, renamed, given out, taken in, deleted and brought back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.page import StudioPage
from tests.journeys.window import Window

pytestmark = pytest.mark.slow

OpenPage = Callable[..., StudioPage]
REFUSED = {
    '{"title": {"en": "A"}, "settings": {"warp": 1}}': "no setting called warp",
    "nothing": "given.json cannot be read",
    '{"title": {"en": "A"}, "settings": {"steps": "x"}}': "Steps needs a number",
}
"""Files that are no looks, and what is said of them."""


def save(page: StudioPage, title: str) -> None:
    page.page.click(".save-look")
    page.page.fill(".look-dialog input", title)
    page.page.click(".look-dialog [type=submit]")


def from_menu(page: StudioPage, name: str, words: str) -> None:
    page.page.click(f"#look-menu-{name}")
    page.page.click(f".menu button:has-text('{words}')")


def take_in(page: StudioPage, name: str, content: str) -> None:
    file = {"name": name, "mimeType": "application/json", "buffer": content.encode()}
    page.page.set_input_files(".look-file", files=[file])  # type: ignore[list-item]


def test_a_look_of_ones_own_from_end_to_end(open_page: OpenPage, window: Window) -> None:
    page, other = open_page(), open_page(locale="zh-CN")
    page.set_number("motion-bucket", 33)
    save(page, "Calm <b>sea</b>")
    page.page.wait_for_selector(".look.is-own [aria-pressed=true]")
    [mine] = window.studio.presets.all()[8:]
    assert (mine.titled("en"), mine.settings["motion_bucket"]) == ("Calm <b>sea</b>", 33)
    other.page.wait_for_selector(f"#look-{mine.name}")  # every open page hears of it
    from_menu(page, mine.name, "Rename")
    page.page.fill(".look-dialog input", "Still sea")
    page.page.click(".look-dialog [type=submit]")
    page.page.wait_for_selector("#look-still-sea[aria-pressed=true]")
    with page.page.expect_download() as download:
        from_menu(page, "still-sea", "Export")
    given = Path(download.value.path()).read_text(encoding="utf-8")
    assert json.loads(given)["settings"]["motion_bucket"] == 33
    take_in(page, "still.json", given)
    page.page.wait_for_selector("#look-still-sea-2")
    from_menu(page, "still-sea", "Delete")
    page.page.wait_for_selector("#look-still-sea", state="detached")
    page.page.click(".look-about button")
    page.page.wait_for_selector("#look-still-sea")
    page.page.click("#look-draft")
    page.page.wait_for_function("document.querySelector('#field-motion-bucket input').value !== '33'")
    page.page.click("#look-still-sea")
    page.wait_until(lambda: page.field("motion-bucket") == "33")


def test_names_that_are_taken_and_files_that_are_none_are_told_in_place(open_page: OpenPage, window: Window) -> None:
    page = open_page()
    save(page, "Draft")
    page.page.wait_for_selector(".look-dialog .sheet-problem:has-text('stays as it is')")
    page.page.fill(".look-dialog input", "Mine")
    page.page.click(".look-dialog [type=submit]")
    page.page.wait_for_selector("#look-mine")
    page.set_number("motion-bucket", 44)
    save(page, "mine")
    page.page.wait_for_selector(".look-dialog [type=submit]:has-text('Replace it')")
    page.page.click(".look-dialog [type=submit]")
    page.wait_until(lambda: window.studio.presets.get("mine").settings["motion_bucket"] == 44)
    page.page.wait_for_selector(".look-dialog:not([open])", state="attached")
    for content, said in REFUSED.items():
        take_in(page, "given.json", content)
        page.page.wait_for_selector(f".look-about:has-text('{said}')")
    assert page.page.locator(".look.is-own").count() == len(window.studio.presets.all()) - 8
