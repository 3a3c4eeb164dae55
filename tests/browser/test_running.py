"""What the page shows and does while a clip is made, waits, fails or plays."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.job import JobStatus
from tests.browser.page import StudioPage
from tests.journeys.window import Window
from tests.waiting import until

OpenPage = Callable[..., StudioPage]

OURS = {"SVD\u00a0Studio", "English", "valley", "mountains", "NVIDIA"}
"""Names, which stay in every language."""


def untranslated(page: StudioPage) -> set[str]:
    """Lines of the page that hold English words and no Chinese."""
    shown = page.page.evaluate("document.body.innerText")
    lines = {
        line.strip()
        for line in shown.splitlines()
        if re.search(r"[A-Za-z]{3,}", line) and not re.search(r"[\u4e00-\u9fff]", line)
    }
    return lines - OURS


def test_every_word_is_chinese_while_a_clip_is_made_fails_or_is_refused(
    open_page: OpenPage, window: Window, small_picture: Path
) -> None:
    page = open_page(locale="zh-CN")
    page.drop(small_picture)
    page.make_it_small(frames=4, steps=60)
    page.generate()
    page.wait_for_mode("preview")
    assert untranslated(page) == set()
    page.page.click("#cancel")
    page.page.wait_for_selector(".outcome:not([hidden])")
    assert untranslated(page) == set()
    page.page.locator("#field-seed input, #field-seed textarea").first.fill("许多")
    page.page.wait_for_selector("#field-seed .problem")
    assert untranslated(page) == set()


def test_a_failure_says_why_and_what_to_do(open_page: OpenPage, window: Window, small_picture: Path) -> None:
    page = open_page(locale="zh-CN")
    page.drop(small_picture)
    page.make_it_small(frames=2, steps=2)
    job_id = window.studio.queue.next_of("owner")
    assert job_id is None
    window.studio.queue.set_paused(True)
    try:
        page.generate()
        page.wait_for_mode("waiting")
        job = window.studio.queue.next_of("owner")
        assert job is not None
        job.request.start_image.unlink()  # somebody tidied up
    finally:
        window.studio.queue.set_paused(False)
    page.page.wait_for_selector(".outcome.is-bad:not([hidden])")
    assert untranslated(page) == set()
    failed = window.studio.queue.get(job.id)
    assert failed is not None
    assert failed.status is JobStatus.FAILED


def test_the_preview_grows_sharper_and_a_clip_can_be_cancelled_while_its_frames_are_decoded(
    open_page: OpenPage, window: Window, small_picture: Path
) -> None:
    page = open_page()
    page.drop(small_picture)
    page.make_it_small(frames=8, steps=6)
    page.generate()
    seen: set[str] = set()

    def is_decoding() -> bool:
        seen.add(page.page.get_attribute(".preview", "src") or "")
        job = window.studio.queue.next_of("owner")
        return job is not None and job.stage == "decode"

    page.wait_until(is_decoding)
    page.page.click("#cancel")
    page.page.wait_for_selector(".outcome:not([hidden])")
    assert "Cancelled" in page.text(".outcome")
    assert len({address for address in seen if address}) >= 2
    assert window.studio.queue.find()[0].status is JobStatus.CANCELLED


def test_the_player_loops_changes_speed_and_hands_out_the_recipe(open_page: OpenPage, window: Window) -> None:
    page = open_page()
    if not window.studio.clips.newest(1):
        page.make_it_small()
        page.generate()
    page.wait_for_mode("clip")
    page.wait_until_idle()
    video = "document.querySelector('.player')"
    page.page.wait_for_function(f"{video}.readyState > 1")
    assert page.page.evaluate(f"{video}.loop") is True
    page.page.click(".loop")
    assert page.page.evaluate(f"{video}.loop") is False
    page.page.click("[data-speed='0.5']")
    assert page.page.evaluate(f"{video}.playbackRate") == 0.5
    page.page.click(".recipe summary")
    page.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")  # as over --listen
    page.page.evaluate("document.addEventListener('copy', () => (window.copied = getSelection().toString() || '?'))")
    page.page.click(".clip [data-copy=recipe]")
    page.page.wait_for_function("window.copied")


@pytest.mark.slow
def test_from_an_empty_folder_one_drop_and_one_click_play_a_clip(
    chromium: Any, tmp_path: Path, small_picture: Path
) -> None:
    with Window(tmp_path / "never used") as window:
        page = StudioPage(chromium, window)
        page.drop(small_picture)
        page.generate()
        page.page.set_default_timeout(600_000)
        page.wait_for_mode("clip")
        page.page.wait_for_function("document.querySelector('.player').currentTime > 0")
        made = window.studio.clips.newest(1)[0].rendered
        assert (made.frames, made.settings.steps) == (14, 10)
        maps = Path(f"/proc/{window.process.pid}/maps")
        if maps.exists():  # every handler has run by now
            assert "libtorch" not in maps.read_text()
        page.context.close()


@pytest.fixture
def without_torch(tmp_path: Path) -> Iterator[Window]:
    """A studio whose worker dies at once, because torch is broken."""
    broken = tmp_path / "broken" / "torch"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('libcudart.so.13 is not here')\n")
    with Window(tmp_path / "data", environment={"PYTHONPATH": str(broken.parent)}) as window:
        yield window


def test_a_worker_that_does_not_start_is_told_to_whoever_waits(chromium: Any, without_torch: Window) -> None:
    page = StudioPage(chromium, without_torch)
    page.make_it_small()
    page.generate()
    page.page.wait_for_function("document.querySelector('.waiting').innerText.includes('does not start')")
    assert "libcudart.so.13" in page.text(".waiting")
    page.page.click("#cancel")
    page.page.wait_for_selector(".outcome:not([hidden])")
    until(lambda: without_torch.studio.queue.find()[0].status is JobStatus.CANCELLED)
    page.context.close()
