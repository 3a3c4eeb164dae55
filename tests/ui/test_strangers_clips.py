"""Clips and posters whose recipe was written to do harm, dropped on the page: refused or cleaned, in a sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from svd_studio.video.poster import make_poster
from tests.ui.form_page import RECIPE, Page
from tests.video.test_metadata import FTYP, comment_box
from tests.video.test_webm_tags import film, tagged


def write_poster(path: Path, comment: str) -> None:
    make_poster(np.full((64, 96, 3), 90, np.uint8), path, comment)


WRITERS: dict[str, Callable[[Path, str], object]] = {
    "mp4": lambda path, comment: path.write_bytes(FTYP + comment_box(comment.encode())),
    "webm": lambda path, comment: path.write_bytes(film(tagged("COMMENT", comment.encode()))),
    "webp": write_poster,
}
SCRIPT = "<img src=x onerror=alert(1)><script>alert(1)</script>"


def told(made: object = None, **settings: Any) -> str:
    return json.dumps({"settings": {**RECIPE, **settings}, "made": made or {}}, ensure_ascii=False)


REFUSED = {
    "a number that never ends": (told(seed=0).replace('"seed": 0', '"seed": 1e999'), "Seed"),
    "a number of 4000 digits": (told(frames=int("9" * 4000)), "Frames goes from 2 to 121"),
    "a bell in the words": (told(prompt="a\u0007b"), "cannot be printed"),
    "a switch for a number": (told(steps=True), "Steps"),
    "a list for a part": (told(finish=[1] * 1000), "not a recipe"),
    "an engine called as a path": (told(engine={"$ref": "/etc/passwd"}), "needs words"),
}
UNREAD = {
    "a number too long to be read": told(frames=0).replace('"frames": 0', '"frames": ' + "9" * 5000),
    "a megabyte and more": told(junk="x" * 2**20),
    "nested without end": '{"settings":' + '{"a":' * 90_000,
    "a deep list beside a good recipe": told(junk=0).replace('"junk": 0', '"junk": ' + "[" * 50_000 + "]" * 50_000),
    "no number": told(seed=0).replace('"seed": 0', '"seed": NaN'),
}
CLEANED = {
    "nearly a megabyte beside the recipe": told(junk="x" * 400_000),
    "a program for a title": told({"title": SCRIPT}, prompt=SCRIPT),
    "a title that reads backwards": told({"title": "sea\u202egpj.\u2066exe\u0000\n"}),
    "a list for a title": told({"title": [["x"] * 5000]}),
    "a path for a picture": told({"title": "sea", "source_sha256": "../../studio.db"}),
    "a program for a field": told(**{SCRIPT * 90: 1, "\u202e": 2}),
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("case", REFUSED)
def test_a_recipe_that_cannot_be_is_refused_in_a_sentence(page: Page, tmp_path: Path, kind: str, case: str) -> None:
    comment, said = REFUSED[case]
    view, before = dropped(page, tmp_path, kind, comment)
    assert "recall" not in view
    assert said in view["picture_error"]
    assert len(view["picture_error"]) < 300
    assert page.form() == before


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("case", UNREAD)
def test_what_is_too_much_is_no_recipe_at_all(page: Page, tmp_path: Path, kind: str, case: str) -> None:
    view, before = dropped(page, tmp_path, kind, UNREAD[case])
    assert "recall" not in view
    if kind != "webp":  # a poster is a picture all the same
        assert view["picture_error"].startswith(f"theirs.{kind} is a video without a recipe")
    assert page.form() == before


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("case", CLEANED)
def test_what_is_left_of_a_recipe_is_short_and_plain(page: Page, tmp_path: Path, kind: str, case: str) -> None:
    view, before = dropped(page, tmp_path, kind, CLEANED[case])
    offered = view["recall"]
    assert 0 < len(offered["title"]) <= 80
    assert offered["title"].isprintable()
    assert offered["has_picture"] is False
    assert all(len(note) < 800 and note.isprintable() for note in offered["notes"])
    assert len(json.dumps(view)) < 4000
    assert page.form() == before, "nothing changes before it was asked for"
    page.ask("recall", **page.upload(tmp_path / f"theirs.{kind}"), what="all")
    assert {name: page.form()[name] for name in ("motion_bucket", "steps", "seed")} == {
        "motion_bucket": 90,
        "steps": 7,
        "seed": "5",
    }


def dropped(page: Page, tmp_path: Path, kind: str, comment: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the page is told of a file with this comment, and what stood in its form before."""
    file, before = tmp_path / f"theirs.{kind}", page.form()
    WRITERS[kind](file, comment)
    return page.ask("pick", **page.upload(file)), before
