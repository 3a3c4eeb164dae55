"""What a person does on the page, in a real browser on a real studio."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from svd_studio.core.job import JobStatus
from tests.browser.page import StudioPage
from tests.journeys.window import Window
from tests.waiting import until

OpenPage = Callable[..., StudioPage]


def test_the_first_clip_is_one_press_away(open_page: OpenPage) -> None:
    page = open_page()
    assert page.page.get_attribute("body", "data-mode") == "welcome"
    assert page.page.locator(".welcome li").count() == 3
    assert "practice model" in page.text(".offer") or page.page.locator(".gauge-card").count() > 0
    assert page.page.locator(".framed").is_visible()
    assert page.page.locator("#generate").is_enabled()
    assert page.field("negative-prompt") == ""


def test_drop_generate_watch_play_download(open_page: OpenPage, small_picture: Path, window: Window) -> None:
    page = open_page()
    page.drop(small_picture)
    page.make_it_small(frames=2, steps=10)
    page.generate()
    page.wait_for_mode("preview")
    assert re.search(r"/media/job/\d+/preview\?v=\d+", page.page.get_attribute(".preview", "src") or "")
    assert "%" in page.page.title()
    page.wait_for_mode("clip")
    page.page.wait_for_function("document.querySelector('.player').currentTime > 0")
    assert page.page.title() == "SVD Studio"
    clip = window.studio.clips.newest(1)[0]
    assert clip.title == "valley"
    assert clip.rendered.frames == 2
    with page.page.expect_download() as download:
        page.page.click(".clip .download")
    assert Path(download.value.path()).read_bytes() == clip.rendered.path.read_bytes()
    assert download.value.suggested_filename == clip.rendered.path.name
    page.page.click(".recipe summary")
    assert f"Seed: {clip.rendered.settings.seed}," in page.text(".recipe pre")
    assert page.field("seed") == str(clip.rendered.settings.seed)


@pytest.mark.slow
def test_again_makes_the_same_clip_with_another_seed(open_page: OpenPage, window: Window) -> None:
    page = open_page()
    first = window.studio.clips.newest(1)[0]
    page.page.click(".clip .again")
    until(lambda: window.studio.clips.newest(1)[0].id != first.id, 60)
    second = window.studio.clips.newest(1)[0].rendered
    assert second.settings.changed(seed=0) == first.rendered.settings.changed(seed=0)
    assert second.settings.seed != first.rendered.settings.seed
    assert second.source_sha256 == first.rendered.source_sha256
    page.wait_until_idle()
    page.page.wait_for_selector(".recent li:nth-child(2)")
    page.page.click(f".recent button[data-clip='{first.id}']")
    page.page.wait_for_function("id => document.querySelector('.player').src.endsWith(id)", arg=first.id)


def test_cancel_stops_within_a_step(open_page: OpenPage, window: Window) -> None:
    page = open_page()
    page.make_it_small(frames=8, steps=100)
    page.generate()
    page.wait_for_mode("preview")
    page.page.click("#cancel")
    page.page.wait_for_selector(".outcome:not([hidden])")
    assert "Cancelled" in page.text(".outcome")
    assert window.studio.queue.find()[0].status is JobStatus.CANCELLED
    page.wait_until_idle()


@pytest.mark.slow
def test_a_reload_finds_the_job_and_the_words_again(open_page: OpenPage) -> None:
    page = open_page()
    page.page.fill("#field-prompt textarea", "waves roll in")
    page.make_it_small(frames=8, steps=90)
    page.generate()
    page.wait_for_mode("preview")
    page.load()
    page.wait_for_mode("preview")
    assert page.field("prompt") == "waves roll in"
    assert page.field("steps") == "90"
    other = open_page()
    other.wait_for_mode("preview")
    other.page.click("#cancel")
    page.wait_until_idle()


def test_a_look_sets_what_makes_it(open_page: OpenPage) -> None:
    page = open_page()
    page.page.click("#look-social")
    page.page.wait_for_selector("#look-social.is-chosen")
    assert "1080" in page.text(".look-about")
    page.page.wait_for_function("document.querySelector('.picture-facts').textContent.startsWith('144 × 256')")
    assert page.field("motion-bucket") == "90"
    page.page.click("#more > button")
    page.page.wait_for_selector("#field-finish-scale label.selected:has-text('1080p')")
    page.page.click("#look-gentle-drift")
    page.page.wait_for_selector("#field-finish-scale label.selected:has-text('As made')")
    assert page.field("motion-bucket") == "60"


def test_a_bad_picture_is_refused_beside_the_picture(open_page: OpenPage, tmp_path: Path, small_picture: Path) -> None:
    page = open_page()
    page.page.fill("#field-prompt textarea", "kept")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
    page.page.set_input_files("#picture input[type=file]", broken)
    page.page.wait_for_selector("#picture .problem")
    assert "broken" in page.text("#picture .problem")
    assert page.page.locator(".framed").is_visible()  # the one before stays
    page.wait_until_idle()
    assert page.field("prompt") == "kept"
    page.drop(small_picture)
    page.page.wait_for_selector("#picture .problem", state="detached")


def test_a_bad_seed_is_refused_beside_the_seed_until_it_is_mended(open_page: OpenPage) -> None:
    page = open_page()
    seed = page.page.locator("#field-seed input, #field-seed textarea").first
    seed.fill("many")
    page.page.wait_for_selector("#field-seed .problem")
    assert page.text("#field-seed .problem").startswith("Seed needs a number")
    seed.fill("7")
    page.page.wait_for_selector("#field-seed .problem", state="detached")


def test_a_double_click_makes_one_job(open_page: OpenPage, window: Window) -> None:
    page = open_page()
    page.make_it_small(frames=2, steps=30)
    before = len(window.studio.queue.find())
    page.page.dblclick("#generate")
    page.page.evaluate("document.querySelector('#generate').click()")
    page.wait_for_mode("preview")
    assert len(window.studio.queue.find()) == before + 1


def test_ctrl_enter_starts_a_clip(open_page: OpenPage, window: Window) -> None:
    page = open_page()
    page.make_it_small(frames=2, steps=30)
    before = len(window.studio.queue.find())
    page.page.focus("#field-prompt textarea")
    page.page.keyboard.press("Control+Enter")
    until(lambda: len(window.studio.queue.find()) == before + 1, 20)


def test_the_browser_chooses_the_language_and_the_switch_changes_it(open_page: OpenPage) -> None:
    page = open_page(locale="zh-CN")
    assert page.text("#generate") == "生成视频"
    page.page.click("#more > button")
    page.page.wait_for_selector("#field-engine")
    shown = page.page.evaluate("document.body.innerText")
    known = {"SVD\u00a0Studio", "English", "valley"}
    left = [
        line
        for line in shown.splitlines()
        if re.search(r"[A-Za-z]{3,}", line) and not re.search(r"[\u4e00-\u9fff]", line)
    ]
    assert set(left) - known == set()
    page.page.click("#language label:has-text('English')")
    page.page.wait_for_function("document.querySelector('#generate').textContent.includes('Generate')")
    assert page.page.evaluate("document.documentElement.lang") == "en"
    page.load()
    assert page.text("#generate") == "Generate"


def test_the_page_fits_a_phone(open_page: OpenPage) -> None:
    page = open_page(width=390)
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.page.locator("#generate").is_visible()
    small = page.page.evaluate(
        "[...document.querySelectorAll('button, input, textarea, select')].filter(one => one.offsetParent"
        " && !one.labels?.length && !one.getAttribute('aria-label') && !one.textContent.trim()"
        " && !one.title && !one.closest('label')).map(one => one.outerHTML.slice(0, 120))"
    )
    assert small == []


def test_a_model_that_is_not_here_says_so_beside_it_and_the_form_follows_its_limits(open_page: OpenPage) -> None:
    page = open_page()
    page.page.click("#more > button")
    page.page.click("#field-engine input")
    page.page.click("text=SVD-XT, 25 frames")
    page.page.wait_for_selector("#field-engine .problem")
    assert "not here yet" in page.text("#field-engine .problem")
    page.page.wait_for_function("document.querySelector('#field-frames input[type=range]').max === '25'")
    assert page.field("frames") == "25"


def test_a_typed_seed_is_the_clips_seed(open_page: OpenPage, window: Window) -> None:
    page, jobs_before = open_page(), len(window.studio.queue.find())
    page.make_it_small()
    seed = page.page.locator("#field-seed input, #field-seed textarea").first
    seed.fill("42")
    seed.press("Tab")
    page.generate()
    until(lambda: len(window.studio.queue.find()) == jobs_before + 1)
    newest = max(window.studio.queue.find(), key=lambda job: job.id)
    assert newest.request.settings.seed == 42
