"""The presets verb as somebody types it."""

import json
from pathlib import Path
from typing import Any

import pytest

from svd_studio.cli import main
from svd_studio.library.presets import ORDER


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> tuple[int, str, str]:
        code = main(["presets", *words, "--data", str(tmp_path / "data")])
        done = capsys.readouterr()
        return code, done.out, done.err

    return run


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"motion_bucket": 33, "prompt": "waves", "seed": 4}))
    return str(path)


def names(run: Any) -> list[str]:
    return [look["name"] for look in json.loads(run("--json")[1])]


def test_the_shipped_looks_are_listed_with_what_they_are_for(run: Any) -> None:
    code, out, _ = run()
    assert code == 0
    assert names(run) == list(ORDER)
    assert "gentle-drift" in out.splitlines()[0]


def test_one_s_own_from_end_to_end(run: Any, recipe: str, tmp_path: Path) -> None:
    code, out, _ = run("save", "Calm sea", "--recipe", recipe, "--json")
    assert code == 0
    assert json.loads(out)[0] == {
        **{"name": "calm-sea", "own": True, "title": {"en": "Calm sea"}, "about": {}},
        "settings": {"motion_bucket": 33},
    }
    assert run("rename", "calm-sea", "Still sea")[0] == 0
    file = tmp_path / "still.json"
    assert run("export", "still-sea", str(file))[0] == 0
    assert run("delete", "still-sea")[0] == 0
    assert names(run) == list(ORDER)
    assert run("restore", "still-sea")[0] == 0
    assert run("import", str(file))[0] == 0
    assert names(run) == [*ORDER, "still-sea", "still-sea-2"]


def test_nothing_is_written_over_unasked(run: Any, recipe: str, tmp_path: Path) -> None:
    run("save", "Mine", "--recipe", recipe)
    code, _, said = run("save", "mine", "--recipe", recipe)
    assert (code, "choose another name" in said) == (2, True)
    assert run("save", "mine", "--recipe", recipe, "--replace")[0] == 0
    file = tmp_path / "there.json"
    file.write_text("precious")
    code, _, said = run("export", "mine", str(file))
    assert (code, file.read_text()) == (2, "precious")
    assert "--replace" in said
    assert run("export", "mine", str(file), "--replace")[0] == 0
    assert json.loads(file.read_text())["settings"]["motion_bucket"] == 33


@pytest.mark.parametrize(
    "words",
    [
        ("list", "x"),
        ("save", "Mine"),
        ("save",),
        ("save", "a", "b"),
        ("rename", "mine"),
        ("rename", "draft", "Mine"),
        ("delete", "draft"),
        ("delete", "../../etc/passwd"),
        ("restore", "nothing"),
        ("import", "/no/such/file.json"),
        ("import", "/dev/null"),
        ("export", "nothing"),
        ("juggle",),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(run: Any, words: tuple[str, ...]) -> None:
    code, out, said = run(*words)
    assert (code, out) == (2, "")
    assert said.strip()
    assert "Traceback" not in said


def test_a_shipped_name_is_not_taken(run: Any, recipe: str) -> None:
    code, _, said = run("save", "Draft", "--recipe", recipe, "--replace")
    assert (code, "stays as it is" in said) == (2, True)


@pytest.mark.parametrize(
    "content",
    [
        '{"title": "x", "settings": {}}',
        '{"title": {"en": "A"}, "settings": {"warp": 1}}',
        '{"title": {"en": "A"}, "settings": {"steps": "many"}}',
        '{"title": {"en": "../../evil"}, "settings": []}',
        "[1]",
        "",
    ],
)
def test_a_file_that_is_no_look_is_refused(run: Any, tmp_path: Path, content: str) -> None:
    file = tmp_path / "given.json"
    file.write_text(content)
    assert run("import", str(file))[0] == 2
    assert names(run) == list(ORDER)


def test_a_title_with_a_way_in_it_stays_in_the_folder(run: Any, recipe: str, tmp_path: Path) -> None:
    assert run("save", "../../evil", "--recipe", recipe)[0] == 0
    assert [path.parent.name for path in tmp_path.rglob("*evil*")] == ["presets"]
