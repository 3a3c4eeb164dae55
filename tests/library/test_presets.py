"""Looks are files; every shipped one fits every engine and says what it is in both languages."""

import json
from pathlib import Path

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadInput, BadSetting
from svd_studio.engines.catalog import ENGINES
from svd_studio.library.presets import ORDER, SHIPPED, PresetLibrary, read_preset


@pytest.fixture
def presets(tmp_path: Path) -> PresetLibrary:
    return PresetLibrary(tmp_path)


def test_every_shipped_file_is_in_the_order_and_titled_in_both_languages(presets: PresetLibrary) -> None:
    assert {path.stem for path in SHIPPED.glob("*.json")} == set(ORDER)
    for preset in presets.all():
        assert set(preset.title) == set(preset.about) == {"en", "zh-CN"}
        assert preset.title["en"] != preset.title["zh-CN"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ORDER)
def test_a_look_suits_every_engine(presets: PresetLibrary, name: str, engine: str) -> None:
    settings = presets.get(name).onto(ClipSettings())
    resolved = settings.resolve(ENGINES[engine]).settings
    assert (resolved.width, resolved.height) == ENGINES[engine].sizes[resolved.shape]


def test_a_look_replaces_only_its_own_fields(presets: PresetLibrary) -> None:
    typed = ClipSettings.from_person({"prompt": "a calm sea", "seed": 4, "steps": 7})
    dressed = presets.get("draft").onto(typed)
    assert (dressed.prompt, dressed.seed, dressed.steps, dressed.scheduler) == ("a calm sea", 4, 10, "dpm")


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
