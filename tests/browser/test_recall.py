"""Recall as a person uses it: drop a clip or a poster, press in the result or the Gallery, paste a text, undo."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.infotext import as_infotext
from svd_studio.library.clips import Clip
from svd_studio.video.unmarked import write_without_recipe
from tests.browser.page import StudioPage
from tests.journeys.window import Window
from tests.library.made_clips import Maker
from tests.video.test_metadata import FTYP, comment_box

pytestmark = pytest.mark.slow

OpenPage = Callable[..., StudioPage]
SAMPLES = Path(__file__).parents[2] / "presets" / "pictures"
RECIPE = {"prompt": "waves roll in", "motion_bucket": 90, "steps": 7, "seed": 5, "frames": 6}

DROP = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)), transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  document.querySelector('.drop').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }));
}"""
PASTE = """(words) => {
  const transfer = new DataTransfer();
  transfer.setData('text/plain', words);
  const event = new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true });
  return document.activeElement.dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def clip(window: Window) -> Any:
    """A clip of the sea, whose picture the library has."""
    with pytest.MonkeyPatch.context() as patch:
        picture = window.studio.keep_picture(SAMPLES / "sunset.jpg")
        yield Maker(window.studio, picture, patch).clip("the sea", **RECIPE, width=None, height=None)


def drop(page: StudioPage, path: Path, kind: str) -> None:
    import base64

    page.page.evaluate(DROP, [path.name, kind, base64.b64encode(path.read_bytes()).decode()])


def take(page: StudioPage, what: str) -> str:
    """Press one of the dialog's choices; returns what is said then."""
    page.page.click(f".recall-dialog [data-take={what}]")
    page.page.wait_for_selector(".recalled:not([hidden])")
    return page.text(".recalled p")


def wait_for_field(page: StudioPage, name: str, value: str) -> None:
    page.wait_until(lambda: page.field(name) == value)


def test_a_dropped_clip_brings_everything_back_and_undo_takes_it_away(open_page: OpenPage, clip: Clip) -> None:
    page = open_page()
    page.page.fill("#field-prompt textarea", "my own words")
    page.page.wait_for_timeout(300)
    drop(page, clip.rendered.path, "video/mp4")
    page.page.wait_for_selector(".recall-dialog[open]")
    assert page.text(".recall-dialog h3") == "“the sea” carries a recipe"
    assert page.page.locator("[data-take=picture]").is_hidden()
    assert page.field("prompt") == "my own words", "nothing changes unasked"
    assert take(page, "all") == "“the sea” is back with all its settings."
    wait_for_field(page, "seed", "5")
    assert (page.field("prompt"), page.field("steps"), page.field("frames")) == ("waves roll in", "7", "6")
    page.page.wait_for_function("document.querySelector('.framed').alt === 'the sea'")
    page.page.click("[data-recalled=back]")
    wait_for_field(page, "prompt", "my own words")
    assert page.field("seed") == ""
    page.page.wait_for_function("document.querySelector('.framed').alt !== 'the sea'")
    assert page.page.locator(".recalled").is_hidden()


def test_a_dropped_poster_asks_and_can_be_just_a_picture(open_page: OpenPage, clip: Clip) -> None:
    assert clip.rendered.poster is not None
    page = open_page()
    drop(page, clip.rendered.poster, "image/webp")
    page.page.wait_for_selector(".recall-dialog[open]")
    page.page.click("[data-take=picture]")
    page.page.wait_for_function("stem => document.querySelector('.framed').alt === stem", arg=clip.rendered.poster.stem)
    assert page.field("prompt") == ""
    drop(page, clip.rendered.poster, "image/webp")
    page.page.wait_for_selector(".recall-dialog[open]")
    assert "all but its seed" in take(page, "but_seed")
    wait_for_field(page, "prompt", "waves roll in")
    assert page.field("seed") == ""


def test_the_gallery_gives_only_the_motion_to_what_stands_here(open_page: OpenPage, clip: Clip) -> None:
    page = open_page()
    page.page.fill("#field-prompt textarea", "stays")
    page.page.click(".rooms [data-room=gallery]")
    page.page.click(".gallery-open")
    page.page.click(".gallery-detail [data-recall=motion]")
    page.page.wait_for_selector("#room-animate .recalled:not([hidden])")
    wait_for_field(page, "motion-bucket", "90")
    assert (page.field("prompt"), page.field("steps"), page.field("seed")) == ("stays", "7", "")


def test_the_result_is_recalled_by_its_button_and_pasted_as_text(open_page: OpenPage, clip: Clip) -> None:
    page = open_page()
    page.page.click(".clip .recall")
    page.page.wait_for_selector(".recall-dialog[open]")
    page.page.keyboard.press("Escape")
    words = as_infotext(clip.rendered.settings)
    page.page.focus("#field-prompt textarea")
    assert page.page.evaluate(PASTE, words) is False, "the text is read, and not put into the prompt"
    page.page.wait_for_selector(".recall-dialog[open]")
    assert take(page, "all") == "“The pasted text” is back with all its settings."
    wait_for_field(page, "seed", "5")
    assert page.page.evaluate(PASTE, "just words") is True
    assert page.page.evaluate(PASTE, f"{' ' * 9}{words}{' ' * 9}") is False
    assert page.page.evaluate(PASTE, f"{'-' * 33_000}\n{words}") is True, "longer than any recipe that is read"


@pytest.mark.parametrize(
    "words",
    [
        "{" + '"steps": 1},' * 20_000 + "x",
        "{" + '"steps":' * 1_800 + "}" * 16_000 + "x",
        "Steps: 1, " + "Seed: " * 2_700 + "\t" * 16_000 + "\nx",
    ],
)
def test_a_hostile_text_does_not_freeze_the_page(open_page: OpenPage, words: str) -> None:
    """Each of these once took an expression ten seconds or minutes."""
    page = open_page()
    took_ms = f"words => {{ const began = performance.now(); ({PASTE})(words); return performance.now() - began; }}"
    assert page.page.evaluate(took_ms, words) < 3000


def test_a_text_is_read_in_its_own_dialog_which_says_what_is_wrong(open_page: OpenPage) -> None:
    page = open_page()
    page.page.click(".looks-more")
    page.page.click(".menu button:has-text('Paste a recipe')")
    page.page.fill(".paste-dialog textarea", "hello")
    page.page.click(".paste-dialog [type=submit]")
    page.page.wait_for_selector(".paste-dialog .sheet-problem:has-text('not a recipe')")
    page.page.fill(".paste-dialog textarea", '{"settings": {"steps": 9, "warp": 3}}')
    page.page.click(".paste-dialog [type=submit]")
    page.page.wait_for_selector(".recall-dialog[open]")
    assert "warp" in page.text(".recall-notes")
    take(page, "all")
    wait_for_field(page, "steps", "9")
    assert "warp" in page.text(".recalled ul"), "it stays to be read"


def test_a_film_of_others_is_refused_beside_the_picture(open_page: OpenPage, clip: Clip, tmp_path: Path) -> None:
    write_without_recipe(clip.rendered.path, tmp_path / "holiday.mp4")
    page = open_page()
    drop(page, tmp_path / "holiday.mp4", "video/mp4")
    page.page.wait_for_selector("#picture .problem:has-text('without a recipe')")
    assert page.page.locator(".framed").is_visible()
    page.wait_until_idle()


def test_a_clip_with_programs_in_its_words_runs_none(open_page: OpenPage, tmp_path: Path) -> None:
    script = "<img src=x onerror='window.ran = 1'>"
    record = {"settings": {**RECIPE, "prompt": script, script: 1}, "made": {"title": script}}
    (tmp_path / "theirs.mp4").write_bytes(FTYP + comment_box(json.dumps(record).encode()))
    page = open_page()
    drop(page, tmp_path / "theirs.mp4", "video/mp4")
    page.page.wait_for_selector(".recall-dialog[open]")
    assert script in page.text(".recall-dialog")
    take(page, "all")
    wait_for_field(page, "prompt", script)
    assert page.page.evaluate("window.ran === undefined && !document.querySelector('.recalled img, dialog img[src=x]')")
