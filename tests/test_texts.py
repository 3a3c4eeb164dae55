"""Every message has its words, in every language, with the same blanks."""

import ast
import re
import string
from pathlib import Path

import pytest

from svd_studio.core.errors import Message
from svd_studio.ui.texts import LANGUAGES, say, words

PACKAGE = Path(__file__).parents[1] / "svd_studio"
CODE = re.compile(r"[a-z_]+(\.[a-z_0-9]+)+")


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_things_with_the_same_blanks(language: str) -> None:
    english, other = words("en"), words(language)
    assert set(other) == set(english)
    assert {code: blanks(text) for code, text in other.items()} == {
        code: blanks(text) for code, text in english.items()
    }


def test_chinese_is_chinese() -> None:
    for code, text in words("zh-CN").items():
        has_words = re.search(r"[^\W\d_]{2}", re.sub(r"\{\w+\}", "", text))
        assert not has_words or re.search(r"[\u3000-\u9fff]", text), f"{code} is not translated"


def codes_in_source() -> set[str]:
    """Every string that is handed to an error, a Message, a Finding or say()."""
    codes = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                codes.add(node.value)
    return codes


def test_every_code_in_the_source_has_words() -> None:
    prefixes = {code.split(".")[0] for code in words("en")}
    spoken = {code for code in codes_in_source() if code.split(".")[0] in prefixes}
    files = {code for code in spoken if code.endswith((".json", ".txt", ".py", ".md", ".npy", ".bat", ".sh"))}
    fields = {"finish.smooth", "finish.between", "finish.enlarge", "finish.scale", "export.fps"}
    assert spoken - files - fields - set(words("en")) == set()


def test_sentences_end_like_sentences() -> None:
    for code, text in words("en").items():
        if code.split(".")[0] in ("picture", "setting", "weights", "memory", "database", "disk", "preset", "recipe"):
            assert text.endswith((".", "?", "}")), code


def test_values_are_filled_in() -> None:
    message = Message("setting.out_of_range", {"field": "frames", "low": 2, "high": 14, "given": 99})
    assert say(message) == "frames goes from 2 to 14, not 99."
    assert "99" in say(message, "zh-CN")


def test_one_clip_is_not_called_clips() -> None:
    assert say(Message("page.gallery.summary", {"n": 1, "size": "3 MB"})) == "1 clip · 3 MB"
    assert say(Message("page.gallery.summary", {"n": 2, "size": "3 MB"})) == "2 clips · 3 MB"
