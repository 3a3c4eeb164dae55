"""Picture in, MP4 out, with a scripted engine behind the seam: what is made, kept and never made twice."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings
from svd_studio.core.errors import BadSetting, Cancelled, RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.engines.catalog import ENGINES
from svd_studio.rendering.loaded import LoadedEngine
from svd_studio.rendering.parts import PartStore
from svd_studio.rendering.render import Bench, render
from svd_studio.video.metadata import probe, read_frames, read_recipe
from tests.fakes import FakeEngine


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    FakeEngine.calls.clear()
    monkeypatch.setattr(importlib.import_module("svd_studio.engines.svd"), "SvdEngine", FakeEngine)
    return Bench(
        loaded=LoadedEngine("cpu", "fp32"),
        parts=PartStore(tmp_path / "parts"),
        weights_folder=lambda info: tmp_path,
        free_gb=lambda: 64.0,
        peak_memory_gb=lambda: 1.0,
    )


def request(picture: Path, **values: object) -> ClipRequest:
    asked = {"seed": 1, "frames": 4, "width": 96, "height": 64, **values}
    return ClipRequest(ClipSettings.from_person(asked).resolve(ENGINES["svd-nano"]).settings, picture)


def test_the_clip_has_the_frames_asked_for_and_its_recipe(bench: Bench, picture_file: Path, tmp_path: Path) -> None:
    asked = request(picture_file, prompt="a wave")
    clip = render(asked, tmp_path / "clip.mp4", bench, Progress())
    facts = probe(clip.path)
    assert (facts.frames, facts.fps, facts.width, facts.height) == (4, 7.0, 96, 64)
    assert ClipSettings.from_file(read_recipe(clip.path) or {})[0].as_json() == asked.settings.as_json()
    assert clip.poster is not None
    assert read_recipe(clip.poster) == read_recipe(clip.path)
    assert set(clip.seconds_by_stage) == {"load", "encode_inputs", "denoise", "decode", "finish", "encode"}


def test_the_first_frame_is_the_picture_as_it_was_framed(bench: Bench, picture_file: Path, tmp_path: Path) -> None:
    asked = request(picture_file)
    clip = render(asked, tmp_path / "clip.mp4", bench, Progress())
    from svd_studio.rendering.render import framed_picture

    first = next(read_frames(clip.path)).astype(float)
    assert np.abs(first - np.asarray(framed_picture(picture_file, asked.settings))).mean() < 3


def test_another_export_of_the_same_recipe_makes_nothing_again(
    bench: Bench, picture_file: Path, tmp_path: Path
) -> None:
    render(request(picture_file), tmp_path / "a.mp4", bench, Progress())
    FakeEngine.calls.clear()
    clip = render(
        request(picture_file, export={"fps": 12}, finish={"smooth": 2}), tmp_path / "b.mp4", bench, Progress()
    )
    assert FakeEngine.calls == []
    assert probe(clip.path).fps == 12.0
    assert "denoise" not in clip.seconds_by_stage


def test_a_crash_in_decode_repeats_only_decode(bench: Bench, picture_file: Path, tmp_path: Path) -> None:
    FakeEngine.fail_decoding_after = 2
    with pytest.raises(RenderFailed):
        render(request(picture_file), tmp_path / "a.mp4", bench, Progress())
    FakeEngine.fail_decoding_after = None
    FakeEngine.calls.clear()
    render(request(picture_file), tmp_path / "a.mp4", bench, Progress())
    assert FakeEngine.calls == ["decode"]


def test_a_second_clip_loads_nothing_and_another_engine_frees_the_first(
    bench: Bench, picture_file: Path, tmp_path: Path
) -> None:
    render(request(picture_file), tmp_path / "a.mp4", bench, Progress())
    render(request(picture_file, seed=2), tmp_path / "b.mp4", bench, Progress())
    assert FakeEngine.calls.count("load") == 1
    asked = ClipSettings(engine="svd", seed=1, frames=2, width=320, height=320).resolve(ENGINES["svd"]).settings
    render(ClipRequest(asked, picture_file), tmp_path / "c.mp4", bench, Progress())
    assert FakeEngine.calls[-4:] == ["unload", "load", "denoise", "decode"]


class StopAt(Progress):
    def __init__(self, stage: str) -> None:
        self.stage = stage

    def report(self, stage: str, done: int, total: int, preview: np.ndarray | None = None) -> None:
        if stage == self.stage and done:
            raise Cancelled


@pytest.mark.parametrize("stage", ["load", "denoise", "decode", "finish", "encode"])
def test_a_cancel_at_any_stage_leaves_no_half_file(
    bench: Bench, picture_file: Path, tmp_path: Path, stage: str
) -> None:
    (tmp_path / "clips").mkdir()
    with pytest.raises(Cancelled):
        render(request(picture_file), tmp_path / "clips" / "a.mp4", bench, StopAt(stage))
    assert list((tmp_path / "clips").iterdir()) == []
    assert all(path.suffix == ".npy" for path in (tmp_path / "parts").glob("*"))


def test_settings_reach_the_encoder(bench: Bench, picture_file: Path, tmp_path: Path) -> None:
    clip = render(request(picture_file, finish={"scale": "720p"}), tmp_path / "a.mp4", bench, Progress())
    facts = probe(clip.path)
    assert (facts.width, facts.height) == clip.size == (1080, 720)


def test_a_finished_clip_keeps_what_it_was_before_and_a_plain_one_nothing(
    bench: Bench, picture_file: Path, tmp_path: Path
) -> None:
    plain = render(request(picture_file), tmp_path / "plain.mp4", bench, Progress())
    assert not plain.before.exists()
    asked = request(picture_file, finish={"sharpen": 1.0, "smooth": 2, "scale": "720p"})
    clip = render(asked, tmp_path / "clip.mp4", bench, Progress())
    before, after = probe(clip.before), probe(clip.path)
    assert (before.frames, before.width, before.height) == (4, 96, 64)
    assert (after.frames, before.seconds) == (8, after.seconds)


class StopAfterwards(Progress):
    finished = False

    def report(self, stage: str, done: int, total: int, preview: np.ndarray | None = None) -> None:
        self.finished = stage == "encode" and done == total

    def check(self) -> None:
        if self.finished:
            raise Cancelled


def test_a_cancel_while_the_unfinished_clip_is_written_leaves_nothing(
    bench: Bench, picture_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "clips").mkdir()
    asked = request(picture_file, finish={"sharpen": 1.0})
    with pytest.raises(Cancelled):
        render(asked, tmp_path / "clips" / "a.mp4", bench, StopAfterwards())
    assert list((tmp_path / "clips").iterdir()) == []


def test_enlarging_without_its_weights_is_refused_before_anything_is_made(
    bench: Bench, picture_file: Path, tmp_path: Path
) -> None:
    def missing() -> Path:
        raise BadSetting("enlarge.no_ncnn", "finish.enlarge")

    without, asked = replace(bench, enlarging_weights=missing), request(picture_file, finish={"enlarge": 2})
    with pytest.raises(BadSetting):
        render(asked, tmp_path / "a.mp4", without, Progress())
    assert FakeEngine.calls == []


def test_latents_made_without_a_text_tower_are_not_taken_for_those_with_it(
    bench: Bench, picture_file: Path, tmp_path: Path
) -> None:
    tower = tmp_path / "tower"
    tower.mkdir()
    (tower / "config.json").write_text("{}")
    hearing = replace(bench, text_tower=lambda info: tower)
    render(request(picture_file, prompt="a wave"), tmp_path / "a.mp4", bench, Progress())
    FakeEngine.calls.clear()
    render(request(picture_file), tmp_path / "b.mp4", hearing, Progress())
    assert "denoise" in FakeEngine.calls, "other words are another clip"
    FakeEngine.calls.clear()
    render(request(picture_file, prompt="a wave"), tmp_path / "c.mp4", hearing, Progress())
    assert "denoise" in FakeEngine.calls
    FakeEngine.calls.clear()
    render(request(picture_file), tmp_path / "d.mp4", bench, Progress())
    assert FakeEngine.calls == [], "without words a tower changes nothing"
