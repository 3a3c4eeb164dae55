"""Looks are files; every shipped one fits every engine and says what it is in both languages."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadInput, BadSetting
from svd_studio.engines.catalog import ENGINES
from svd_studio.library.preset_file import read_preset
from svd_studio.library.presets import ORDER, SHIPPED, PresetLibrary


@pytest.fixture
def presets(tmp_path: Path) -> PresetLibrary:
    (tmp_path / "presets").mkdir()
    return PresetLibrary(tmp_path / "presets")


def test_every_shipped_file_is_in_the_order_and_titled_in_both_languages(presets: PresetLibrary) -> None:
    assert {path.stem for path in SHIPPED.glob("*.json")} == set(ORDER)
    for preset in presets.all():
        assert set(preset.title) == set(preset.about) == {"en", "zh-CN"}
        assert preset.title["en"] != preset.title["zh-CN"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ORDER)
def test_a_look_suits_every_engine(presets: PresetLibrary, name: str, engine: str) -> None:
    settings = presets.get(name).onto(ClipSettings(), ENGINES[engine])
    resolved = settings.resolve(ENGINES[engine]).settings
    assert (resolved.width, resolved.height) == ENGINES[engine].sizes[resolved.shape]


def test_a_look_replaces_only_its_own_fields(presets: PresetLibrary) -> None:
    typed = ClipSettings.from_person({"prompt": "a calm sea", "seed": 4, "steps": 7})
    dressed = presets.get("draft").onto(typed, ENGINES["svd"])
    assert (dressed.prompt, dressed.seed, dressed.steps, dressed.scheduler) == ("a calm sea", 4, 10, "dpm")


def test_a_look_is_as_bold_on_every_engine_as_that_engine_bears(presets: PresetLibrary) -> None:
    bold = presets.get("hyper-motion")
    meant = {name: bold.onto(ClipSettings(), ENGINES[name]) for name in ("svd-xt", "svd", "svd-nano")}
    assert {(made.steps, made.guidance_first, made.guidance_last) for made in meant.values()} == {
        (30, 1.2, 3.0),
        (12, 1.05, 1.5),
    }
    assert {made.motion_bucket for made in meant.values()} == {180}
    own = presets.save("Mine", meant["svd-xt"])
    assert own.onto(ClipSettings(), ENGINES["svd-nano"]).steps == 30, "one's own is meant as it stands"
    assert presets.take_in(bold.as_json(), "bold.json").written_for == "svd-xt"


@pytest.mark.parametrize("name", ["nothing", "../presets/draft", "..", "", "a/b"])
def test_an_unknown_name_tells_the_names_there_are(presets: PresetLibrary, name: str) -> None:
    with pytest.raises(BadInput) as refusal:
        presets.get(name)
    assert refusal.value.message.code == "preset.unknown"
    assert "gentle-drift" in str(refusal.value.message.values["choices"])


@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"title": "Mine", "settings": {}}',
        '{"title": {"en": 5}, "settings": {}}',
        "[]",
        "{}",
        '{"title": 1}',
        "null",
        "[" * 5000,
        '{"title": {}, "settings": 5}',
    ],
)
def test_a_broken_file_of_ones_own_is_named_and_hides_no_other(presets: PresetLibrary, content: str) -> None:
    (presets.own / "mine.json").write_text(content)
    with pytest.raises(BadInput, match="mine"):
        presets.get("mine")
    assert len(presets.all()) == len(ORDER)


def test_unknown_keys_and_impossible_values_are_refused(tmp_path: Path) -> None:
    for settings in ({"speed_of_light": 1}, {"steps": 0}, {"steps": "many"}):
        path = tmp_path / "mine.json"
        path.write_text(json.dumps({"title": {"en": "Mine"}, "settings": settings}))
        with pytest.raises(BadSetting):
            read_preset(path)


CALM = ClipSettings.from_person(
    {"prompt": "secret", "seed": 4, "steps": 7, "motion_bucket": 30, "finish": {"smooth": 2}, "engine": "svd-xt"}
)


def refused(code: str, verb: Callable[..., object], *given: object) -> None:
    with pytest.raises(BadInput) as refusal:
        verb(*given)
    assert refusal.value.message.code == code


def test_a_saved_look_holds_what_makes_the_look_and_nothing_else(presets: PresetLibrary) -> None:
    saved = presets.save("  My   Calm ", CALM)
    assert (saved.name, saved.titled("zh-CN"), presets.is_own("my-calm")) == ("my-calm", "My Calm", True)
    assert saved.settings == {"motion_bucket": 30, "steps": 7, "finish": {"smooth": 2}}
    assert presets.get("my-calm") == presets.all()[-1] == saved
    assert "secret" not in (presets.own / "my-calm.json").read_text()
    assert presets.get("my-calm").onto(ClipSettings(), ENGINES["svd-nano"]).steps == 7


def test_a_look_keeps_its_words_in_any_script(presets: PresetLibrary) -> None:
    assert presets.save("我的 海浪", CALM).name == "我的-海浪"
    composed, decomposed = "Caf\u00e9", "Cafe\u0301"
    assert presets.save(decomposed, CALM).titled("en") == composed
    refused("preset.exists", presets.save, composed, CALM)


@pytest.mark.parametrize("title", ["../../evil", "/etc/passwd", "C:\\evil", "a/b", ".hidden", "con", "x" * 40, "..."])
def test_a_title_never_leads_elsewhere(presets: PresetLibrary, title: str) -> None:
    saved = presets.save(title, CALM)
    assert (presets.own / f"{saved.name}.json").is_file()
    assert [path.name for path in presets.own.iterdir()] == [f"{saved.name}.json"]
    assert saved.titled("en") == title


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("", "preset.no_title"),
        (" \n ", "preset.no_title"),
        ("a\0b", "preset.no_title"),
        ("a\u202eb", "preset.no_title"),
        ("x" * 41, "preset.title_too_long"),
        ("Draft", "preset.shipped"),
        ("gentle DRIFT", "preset.shipped"),
    ],
)
def test_a_title_that_cannot_be_taken_is_refused(presets: PresetLibrary, title: str, code: str) -> None:
    refused(code, presets.save, title, CALM)
    assert list(presets.own.iterdir()) == []


def test_a_look_is_replaced_only_when_asked(presets: PresetLibrary) -> None:
    presets.save("Mine", CALM)
    refused("preset.exists", presets.save, "mine", CALM.changed(steps=9))
    presets.save("Mine", CALM.changed(steps=9), True)
    assert presets.get("mine").settings["steps"] == 9


def test_a_renamed_look_is_there_once(presets: PresetLibrary) -> None:
    presets.save("Mine", CALM)
    presets.save("Other", CALM)
    refused("preset.exists", presets.rename, "mine", "other")
    refused("preset.shipped", presets.rename, "mine", "Draft")
    assert presets.rename("mine", "Yours").name == "yours"
    assert presets.rename("yours", "YOURS").titled("en") == "YOURS"
    assert {path.name for path in presets.own.glob("*.json")} == {"other.json", "yours.json"}


def test_a_removed_look_comes_back(presets: PresetLibrary) -> None:
    saved = presets.save("Mine", CALM)
    assert presets.remove("mine") == saved
    refused("preset.unknown", presets.get, "mine")
    assert presets.restore("mine") == presets.get("mine") == saved
    refused("preset.not_removed", presets.restore, "mine")
    presets.remove("mine")
    presets.save("Mine", CALM.changed(steps=2))
    refused("preset.exists", presets.restore, "mine")


def test_the_looks_put_aside_are_bounded(presets: PresetLibrary) -> None:
    for number in range(53):
        presets.save(f"look {number}", CALM)
        presets.remove(f"look-{number}")
    assert len(list((presets.own / "removed").iterdir())) == 50
    assert presets.restore("look-52").name == "look-52"


def test_shipped_looks_stay(presets: PresetLibrary) -> None:
    for verb in (presets.remove, lambda name: presets.rename(name, "Mine")):
        refused("preset.shipped", verb, "draft")
    (presets.own / "draft.json").write_text((SHIPPED / "social.json").read_text())
    assert presets.get("draft") == read_preset(SHIPPED / "draft.json")
    assert not presets.is_own("draft")


@pytest.mark.parametrize("name", ["nothing", "../x", "..", "", "a/b", "removed/mine", "a\0b", "x" * 5000])
def test_only_a_look_of_ones_own_is_changed(presets: PresetLibrary, name: str) -> None:
    refused("preset.unknown_own", presets.remove, name)
    refused("preset.unknown_own", presets.rename, name, "Mine")
    refused("preset.not_removed", presets.restore, name)


def test_somebody_elses_look_comes_in_under_a_free_name(presets: PresetLibrary) -> None:
    draft = (SHIPPED / "draft.json").read_text(encoding="utf-8")
    taken = presets.take_in(draft, "draft.json")
    assert (taken.name, taken.titled("zh-CN")) == ("draft-2", "Draft 2")
    assert taken.settings == presets.get("draft").settings
    assert presets.take_in(draft, "draft.json").name == "draft-3"
    long = presets.save("海" * 40, CALM).as_json()
    assert len({presets.take_in(long, "long.json").name for _ in range(3)}) == 3


@pytest.mark.parametrize(
    "content",
    [
        '{"title": {"en": ""}, "settings": {}}',
        '{"title": {"en": "a\\u0000"}, "settings": {}}',
        '{"title": {"en": "%s"}, "settings": {}}' % ("x" * 41),
        '{"title": {"en": "A"}, "settings": {"steps": NaN}}',
        '{"title": {"en": "A"}, "settings": {"warp": 1}}',
        '{"title": {"en": "A"}, "settings": {"prompt": "%s"}}' % ("x" * 70_000),
        "\x00\x01",
    ],
)
def test_a_file_that_is_no_look_is_not_taken_in(presets: PresetLibrary, content: str) -> None:
    with pytest.raises(BadInput):
        presets.take_in(content, "given.json")
    assert list(presets.own.glob("*.json")) == []


def test_there_is_an_end_to_ones_own_looks(presets: PresetLibrary) -> None:
    for number in range(100):
        (presets.own / f"{number}.json").write_text("{}")
    refused("preset.too_many", presets.save, "Mine", CALM)
    assert len(presets.broken()) == 100


def test_a_look_that_another_process_changed_is_read_again(presets: PresetLibrary) -> None:
    presets.save("Mine", CALM)
    assert presets.all()[-1].settings["steps"] == 7
    PresetLibrary(presets.own).save("Mine", CALM.changed(steps=50), replace=True)
    assert presets.all()[-1].settings["steps"] == 50
    (presets.own / "mine.json").write_text("broken")
    assert presets.broken() == ["mine.json"]
