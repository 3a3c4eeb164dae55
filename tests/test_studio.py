"""What the verbs that every face shares say of a recipe before it becomes a job."""

from pathlib import Path

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.engines.catalog import CLIP_TEXT, ENGINES
from svd_studio.studio import Studio
from svd_studio.ui.offer import prompt_note
from tests.engines.tiny_rife import install_tiny_rife
from tests.tiny_weights import tiny_text_tower

XT = ENGINES["svd-xt"]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "data"))


def note_codes(studio: Studio, **asked: object) -> list[str]:
    return [note.code for note in studio.resolve(ClipSettings.from_person(asked)).notes]


def test_words_that_a_model_cannot_hear_yet_are_told_with_the_cure(studio: Studio) -> None:
    assert note_codes(studio, engine="svd-xt", prompt="waves") == ["note.words_unheard"]
    assert note_codes(studio, engine="svd-xt") == []
    assert note_codes(studio, engine="svd-xt", prompt="waves", prompt_strength=0) == []
    assert note_codes(studio, engine="svd-nano", prompt="pan left") == []


def test_with_its_text_tower_a_model_hears_them(studio: Studio, tmp_path: Path) -> None:
    assert prompt_note(studio, XT).code == "page.prompt.note.deaf"
    folder = tiny_text_tower(tmp_path / "clip")
    studio.weights.use(CLIP_TEXT, folder)
    assert note_codes(studio, engine="svd-xt", prompt="waves") == []
    assert studio.text_tower(XT) == folder
    assert prompt_note(studio, XT).code == "page.prompt.note.heard"
    assert studio.text_tower(ENGINES["svd-nano"]) is None, "it brings its own"
    assert prompt_note(studio, ENGINES["svd-nano"]).code == "page.prompt.note.moves"


def test_frames_that_no_network_here_can_draw_become_the_flows(studio: Studio) -> None:
    asked = ClipSettings.from_person({"engine": "svd-nano", "finish": {"smooth": 2, "between": "rife"}})
    resolved = studio.resolve(asked)
    assert resolved.settings.finish.between == "flow", "the recipe in the clip tells what was done"
    assert [note.code for note in resolved.notes] == ["note.rife_missing"]
    assert note_codes(studio, engine="svd-nano", finish={"between": "rife"}) == []
    install_tiny_rife(studio.weights)
    assert studio.resolve(asked).settings.finish.between == "rife"
    assert note_codes(studio, engine="svd-nano", finish={"smooth": 2, "between": "rife"}) == []
