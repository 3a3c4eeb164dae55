"""The Gallery as a person uses it: hundreds of clips, found, starred, watched, thrown away and brought back."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from svd_studio.library.clips import Clip
from tests.browser.page import StudioPage
from tests.journeys.window import Window
from tests.library.made_clips import Maker, copies

OpenPage = Callable[..., StudioPage]
SAMPLES = Path(__file__).parents[2] / "presets" / "pictures"
MANY = 150


@pytest.fixture(scope="module")
def maker(window: Window) -> Any:
    """Clips with real files: three of their own, and many copies that are older."""
    with pytest.MonkeyPatch.context() as patch:
        maker = Maker(window.studio, SAMPLES / "coffee.jpg", patch)
        first = maker.clip("lighthouse", prompt="a beam sweeps the bay")
        copies(window.studio, first, MANY, prompt="waves")
        yield maker


@pytest.fixture
def clips(maker: Maker) -> list[Clip]:
    """Three clips that nobody has touched yet, the latest first."""
    return [maker.clip(f"{title} {maker.made}", prompt=f"{title} prompt") for title in ("reeds", "barn", "kite")][::-1]


def enter(page: StudioPage) -> StudioPage:
    page.page.click(".rooms [data-room=gallery]")
    page.page.wait_for_selector(".gallery-card")
    return page


def titles(page: StudioPage) -> list[str]:
    return page.page.locator(".gallery-title").all_inner_texts()  # type: ignore[no-any-return]


def card(clip: Clip) -> str:
    return f".gallery-card[data-clip='{clip.id}']"


def open_clip(page: StudioPage, clip: Clip) -> None:
    page.page.click(f"{card(clip)} .gallery-open")
    page.page.wait_for_selector(".gallery-detail[open] .gallery-side:not(.is-waiting)")


@pytest.mark.slow
def test_the_list_has_no_end_and_the_page_stays_light(open_page: OpenPage, clips: list[Clip]) -> None:
    page = enter(open_page())
    assert titles(page)[:3] == [clip.title for clip in clips]
    seen, most = set(titles(page)), 0
    page.page.hover(".gallery-grid")

    def go_on() -> bool:
        nonlocal most
        page.page.mouse.wheel(0, 700)
        shown = titles(page)
        seen.update(shown)
        most = max(most, len(shown))
        return f"copy {MANY}" in seen

    page.wait_until(go_on)
    assert {f"copy {number}" for number in range(1, MANY + 1)} <= seen
    assert most < MANY * 2 / 3, "only what is near the eye is on the page"
    page.page.evaluate("scrollTo(0, 0)")
    page.wait_until(lambda: titles(page)[:1] == [clips[0].title])


def test_a_clip_is_found_by_any_word(open_page: OpenPage, clips: list[Clip]) -> None:
    page = enter(open_page())
    page.page.fill(".gallery-search", "BEAM lighthouse")
    page.wait_until(lambda: titles(page) == ["lighthouse"])
    page.page.fill(".gallery-search", "nothing like it")
    page.page.wait_for_selector(".gallery-empty:not([hidden])")
    assert "Nothing found" in page.text(".gallery-empty")
    page.page.fill(".gallery-search", "")
    page.wait_until(lambda: len(titles(page)) > 9)


@pytest.mark.slow
def test_a_star_stays_and_can_be_asked_for(open_page: OpenPage, window: Window, clips: list[Clip]) -> None:
    page = enter(open_page())
    star = f"{card(clips[1])} .gallery-star"
    page.page.hover(card(clips[1]))
    page.page.click(star)
    page.wait_until(lambda: window.studio.clips.get(clips[1].id).starred)  # type: ignore[union-attr]
    page.page.click(".gallery-starred")
    page.wait_until(lambda: titles(page) == [clips[1].title])
    page.load()
    enter(page)
    assert page.page.get_attribute(star, "aria-pressed") == "true"
    page.page.hover(card(clips[1]))
    page.page.click(star)
    page.wait_until(lambda: not window.studio.clips.get(clips[1].id).starred)  # type: ignore[union-attr]


def test_thrown_away_undone_and_brought_back_from_the_trash(
    open_page: OpenPage, window: Window, clips: list[Clip]
) -> None:
    page = enter(open_page())
    first, second, third = clips
    open_clip(page, first)
    page.page.click(".gallery-detail [data-do=trash]")
    page.page.wait_for_function(
        "title => document.querySelector('.gallery-detail h2').textContent === title", arg=second.title
    )
    page.page.keyboard.press("Delete")
    page.page.wait_for_selector(".gallery-undo:has-text('2 clips')")
    page.wait_until(lambda: not (first.is_here or second.is_here))
    page.page.click(".gallery-undo button")
    page.wait_until(lambda: first.is_here and second.is_here)
    page.page.keyboard.press("Escape")
    page.wait_until(lambda: titles(page)[:3] == [first.title, second.title, third.title])
    page.page.focus(f"{card(third)} .gallery-open")
    page.page.keyboard.press("Delete")
    page.wait_until(lambda: not third.is_here)
    page.page.click(".gallery-trash")
    page.wait_until(lambda: titles(page) == [third.title])
    assert "deleted after 30 days" in page.text(".gallery-trash-bar")
    open_clip(page, third)
    page.page.click(".gallery-detail [data-do=restore]")
    page.wait_until(lambda: third.is_here)
    page.page.wait_for_selector(".gallery-empty:has-text('trash is empty')")


@pytest.mark.slow
def test_the_trash_is_emptied_only_when_one_is_sure(open_page: OpenPage, window: Window, clips: list[Clip]) -> None:
    window.studio.trash.put(clips[0])
    page = enter(open_page())
    page.page.click(".gallery-trash")
    page.page.wait_for_selector(card(clips[0]))
    page.page.click("[data-do=ask_empty]")
    assert "Delete 1 clip (" in page.text(".gallery-sure p")
    page.page.click(".gallery-sure [data-do=keep]")
    assert window.studio.clips.get(clips[0].id) is not None
    page.page.click("[data-do=ask_empty]")
    page.page.click(".gallery-sure [data-do=empty]")
    page.page.wait_for_selector(".gallery-empty:not([hidden])")
    assert window.studio.clips.get(clips[0].id) is None


@pytest.mark.slow
def test_a_clip_plays_under_the_pointer(open_page: OpenPage, clips: list[Clip]) -> None:
    page = enter(open_page())
    page.page.hover(f"{card(clips[0])} .gallery-open")
    page.page.wait_for_function("document.querySelector('.gallery-sample.is-playing')?.currentTime > 0")
    page.page.hover(f"{card(clips[2])} .gallery-open")
    page.page.wait_for_selector(f"{card(clips[2])} .gallery-sample.is-playing")
    assert page.page.locator(".gallery-sample").count() == 1
    page.page.hover(".gallery-search")
    page.page.wait_for_selector(".gallery-sample", state="detached")


@pytest.mark.slow
def test_one_clip_tells_how_it_was_made(open_page: OpenPage, clips: list[Clip]) -> None:
    page = enter(open_page())
    open_clip(page, clips[0])
    page.page.wait_for_function("document.querySelector('.gallery-detail video').currentTime > 0")
    words = page.text(".gallery-words")
    assert "kite prompt" in words
    assert "1.0 GB" in words
    assert page.page.locator(".gallery-stages li").count() > 0
    assert page.text(".gallery-stages b").endswith(" s")
    page.page.click(".gallery-recipe summary")
    assert f"Seed: {clips[0].rendered.settings.seed}," in page.text(".gallery-recipe pre")
    with page.page.expect_download() as download:
        page.page.click(".gallery-recipe .bare")
    bare = Path(download.value.path()).read_bytes()
    assert b"kite prompt" not in bare
    assert b"kite prompt" in clips[0].rendered.path.read_bytes()
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("ArrowRight")
    page.page.wait_for_function(
        "title => document.querySelector('.gallery-detail h2').textContent === title", arg=clips[1].title
    )
    page.page.keyboard.press("Escape")
    focused = page.page.evaluate("document.activeElement.closest('.gallery-card')?.dataset.clip")
    assert focused == clips[1].id, "one is where one was"


@pytest.mark.slow
def test_a_new_clip_comes_in_on_top(open_page: OpenPage, maker: Maker, clips: list[Clip]) -> None:
    page = enter(open_page())
    page.page.mouse.move(5, 5)
    new = maker.clip("brand new")
    page.wait_until(lambda: titles(page)[0] == "brand new")
    page.page.hover(f"{card(new)} .gallery-open")
    maker.clip("newer still")
    page.page.wait_for_selector(".gallery-new:not([hidden])")
    assert titles(page)[0] == "brand new", "nothing moves under the pointer"
    page.page.click(".gallery-new")
    page.wait_until(lambda: titles(page)[0] == "newer still")


@pytest.mark.slow
def test_a_clip_deleted_by_hand_says_so_and_can_be_taken_off(
    open_page: OpenPage, window: Window, clips: list[Clip]
) -> None:
    clips[0].rendered.path.unlink()
    page = enter(open_page())
    assert page.text(f"{card(clips[0])} .gallery-gone") == "File is gone"
    open_clip(page, clips[0])
    assert f"“{clips[0].rendered.path.name}” was deleted or moved" in page.text(".gallery-missing")
    assert page.page.locator(".gallery-detail [data-do=trash]").is_hidden()
    page.page.click(".gallery-detail [data-do=forget]")
    page.wait_until(lambda: window.studio.clips.get(clips[0].id) is None)
    page.page.keyboard.press("Escape")
    page.wait_until(lambda: titles(page)[0] == clips[1].title)


@pytest.mark.slow
def test_the_gallery_fits_a_phone_and_speaks_chinese(open_page: OpenPage, clips: list[Clip]) -> None:
    page = enter(open_page(width=390, locale="zh-CN"))
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.page.get_attribute(".gallery-search", "placeholder") == "搜索标题和提示词"
    open_clip(page, clips[0])
    assert page.page.evaluate("document.querySelector('.gallery-detail').scrollWidth") <= 390
    page.page.click(".gallery-close")
    page.page.wait_for_selector(".gallery-detail:not([open])", state="attached")


@pytest.mark.slow
def test_a_clip_of_less_than_a_second_is_walked_by_frames_and_tenths(open_page: OpenPage, clips: list[Clip]) -> None:
    page = enter(open_page())
    open_clip(page, clips[0])
    page.page.wait_for_function("document.querySelector('.gallery-detail video').readyState > 1")
    page.page.eval_on_selector(".gallery-detail video", "video => { video.pause(); video.currentTime = 0; }")
    page.page.wait_for_function(
        "document.querySelector('.gallery-detail .reel-counter').textContent.startsWith('frame 1 of 2 · 0.0')"
    )
    page.page.click(".gallery-detail [data-reel=on]")
    page.page.wait_for_function(
        "document.querySelector('.gallery-detail .reel-counter').textContent.startsWith('frame 2 of 2')"
    )
    counter = page.text(".gallery-detail .reel-counter")
    assert re.fullmatch(r"frame 2 of 2 · 0\.\d / 0\.\d s", counter), counter


@pytest.mark.slow
def test_marks_from_another_window_are_seen_without_a_reload(
    open_page: OpenPage, window: Window, clips: list[Clip]
) -> None:
    page = enter(open_page())
    open_clip(page, clips[0])
    window.studio.clips.rate(clips[0].id, 4)
    window.studio.clips.star(clips[0].id, True)
    page.page.wait_for_function("document.querySelectorAll('.gallery-detail .stars [aria-pressed=true]').length === 4")
    page.page.wait_for_selector(f"{card(clips[0])} .gallery-star[aria-pressed=true]", state="attached")
    page.page.keyboard.press("Escape")
    assert page.text(f"{card(clips[0])} .gallery-about").startswith("★★★★ ")
    window.studio.clips.rate(clips[0].id, 0)
    window.studio.clips.star(clips[0].id, False)
