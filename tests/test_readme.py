"""The README is a map that stays true: files it names exist, verbs it lists are the verbs there are."""

import re
from pathlib import Path

import pytest

from svd_studio.cli import build_parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HIDDEN = {"work"}


def verbs() -> set[str]:
    choices = next(action.choices for action in build_parser()._actions if hasattr(action.choices, "keys"))
    return set(choices) - HIDDEN


def test_every_verb_is_in_the_readme_and_no_other() -> None:
    listed = re.findall(r"^\| `(\w+)[^|]*\|", README.split("| none: ")[1].split("\n\n")[0], re.MULTILINE)
    listed += ["clips"]  # shares a row with jobs
    assert set(listed) == verbs() | {"test"}


def named_paths() -> list[str]:
    """The tree of "The house", each line's first word, indented ones below svd_studio/."""
    tree = README.split("## The house")[1].split("```")[1]
    paths = []
    for line in tree.strip("\n").splitlines():
        names = re.split(r"\s{2,}", line.strip())[0]
        prefix = "svd_studio/" if line.startswith("  ") else ""
        paths += [prefix + name.strip() for name in names.split(",")]
    return paths


@pytest.mark.parametrize("path", named_paths())
def test_the_map_names_what_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_folder_and_top_level_file_is_on_the_map() -> None:
    package = ROOT / "svd_studio"
    there = {f"svd_studio/{path.name}/" for path in package.iterdir() if (path / "__init__.py").exists()}
    named = {re.sub(r"/texts/$", "/", path) for path in named_paths()}
    assert there <= named


@pytest.mark.parametrize("path", re.findall(r"presets/pictures/[\w.-]+\.jpg", README))
def test_sample_pictures_of_the_examples_exist(path: str) -> None:
    assert (ROOT / path).is_file()


def test_every_engine_is_in_the_readme() -> None:
    from svd_studio.engines.catalog import ENGINES

    for info in ENGINES.values():
        assert f"| `{info.name}` |" in README
        assert f"| {info.native['frames']} |" in README
