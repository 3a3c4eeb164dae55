"""One queue, many screens: close the browser, take another device, and everything is as it was."""

import re
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import pytest

import app
from svd_studio.api.passwords import WRONG_TRIES
from svd_studio.core.job import JobStatus
from tests.browser.page import StudioPage
from tests.browser.test_queue import job_of, open_queue, press, titles
from tests.journeys.window import Window
from tests.waiting import until

pytestmark = pytest.mark.slow

OpenPage = Callable[..., StudioPage]


@pytest.fixture(scope="module")
def window(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A studio for the whole network, whose database was damaged when it opened."""
    data = tmp_path_factory.mktemp("listening")
    (data / "studio.db").write_bytes(b"not a database any more" * 500)
    with Window(data, "--listen", health=False) as opened:
        until(lambda: "Ctrl-C" in opened.log.read_text(), 120)
        until(opened.worker_pid, 60)
        yield opened


@pytest.fixture
def sign_in(open_page: OpenPage, window: Window) -> OpenPage:
    """Another device that knows the password."""
    found = re.search(r"\b[a-z0-9]{20}\b", window.log.read_text())
    assert found, window.log.read_text()
    return lambda **options: open_page(password=found[0], **options)


def test_a_damaged_database_is_said_where_it_was_started_and_on_the_page(sign_in: OpenPage, window: Window) -> None:
    assert "set aside" in window.log.read_text()
    page = sign_in()
    page.page.wait_for_function("document.querySelector('.notice').innerText.includes('set aside')")
    assert [path.name for path in window.data.glob("studio.db.damaged*")] == ["studio.db.damaged-1"]


def test_three_clips_outlive_their_browser_and_two_devices_arrange_what_waits(
    sign_in: OpenPage, window: Window
) -> None:
    queue = window.studio.queue
    page = sign_in()
    page.make_it_small(frames=2, steps=2)
    page.page.fill("#field-prompt textarea", "the tide comes in")
    for number in (1, 2, 3):
        page.page.wait_for_selector("#generate:not([disabled])")
        page.generate()
        page.wait_until(lambda number=number: len(queue.find()) == number)
    page.context.close()

    page = open_queue(sign_in())
    page.wait_until(lambda: len(titles(page, "done")) == 3)
    assert len({job.request.settings.seed for job in queue.find([JobStatus.DONE])}) == 3

    recall(page)
    assert page.field("prompt") == "the tide comes in"
    queue.set_paused(True)
    for prompt in ("first", "second", "third"):
        page.page.locator("#field-prompt textarea").fill(prompt)
        page.page.wait_for_selector("#generate:not([disabled])")
        page.generate()
        page.wait_until(lambda prompt=prompt: prompt in [job.request.settings.prompt for job in queue.find()])
    reorder_on_two_devices(page, sign_in(width=390, locale="zh-CN"), window)
    window.studio.arrangement.clear([JobStatus.DONE])
    for job in queue.find():
        window.studio.cancel(job.id)
    queue.set_paused(False)


def recall(page: StudioPage) -> None:
    """Put the recipe of the newest clip into the form, from the gallery."""
    assert page.field("steps") == "10", "another browser knows nothing of what was typed"
    page.page.click(".rooms [data-room=gallery]")
    page.page.locator(".gallery-open").first.click()
    page.page.click(".gallery-use [data-recall=all]")
    page.page.wait_for_selector("body[data-room=animate]")
    page.wait_until(lambda: page.field("steps") == "2" and page.field("frames") == "2")


def reorder_on_two_devices(here: StudioPage, there: StudioPage, window: Window) -> None:
    first, second, third = (job.id for job in window.studio.queue.find([JobStatus.QUEUED]))
    open_queue(here)
    open_queue(there)
    press(here, "top", third)
    there.wait_until(lambda: order(there) == [third, first, second])
    press(there, "down", third)
    here.wait_until(lambda: order(here) == [first, third, second])


def order(page: StudioPage) -> list[int]:
    rows = page.page.locator("[data-group=waiting] [data-job]")
    return rows.evaluate_all("rows => rows.map(row => Number(row.dataset.job))")  # type: ignore[no-any-return]


def test_what_is_cancelled_on_one_device_is_tried_again_on_another(sign_in: OpenPage, window: Window) -> None:
    here, there = sign_in(), sign_in(width=390)
    here.make_it_small(frames=4, steps=100)
    here.generate()
    there.wait_for_mode("preview")
    [running] = [job.id for job in window.studio.queue.find([JobStatus.RUNNING])]
    open_queue(there)
    press(there, "cancel", running)
    here.page.wait_for_selector(".outcome:not([hidden])")
    assert "cancelled" in here.text(".outcome").lower()
    open_queue(here)
    press(here, "retry", running)
    here.wait_until(lambda: job_of(window, running).status is JobStatus.RUNNING)
    there.page.wait_for_selector(f"[data-group=running] [data-job='{running}']")


def test_over_plain_http_in_the_network_one_signs_out_and_guesses_slowly(chromium: Any, window: Window) -> None:
    """No browser holds such an address for a safe one: other headers and cookies than at this computer."""
    address, found = app.address_on_network(), re.search(r"\b[a-z0-9]{20}\b", window.log.read_text())
    if address is None:
        pytest.skip("this machine is in no network")
    assert found
    elsewhere = copy(window)
    elsewhere.url = f"http://{address}:{window.port}"
    page = StudioPage(chromium, elsewhere, password=found[0])
    assert page.page.evaluate("isSecureContext") is False
    kept = page.context.cookies()
    page.page.click(".signed-in [type=submit]")
    page.page.wait_for_selector("input[type=password]")
    page.context.clear_cookies()
    page.context.add_cookies(kept)
    page.page.goto(elsewhere.url)
    page.page.fill("input[name=username]", "owner")
    for number in range(WRONG_TRIES):
        page.page.fill("input[type=password]", f"wrong {number}")
        with page.page.expect_response("**/login") as heard:
            page.page.keyboard.press("Enter")
        assert heard.value.status == 400
        page.page.wait_for_selector("[role=alert]:has-text('do not fit')")
    page.page.fill("input[type=password]", found[0])
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector("[role=alert]:has-text('seconds, then try again')")
    page.page.wait_for_selector("button:not([disabled])")
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector("body.is-ready")
    page.context.close()
    assert (page.foreign, page.problems) == ([], [])
