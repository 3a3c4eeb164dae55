"""The truth is in the files: the index is made again from them, and nobody's file is touched."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from svd_studio.core.config import StudioConfig
from svd_studio.core.progress import Progress
from svd_studio.library.clips import Clip
from svd_studio.studio import Studio
from svd_studio.ui.result import clip_view
from svd_studio.video import metadata
from svd_studio.video.encode import encode_clip
from tests.library.made_clips import Maker


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "data"))


@pytest.fixture
def maker(studio: Studio, picture_file: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    return Maker(studio, picture_file, monkeypatch)


def forgetful(studio: Studio) -> Studio:
    """The same folder after its database was lost."""
    for path in studio.config.data.glob("studio.db*"):
        path.unlink()
    return Studio(studio.config)


def told(clip: Clip) -> tuple[object, ...]:
    """All that must come back; a file does not know how long its own encoding took."""
    made = clip.rendered
    known = {stage: round(seconds, 3) for stage, seconds in made.seconds_by_stage.items() if stage not in AFTER}
    facts = (made.path, made.poster, made.settings, made.source_sha256, made.frames, made.fps, made.size, made.plan)
    return (clip.job_id, clip.title, clip.owner, facts, known, round(made.peak_memory_gb, 3), clip.bytes)


AFTER = ("finish", "encode")


def by_title(clips: Iterable[Clip]) -> dict[str, Clip]:
    return {clip.title: clip for clip in clips}


def test_after_the_database_was_lost_every_clip_is_back(studio: Studio, maker: Maker) -> None:
    made = [
        maker.clip("valley", prompt="a river"),
        maker.clip("sea", owner="guest", finish={"smooth": 2}, export={"fps": 24}),
        maker.clip("sky", finish={"scale": "720p"}),
    ]
    studio.trash.put(made[2])
    lost = forgetful(studio)
    done = lost.rebuild_clips()
    assert (done.new, done.known, done.moved, done.without_recipe) == (3, 0, 0, [])
    back = by_title(lost.clips.everything())
    assert told(back["valley"]) == told(made[0])
    assert told(back["sea"]) == told(made[1])
    assert back["valley"].created == pytest.approx(made[0].created, abs=30)
    assert back["sky"].trashed is not None
    assert back["sky"].id == made[2].id
    lost.trash.restore(back["sky"])
    assert told(by_title(lost.clips.everything())["sky"]) == told(made[2])
    assert [clip.title for clip in lost.clips.newest()] == ["sky", "sea", "valley"]


def test_known_clips_keep_their_ids_stars_and_times(studio: Studio, maker: Maker) -> None:
    made = [maker.clip("valley"), maker.clip("sea")]
    studio.clips.star(made[0].id, True)
    studio.trash.put(made[1])
    before = sorted(studio.clips.everything(), key=lambda clip: clip.id)
    done = studio.rebuild_clips()
    assert (done.known, done.new) == (2, 0)
    assert sorted(studio.clips.everything(), key=lambda clip: clip.id) == before


def test_a_clip_under_another_name_is_still_that_clip(studio: Studio, maker: Maker) -> None:
    clip = maker.clip("valley")
    studio.clips.star(clip.id, True)
    studio.clips.rate(clip.id, 4)
    folder = studio.config.clips / "best of"
    folder.mkdir()
    clip.rendered.path.rename(folder / "my valley.mp4")
    done = studio.rebuild_clips()
    assert (done.moved, done.new, done.without_file) == (1, 0, [])
    found = studio.clips.get(clip.id)
    assert found is not None
    assert found.rendered.path == folder / "my valley.mp4"
    assert found.rendered.poster is not None
    assert found.rendered.poster.is_file()
    assert (found.starred, found.rating) == (True, 4)


def test_a_clip_that_was_moved_back_by_hand_is_no_longer_in_the_trash(studio: Studio, maker: Maker) -> None:
    clip = maker.clip("valley")
    studio.trash.put(clip)
    for path in studio.clips.trash.rglob("*.*"):
        path.rename(studio.config.clips / path.name)
    assert studio.rebuild_clips().known == 1
    assert [(one.id, one.trashed) for one in studio.clips.newest()] == [(clip.id, None)]


def test_a_copy_is_a_clip_of_its_own(studio: Studio, maker: Maker) -> None:
    clip = maker.clip("valley")
    (studio.config.clips / "copy.mp4").write_bytes(clip.rendered.path.read_bytes())
    assert studio.rebuild_clips().new == 1
    assert len({one.id for one in studio.clips.newest()}) == 2
    assert studio.rebuild_clips().new == 0


def test_files_that_are_not_ours_are_named_and_left_alone(studio: Studio, maker: Maker, tmp_path: Path) -> None:
    maker.clip("valley")
    folder = studio.config.clips
    film = encode_clip(
        [np.zeros((48, 64, 3), np.uint8)] * 2, folder / "holiday.mp4", 6, (64, 48), "not a recipe", Progress(), 2
    ).path
    (folder / "notes.mp4").write_bytes(b"no video at all")
    (folder / "cut.mp4").write_bytes(film.read_bytes()[:200])
    (folder / ".half.mp4").write_bytes(b"hidden")
    (studio.clips.trash / "x").mkdir(parents=True)
    (studio.clips.trash / "x" / "stray.mp4").write_bytes(film.read_bytes())
    before = {path: path.read_bytes() for path in studio.config.data.rglob("*.mp4")}
    done = studio.rebuild_clips()
    names = [path.name for path in done.without_recipe]
    assert names == ["cut.mp4", "holiday.mp4", "notes.mp4", "stray.mp4"]
    assert {path: path.read_bytes() for path in studio.config.data.rglob("*.mp4")} == before
    assert len(studio.clips.newest()) == 1


HOSTILE = [
    {"seconds": {"denoise": float("1e308") * 10}},
    {"seconds": [1]},
    {"peak_memory_gb": "much"},
    {"plan": 7},
    {"video": {"frames": -1, "fps": "fast", "width": 0, "height": True}},
    {"source_sha256": "\ud800"},
    {"source_sha256": "../" * 20},
    {"seconds": {"denoise": 1e308, "decode": 1e308}},
    {"seconds": {"denoise": -1}},
    {"plan": {"\ud800": 1}},
    {"video": {"frames": 2, "fps": 5e-324, "width": 64, "height": 64}},
    {"created": 1e300, "job": -5, "title": ["x"], "owner": {"a": 1}},
    {"created": True, "job": 2**70, "title": "x" * 5000 + "\x00\x1b[2J", "owner": ""},
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_record_that_lies_spoils_nothing(
    studio: Studio, maker: Maker, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = maker.clip("valley")
    record = metadata.read_record(clip.rendered.path) or {}
    record["made"] |= HOSTILE[number]
    monkeypatch.setattr("svd_studio.library.found.read_record", lambda path: record)
    lost = forgetful(studio)
    done = lost.rebuild_clips()
    assert done.new + len(done.without_recipe) == 1
    for found in lost.clips.everything():
        assert found.rendered.frames == 2
        assert 0 < found.created < 4e9
        assert found.job_id is None or found.job_id == clip.job_id
        assert found.title.isprintable()
        assert 0 < len(found.title) <= 200
        assert found.owner
        assert b"inf" not in json.dumps(clip_view(found, "en"), ensure_ascii=False).encode()


def test_rows_of_lost_files_stay(studio: Studio, maker: Maker) -> None:
    clip = maker.clip("valley")
    clip.rendered.path.unlink()
    done = studio.rebuild_clips()
    assert done.without_file == [clip.rendered.path]
    assert studio.clips.get(clip.id) is not None


def test_the_found_clip_is_replaced_not_doubled_while_its_worker_adds_it(studio: Studio, maker: Maker) -> None:
    clip = maker.clip("valley")
    lost = forgetful(studio)
    lost.rebuild_clips()
    found = lost.clips.newest()[0]
    assert lost.clips.add(clip.rendered, "valley", "owner", clip.job_id).id == found.id
