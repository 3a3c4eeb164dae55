"""A recipe survives as text: exactly when it is ours, as far as it means the same when it is not."""

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svd_studio.core.clip import MAX_SEED, ClipSettings, bounds, choices
from svd_studio.core.errors import BadInput, BadSetting
from svd_studio.core.infotext import as_infotext, read_text
from svd_studio.ui.texts import say

PLAIN = st.characters(exclude_categories=("Cc", "Cs", "Cn"))
LINES = st.one_of(
    st.text(PLAIN, max_size=40),
    st.sampled_from(
        ["Negative prompt: no", "  NEGATIVE PROMPT:", "Steps: 5, Seed: 1", "Recipe: 1", "{", '{"steps": 3}']
    ),
)
WORDS = st.lists(LINES, max_size=4).map("\n".join)
NAMES = st.one_of(
    st.sampled_from(["svd-xt", "svd-nano", "12", "1e5", "nan", '"', "a, b: c", " x ", "\n", ""]),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=40),
)


def number(name: str) -> st.SearchStrategy[float | None]:
    low, high = bounds(name)
    kind = ClipSettings.model_fields[name.rpartition(".")[2]].annotation if "." not in name else int
    if "float" in str(kind):
        return st.one_of(st.none(), st.floats(low, high))
    return st.one_of(st.none(), st.integers(int(low), int(high)))


def choice(name: str) -> st.SearchStrategy[object]:
    return st.sampled_from([*choices(name)])


NUMBERS = (
    *("width", "height", "frames", "go_on_from", "steps"),
    *("guidance_first", "guidance_last", "motion_bucket", "motion_fps"),
)
ALWAYS = ("prompt_strength", "focus_x", "focus_y", "crop_zoom", "parts")
BETTER = ("deflicker", "contrast", "colour", "sharpen")
RECIPES = st.fixed_dictionaries(
    {},
    optional={
        "engine": NAMES,
        "prompt": WORDS,
        "negative_prompt": WORDS,
        **{name: number(name) for name in (*NUMBERS, "image_noise")},
        **{name: number(name).filter(lambda value: value is not None) for name in ALWAYS},
        **{name: choice(name) for name in ("shape", "fit", "scheduler", "speed")},
        "seed": st.integers(0, MAX_SEED),
        "finish": st.fixed_dictionaries(
            {"smooth": choice("finish.smooth"), "between": choice("finish.between"), "scale": choice("finish.scale")}
            | {name: number(f"finish.{name}").filter(lambda value: value is not None) for name in BETTER}
        ),
        "export": st.fixed_dictionaries({"fps": number("export.fps")}),
    },
).map(ClipSettings.from_person)


def test_a_clips_recipe_reads_as_people_write_it() -> None:
    settings = ClipSettings.from_person(
        {
            "prompt": "waves roll in",
            "negative_prompt": "people",
            "engine": "svd-xt",
            "steps": 25,
            "seed": 7,
            "width": 1024,
            "height": 576,
            "guidance_first": 1.0,
            "image_noise": 0.02,
            "finish": {"smooth": 2},
        }
    )
    assert as_infotext(settings) == (
        "waves roll in\n"
        "Negative prompt: people\n"
        "Steps: 25, Seed: 7, Engine: svd-xt, Size: 1024x576, Guidance first: 1, Image noise: 0.02, Smooth: 2, Recipe: 1"
    )


@given(RECIPES)
def test_every_recipe_comes_back_from_its_text_exactly(settings: ClipSettings) -> None:
    read = read_text(as_infotext(settings))
    assert (read.settings, read.unknown, read.notes) == (settings, (), ())


@given(RECIPES)
def test_every_recipe_comes_back_from_its_json(settings: ClipSettings) -> None:
    for text in (json.dumps(settings.as_json()), json.dumps({"settings": settings.as_json()}, indent=2)):
        assert read_text(text).settings == settings


def test_the_samples_hold_every_field() -> None:
    tried = {
        *NUMBERS,
        *ALWAYS,
        "image_noise",
        "engine",
        "prompt",
        "negative_prompt",
        "shape",
        "fit",
        "scheduler",
        "speed",
    }
    assert tried | {"seed", "finish", "export", "version"} == set(ClipSettings.model_fields)


def test_order_spaces_case_and_returns_do_not_matter() -> None:
    ours = read_text("a sea\r\nnegative PROMPT:   fog\r\n seed:7 ,MOTION_BUCKET :  90,steps: 12,shape: 4:5 \r\n\r\n")
    assert ours.settings == ClipSettings.from_person(
        {"prompt": "a sea", "negative_prompt": "fog", "seed": 7, "motion_bucket": 90, "steps": 12, "shape": "4:5"}
    )


def test_a1111s_keys_count_where_they_mean_the_same() -> None:
    read = read_text(
        "a (castle:1.2), <lora:fog:0.7>\nNegative prompt: blurry\n"
        'Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x768, Lora hashes: "fog: 12, x: 3", Version: v1.6'
    )
    assert read.settings == ClipSettings.from_person(
        {
            "prompt": "a (castle:1.2), <lora:fog:0.7>",
            "negative_prompt": "blurry",
            "steps": 20,
            "seed": 1,
            "width": 512,
            "height": 768,
        }
    )
    assert read.unknown == ("Sampler", "Lora hashes", "Version")
    assert [say(note) for note in read.notes] == [
        "Left out, because there is no such setting here: Sampler, Lora hashes, Version.",
        "The CFG scale was left out: guidance here goes from the first frame to the last.",
    ]


def test_unknown_keys_of_json_are_named() -> None:
    read = read_text('{"settings": {"steps": 3, "warp": 9, "finish": {"glow": 1}}}')
    assert read.unknown == ("warp", "finish.glow")
    assert "warp, finish.glow" in say(read.notes[0])


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " \n ",
            "hello",
            "https://example.com/a?b=1",
            "Buy: milk, eggs: 12",
            "{",
            "{}",
            "[1]",
            '{"a": 1}',
            "null",
        ),
        *(
            '{"a": 1}',
            '{"settings": 5}',
            '{"settings": {}}',
            "a cat\nSampler: Euler",
            "Steps 25",
            "[" * 30_000,
            "{" * 30_000,
        ),
        "x" * 40_000 + "\nSteps: 25",
    ],
)
def test_a_text_that_is_no_recipe_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_text(text)
    assert refused.value.message.code in ("recipe.not_a_text", "recipe.not_a_recipe")
    assert "paste" in say(refused.value.message) or "give" in say(refused.value.message)


@pytest.mark.parametrize(
    ("text", "field"),
    [("Steps: 1000", "steps"), ("Seed: many", "seed"), ("Steps: 2.5", "steps"), ("Shape: round, Seed: 1", "shape")],
)
def test_an_impossible_value_names_its_field(text: str, field: str) -> None:
    with pytest.raises(BadSetting) as refused:
        read_text(text)
    assert refused.value.field == field


@pytest.mark.parametrize("line", ['a:"\\",', "a:", 'a:"', " ", "a ", 'steps:"', "steps: "])
def test_a_hostile_line_takes_no_time(line: str) -> None:
    started = time.process_time()
    with contextlib.suppress(BadInput):
        read_text((line * 32_000)[:32_000])
    assert time.process_time() - started < 3
