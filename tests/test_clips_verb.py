"""The clips verb as somebody types it, on clips with real files."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from svd_studio.cli import main
from svd_studio.core.config import StudioConfig
from svd_studio.library.clips import Clip
from svd_studio.studio import Studio
from tests.library.made_clips import row


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """Three clips; the files hold nothing, which listing them does not mind."""
    studio = Studio(StudioConfig(tmp_path))
    studio.config.clips.mkdir()
    titles = {1: "valley", 2: "the sea at night", 3: "valley by night"}
    for number, title in titles.items():
        clip = row(studio, number, title)
        clip.rendered.path.write_bytes(b"clip")
        studio.clips.write([replace(clip, bytes=4)])
    return studio


@pytest.fixture
def run(studio: Studio, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> tuple[int, str, str]:
        code = main(["clips", *words, "--data", str(studio.config.data)])
        done = capsys.readouterr()
        return code, done.out, done.err

    return run


def clip(studio: Studio, number: int) -> Clip:
    return next(one for one in studio.clips.everything() if one.job_id == number)


def titles(run: Any, *words: str) -> list[str]:
    return [found["title"] for found in json.loads(run(*words, "--json")[1])]


def test_clips_are_listed_newest_first_and_found_by_words(run: Any) -> None:
    assert titles(run) == ["valley by night", "the sea at night", "valley"]
    assert titles(run, "--limit", "1") == ["valley by night"]
    assert titles(run, "search", "NIGHT", "valley") == ["valley by night"]
    assert titles(run, "search", "nothing like it") == []
    assert run("search")[0] == 2


def test_a_star_is_set_by_id_and_taken_by_file(run: Any, studio: Studio) -> None:
    code, out, _ = run("star", clip(studio, 1).id)
    assert code == 0
    assert "★" in out
    assert titles(run, "--starred") == ["valley"]
    assert run("unstar", str(clip(studio, 1).rendered.path))[0] == 0
    assert titles(run, "--starred") == []


def test_the_trash_from_end_to_end(run: Any, studio: Studio) -> None:
    first, second = clip(studio, 1), clip(studio, 2)
    assert run("trash", first.id, str(second.rendered.path))[0] == 0
    assert titles(run) == ["valley by night"]
    assert sorted(titles(run, "--in-trash")) == ["the sea at night", "valley"]
    thrown = clip(studio, 1).rendered.path
    assert run("restore", str(thrown))[0] == 0
    assert first.rendered.path.is_file()
    code, _, said = run("empty-trash")
    assert code == 2
    assert "--yes" in said
    assert clip(studio, 2).rendered.path.is_file()
    assert run("empty-trash", "--yes")[0] == 0
    assert studio.clips.get(second.id) is None


@pytest.mark.parametrize("words", [("star",), ("star", "nobody"), ("trash", "../../etc/passwd"), ("juggle",)])
def test_what_cannot_be_done_is_said_in_a_sentence(run: Any, words: tuple[str, ...]) -> None:
    code, out, said = run(*words)
    assert (code, out) == (2, "")
    assert said.strip()
    assert "Traceback" not in said


def test_rebuild_names_what_it_left_alone(run: Any, studio: Studio) -> None:
    clip(studio, 3).rendered.path.unlink()
    code, out, said = run("--rebuild", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["new"], found["known"]) == (0, 0)
    assert len(found["without_recipe"]) == 2
    assert found["without_file"] == [str(clip(studio, 3).rendered.path)]
    assert "clip 1.mp4" in said
    assert len(titles(run)) == 3
