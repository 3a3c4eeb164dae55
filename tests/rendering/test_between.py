"""Who draws in-between frames: RIFE where it was asked for and is here, the flow in every other case, with a word."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from svd_studio.core.clip import ClipRequest, ClipSettings, FinishSettings
from svd_studio.core.errors import Cancelled, Message
from svd_studio.core.progress import Progress
from svd_studio.engines.catalog import ENGINES
from svd_studio.rendering.between import drawing_for
from svd_studio.rendering.loaded import LoadedEngine
from svd_studio.rendering.parts import PartStore
from svd_studio.rendering.render import Bench, render
from svd_studio.video.interpolate import smooth
from svd_studio.video.metadata import read_frames
from tests.engines.tiny_rife import tiny_rife
from tests.fakes import FakeEngine
from tests.video.scenes import photograph, view

ASKED = FinishSettings(smooth=2, between="rife")


class Notes(Progress):
    def __init__(self) -> None:
        self.told: list[str] = []
        self.is_stopping = False

    def note(self, message: Message) -> None:
        self.told.append(message.code)

    def check(self) -> None:
        if self.is_stopping:
            raise Cancelled


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_rife(tmp_path_factory.mktemp("rife"))


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    picture = photograph(2, 200)
    return [view(picture, time, (96, 64)) for time in (0, 1, 2)]


def test_the_flow_needs_no_weights() -> None:
    for settings in (FinishSettings(), FinishSettings(smooth=4), FinishSettings(between="rife")):
        assert drawing_for(settings, lambda: pytest.fail("asked for weights"), "cpu", Progress()) is None


def test_weights_that_went_are_told_and_the_flow_draws() -> None:
    notes = Notes()
    assert drawing_for(ASKED, lambda: None, "cpu", notes) is None
    assert notes.told == ["note.rife_missing"]


def test_the_network_draws_between_frames_and_never_across_a_cut(weights: Path, frames: list[np.ndarray]) -> None:
    other = view(photograph(9, 200)[::-1], 0, (96, 64))
    drawing = drawing_for(ASKED, lambda: weights, "cpu", Progress())
    drawn, flowed = (list(smooth([*frames, other], 2, who)) for who in (drawing, None))
    assert len(drawn) == len(flowed) == 8
    assert all(np.array_equal(drawn[place], flowed[place]) for place in (0, 2, 4, 6))
    assert not any(np.array_equal(drawn[place], flowed[place]) for place in (1, 3))
    assert np.array_equal(drawn[5], frames[2]), "no ghost across the cut"


def test_memory_that_runs_out_leaves_the_rest_to_the_flow_and_says_so(
    weights: Path, frames: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def full(*given: object, **named: object) -> None:
        calls.append(1)
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(functional, "grid_sample", full)
    notes = Notes()
    drawn = list(smooth(frames, 2, drawing_for(ASKED, lambda: weights, "cpu", notes)))
    assert all(np.array_equal(one, other) for one, other in zip(drawn, smooth(frames, 2), strict=True))
    assert (notes.told, len(calls)) == (["note.rife_gave_up"], 1)


def test_it_can_be_stopped_between_two_frames(weights: Path, frames: list[np.ndarray]) -> None:
    notes = Notes()
    stream = smooth(iter(frames * 9), 2, drawing_for(ASKED, lambda: weights, "cpu", notes))
    next(stream), next(stream)
    notes.is_stopping = True
    with pytest.raises(Cancelled):
        list(stream)


def test_a_clip_is_drawn_as_its_recipe_says(
    weights: Path, picture_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module("svd_studio.engines.svd"), "SvdEngine", FakeEngine)
    flow_only = Bench(
        loaded=LoadedEngine("cpu", "fp32"),
        parts=PartStore(tmp_path / "parts"),
        weights_folder=lambda info: tmp_path,
        free_gb=lambda: 64.0,
        peak_memory_gb=lambda: 1.0,
    )
    asked = {"seed": 1, "frames": 3, "width": 96, "height": 64, "finish": {"smooth": 2, "between": "rife"}}
    request = ClipRequest(ClipSettings.from_person(asked).resolve(ENGINES["svd-nano"]).settings, picture_file)
    benches = {"flow": flow_only, "rife": replace(flow_only, rife_weights=lambda: weights)}
    clips = {name: render(request, tmp_path / f"{name}.mp4", bench, Progress()) for name, bench in benches.items()}
    flow, rife = (list(read_frames(clips[name].path)) for name in ("flow", "rife"))
    assert len(flow) == len(rife) == 6
    assert np.abs(flow[1].astype(int) - rife[1]).mean() > np.abs(flow[0].astype(int) - rife[0]).mean() + 0.2
