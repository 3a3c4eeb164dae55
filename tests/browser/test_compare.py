"""Variants as a person makes and compares them: asked for once, played together, the best kept, found again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.jobs.comparisons import Comparison
from tests.browser.page import StudioPage
from tests.journeys.window import Window
from tests.library.made_clips import Maker
from tests.waiting import until

OpenPage = Callable[..., StudioPage]
SAMPLES = Path(__file__).parents[2] / "presets" / "pictures"
FRAMES = 8
TIMES = "[...document.querySelectorAll('.compare video.is-ready')].map(video => video.currentTime)"
PAUSED = "[...document.querySelectorAll('.compare video.is-ready')].every(video => video.paused)"
APART = """async () => {  // in frames, looked at for a second of playing
    let most = 0;
    for (let at = 0; at < 20; at++) {
        await new Promise((done) => setTimeout(done, 50));
        const times = [...document.querySelectorAll('.compare video.is-ready')].map((video) => video.currentTime);
        most = Math.max(most, Math.max(...times) - Math.min(...times));
    }
    return most * 7;
}"""


@pytest.fixture
def three(window: Window) -> Comparison:
    """Three finished variants with real files, made by the scripted engine."""
    studio = window.studio
    recipes = [ClipSettings(engine="svd-nano", frames=FRAMES, seed=5, motion_bucket=one) for one in (30, 90, 200)]
    picture = studio.keep_picture(SAMPLES / "coffee.jpg")
    studio.queue.set_paused(True)
    made = studio.compare(recipes, picture, "coffee")
    for number in made.jobs:
        finish(window, number)
    studio.queue.set_paused(False)
    return made


def finish(window: Window, number: int) -> None:
    """Make a waiting job's clip as its worker does, with the scripted engine."""
    job = window.studio.queue.claim("test", number)
    assert job is not None
    asked = job.request.settings
    with pytest.MonkeyPatch.context() as patch:
        maker = Maker(window.studio, job.request.start_image, patch)
        maker.made = number - 1  # a clip carries the number of its job
        recipe: dict[str, Any] = {"frames": asked.frames, "motion_bucket": asked.motion_bucket, "seed": asked.seed}
        clip = maker.clip(job.title, width=128, height=128, **recipe)
    window.studio.queue.finish(number, clip.id)


def open_room(open_page: OpenPage, made: Comparison) -> StudioPage:
    page = open_page()
    page.page.goto(f"{page.window.url}/#variants-{made.id}")
    page.page.reload()
    page.page.wait_for_function("document.querySelectorAll('.compare video.is-ready').length === 3")
    return page


def chosen(page: StudioPage) -> str:
    return page.text(".compare-tile.is-chosen .compare-number")


def test_variants_are_asked_for_and_come_one_by_one(open_page: OpenPage, window: Window) -> None:
    page, queue = open_page(), window.studio.queue
    before = len(queue.find())
    queue.set_paused(True)
    page.make_it_small()
    page.page.click(".sweep-open")
    page.page.wait_for_selector(".sweep-line:has-text('3 clips')")
    page.page.fill("#sweep-motion", "30, 999")
    page.page.wait_for_selector("[data-axis=motion_bucket] .sheet-problem:has-text('999')")
    assert page.page.locator(".sweep-go").is_disabled()
    page.page.fill("#sweep-motion", "30, 200")
    page.page.wait_for_selector(".sweep-go:has-text('2'):not([disabled])")
    page.page.wait_for_selector("[data-axis=motion_bucket] .sheet-problem", state="hidden")
    page.page.dblclick(".sweep-go")
    page.page.wait_for_selector(".compare-tile:nth-child(2)")
    assert len(queue.find()) == before + 2
    assert page.text(".compare-tile:nth-child(1) .compare-label") == "motion 30, calm"
    page.page.wait_for_selector(".compare-blocked:not([hidden])")
    finish(window, max(job.id for job in queue.find()) - 1)
    page.page.wait_for_selector(".compare-tile[data-state=clip]:nth-child(1) video.is-ready")
    page.page.click("[data-variant=stop]")
    page.page.wait_for_selector(".compare-tile[data-state=failed]:nth-child(2)")
    queue.set_paused(False)
    address = page.page.url
    page.page.reload()
    page.page.wait_for_selector(".compare-tile:nth-child(2)")
    assert page.page.url == address
    page.page.click(".rooms [data-room=queue]")
    page.page.click(".queue-compare:visible >> nth=0")
    page.page.wait_for_selector(".compare-tile:nth-child(2)")


def test_they_play_together_and_stay_within_a_frame(open_page: OpenPage, three: Comparison) -> None:
    page = open_room(open_page, three)
    page.page.wait_for_function(f"!({PAUSED})")
    page.page.keyboard.press("Space")
    page.page.wait_for_function(PAUSED)
    shown = int(page.text(".compare-counter").split()[1])
    page.page.keyboard.press("ArrowRight")
    expected = shown % FRAMES + 1
    page.page.wait_for_selector(f".compare-counter:has-text('frame {expected} of {FRAMES}')")
    page.page.wait_for_function(f"new Set({TIMES}).size === 1")
    page.page.keyboard.press("Space")
    page.page.wait_for_function(f"!({PAUSED})")
    page.wait_until(lambda: page.page.evaluate(APART) <= 1)  # a busy machine may drop frames now and then
    page.page.locator(".compare-scrub").fill("3")
    page.page.wait_for_function(f"{PAUSED} && new Set({TIMES}).size === 1")
    assert page.text(".compare-counter") == f"frame 4 of {FRAMES}"


def test_the_best_is_kept_the_others_go_and_come_back_and_its_settings_are_used(
    open_page: OpenPage, window: Window, three: Comparison
) -> None:
    page = open_room(open_page, three)
    assert chosen(page) == "1"
    page.page.keyboard.press("2")
    assert chosen(page) == "2"
    page.page.keyboard.press("Space")
    assert chosen(page) == "2", "space plays also where a clip has the focus"
    page.page.click("[data-variant=keep]")
    until(lambda: len([clip for clip in window.studio.clips.newest(9) if clip.starred]) == 1)
    page.page.click("[data-variant=throw]")
    page.page.wait_for_function("document.querySelectorAll('[data-state=trashed]').length === 2")
    until(lambda: sum(clip.trashed is not None for clip in window.studio.clips.everything()) == 2)
    page.page.click("[data-variant=undo]")
    page.page.wait_for_function("document.querySelectorAll('.compare [data-state=clip]').length === 3")
    until(lambda: all(clip.trashed is None for clip in window.studio.clips.everything()))
    page.page.keyboard.press("3")
    page.page.click("[data-variant=use]")
    page.wait_until(lambda: page.field("motion-bucket") == "200")
    assert "#" not in page.page.url


def test_more_like_a_clip_and_its_variants_are_reached_from_the_gallery(open_page: OpenPage, three: Comparison) -> None:
    page = open_page()
    page.page.click(".rooms [data-room=gallery]")
    page.page.click(".gallery-open >> nth=0")
    page.page.click(".gallery-compare")
    page.page.wait_for_function("document.querySelectorAll('.compare-tile').length === 3")
    assert page.page.locator("dialog[open]").count() == 0
    page.page.click(".rooms [data-room=gallery]")
    page.page.click(".gallery-open >> nth=0")
    page.page.click(".gallery-use [data-sweep]")
    page.page.wait_for_selector('.sweep-from:has-text("coffee, with that clip\'s settings")')
    page.page.fill("#sweep-prompts", "pan left\nzoom in")
    page.page.wait_for_selector(".sweep-go:has-text('6')")


@pytest.mark.slow
def test_a_phone_in_the_dark_has_room_for_it(open_page: OpenPage, three: Comparison) -> None:
    page = open_page(width=390, locale="zh-CN")
    page.page.goto(f"{page.window.url}/#variants-{three.id}")
    page.page.reload()
    page.page.wait_for_selector(".compare-name:not(:empty)")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert "动作" in page.text(".compare-label")
    page.page.click("[data-variant=play]")
