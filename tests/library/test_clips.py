"""The library of clips: found by words, engine and star, page by page, by an index of the table."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput
from svd_studio.library.clip_search import ClipFilter
from svd_studio.library.clips import Clip, ClipLibrary
from svd_studio.studio import Studio
from tests.library.made_clips import row


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "data"))


@pytest.fixture
def clips(studio: Studio) -> ClipLibrary:
    """Twelve clips, the newest last; every third of another engine, every fourth of a guest, the fifth starred."""
    many = [
        row(
            studio,
            number,
            engine="svd-xt" if number % 3 == 0 else "svd-nano",
            owner="guest" if number % 4 == 0 else "owner",
        )
        for number in range(1, 13)
    ]
    studio.clips.write(many)
    studio.clips.star(many[4].id, True)
    return studio.clips


def numbers(found: list[Clip]) -> list[int | None]:
    return [clip.job_id for clip in found]


def pages(library: ClipLibrary, wanted: ClipFilter, limit: int) -> Iterator[list[Clip]]:
    after = None
    while page := library.page(wanted, after, limit):
        yield page
        after = page[-1].cursor(wanted)


def test_pages_follow_each_other_newest_first_without_gap_or_double(clips: ClipLibrary) -> None:
    found = [numbers(page) for page in pages(clips, ClipFilter(), 5)]
    assert found == [[12, 11, 10, 9, 8], [7, 6, 5, 4, 3], [2, 1]]


def test_clips_of_one_moment_are_all_on_some_page(studio: Studio) -> None:
    studio.clips.write([replace(row(studio, number), created=7.0) for number in range(1, 8)])
    found = [number for page in pages(studio.clips, ClipFilter(), 2) for number in numbers(page)]
    assert sorted(map(int, map(str, found))) == list(range(1, 8))


def test_a_new_clip_does_not_shift_the_next_page(clips: ClipLibrary, studio: Studio) -> None:
    first = clips.page(ClipFilter(), None, 5)
    clips.write([row(studio, 99)])
    assert numbers(clips.page(ClipFilter(), first[-1].cursor(ClipFilter()), 5)) == [7, 6, 5, 4, 3]


def test_filters_by_engine_star_and_owner_go_together(clips: ClipLibrary) -> None:
    assert numbers(clips.page(ClipFilter(engine="svd-xt"))) == [12, 9, 6, 3]
    assert numbers(clips.page(ClipFilter(starred=True))) == [5]
    assert numbers(clips.page(ClipFilter(owner="guest"))) == [12, 8, 4]
    assert numbers(clips.page(ClipFilter(owner="guest", engine="svd-xt"))) == [12]
    assert clips.engines() == ["svd-nano", "svd-xt"]
    assert clips.holdings(ClipFilter(owner="guest")).count == 3
    assert clips.holdings(ClipFilter()).bytes == 12_000


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("wave", [2]),
        ("WAVE the", [2]),
        ("wave storm", []),
        ("blurry", [2]),
        ("夜空", [1]),
        ("cafe\u0301", [1]),
        ("100%", []),
        ("title_1", []),
        ("'; DROP TABLE clips", []),
        ("  ", [2, 1]),
    ],
)
def test_every_word_must_be_in_title_or_prompts(studio: Studio, words: str, found: list[int]) -> None:
    studio.clips.write(
        [
            row(studio, 1, "夜空 at the Café"),
            row(studio, 2, prompt="A Wave rolls over the beach", negative_prompt="blurry"),
        ]
    )
    assert numbers(studio.clips.page(ClipFilter(words=words))) == found


def test_what_is_new_is_told_by_the_index_and_not_by_the_clock(clips: ClipLibrary, studio: Studio) -> None:
    mark = clips.mark()
    assert clips.since(mark, ClipFilter()) == []
    clips.write([row(studio, 99), replace(row(studio, 98), created=-1000.0)])
    assert numbers(clips.since(mark, ClipFilter())) == [99, 98]
    assert numbers(clips.since(mark, ClipFilter(owner="guest"))) == []


def test_a_clip_whose_file_is_gone_says_so_and_can_be_taken_off_the_list(clips: ClipLibrary) -> None:
    clip = clips.newest(1)[0]
    assert not clip.is_here
    clips.folder.mkdir(parents=True)
    clip.rendered.path.write_bytes(b"here again")
    with pytest.raises(BadInput, match="still_here"):
        clips.forget(clip)
    clip.rendered.path.unlink()
    clips.forget(clip)
    assert clips.get(clip.id) is None


def test_the_best_come_first_page_by_page(clips: ClipLibrary) -> None:
    for clip in clips.newest():
        clips.rate(clip.id, {3: 5, 9: 5, 7: 2}.get(clip.job_id or 0, 0))
    best = ClipFilter(best_first=True)
    assert [number for page in pages(clips, best, 2) for number in numbers(page)][:5] == [9, 3, 7, 12, 11]
    assert numbers(clips.page(replace(best, rated=3))) == [9, 3]
    assert clips.holdings(ClipFilter(rated=1)).count == 3


@pytest.mark.parametrize("rating", [-1, 6, True, 2.5, "5", None])
def test_a_rating_is_a_whole_number_of_stars(clips: ClipLibrary, rating: Any) -> None:
    [clip] = clips.newest(1)
    with pytest.raises(BadInput, match="rating"):
        clips.rate(clip.id, rating)


def test_a_file_that_is_indexed_already_keeps_its_id(studio: Studio) -> None:
    made = row(studio, 1).rendered
    first = studio.clips.add(made, "valley", "owner", 1)
    assert studio.clips.add(made, "valley", "owner", 1).id == first.id
    assert len(studio.clips.newest()) == 1


PAGES = {
    "clips_kept": ClipFilter(),
    "clips_of_owner": ClipFilter(owner="guest"),
    "clips_of_engine": ClipFilter(engine="svd-xt"),
    "clips_starred": ClipFilter(starred=True),
    "clips_trashed": ClipFilter(in_trash=True),
    "clips_best": ClipFilter(best_first=True),
}


@pytest.mark.parametrize("index", PAGES)
def test_a_page_among_ten_thousand_is_read_off_an_index(studio: Studio, index: str) -> None:
    few = [row(studio, number) for number in range(100)]
    studio.clips.write([replace(clip, trashed=5.0 if number < 5 else None) for number, clip in enumerate(few)])
    where, values = PAGES[index].page((50.0, "id"), 60)
    plan = [
        str(line[3])
        for line in studio.database.connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM clips WHERE {where}", values)
    ]
    assert len(plan) == 1, f"it sorts: {plan}"
    assert f"USING INDEX {index} (" in plan[0] or f"USING COVERING INDEX {index} (" in plan[0]
    assert "<" in plan[0], "the cursor is a place in the index, not a filter"


def test_what_took_long_to_finish_is_known_however_many_came_since(studio: Studio) -> None:
    slow = [
        row(studio, 1, finish={"enlarge": 2}),
        row(studio, 2, finish={"smooth": 2, "between": "rife"}),
        row(studio, 3, engine="svd-xt", finish={"enlarge": 2}),
    ]
    studio.clips.write([*slow, *(row(studio, number) for number in range(10, 60))])
    known = studio.clips.seconds_of("svd-nano")
    assert len(known) == 22
    assert sorted(settings.seed for settings, _ in known)[:3] == [1, 2, 40]
