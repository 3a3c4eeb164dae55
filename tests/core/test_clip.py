"""The recipe: strict where a person types, lenient where an old file is read."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svd_studio.core.clip import ClipSettings, ResolvedSettings, bounds, choices, field_info
from svd_studio.core.errors import BadInput, BadSetting
from svd_studio.engines.catalog import ENGINES

NUMBERS = [name for name in ClipSettings.model_fields if "ge=" in str(field_info(name).metadata)]


def refusal(values: dict[str, object]) -> BadSetting:
    with pytest.raises(BadSetting) as caught:
        ClipSettings.from_person(values)
    return caught.value


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), True, 10**400, -(10**400), "7", [7], {}])
def test_nothing_but_a_number_within_bounds_is_a_number(name: str, value: object) -> None:
    assert refusal({name: value}).field == name


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_are_the_ones_on_the_field(name: str) -> None:
    low, high = bounds(name)
    kind = float if "float" in str(field_info(name).annotation) else int
    assert ClipSettings.from_person({name: kind(low)}) != ClipSettings.from_person({name: kind(high)})
    for outside in (low - 1, high + 1):
        said = refusal({name: kind(outside)}).message
        assert said.code == "setting.out_of_range"
        assert (said.values["low"], said.values["high"]) == (low, high)


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"shape": "round"}, "setting.unknown_choice", "shape"),
        ({"finish": {"smooth": 3}}, "setting.unknown_choice", "finish.smooth"),
        ({"finish": {"smooth": True}}, "setting.unknown_choice", "finish.smooth"),
        ({"motionbucket": 3}, "setting.unknown", "motionbucket"),
        ({"prompt": 5}, "setting.not_text", "prompt"),
        ({"prompt": "x" * 2001}, "setting.too_long", "prompt"),
        ({"prompt": "a\0b"}, "setting.unprintable", "prompt"),
        ({"prompt": "\ud800"}, "setting.unprintable", "prompt"),
    ],
)
def test_a_refusal_names_the_field_and_the_reason(values: dict[str, object], code: str, field: str) -> None:
    refused = refusal(values)
    assert (refused.message.code, refused.field) == (code, field)


def test_refused_values_are_repeated_short_and_printable() -> None:
    assert refusal({"shape": "\n" * 500}).message.values["given"] == "?" * 40


@given(
    st.dictionaries(
        st.sampled_from([*ClipSettings.model_fields, "x"]), st.from_type(object) | st.integers() | st.text()
    )
)
def test_whatever_is_typed_is_a_recipe_or_one_sentence(values: dict[str, object]) -> None:
    with contextlib.suppress(BadSetting):
        ClipSettings.from_person(values)


def test_a_recipe_survives_json() -> None:
    settings = ClipSettings.from_person({"prompt": "海 “quoted”\nline", "seed": 5, "finish": {"smooth": 2}})
    again, unknown = ClipSettings.from_file(json.loads(json.dumps(settings.as_json())))
    assert again == settings
    assert unknown == ()


def test_fields_of_a_newer_version_are_dropped_and_named() -> None:
    newer = {"version": 9, "seed": 1, "zoom": 2, "finish": {"smooth": 2, "grain": 1}}
    settings, unknown = ClipSettings.from_file(newer)
    assert (settings.seed, settings.finish.smooth, settings.version) == (1, 2, 1)
    assert unknown == ("zoom", "finish.grain")


@pytest.mark.parametrize("values", [[], "x", 5, None])
def test_what_is_no_recipe_is_refused(values: object) -> None:
    with pytest.raises(BadInput):
        ClipSettings.from_file(values)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ENGINES)
def test_resolving_fills_every_gap(name: str) -> None:
    settings = ClipSettings().resolve(ENGINES[name]).settings
    assert isinstance(settings, ResolvedSettings)
    assert settings.engine == name
    assert all(getattr(settings, field) is not None for field in ResolvedSettings.__annotations__)
    assert settings.resolve(ENGINES[name]).settings == settings


@pytest.mark.parametrize(
    ("picture", "shape"),
    [
        ((4000, 3000), "landscape"),
        ((1000, 1000), "square"),
        ((900, 1600), "portrait"),
        ((1080, 1350), "4:5"),
        (None, "landscape"),
    ],
)
def test_an_unnamed_shape_is_the_one_nearest_to_the_picture(picture: tuple[int, int] | None, shape: str) -> None:
    assert ClipSettings().resolve(ENGINES["svd-xt"], picture).settings.shape == shape


def test_sizes_are_rounded_to_what_the_engine_can_do_and_it_says_so() -> None:
    resolved = ClipSettings(width=1000, height=576).resolve(ENGINES["svd-xt"])
    assert (resolved.settings.width, resolved.settings.height) == (1024, 576)
    assert [note.code for note in resolved.notes] == ["note.rounded"]


def test_locked_fields_are_set_and_only_a_wish_otherwise_is_told() -> None:
    info = ENGINES["svd-xt-1.1"]
    asked = ClipSettings(motion_bucket=200, motion_fps=6).resolve(info)
    assert (asked.settings.motion_bucket, asked.settings.motion_fps) == (127, 6)
    assert [note.values["field"] for note in asked.notes] == ["motion_bucket"]
    assert ClipSettings().resolve(info).notes == ()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"frames": 99}, "engine.frames"),
        ({"width": 256}, "setting.half_a_size"),
        ({"width": 256, "height": 256}, "engine.too_small"),
    ],
)
def test_what_an_engine_cannot_do_is_refused(values: dict[str, object], code: str) -> None:
    with pytest.raises(BadSetting) as caught:
        ClipSettings.from_person(values).resolve(ENGINES["svd-xt"])
    assert caught.value.message.code == code


def test_guidance_for_the_first_frame_alone_never_falls() -> None:
    settings = ClipSettings(guidance_first=5.0).resolve(ENGINES["svd"]).settings
    assert settings.guidance_last == 5.0


def test_choices_are_those_of_the_field() -> None:
    assert choices("finish.scale") == ("720p", "1080p")
    assert choices("frames") == ()


def test_exact_is_for_pictures_of_nearly_that_shape() -> None:
    info = ENGINES["svd-nano"]
    exact = ClipSettings(fit="exact", width=256, height=144)
    assert exact.resolve(info, (1000, 580)).settings.fit == "exact"
    with pytest.raises(BadSetting) as refused:
        exact.resolve(info, (1000, 750))
    assert (refused.value.field, refused.value.message.values["fitting"]) == ("fit", 192)
    assert exact.changed(height=192).resolve(info, (1000, 750)).settings.height == 192


@pytest.mark.parametrize("zoom", [0.5, 4.1, True, "2"])
def test_a_zoom_has_bounds(zoom: object) -> None:
    with pytest.raises(BadSetting) as refused:
        ClipSettings.from_person({"crop_zoom": zoom})
    assert refused.value.field == "crop_zoom"
