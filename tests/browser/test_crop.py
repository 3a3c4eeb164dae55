"""The clip's frame on its picture: what is shown there is what is cut."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from svd_studio.rendering.render import framed_picture
from svd_studio.video.pictures import crop_box
from tests.browser.page import StudioPage
from tests.journeys.window import Window
from tests.waiting import until

OpenPage = Callable[..., StudioPage]
SIZE = (480, 320)
LANDSCAPE, PORTRAIT, SQUARE = 1, 2, 3


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A picture that is different everywhere, and sharp."""
    small = np.random.default_rng(3).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    path = tmp_path / "scene.png"
    Image.fromarray(small).resize(SIZE, Image.Resampling.NEAREST).save(path)
    return path


@pytest.fixture
def page(open_page: OpenPage, scene: Path) -> StudioPage:
    opened = open_page()
    opened.page.click("#field-fit label:nth-child(1)")
    opened.drop(scene)
    opened.page.wait_for_selector(".crop-window")
    return opened


def choose(page: StudioPage, shape: int) -> None:
    """Press a shape and wait until the frame has it."""
    before = page.text(".picture-facts")
    page.page.locator("#field-shape label").nth(shape).click()
    page.page.wait_for_function("before => document.querySelector('.picture-facts').textContent !== before", arg=before)


def typed(page: StudioPage) -> dict[str, float]:
    """The cut as it stands in the form."""
    return {name: float(page.page.input_value(f"#field-{name} input")) for name in ("focus-x", "focus-y", "crop-zoom")}


def cut(page: StudioPage) -> np.ndarray:
    """What the bright frame shows, as (left, top, right, bottom) in the picture's pixels."""
    whole, window = (page.page.locator(part).bounding_box() for part in (".framed", ".crop-window"))
    over = page.page.locator(".crop").bounding_box()
    scale = min(whole["width"] / SIZE[0], whole["height"] / SIZE[1])
    assert (over["width"], over["height"]) == pytest.approx((SIZE[0] * scale, SIZE[1] * scale), abs=1)
    left, top = (window["x"] - over["x"]) / scale, (window["y"] - over["y"]) / scale
    return np.array([left, top, left + window["width"] / scale, top + window["height"] / scale])


def shown_as_typed(page: StudioPage, width: int, height: int) -> None:
    """The frame lies where frame_picture will cut with what stands in the form."""
    x, y, zoom = typed(page).values()
    assert cut(page) == pytest.approx(np.array(crop_box(SIZE, width, height, x, y, zoom)), abs=1.5)


def drag(page: StudioPage, x: float, y: float) -> None:
    box: Any = page.page.locator(".crop-window").bounding_box()
    start = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.page.mouse.move(*start)
    page.page.mouse.down()
    page.page.mouse.move(start[0] + x, start[1] + y, steps=4)
    page.page.mouse.up()


def test_what_is_dragged_and_zoomed_is_what_the_clip_is_made_of(page: StudioPage, scene: Path, window: Window) -> None:
    choose(page, PORTRAIT)
    drag(page, 60, 0)
    assert typed(page)["focus-x"] > 0.6
    page.page.keyboard.press("Shift+ArrowLeft")  # the frame has the focus after it was dragged
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("+")
    page.page.fill("#crop-zoom", "1.5")
    drag(page, 0, -20)
    shown_as_typed(page, 144, 256)
    place, seen = typed(page), cut(page)
    assert place["crop-zoom"] == 1.5
    assert place["focus-y"] < 0.5
    window.studio.queue.set_paused(True)  # what the engine would be given can be seen without it
    page.generate()
    until(lambda: window.studio.queue.find())
    [job] = window.studio.queue.find()
    made = job.request.settings
    assert [made.focus_x, made.focus_y, made.crop_zoom] == list(place.values())
    given = framed_picture(job.request.start_image, made)
    on_page = Image.open(scene).resize((144, 256), Image.Resampling.LANCZOS, tuple(np.clip(seen, 0, (*SIZE, *SIZE))))
    assert np.abs(np.asarray(given, dtype=float) - np.asarray(on_page)).mean() < 12
    window.studio.cancel(job.id)
    window.studio.queue.set_paused(False)
    page.load()
    page.page.wait_for_selector(".crop-window")
    page.wait_until(lambda: typed(page) == place)
    shown_as_typed(page, 144, 256)


def test_another_shape_keeps_what_was_looked_at(page: StudioPage) -> None:
    choose(page, PORTRAIT)
    drag(page, 30, 0)
    looked_at = cut(page)[[0, 2]].mean()
    choose(page, SQUARE)
    page.wait_until(lambda: abs(cut(page)[[0, 2]].mean() - looked_at) < 4)
    choose(page, LANDSCAPE)  # the frame is as wide as the picture now
    assert cut(page)[[0, 2]] == pytest.approx(np.array([0, SIZE[0]]), abs=1.5)
    choose(page, PORTRAIT)
    page.wait_until(lambda: abs(cut(page)[[0, 2]].mean() - looked_at) < 4)
    page.wait_until(
        lambda: abs(np.array(crop_box(SIZE, 144, 256, *typed(page).values()))[[0, 2]].mean() - looked_at) < 4
    )
    page.page.click("[data-crop=whole]")
    page.wait_until(lambda: typed(page) == {"focus-x": 0.5, "focus-y": 0.5, "crop-zoom": 1})


WATCH_WIDTHS = """() => {
    window.widths = [];
    const cut = document.querySelector('.crop-window');
    const look = () => window.widths.push(Math.round(parseFloat(cut.style.width)));
    new MutationObserver(look).observe(cut, {attributes: true});
}"""


def test_a_late_answer_about_the_form_before_moves_nothing(page: StudioPage) -> None:
    """When a page opens again its fields come back one by one, and a frame is asked for in between."""
    held: list[Any] = []
    framing = page.page.evaluate("window.gradio_config.dependencies.find(one => one.api_name === 'frame').id")

    def pass_or_hold(route: Any) -> None:
        is_framing = route.request.post_data_json["fn_index"] == framing and not held
        held.append((route, route.fetch())) if is_framing else route.continue_()

    page.page.route("**/run/predict*", pass_or_hold)
    page.page.locator("#field-shape label").nth(PORTRAIT).click()
    page.wait_until(lambda: held)
    page.page.locator("#field-shape label").nth(SQUARE).click()
    page.page.wait_for_timeout(300)
    page.page.evaluate(WATCH_WIDTHS)
    route, answer = held[0]
    route.fulfill(response=answer)
    page.wait_until(lambda: page.page.evaluate("window.widths"))
    assert set(page.page.evaluate("window.widths")) == {67}  # of the picture's width, and a portrait's are 38


def test_wheel_and_fingers_zoom_and_too_far_is_told(page: StudioPage) -> None:
    page.page.hover(".crop-window")
    page.page.mouse.wheel(0, -100)
    page.wait_until(lambda: typed(page)["crop-zoom"] > 1.1)
    page.page.click("[data-crop=whole]")
    assert page.page.locator(".picture-warning").is_hidden()
    box: Any = page.page.locator(".crop").bounding_box()
    middle, touch = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), page.context.new_cdp_session(page.page)

    def fingers(kind: str, *apart: float) -> None:
        points = [{"x": middle[0] + way, "y": middle[1], "id": number} for number, way in enumerate(apart)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", -20, 20)
    fingers("touchMove", -45, 45)
    fingers("touchMove", -60, 60)
    fingers("touchEnd")
    page.wait_until(lambda: typed(page)["crop-zoom"] == pytest.approx(3, abs=0.2))
    page.page.wait_for_selector(".picture-warning:has-text('Zoom out a little')")
    page.page.click("[data-crop=whole]")
    page.page.wait_for_selector(".picture-warning", state="hidden")


def test_pad_shows_its_edges_and_exact_says_when_it_would_distort(page: StudioPage) -> None:
    choose(page, PORTRAIT)
    whole = page.page.get_attribute(".framed", "src")
    page.page.locator("#field-fit label").nth(1).click()
    page.page.wait_for_function("whole => document.querySelector('.framed').src !== whole", arg=whole)
    page.page.wait_for_selector(".crop", state="hidden")
    assert "edges added" in page.text(".picture-facts")
    natural = page.page.evaluate(
        "(() => { const i = document.querySelector('.framed'); return i.naturalWidth / i.naturalHeight })()"
    )
    assert natural == pytest.approx(144 / 256, abs=0.01)
    page.page.locator("#field-fit label").nth(2).click()
    page.page.wait_for_selector("#field-fit .problem:has-text('proportions')")
    page.page.locator("#field-fit label").nth(0).click()
    page.page.wait_for_selector("#field-fit .problem", state="detached")
    page.page.wait_for_selector(".crop-window")


def test_a_picture_out_of_focus_is_told(page: StudioPage, scene: Path) -> None:
    blurred = scene.with_name("blurred.png")
    Image.open(scene).resize((12, 8)).resize(SIZE, Image.Resampling.BICUBIC).save(blurred)
    page.drop(blurred)
    page.page.wait_for_selector(".picture-warning:has-text('out of focus')")
