"""The bell: a message, a sound or nothing when one's clips are made; the choice outlives the page."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import Message
from svd_studio.core.job import JobStatus
from tests.browser.page import StudioPage
from tests.journeys.window import Window

pytestmark = pytest.mark.slow

OpenPage = Callable[..., StudioPage]
PICTURE = Path(__file__).parents[2] / "presets" / "pictures" / "coffee.jpg"

LISTEN = """
  window.heard = [];
  const ring = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () { window.heard.push('tone'); return ring.call(this); };
  window.Notification = class {
    static permission = '%s';
    static async requestPermission() { return Notification.permission; }
    constructor(title, { body }) { window.heard.push(body); }
    close() {}
  };
  document.hasFocus = () => !window.away;
"""
"""What the browser itself would do, written down: nobody sees or hears it in a test."""


@pytest.fixture(autouse=True)
def standing_still(window: Window) -> Iterator[None]:
    """The queue stands, so that each job ends when a test says so."""
    window.studio.queue.set_paused(True)
    yield
    window.studio.queue.set_paused(False)


def listening(page: StudioPage, permission: str = "granted") -> StudioPage:
    page.page.add_init_script(LISTEN % permission)
    page.load()
    return page


def choose(page: StudioPage, words: str) -> None:
    page.page.click(".bell")
    page.page.click(f".menu button:has-text('{words}')")


def add(window: Window, page: StudioPage) -> int:
    """A job that this page has seen."""
    settings = ClipSettings(frames=2, steps=2)
    job = window.studio.submit(settings, PICTURE).job_id
    page.page.wait_for_function("id => window.studio.state.job?.id === id", arg=job)
    return job


def end(window: Window, job: int, status: JobStatus) -> None:
    queue = window.studio.queue
    if status is JobStatus.CANCELLED:
        queue.cancel(job)
        return
    queue.claim("nobody", job)
    if status is JobStatus.FAILED:
        queue.fail(job, Message("memory.ran_out"))
    else:
        queue.finish(job, "clip")


def heard(page: StudioPage) -> Any:
    return page.page.evaluate("window.heard")


def seen_idle(page: StudioPage) -> None:
    page.page.wait_for_function("window.studio.state.job === null")


def test_a_message_comes_when_one_looks_elsewhere_and_the_choice_is_kept(open_page: OpenPage, window: Window) -> None:
    page = listening(open_page())
    assert page.page.get_attribute(".bell", "aria-label") == "When clips are ready: Say nothing"
    choose(page, "Show a message")
    page.page.wait_for_selector(".bell[data-way=message]")
    page.load()
    assert page.page.get_attribute(".bell", "data-way") == "message"
    page.page.evaluate("window.away = true")
    end(window, add(window, page), JobStatus.DONE)
    page.wait_until(lambda: heard(page) == ["“coffee” is ready."])
    end(window, add(window, page), JobStatus.FAILED)
    page.wait_until(lambda: len(heard(page)) == 2)
    assert "did not work out" in heard(page)[1]
    end(window, add(window, page), JobStatus.CANCELLED)
    page.page.evaluate("window.away = false")
    seen_idle(page)
    end(window, add(window, page), JobStatus.DONE)
    seen_idle(page)
    assert len(heard(page)) == 2, "neither for what was cancelled nor for somebody who is looking"


def test_a_sound_is_heard_once_when_everything_is_made(open_page: OpenPage, window: Window) -> None:
    page = listening(open_page())
    choose(page, "Play a sound")
    page.page.wait_for_selector(".bell[data-way=sound]")
    tones = len(heard(page))
    assert tones > 0, "what it sounds like"
    first = add(window, page)
    second = window.studio.submit(ClipSettings(frames=2, steps=2), PICTURE).job_id
    end(window, first, JobStatus.DONE)
    page.page.wait_for_function("id => window.studio.state.job?.id === id", arg=second)
    assert len(heard(page)) == tones, "there is more to come"
    end(window, second, JobStatus.DONE)
    page.wait_until(lambda: len(heard(page)) == 2 * tones)
    choose(page, "Say nothing")
    end(window, add(window, page), JobStatus.DONE)
    seen_idle(page)
    assert len(heard(page)) == 2 * tones


def test_a_browser_that_allows_no_messages_says_what_to_do(open_page: OpenPage) -> None:
    page = listening(open_page(), "denied")
    choose(page, "Show a message")
    page.page.wait_for_selector(".notice:has-text('does not allow messages')")
    assert page.page.get_attribute(".bell", "data-way") == "off"
    page.page.evaluate("localStorage.setItem('svd-studio-notify', 'message')")
    page.load()
    assert page.page.get_attribute(".bell", "data-way") == "off", "permission was taken away meanwhile"
    page.page.focus(".bell")
    page.page.keyboard.press("Enter")
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector(".bell[data-way=sound]")
    assert page.page.evaluate("document.activeElement.className").endswith("bell")
