"""What fields do to each other, and what is said beside them."""

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.engines.catalog import ENGINES
from svd_studio.ui.form_handlers import FormHandlers
from svd_studio.ui.form_view import beside, framing, motion
from svd_studio.ui.picture_box import framed, sample_pictures
from tests.ui.form_page import Page

NANO = ENGINES["svd-nano"]


@pytest.fixture
def form(page: Page) -> Page:
    page.handlers = FormHandlers(page.handlers.handlers)  # type: ignore[assignment]
    return page


def put(page: Page, **typed: object) -> None:
    page.values |= {page.parts.form.fields[name]: value for name, value in typed.items()}


def test_a_shape_ends_an_exact_size(form: Page) -> None:
    put(form, width="320", height="192")
    form.ask("choose_shape")
    assert (form.form()["width"], form.form()["height"]) == ("", "")


def test_a_speed_brings_its_steps_unless_somebody_set_others(form: Page) -> None:
    usual = form.form()["steps"]
    put(form, speed="draft")
    form.ask("change_speed")
    assert form.form()["steps"] < usual
    put(form, speed="best")
    form.ask("change_speed")
    assert form.form()["steps"] == usual
    put(form, speed="draft", steps=77)
    form.ask("change_speed")
    assert form.form()["steps"] == 77


def test_put_back_leaves_words_seed_and_model(form: Page) -> None:
    before = form.form()
    put(
        form,
        prompt="waves",
        seed="5",
        steps=3,
        motion_bucket=9,
        shape="square",
        crop_zoom=3.0,
        width="320",
        speed="draft",
    )
    form.ask("put_back")
    assert form.form() == {**before, "prompt": "waves", "seed": "5"}


def test_length_and_motion_are_said_in_words() -> None:
    settings = ClipSettings(frames=14, motion_fps=7, motion_bucket=200).resolve(NANO).settings
    assert beside(settings, "en") | {"speed": ""} == {"frames": "2.0 s", "motion_bucket": "wild", "speed": ""}
    assert [motion(bucket) for bucket in (1, 30, 79, 80, 127, 150, 190, 255)] == (
        ["calm"] * 3 + ["usual"] * 2 + ["lively"] + ["wild"] * 2
    )


def test_a_frame_is_shown_while_another_field_is_wrong() -> None:
    typed = {"shape": "square", "width": None, "height": 99999, "fit": "exact"}
    typed |= {"focus_x": 0.1, "focus_y": 0.5, "crop_zoom": 2.0}
    found = framing(typed, NANO, (400, 300))
    assert (found.shape, found.focus_x, found.crop_zoom, found.fit) == ("square", 0.1, 2.0, "crop")
    assert framing(typed | {"crop_zoom": "x"}, NANO, (400, 300)).crop_zoom == 1


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_the_page_gets_the_whole_picture_only_to_crop_it(fit: str) -> None:
    settings = ClipSettings.from_person({"shape": "portrait", "fit": fit}).resolve(NANO).settings
    shown = framed(sample_pictures()["coffee"], settings, "en")
    assert shown["soft"] == ""
    assert shown["facts"].startswith("144 × 256")
