"""What was thrown away is out of sight, comes back whole, and is deleted only by a press or after 30 days."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput, StudioError
from svd_studio.library.clip_search import ClipFilter
from svd_studio.library.clips import Clip
from svd_studio.library.trash import KEPT_DAYS, Trash
from svd_studio.studio import Studio
from tests.library.made_clips import row

DAY_S = 86400.0


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "data"))


def kept(studio: Studio, number: int, owner: str = "owner", folder: str = "") -> Clip:
    """A clip with a file and a poster of known contents."""
    clip = row(studio, number, owner=owner)
    path = studio.config.clips / folder / clip.rendered.path.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"clip %d" % number)
    path.with_suffix(".webp").write_bytes(b"poster %d" % number)
    made = replace(clip.rendered, path=path, poster=path.with_suffix(".webp"))
    return studio.clips.write([replace(clip, rendered=made)])[0]


def again(studio: Studio, clip: Clip) -> Clip:
    found = studio.clips.get(clip.id)
    assert found is not None
    return found


def contents(clip: Clip) -> tuple[bytes, bytes]:
    assert clip.rendered.poster is not None
    return clip.rendered.path.read_bytes(), clip.rendered.poster.read_bytes()


def test_what_a_clip_was_before_finishing_goes_and_comes_back_with_it(studio: Studio) -> None:
    clip = kept(studio, 1)
    clip.rendered.before.write_bytes(b"before")
    studio.trash.put(clip)
    thrown = again(studio, clip)
    assert thrown.rendered.before.read_bytes() == b"before"
    assert list(studio.config.clips.iterdir()) == []
    studio.trash.restore(thrown)
    assert again(studio, clip).rendered.before.read_bytes() == b"before"
    studio.trash.put(again(studio, clip))
    studio.trash.empty()
    assert not list(studio.clips.trash.rglob("*.before"))


@pytest.mark.parametrize("folder", ["", "holiday/beach"])
def test_a_clip_goes_with_its_poster_and_comes_back_where_it_was(studio: Studio, folder: str) -> None:
    clip = kept(studio, 1, folder=folder)
    studio.trash.put(clip)
    thrown = again(studio, clip)
    assert studio.clips.page(ClipFilter()) == []
    assert [one.id for one in studio.clips.page(ClipFilter(in_trash=True))] == [clip.id]
    assert thrown.rendered.path.is_relative_to(studio.clips.trash)
    assert contents(thrown) == (b"clip 1", b"poster 1")
    assert list(studio.config.clips.rglob("*.*")) == []
    studio.trash.restore(thrown)
    back = again(studio, clip)
    assert (back.rendered.path, back.trashed) == (clip.rendered.path, None)
    assert contents(back) == (b"clip 1", b"poster 1")
    assert list(studio.clips.trash.iterdir()) == []


def test_a_clip_whose_name_was_taken_comes_back_under_another(studio: Studio) -> None:
    clip = kept(studio, 1)
    studio.trash.put(clip)
    clip.rendered.path.write_bytes(b"somebody else's")
    studio.trash.restore(again(studio, clip))
    back = again(studio, clip)
    assert back.rendered.path.name == "clip 1 (2).mp4"
    assert contents(back) == (b"clip 1", b"poster 1")
    assert clip.rendered.path.read_bytes() == b"somebody else's"


def test_two_clips_of_one_name_are_both_in_the_trash(studio: Studio) -> None:
    first = kept(studio, 1)
    studio.trash.put(first)
    second = kept(studio, 2)
    os.replace(second.rendered.path, first.rendered.path)
    second = studio.clips.write([replace(second, rendered=replace(second.rendered, path=first.rendered.path))])[0]
    studio.trash.put(second)
    assert again(studio, first).rendered.path.read_bytes() == b"clip 1"
    assert again(studio, second).rendered.path.read_bytes() == b"clip 2"


@pytest.mark.parametrize("thrown", [False, True])
def test_a_kill_between_the_files_and_the_row_loses_nothing(studio: Studio, thrown: bool) -> None:
    clip = kept(studio, 1)
    if thrown:  # killed while it came back: file at home, row in the trash
        studio.trash.put(clip)
        shutil.move(again(studio, clip).rendered.path, clip.rendered.path)
    else:  # killed while it went: file in the trash, row at home
        target = studio.clips.in_trash(clip.id, clip.rendered.path.name)
        target.parent.mkdir(parents=True)
        shutil.move(clip.rendered.path, target)
    halfway = again(studio, clip)
    assert contents(halfway) == (b"clip 1", b"poster 1")
    studio.trash.restore(halfway)
    assert contents(again(studio, clip)) == (b"clip 1", b"poster 1")
    assert again(studio, clip).rendered.path == clip.rendered.path
    studio.trash.put(again(studio, clip))
    assert again(studio, clip).rendered.path.is_relative_to(studio.clips.trash)


def test_emptying_deletes_files_and_rows_of_one_owner_only(studio: Studio) -> None:
    mine, theirs, still = kept(studio, 1), kept(studio, 2, owner="guest"), kept(studio, 3)
    studio.trash.put(mine)
    studio.trash.put(theirs)
    assert studio.clips.holdings(ClipFilter(owner="guest", in_trash=True)).count == 1
    assert studio.trash.empty("guest") == 1
    assert studio.clips.get(theirs.id) is None
    assert contents(again(studio, mine)) == (b"clip 1", b"poster 1")
    assert studio.trash.empty() == 1
    assert list(studio.clips.trash.rglob("*")) == []
    assert contents(again(studio, still)) == (b"clip 3", b"poster 3")


def test_the_trash_is_kept_for_thirty_days(studio: Studio) -> None:
    now = 1_000_000_000.0
    trash = Trash(studio.clips, clock=lambda: now)
    early, late = kept(studio, 1), kept(studio, 2)
    trash.put(early)
    now += 2 * DAY_S
    trash.put(late)
    now += (KEPT_DAYS - 1) * DAY_S
    assert trash.expire() == 1
    assert studio.clips.get(early.id) is None
    assert contents(again(studio, late)) == (b"clip 2", b"poster 2")
    assert trash.expire() == 0


def test_a_file_that_cannot_be_moved_stays_and_the_row_with_it(studio: Studio) -> None:
    clip = kept(studio, 1)
    studio.clips.trash.write_bytes(b"a file where the folder should be")
    with pytest.raises(BadInput, match="cannot_move"):
        studio.trash.put(clip)
    assert contents(again(studio, clip)) == (b"clip 1", b"poster 1")
    assert again(studio, clip).trashed is None


def test_a_file_that_cannot_be_deleted_is_said_and_the_others_go(studio: Studio) -> None:
    stuck, free = kept(studio, 1), kept(studio, 2)
    studio.trash.put(stuck)
    studio.trash.put(free)
    path = again(studio, stuck).rendered.path
    path.unlink()
    path.mkdir()
    with pytest.raises(StudioError, match="trash_stuck"):
        studio.trash.empty()
    assert studio.clips.get(free.id) is None
    assert studio.clips.get(stuck.id) is not None
    assert studio.trash.expire() == 0


def test_a_clip_that_lost_its_file_can_be_thrown_away_and_emptied(studio: Studio) -> None:
    clip = kept(studio, 1)
    clip.rendered.path.unlink()
    studio.trash.put(clip)
    assert studio.trash.empty() == 1
    assert studio.clips.get(clip.id) is None


@pytest.mark.parametrize("how", ["empty", "expire"])
@pytest.mark.parametrize("poster_too", [True, False])
def test_a_clip_that_is_back_in_its_folder_is_kept_not_deleted(studio: Studio, how: str, poster_too: bool) -> None:
    clip = kept(studio, 1)
    Trash(studio.clips, clock=lambda: 1.0).put(clip)
    thrown = again(studio, clip).rendered
    assert thrown.poster is not None
    shutil.move(thrown.path, clip.rendered.path)
    if poster_too:
        shutil.move(thrown.poster, clip.rendered.path.with_suffix(".webp"))
    assert getattr(studio.trash, how)() == 0
    assert again(studio, clip).trashed is None
    assert again(studio, clip).rendered.path == clip.rendered.path
    assert contents(again(studio, clip)) == (b"clip 1", b"poster 1")


def test_emptying_never_touches_the_clip_that_took_a_lost_ones_place(studio: Studio) -> None:
    lost = kept(studio, 1)
    studio.trash.put(lost)
    shutil.rmtree(studio.clips.trash)
    other = kept(studio, 2)
    os.replace(other.rendered.path, lost.rendered.path)
    other = studio.clips.write([replace(other, rendered=replace(other.rendered, path=lost.rendered.path))])[0]
    assert studio.trash.empty() == 1
    assert studio.clips.get(lost.id) is None
    assert contents(again(studio, other)) == (b"clip 2", b"poster 2")
