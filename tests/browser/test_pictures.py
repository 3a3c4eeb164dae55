"""Every way in which a picture reaches the page, and what happens when one does not arrive."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image

from tests.browser.page import StudioPage
from tests.journeys.window import Window
from tests.waiting import until

OpenPage = Callable[..., StudioPage]

HAND_OVER = """([kind, name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], name, {type}));
    const options = {bubbles: true, cancelable: true};
    const event = kind === 'paste'
        ? new ClipboardEvent('paste', {...options, clipboardData: files})
        : new DragEvent('drop', {...options, dataTransfer: files});
    document.body.dispatchEvent(event);
}"""

WATCH_NAMES = """() => {
    window.names = [];
    const image = document.querySelector('.framed');
    new MutationObserver(() => window.names.push(image.alt)).observe(image, {attributes: true});
}"""


def hand_over(page: StudioPage, kind: str, path: Path, media_type: str) -> None:
    """Drop or paste a file as the browser does it, and wait until it is shown."""
    before = page.page.get_attribute(".framed", "src")
    data = base64.b64encode(path.read_bytes()).decode()
    page.page.evaluate(HAND_OVER, [kind, path.name, media_type, data])
    page.page.wait_for_function("before => document.querySelector('.framed').src !== before", arg=before)


def test_a_picture_can_be_dragged_and_pasted(open_page: OpenPage, small_picture: Path, picture: Image.Image) -> None:
    page = open_page()
    hand_over(page, "drop", small_picture, "image/png")
    assert page.page.get_attribute(".framed", "alt") == "valley"
    pasted = small_picture.with_name("screenshot.png")
    picture.rotate(180).save(pasted)
    hand_over(page, "paste", pasted, "image/png")
    assert page.page.get_attribute(".framed", "alt") == "screenshot"


def test_a_phones_heic_is_shown_upright(open_page: OpenPage, picture: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.HEIC"
    pillow_heif.from_pillow(picture.convert("RGB")).save(path)
    page = open_page()
    page.drop(path)
    assert page.page.get_attribute(".framed", "alt") == "IMG_0001"
    assert page.page.evaluate("document.querySelector('.framed').naturalWidth") > 200


def test_the_camera_takes_a_picture(open_page: OpenPage) -> None:
    page = open_page()
    before = page.page.get_attribute(".framed", "src")
    page.page.click(".camera")
    page.page.wait_for_function("document.querySelector('.webcam video').videoWidth > 0")
    page.page.click(".shoot")
    page.page.wait_for_function("before => document.querySelector('.framed').src !== before", arg=before)
    assert page.page.get_attribute(".framed", "alt") == "camera"
    assert not page.page.evaluate("document.querySelector('.webcam').open")


def test_generate_waits_for_the_picture_that_is_on_its_way(
    open_page: OpenPage, small_picture: Path, window: Window
) -> None:
    page, before = open_page(), len(window.studio.queue.find())
    page.make_it_small()
    held: list[object] = []
    page.page.route("**/upload*", lambda route: held.append(route))
    page.page.set_input_files("#picture input[type=file]", small_picture)
    page.page.wait_for_selector(".picture[data-state=busy]")
    assert page.page.locator("#generate").is_disabled()
    page.page.keyboard.press("Control+Enter")
    page.page.wait_for_timeout(300)
    assert len(window.studio.queue.find()) == before
    page.wait_until(lambda: held)
    held[0].continue_()  # type: ignore[attr-defined]
    page.page.wait_for_selector(".picture[data-state=ready]")
    page.generate()
    until(lambda: len(window.studio.queue.find()) == before + 1)
    assert max(window.studio.queue.find(), key=lambda job: job.id).title == "valley"


def test_an_upload_that_fails_leaves_the_picture_before_and_says_so(open_page: OpenPage, small_picture: Path) -> None:
    page = open_page()
    before = page.page.get_attribute(".framed", "src")
    page.page.route("**/upload*", lambda route: route.abort())
    page.page.set_input_files("#picture input[type=file]", small_picture)
    page.page.wait_for_selector("#picture .problem")
    assert "did not arrive" in page.text("#picture .problem")
    assert page.page.get_attribute(".framed", "src") == before
    page.page.wait_for_selector("#generate:not([disabled])")
    page.problems.clear()  # the browser's own note of the aborted upload


def test_the_last_picture_given_wins(open_page: OpenPage, small_picture: Path, picture: Image.Image) -> None:
    page = open_page()
    second = small_picture.with_name("second.png")
    picture.rotate(180).save(second)
    held: list[object] = []

    def first_is_slow(route: object) -> None:
        if held:
            route.continue_()  # type: ignore[attr-defined]
        else:
            held.append(route)

    page.page.route("**/upload*", first_is_slow)
    page.page.set_input_files("#picture input[type=file]", small_picture)
    page.page.wait_for_selector(".picture[data-state=busy]")
    page.wait_until(lambda: held)
    page.drop(second)
    held[0].continue_()  # type: ignore[attr-defined]
    page.page.wait_for_timeout(700)
    assert page.page.get_attribute(".framed", "alt") == "second"


def test_a_picture_that_made_a_clip_outlives_its_upload(
    open_page: OpenPage, small_picture: Path, window: Window
) -> None:
    page = open_page()
    page.drop(small_picture)
    page.make_it_small()
    page.generate()
    page.wait_for_mode("clip")
    page.wait_until_idle()
    for upload in window.studio.config.uploads.rglob("*.png"):  # as a restart does
        upload.unlink()
    page.load()
    assert page.page.get_attribute(".framed", "alt") == "valley"
    assert page.page.locator("#picture .problem").count() == 0


def test_a_late_answer_about_the_picture_before_does_not_bring_it_back(open_page: OpenPage) -> None:
    """A busy machine answers out of order: the frame of the old picture may come after the new picture."""
    page, held = open_page(), []
    framing = page.page.evaluate("window.gradio_config.dependencies.find(one => one.api_name === 'frame').id")

    def pass_or_hold(route: Any) -> None:
        is_framing = route.request.post_data_json["fn_index"] == framing and not held
        held.append((route, route.fetch())) if is_framing else route.continue_()

    page.page.route("**/run/predict*", pass_or_hold)
    page.page.locator("#field-shape label").nth(2).click()
    page.wait_until(lambda: held)
    page.page.click("[data-sample=coffee]")
    page.page.wait_for_function("document.querySelector('.framed').alt === 'coffee'")
    page.page.evaluate(WATCH_NAMES)
    route, answer = held[0]
    assert '"mountains"' in answer.text()
    route.fulfill(response=answer)
    page.page.wait_for_timeout(1000)
    assert set(page.page.evaluate("window.names")) <= {"coffee"}
