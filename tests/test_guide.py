"""The guides stay true: their pictures are there, both walk the same way, and the buttons they name are on the page."""

import re
from pathlib import Path

import pytest

from svd_studio.ui.texts import LANGUAGES, words

DOCS = Path(__file__).parents[1] / "docs"
GUIDES = {"en": DOCS / "guide.md", "zh-CN": DOCS / "guide.zh-CN.md"}
LARGEST, LARGEST_TOGETHER = 120_000, 2_500_000


def text(language: str) -> str:
    return GUIDES[language].read_text(encoding="utf-8")


def sections(language: str) -> list[str]:
    return text(language).split("\n## ")[1:]


def pictures(part: str) -> list[str]:
    return re.findall(r"!\[[^\]]+\]\((guide/[^)]+)\)", part)


def test_there_is_a_guide_in_every_language() -> None:
    assert set(GUIDES) == set(LANGUAGES)


def test_every_picture_is_there_and_none_is_left_over() -> None:
    named = [name for language in GUIDES for name in pictures(text(language))]
    assert sorted(named) == sorted(f"guide/{path.name}" for path in (DOCS / "guide").iterdir())


def test_the_pictures_are_light() -> None:
    sizes = {path.name: path.stat().st_size for path in (DOCS / "guide").iterdir()}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
    assert sum(sizes.values()) < LARGEST_TOGETHER


def test_both_guides_walk_the_same_way_with_one_picture_a_section() -> None:
    seen = {
        language: [[name.replace(f".{language}.", ".") for name in pictures(part)] for part in sections(language)]
        for language in GUIDES
    }
    assert seen["en"] == seen["zh-CN"]
    assert {len(names) for names in seen["en"]} == {1}


@pytest.mark.parametrize("language", GUIDES)
def test_every_button_in_bold_is_on_the_page(language: str) -> None:
    named = {" ".join(name.split()) for name in re.findall(r"\*\*([^*]+)\*\*", text(language))}
    assert named - set(words(language).values()) == set()
    assert len(named) > 40
