"""The form knows only what fields and engines declare."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gradio as gr
import pytest

from svd_studio.core.clip import ClipSettings, bounds, field_info
from svd_studio.core.errors import BadSetting
from svd_studio.engines.catalog import ENGINES
from svd_studio.library.presets import SHIPPED, PresetLibrary
from svd_studio.ui.settings_form import ROWS, SettingsForm
from svd_studio.ui.texts import LANGUAGES, words

NANO = ENGINES["svd-nano"]


@pytest.fixture(scope="module")
def form() -> SettingsForm:
    async def draw() -> SettingsForm:
        with gr.Blocks(analytics_enabled=False):
            drawn = SettingsForm(NANO)
            drawn.draw(*ROWS.values())
        return drawn

    # Without a running loop Gradio leaves one open for every component; the browser's own may run in this thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(draw())).result()


def as_typed(form: SettingsForm, **changed: Any) -> dict[Any, Any]:
    """What the browser sends when the form is as it was drawn, but for some fields."""
    values = {field: field.value for field in form.fields.values()}
    return values | {form.fields[name.replace("__", ".")]: value for name, value in changed.items()}


def test_a_recipe_brings_the_limits_of_its_engine(form: SettingsForm) -> None:
    shown = form.show_recipe(ClipSettings(engine="svd-xt", frames=25), ENGINES["svd-xt"])
    assert shown[form.fields["frames"]]["value"] == 25
    assert shown[form.fields["frames"]]["maximum"] == ENGINES["svd-xt"].frames[1]
    assert shown[form.fields["engine"]]["value"] == "svd-xt"


def test_an_untouched_form_is_the_engines_native_clip(form: SettingsForm) -> None:
    settings = form.settings(as_typed(form))
    assert settings.resolve(NANO).settings == ClipSettings(engine="svd-nano").resolve(NANO).settings


def test_empty_fields_are_left_to_the_engine(form: SettingsForm) -> None:
    settings = form.settings(as_typed(form, seed=" ", export__fps="", finish__scale="", shape=""))
    assert (settings.seed, settings.export.fps, settings.finish.scale, settings.shape) == (None, None, None, None)


@pytest.mark.parametrize(
    ("name", "typed"), [("seed", "many"), ("seed", "-1"), ("steps", 0), ("motion_bucket", True), ("fit", "stretch")]
)
def test_what_cannot_be_is_refused_by_its_field(form: SettingsForm, name: str, typed: object) -> None:
    with pytest.raises(BadSetting) as refused:
        form.settings(as_typed(form, **{name: typed}))
    assert refused.value.field == name


def test_sliders_go_as_far_as_the_field_and_the_engine(form: SettingsForm) -> None:
    for name, row in ROWS.items():
        if row.kind == "slider":
            low, high = NANO.frames[:2] if name == "frames" else bounds(name)
            assert (form.fields[name].minimum, form.fields[name].maximum) == (low, high)


def test_another_engine_moves_native_values_and_keeps_typed_ones(form: SettingsForm) -> None:
    updates = form.change_engine(NANO, ENGINES["svd-xt"], as_typed(form, motion_bucket=40))
    assert updates[form.fields["frames"]]["maximum"] == 25
    assert updates[form.fields["frames"]]["value"] == 25
    assert updates[form.fields["steps"]]["value"] == 25
    assert form.fields["motion_bucket"] not in updates


def test_a_look_goes_along_to_another_engine(form: SettingsForm) -> None:
    look = PresetLibrary(SHIPPED / "none").get("hyper-motion")
    shown = {name: form.show_look(look, NANO)[form.fields[name]]["value"] for name in ("steps", "guidance_last")}
    assert shown == {"steps": 12, "guidance_last": 1.5}
    updates = form.change_engine(NANO, ENGINES["svd-xt"], as_typed(form, motion_bucket=180, **shown), look)
    assert updates[form.fields["steps"]]["value"] == 30
    assert updates[form.fields["guidance_last"]]["value"] == 3.0
    assert updates[form.fields["motion_bucket"]]["value"] == 180


def test_a_look_after_a_look_leaves_nothing_of_the_first(form: SettingsForm) -> None:
    looks = {preset.name: preset for preset in PresetLibrary(SHIPPED / "none").all()}
    first, second = form.show_look(looks["social"], NANO), form.show_look(looks["gentle-drift"], NANO)
    assert first[form.fields["finish.scale"]]["value"] == "1080p"
    assert second[form.fields["finish.scale"]]["value"] == ""
    assert second[form.fields["export.fps"]]["value"] == ""


def test_the_help_is_the_fields_own() -> None:
    for name in ROWS:
        if f"page.help.{name}" in words("en"):
            assert words("en")[f"page.help.{name}"] == field_info(name).description


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_and_choice_has_words(form: SettingsForm, language: str) -> None:
    assert len(form.speak(language, frozenset())) == len(ROWS)


def test_what_a_speed_costs_is_told_where_it_was_measured() -> None:
    from svd_studio.ui.form_view import beside

    settings = ClipSettings(speed="good").resolve(ENGINES["svd-xt"]).settings
    assert "Measured" not in beside(settings, "en")["speed"]
    told = beside(settings, "en", {"good": {"faster": 1.9, "psnr": 34.2}})["speed"]
    assert told.endswith("Measured here: 1.9× as fast, 34.2 dB like the best.")
