"""A finished clip goes on: a frame becomes the next picture, a recipe gets one part more, stars are kept."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from svd_studio.library.clips import Clip
from svd_studio.ui.picture_box import find_picture
from svd_studio.ui.ratings import Ratings
from svd_studio.ui.result_handlers import ResultHandlers
from svd_studio.ui.texts import LANGUAGES
from svd_studio.video.metadata import read_frames
from tests.library.made_clips import Maker
from tests.ui.form_page import Page


@pytest.fixture(autouse=True)
def handlers(page: Page) -> None:
    page.handlers = ResultHandlers(page.handlers.handlers)


def guest(name: str | None = None) -> Any:
    return SimpleNamespace(username=name)


def test_the_shown_frame_becomes_the_picture_and_can_be_undone(page: Page, clip: Clip) -> None:
    before = page.form()
    view = page.ask("use_frame", clip=clip.id, frame=3)
    token = page.values[page.parts.picture]
    assert token["name"] == "the sea, frame 3"
    assert view["picture"]["name"] in view["recalled"]["said"]
    kept = np.asarray(Image.open(io.BytesIO(find_picture(page.studio, token, "owner").read_bytes())))
    assert (kept == list(read_frames(clip.rendered.path))[2]).all()
    page.ask("recall", what="back", before=view["recalled"]["before"])
    assert page.values[page.parts.picture] == {"sample": "coffee"}
    assert page.form() == before


def test_a_clip_goes_on_from_its_end_with_all_else_as_it_was(page: Page, clip: Clip) -> None:
    view = page.ask("longer", clip=clip.id, frame=None)
    assert "2 parts and 1.6 s" in view["recalled"]["said"]
    typed = page.parts.form.settings(page.values)
    made = clip.rendered.settings
    assert page.studio.resolve(typed, (320, 240)).settings == made.changed(parts=2)
    assert page.values[page.parts.picture]["kept"].startswith(clip.rendered.source_sha256)
    page.ask("recall", what="back", before=view["recalled"]["before"])
    assert page.form()["parts"] == 1


@pytest.mark.parametrize(("frame", "go_on_from"), [(2, "1"), (4, "3"), (5, "4"), (6, "")])
def test_or_from_the_frame_that_is_shown(page: Page, clip: Clip, frame: int, go_on_from: str) -> None:
    said = page.ask("longer", clip=clip.id, frame=frame)["recalled"]["said"]
    assert (f"frame {frame}:" in said) is bool(go_on_from)
    assert page.form()["go_on_from"] == go_on_from


def test_a_film_goes_on_from_its_end(
    page: Page, clip: Clip, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Maker(page.studio, page.studio.keep_picture(picture_file), monkeypatch)
    film = maker.clip("film", frames=6, parts=2, go_on_from=3)
    assert film.rendered.frames == 9
    said = page.ask("longer", clip=film.id, frame=2)["recalled"]["said"]
    assert "frame 7:" in said, "where its second part is joined to the third"
    assert (page.form()["parts"], page.form()["go_on_from"]) == (3, "3")


def refused(page: Page, **sent: Any) -> str:
    before = page.form()
    sentence = page.ask("longer", **sent)["recall_problem"]
    assert page.form() == before
    return str(sentence)


def test_what_cannot_go_on_says_why_and_what_to_do(page: Page, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "step on a few frames" in refused(page, clip=clip.id, frame=1)
    monkeypatch.setattr(page.studio, "is_installed", lambda info: False)
    assert "get that model" in refused(page, clip=clip.id, frame=None)
    monkeypatch.undo()
    page.studio.trash.put(clip)
    assert "bring it back first" in refused(page, clip=clip.id, frame=None)
    page.studio.trash.restore(page.studio.clips.get(clip.id) or clip)
    (kept,) = page.studio.config.inputs.iterdir()
    kept.unlink()
    assert "no longer here" in refused(page, clip=clip.id, frame=None)


@pytest.mark.parametrize(
    "sent", [{"frame": 0}, {"frame": 7}, {"frame": True}, {"frame": "2"}, {"clip": 5}, {"clip": "x"}]
)
def test_a_stranger_gets_a_sentence(page: Page, clip: Clip, sent: dict[str, Any]) -> None:
    for verb in ("longer", "use_frame"):
        assert page.ask(verb, **{"clip": clip.id, "frame": 1, **sent})["recall_problem"]
        assert page.ask(verb, owner="guest", clip=clip.id, frame=2)["recall_problem"], "it is the owner's"


@pytest.mark.parametrize("language", LANGUAGES)
def test_stars_are_given_and_taken(page: Page, clip: Clip, language: str) -> None:
    ratings = Ratings(page.studio)
    assert ratings.rate({"clip": clip.id, "rating": 4}, language, guest())["rated"]["rating"] == 4
    told = ratings.rate({"clip": clip.id, "rating": 9}, language, guest())
    assert (bool(told["notice"]), told["rated"]["rating"]) == (True, 4)
    ratings.rate({"clip": clip.id, "rating": 0}, language, guest())
    assert page.studio.clips.get(clip.id).rating == 0  # type: ignore[union-attr]
