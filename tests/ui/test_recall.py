"""Recipes that come back into the form: whole, without the seed, only the motion; and everything that is no recipe."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from svd_studio.core.clip import ClipSettings
from svd_studio.core.infotext import as_infotext
from svd_studio.engines.catalog import ENGINES
from svd_studio.library.clips import Clip
from svd_studio.ui.recalling import MOTION
from svd_studio.video.mp4_boxes import LONGEST_COMMENT
from svd_studio.video.poster import make_poster
from tests.ui.form_page import RECIPE, Page


def poster_with(path: Path, comment: str, picture: Image.Image) -> Path:
    import numpy as np

    make_poster(np.asarray(picture.resize((96, 64))), path, comment)
    return path


def test_everything_comes_back_with_seed_and_picture(page: Page, clip: Clip) -> None:
    view = page.ask("recall", clip=clip.id, what="all")
    assert {name: page.form()[name] for name in RECIPE} == {**RECIPE, "seed": "5"}
    assert page.values[page.parts.picture]["kept"].startswith(clip.rendered.source_sha256)
    assert view["recalled"]["said"] == "“the sea” is back with all its settings."
    assert view["recalled"]["notes"] == []
    assert view["picture"]["name"] == "the sea"
    settings = page.handlers.handlers.typed_settings(page.values)
    again = page.studio.resolve(settings, (320, 180)).settings
    assert again == clip.rendered.settings


def test_the_seed_of_a_clip_just_made_is_not_drawn_anew_when_it_was_recalled(page: Page, clip: Clip) -> None:
    page.values[page.parts.drawn] = 5
    page.ask("recall", clip=clip.id, what="all")
    assert page.handlers.handlers.typed_settings(page.values).seed == 5


def test_all_but_the_seed_leaves_it_to_be_drawn(page: Page, clip: Clip) -> None:
    page.ask("recall", clip=clip.id, what="but_seed")
    assert (page.form()["seed"], page.form()["prompt"]) == ("", "waves")
    assert page.handlers.handlers.typed_settings(page.values).seed is None


def test_only_the_motion_leaves_words_seed_length_and_picture(page: Page, clip: Clip) -> None:
    before = page.form()
    view = page.ask("recall", clip=clip.id, what="motion")
    after = page.form()
    assert {name for name in after if after[name] != before[name]} == {"motion_bucket", "steps"}
    assert set(MOTION) >= {"motion_bucket", "steps"}
    assert page.values[page.parts.picture] == {"sample": "coffee"}
    assert "picture" not in view


@pytest.mark.parametrize("what", ["all", "but_seed", "motion"])
def test_undo_brings_back_what_stood_there(page: Page, clip: Clip, what: str) -> None:
    page.values[page.parts.form.fields["prompt"]] = "mine"
    page.values[page.parts.drawn] = 8
    kept = {**page.form(), "picture": page.values[page.parts.picture], "drawn": 8}
    view = page.ask("recall", clip=clip.id, what=what)
    assert page.form() != {name: kept[name] for name in page.form()}
    view = page.ask("recall", what="back", before=json.loads(json.dumps(view["recalled"]["before"])))
    assert {**page.form(), "picture": page.values[page.parts.picture], "drawn": 8} == kept
    assert page.values[page.parts.drawn] == 8
    assert view["recalled"] is None


@pytest.mark.parametrize("before", [None, 5, {}, {"typed": 5, "picture": "x", "drawn": "y"}, {"typed": {"warp": 1}}])
def test_an_undo_that_makes_no_sense_changes_nothing(page: Page, before: Any) -> None:
    kept = page.form(), page.values[page.parts.picture]
    page.ask("recall", what="back", before=before)
    assert (page.form(), page.values[page.parts.picture]) == kept


@pytest.mark.parametrize("kind", ["clip", "poster"])
def test_a_clip_or_a_poster_that_is_dropped_is_offered(page: Page, clip: Clip, kind: str) -> None:
    file = clip.rendered.path if kind == "clip" else clip.rendered.poster
    assert file is not None
    dropped = page.upload(file)
    view = page.ask("pick", **dropped)
    assert view["taken"] is True
    assert view["recall"]["title"] == "the sea"
    assert view["recall"]["has_picture"] is True
    assert view["recall"]["is_picture"] is (kind == "poster")
    assert "Motion bucket: 90" in view["recall"]["recipe"]
    assert page.values[page.parts.picture] == {"sample": "coffee"}, "nothing changes before it was asked for"
    page.ask("recall", **dropped, what="all")
    assert page.form()["motion_bucket"] == 90
    assert page.values[page.parts.picture]["kept"].startswith(clip.rendered.source_sha256)


def test_a_poster_can_be_taken_for_a_picture_all_the_same(page: Page, clip: Clip) -> None:
    assert clip.rendered.poster is not None
    dropped = page.upload(clip.rendered.poster)
    view = page.ask("pick", **dropped, plain=True)
    assert "recall" not in view
    assert page.values[page.parts.picture]["path"] == dropped["path"]


def test_a_picture_without_a_recipe_is_a_picture(page: Page, picture_file: Path) -> None:
    view = page.ask("pick", **page.upload(picture_file))
    assert "recall" not in view
    assert view["picture"]["name"] == "picture"


def test_a_clip_of_others_gives_its_recipe_but_nobodys_picture(
    page: Page, picture: Image.Image, tmp_path: Path
) -> None:
    record = {"settings": RECIPE, "made": {"title": "theirs", "source_sha256": "ab" * 32}}
    view = page.ask("pick", **page.upload(poster_with(tmp_path / "theirs.webp", json.dumps(record), picture)))
    assert (view["recall"]["title"], view["recall"]["has_picture"]) == ("theirs", False)
    view = page.ask("recall", **page.upload(tmp_path / "theirs.webp"), what="all")
    assert "Its picture is not here" in view["recalled"]["notes"][0]


def test_a_guest_gets_no_picture_and_no_clip_of_others(page: Page, clip: Clip) -> None:
    dropped = page.upload(clip.rendered.path)
    assert page.ask("pick", owner="guest", **dropped)["recall"]["has_picture"] is False
    assert "no longer here" in page.ask("recall", owner="guest", clip=clip.id, what="all")["recall_problem"]
    assert "no longer here" in page.ask("read", owner="guest", clip=clip.id)["recall_problem"]
    page.studio.database.connection.execute("UPDATE clips SET owner = 'guest'")
    assert page.ask("pick", owner="guest", **dropped)["recall"]["has_picture"] is True
    assert "recall" in page.ask("read", owner="guest", clip=clip.id)


def test_a_clip_whose_file_is_gone_is_recalled_from_the_index(page: Page, clip: Clip) -> None:
    clip.rendered.path.unlink()
    page.ask("recall", clip=clip.id, what="all")
    assert page.form()["motion_bucket"] == 90


def test_unknown_fields_of_a_newer_clip_are_named(page: Page, picture: Image.Image, tmp_path: Path) -> None:
    record = {"settings": {**RECIPE, "warp_drive": 9, "finish": {"smooth": 2, "sparkle": True}}, "made": {"title": "x"}}
    poster = poster_with(tmp_path / "newer.webp", json.dumps(record), picture)
    notes = page.ask("pick", **page.upload(poster))["recall"]["notes"]
    assert notes == ["This recipe is from a newer version; left out: warp_drive, finish.sparkle."]
    view = page.ask("recall", **page.upload(poster), what="all")
    assert notes[0] in view["recalled"]["notes"]
    assert page.form()["finish.smooth"] == 2


@pytest.mark.parametrize("name", [None, "Negative"])
def test_an_infotext_is_pasted(page: Page, name: str | None) -> None:
    words = as_infotext(ClipSettings.from_person({**RECIPE, "negative_prompt": "people" if name else ""}))
    assert page.ask("read", text=words)["recall"]["title"] == "The pasted text"
    view = page.ask("recall", text=words, what="all")
    assert {key: page.form()[key] for key in RECIPE} == {**RECIPE, "seed": "5"}
    assert page.form()["negative_prompt"] == ("people" if name else "")
    assert view["recalled"]["notes"] == []
    assert page.values[page.parts.picture] == {"sample": "coffee"}


def test_an_a1111_text_is_taken_as_far_as_it_goes(page: Page) -> None:
    words = "a cat\nNegative prompt: dogs\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 3, Size: 512x512"
    notes = page.ask("read", text=words)["recall"]["notes"]
    assert "Sampler" in notes[0]
    assert "CFG scale" in notes[1]
    page.ask("recall", text=words, what="all")
    assert (page.form()["prompt"], page.form()["steps"], page.form()["seed"]) == ("a cat", 20, "3")
    assert (page.form()["shape"], page.form()["width"], page.form()["height"]) == ("square", "512", "512")


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("wan-9", "Its model wan-9 is not known here"),
        ("svd-xt", "Its model Stable Video Diffusion XT is not installed"),
    ],
)
def test_a_recipe_for_a_model_that_is_not_here_is_for_the_one_that_is(page: Page, engine: str, said: str) -> None:
    words = json.dumps({"engine": engine, "frames": 25, "motion_bucket": 44})
    notes = page.ask("recall", text=words, what="all")["recalled"]["notes"]
    assert notes[0].startswith(said)
    assert "SVD-Nano" in notes[0]
    assert notes[1].startswith("Frames 25 became 14")
    assert (page.form()["engine"], page.form()["frames"], page.form()["motion_bucket"]) == ("svd-nano", 14, 44)


def test_a_model_that_moves_in_one_way_only_says_so(page: Page) -> None:
    page.values[page.parts.form.fields["engine"]] = "svd-xt-1.1"
    notes = page.ask("recall", text='{"motion_bucket": 44}', what="motion")["recalled"]["notes"]
    assert "was trained with" in notes[0]
    assert page.form()["motion_bucket"] == ENGINES["svd-xt-1.1"].locked["motion_bucket"]


def test_the_cut_comes_back_and_a_size_only_where_it_is_not_the_shapes_own(page: Page) -> None:
    cut = {"focus_x": 0.2, "focus_y": 0.9, "crop_zoom": 2.5, "fit": "crop"}
    words = json.dumps({**cut, "engine": "svd-nano", "shape": "landscape", "width": 320, "height": 192})
    view = page.ask("recall", text=words, what="all")
    assert {name: page.form()[name] for name in cut} == cut
    assert (page.form()["width"], page.form()["height"]) == ("320", "192")
    assert [view["frame"][name] for name in ("x", "y", "zoom", "width", "height")] == [0.2, 0.9, 2.5, 320, 192]
    page.ask("recall", text=words.replace("320", "256").replace("192", "144"), what="all")
    assert (page.form()["width"], page.form()["height"]) == ("", "")
    page.ask("sample", name="coffee")
    assert (page.form()["focus_x"], page.form()["crop_zoom"]) == (0.5, 1.0)  # another picture, another cut


HOSTILE = {
    "no recipe at all": ("hello", None),
    "an object of another program": ({"workflow": {"steps": 3}}, None),
    "a setting that cannot be": ({"settings": {"frames": 10**9}}, "Frames goes from 2 to 121"),
    "settings that are none": ({"settings": ["x"]}, None),
    "too many words": ({"settings": {"prompt": "x" * 3000}}, "too long"),
    "unprintable words": ({"settings": {"prompt": "\u0000\u202e"}}, "cannot be printed"),
    "an object in a field": ({"settings": {"prompt": {"value": 1}}}, "needs words"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_comment_is_one_sentence_beside_the_picture(
    page: Page, picture: Image.Image, tmp_path: Path, kind: str
) -> None:
    record, said = HOSTILE[kind]
    poster = poster_with(tmp_path / "theirs.webp", json.dumps(record), picture)
    before = page.form()
    view = page.ask("pick", **page.upload(poster))
    assert "recall" not in view
    if said is None:
        assert view["picture"]["name"] == "theirs"
    else:
        assert said in view["picture_error"]
        assert "errors" not in view, "the form is not wrong"
    assert page.form() == before


@pytest.mark.parametrize(
    "comment", ["[" * 100_000, "x" * (LONGEST_COMMENT + 1), '{"settings": NaN}', '{"a":' * 90_000], ids=len
)
def test_a_huge_comment_is_not_read(page: Page, picture: Image.Image, tmp_path: Path, comment: str) -> None:
    view = page.ask("pick", **page.upload(poster_with(tmp_path / "huge.webp", comment, picture)))
    assert view["picture"]["name"] == "huge"


def test_thousands_of_unknown_fields_are_a_short_sentence(page: Page, picture: Image.Image, tmp_path: Path) -> None:
    record = {"settings": {**RECIPE, **{f"<b>{number}</b>" + "x" * 300: 1 for number in range(1000)}}}
    view = page.ask("pick", **page.upload(poster_with(tmp_path / "many.webp", json.dumps(record), picture)))
    assert len(view["recall"]["notes"][0]) < 800


@pytest.mark.parametrize("title", [5, {"a": 1}, "x" * 9999, "a\u0000\u202eb", ""])
def test_a_title_that_is_none_is_cleaned(page: Page, picture: Image.Image, tmp_path: Path, title: Any) -> None:
    record = {"settings": RECIPE, "made": {"title": title, "source_sha256": "../../etc/passwd"}}
    view = page.ask("pick", **page.upload(poster_with(tmp_path / "file.webp", json.dumps(record), picture)))
    assert 0 < len(view["recall"]["title"]) <= 80
    assert view["recall"]["title"].isprintable()


def test_a_film_of_others_is_sent_away_in_a_sentence(page: Page, clip: Clip, tmp_path: Path) -> None:
    from svd_studio.video.unmarked import write_without_recipe

    write_without_recipe(clip.rendered.path, tmp_path / "holiday.mp4")
    view = page.ask("pick", **page.upload(tmp_path / "holiday.mp4"))
    assert view["picture_error"].startswith("holiday.mp4 is a video without a recipe")


@pytest.mark.parametrize(
    "text", ["", "hello", "{}", "[]", "{" * 50_000, "x: 1", '{"warp": 1}', "x" * 40_000, "Steps: many", "\x00"]
)
def test_a_text_that_is_no_recipe_is_one_sentence(page: Page, text: str) -> None:
    before = page.form()
    for verb in ("read", "recall"):
        view = page.ask(verb, text=text, what="all")
        assert set(view) == {"recall_problem"}
        assert view["recall_problem"].endswith(".")
    assert page.form() == before


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"what": "all"},
        {"clip": 5, "what": "all"},
        {"clip": "x" * 99, "what": "motion"},
        {"path": "/etc/passwd", "what": "all"},
        {"path": "../studio.db", "name": "x", "what": "all"},
        {"text": '{"steps": 3}', "what": "warp"},
        {"text": '{"steps": 3}', "what": ["all"]},
        {"text": {"steps": 3}, "what": "all"},
    ],
)
def test_what_a_stranger_sends_is_refused_in_a_sentence(page: Page, sent: dict[str, Any]) -> None:
    before = page.form()
    view = page.ask("recall", **sent)
    assert set(view) in ({"recall_problem"}, {"taken", "errors"})
    assert page.form() == before


def test_a_json_file_is_dropped(page: Page, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE))
    view = page.ask("pick", **page.upload(tmp_path / "recipe.json"))
    assert (view["recall"]["title"], view["recall"]["is_picture"]) == ("recipe", False)
    (tmp_path / "shopping.txt").write_text("milk")
    assert "not a recipe" in page.ask("pick", **page.upload(tmp_path / "shopping.txt"))["picture_error"]
