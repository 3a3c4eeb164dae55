"""The Queue page and many clips at once, as a person uses them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import Message
from svd_studio.core.job import Job, JobStatus
from tests.browser.page import StudioPage
from tests.journeys.window import Window
from tests.library.made_clips import row
from tests.waiting import until

OpenPage = Callable[..., StudioPage]
IMPATIENT = """() => {
  const real = window.setTimeout;
  window.setTimeout = (what, ms, ...rest) => real(what, ms === 60000 ? 1500 : ms, ...rest);
}"""
SAMPLES = Path(__file__).parents[2] / "presets" / "pictures"


@pytest.fixture(autouse=True)
def nothing_before(window: Window) -> Iterator[None]:
    """An empty list at first, and a queue that goes on at the end."""
    window.studio.arrangement.clear(tuple(JobStatus))
    yield
    window.studio.queue.set_paused(False)


def add(window: Window, *names: str, **values: object) -> list[int]:
    settings = ClipSettings.from_person({"frames": 2, "steps": 2, **values})
    return [window.studio.submit(settings, SAMPLES / f"{name}.jpg").job_id for name in names]


def open_queue(page: StudioPage) -> StudioPage:
    page.page.click(".rooms [data-room=queue]")
    page.page.wait_for_selector("#room-queue .queue-group:not([hidden]), .queue-empty:not([hidden])")
    return page


def titles(page: StudioPage, group: str) -> list[str]:
    return page.page.locator(f"[data-group={group}] .queue-title").all_inner_texts()  # type: ignore[no-any-return]


def press(page: StudioPage, name: str, job: int) -> None:
    page.page.click(f"[data-job='{job}'] [data-act={name}]")


def job_of(window: Window, job_id: int) -> Job:
    job = window.studio.queue.get(job_id)
    assert job is not None
    return job


@pytest.mark.slow
def test_what_is_done_is_watched_and_taken_off_the_list(open_page: OpenPage, window: Window) -> None:
    [job] = add(window, "coffee")
    page = open_queue(open_page())
    page.wait_until(lambda: titles(page, "done") == ["coffee"])
    assert "made in" in page.text("[data-group=done] .queue-line")
    page.page.click("[data-group=done] [data-act=watch]")
    page.page.wait_for_function("document.querySelector('.queue-player video').currentTime > 0")
    page.page.click(".queue-player [data-act=close]")
    clip_id = job_of(window, job).clip_id
    page.page.click("[data-group=done] [data-act=clear]")
    page.page.wait_for_selector(".queue-empty:not([hidden])")
    assert window.studio.clips.get(str(clip_id)) is not None, "the list is cleared, the library stays"


@pytest.mark.slow
def test_a_clip_that_somebody_deleted_by_hand_is_told(open_page: OpenPage, window: Window) -> None:
    window.studio.queue.set_paused(True)
    [job] = add(window, "coffee")
    window.studio.queue.claim("me", job)
    [clip] = window.studio.clips.write([row(window.studio, 1)])
    window.studio.queue.finish(job, clip.id)
    page = open_queue(open_page())
    press(page, "watch", job)
    page.page.wait_for_function("document.querySelector('.notice').innerText.includes('deleted or moved')")
    assert not page.page.locator(".queue-player[open]").count()
    window.studio.clips.forget(clip)


@pytest.mark.slow
def test_two_tabs_do_not_get_in_each_others_way(open_page: OpenPage, window: Window) -> None:
    window.studio.queue.set_paused(True)
    first, second = add(window, "coffee", "sunset")
    here = open_page()
    there = here.another_tab()
    open_queue(here)
    open_queue(there)
    press(there, "remove", first)
    there.wait_until(lambda: first not in [job.id for job in window.studio.queue.find()])
    here.page.evaluate(
        "job => window.studio.send('queue', 'act', {what: 'remove', job})", first
    )  # a press that came just before the row went
    here.page.wait_for_function("document.querySelector('.notice').innerText.includes('no job')")
    here.wait_until(lambda: titles(here, "waiting") == titles(there, "waiting") == ["sunset"])
    for page in (here, there):
        page.page.click(".rooms [data-room=animate]")
        page.make_it_small()
        page.generate()
    here.wait_until(lambda: len(window.studio.queue.find()) == 3)
    assert len({job.request.settings.seed for job in window.studio.queue.find()}) == 3
    open_queue(there)
    there.wait_until(lambda: there.page.locator("[data-group=waiting] [data-job]").count() == 3)
    assert job_of(window, second).status is JobStatus.QUEUED


def test_the_order_follows_buttons_keys_and_the_mouse(open_page: OpenPage, window: Window) -> None:
    window.studio.queue.set_paused(True)
    first, _, last = add(window, "coffee", "sunset", "pagoda")
    page = open_queue(open_page())
    assert page.text(".rooms [data-room=queue] .count") == "3"
    page.page.wait_for_function(
        "[...document.querySelectorAll('[data-group=waiting] img')].every(one => one.naturalWidth === 192)"
    )
    press(page, "top", last)
    page.wait_until(lambda: titles(page, "waiting") == ["pagoda", "coffee", "sunset"])
    page.page.focus(f"[data-job='{first}'] [data-act=down]")
    page.page.keyboard.press("Enter")
    page.wait_until(lambda: titles(page, "waiting") == ["pagoda", "sunset", "coffee"])
    held = page.page.evaluate("document.activeElement.closest('[data-job]').dataset.job")
    assert held == str(first), "the focus stays with the row that moved"
    page.page.locator(f"[data-job='{first}']").drag_to(
        page.page.locator(f"[data-job='{last}']"), target_position={"x": 200, "y": 4}
    )
    page.wait_until(lambda: [job.title for job in window.studio.queue.find()] == ["coffee", "pagoda", "sunset"])


def test_cancel_try_again_take_off_and_undo(open_page: OpenPage, window: Window) -> None:
    [running] = add(window, "coffee", steps=100, frames=14)
    until(lambda: job_of(window, running).status is JobStatus.RUNNING, 60)
    window.studio.queue.set_paused(True)
    [bad] = add(window, "sunset")
    window.studio.queue.claim("nobody", bad)
    window.studio.queue.fail(bad, Message("memory.ran_out"))
    page = open_queue(open_page())
    assert "choose fewer frames" in page.text("[data-group=failed] .queue-line")
    press(page, "cancel", running)
    page.wait_until(lambda: job_of(window, running).status is JobStatus.CANCELLED)
    page.wait_until(lambda: sorted(titles(page, "failed")) == ["coffee", "sunset"])
    press(page, "retry", bad)
    page.wait_until(lambda: titles(page, "waiting") == ["sunset"])
    press(page, "remove", bad)
    page.page.wait_for_selector(".queue-removed:not([hidden])")
    page.wait_until(lambda: window.studio.queue.get(bad) is None)
    page.page.click(".queue-removed [data-act=undo]")
    page.wait_until(lambda: titles(page, "waiting") == ["sunset"])
    assert page.page.locator(".queue-removed").is_hidden()


@pytest.mark.slow
def test_a_paused_queue_says_so_everywhere_and_goes_on(open_page: OpenPage, window: Window) -> None:
    page = open_queue(open_page())
    page.page.click("#room-queue [data-act=pause]")
    page.page.wait_for_selector(".queue-paused:not([hidden])")
    [job] = add(window, "coffee")
    page.page.click(".rooms [data-room=animate]")
    page.page.wait_for_selector(".standing:not([hidden])")
    page.page.wait_for_function("document.querySelector('.waiting').innerText.includes('paused')")
    page.page.click(".standing [data-act=resume]")
    page.wait_until(lambda: job_of(window, job).status is JobStatus.DONE)
    page.page.wait_for_selector(".standing", state="hidden")


@pytest.mark.slow
def test_a_waiting_clip_is_changed_in_animate_and_what_stood_there_comes_back(
    open_page: OpenPage, window: Window
) -> None:
    window.studio.queue.set_paused(True)
    first, second = add(window, "coffee", "sunset", steps=7, seed=5, prompt="steam rises")
    page = open_page()
    page.page.fill("#field-prompt textarea", "mine")
    page.set_number("steps", 9)
    open_queue(page)
    press(page, "edit", second)
    page.page.wait_for_selector(".editing:not([hidden])")
    page.page.wait_for_function("document.querySelector('.framed').alt === 'sunset'")
    page.wait_until(lambda: page.field("prompt") == "steam rises" and page.field("steps") == "7")
    page.set_number("steps", 3)
    page.load()
    page.page.wait_for_selector("#generate:has-text('Save the change')")
    page.generate()
    page.page.wait_for_selector("body[data-room=queue]")
    changed = job_of(window, second)
    assert (changed.request.settings.steps, changed.request.settings.seed, changed.title) == (3, 5, "sunset")
    assert [job.id for job in window.studio.queue.find()] == [first, second], "it keeps its place"
    page.page.click(".rooms [data-room=animate]")
    page.wait_until(lambda: page.field("prompt") == "mine" and page.field("steps") == "9")
    page.wait_until(lambda: page.text("#generate") == "Generate")
    assert page.page.get_attribute(".framed", "alt") == "mountains"


@pytest.mark.slow
def test_a_clip_that_starts_while_it_is_changed_is_told_and_nothing_is_lost(
    open_page: OpenPage, window: Window
) -> None:
    window.studio.queue.set_paused(True)
    [job] = add(window, "coffee", frames=8, steps=90)
    page = open_queue(open_page())
    press(page, "edit", job)
    page.page.wait_for_selector("#generate:has-text('Save the change')")
    page.set_number("steps", 2)
    window.studio.queue.set_paused(False)
    page.page.wait_for_function("document.querySelector('.editing').innerText.includes('has started meanwhile')")
    page.page.wait_for_selector("#generate:has-text('Generate')")
    page.generate()
    page.wait_until(lambda: len(window.studio.queue.find()) == 2)
    assert job_of(window, job).request.settings.steps == 90
    assert max(window.studio.queue.find(), key=lambda one: one.id).request.settings.steps == 2
    page.page.wait_for_selector(".editing", state="hidden")


@pytest.mark.slow
def test_a_change_can_be_given_up(open_page: OpenPage, window: Window) -> None:
    window.studio.queue.set_paused(True)
    [job] = add(window, "coffee", steps=7)
    page = open_queue(open_page())
    press(page, "edit", job)
    page.page.wait_for_selector(".editing:not([hidden])")
    page.page.wait_for_selector("#cancel", state="hidden")  # it would cancel another clip than the one that is changed
    page.set_number("steps", 3)
    page.page.click(".editing [data-act=leave]")
    page.page.wait_for_selector(".editing", state="hidden")
    page.page.wait_for_function("document.querySelector('.framed').alt === 'mountains'")
    assert job_of(window, job).request.settings.steps == 7
    page.page.wait_for_selector("#generate:has-text('Generate')")


def test_many_pictures_become_many_clips_and_refused_ones_are_named(
    open_page: OpenPage, window: Window, picture: Image.Image, tmp_path: Path
) -> None:
    window.studio.queue.set_paused(True)
    for name in ("one", "two", "three"):
        picture.save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes(b"nothing of a picture")
    page = open_page()
    page.make_it_small(frames=2, steps=3)
    before = page.page.get_attribute(".framed", "src")
    page.page.set_input_files("#picture input[type=file]", sorted(tmp_path.glob("*.png")))
    page.page.wait_for_selector(".many [data-many=back]:not([hidden])")
    assert "added to the queue: 3" in page.text(".many-line")
    assert "broken" in page.text(".many-refused")
    jobs = window.studio.queue.find()
    assert [job.title for job in jobs] == ["one", "three", "two"]
    assert {job.request.settings.steps for job in jobs} == {3}
    assert len({job.request.settings.seed for job in jobs}) == 3
    assert page.page.get_attribute(".framed", "src") == before, "the picture of the form stays"
    page.page.click(".many [data-many=back]")
    page.wait_until(lambda: window.studio.queue.find() == [])


@pytest.mark.slow
def test_a_picture_that_arrives_too_late_is_not_made_in_secret(
    open_page: OpenPage, window: Window, picture: Image.Image, tmp_path: Path
) -> None:
    window.studio.queue.set_paused(True)
    for name in ("one", "two"):
        picture.save(tmp_path / f"{name}.png")
    page, held = open_page(), []
    page.page.evaluate(IMPATIENT)
    page.page.route("**/upload*", lambda route: route.continue_() if held else held.append(route))
    page.page.set_input_files("#picture input[type=file]", sorted(tmp_path.glob("*.png")))
    page.page.wait_for_selector(".many [data-many=back]:not([hidden])")
    assert "one.png" in page.text(".many-refused")
    with page.page.expect_response("**/upload*"):
        held[0].continue_()
    page.page.wait_for_timeout(2000)
    assert [job.title for job in window.studio.queue.find()] == ["two"]


def test_pictures_dropped_while_the_last_one_is_on_its_way_join_the_heap(
    open_page: OpenPage, window: Window, picture: Image.Image, tmp_path: Path
) -> None:
    window.studio.queue.set_paused(True)
    paths = [tmp_path / f"{name}.png" for name in ("a", "b", "c", "d")]
    for path in paths:
        picture.save(path)
    page, sent = open_page(), []
    page.page.route("**/upload*", lambda route: sent.append(route) or (len(sent) != 2 and route.continue_()))
    page.page.set_input_files("#picture input[type=file]", paths[:2])
    page.wait_until(lambda: len(sent) == 2)
    page.page.set_input_files("#picture input[type=file]", paths[2:])
    page.page.wait_for_timeout(500)
    sent[1].continue_()
    page.page.wait_for_selector(".many [data-many=back]:not([hidden])")
    assert "added to the queue: 4" in page.text(".many-line")
    page.page.click(".many [data-many=back]")
    page.wait_until(lambda: window.studio.queue.find() == [])


def test_several_seeds_at_once(open_page: OpenPage, window: Window) -> None:
    window.studio.queue.set_paused(True)
    page = open_page()
    page.make_it_small()
    page.page.fill("#clips input", "3")
    page.page.locator("#field-seed input, #field-seed textarea").first.fill("40")
    page.page.keyboard.press("Tab")
    page.generate()
    page.wait_until(lambda: len(window.studio.queue.find()) == 3)
    assert [job.request.settings.seed for job in window.studio.queue.find()] == [40, 41, 42]
    page.page.fill("#clips input", "17")
    page.page.keyboard.press("Tab")
    page.page.wait_for_timeout(1200)
    page.generate()
    page.page.wait_for_function("document.querySelector('.form-error').textContent.includes('1 to 16')")
    assert len(window.studio.queue.find()) == 3


@pytest.mark.slow
def test_the_queue_fits_a_phone_and_names_every_button(open_page: OpenPage, window: Window) -> None:
    window.studio.queue.set_paused(True)
    add(window, "coffee", "sunset", prompt="a long prompt " * 10)
    page = open_queue(open_page(width=390, locale="zh-CN"))
    page.page.wait_for_selector("[data-group=waiting] [data-act=edit]:has-text('修改')")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390
    unnamed = page.page.evaluate(
        "[...document.querySelectorAll('#room-queue button')].filter(one => one.offsetParent"
        " && !one.getAttribute('aria-label') && !one.textContent.trim()).length"
    )
    assert unnamed == 0
