"""Weights go where a plan wants them, through diffusers' real hooks, and no plan changes the clip."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image

from svd_studio.core.errors import Cancelled, OutOfMemory
from svd_studio.core.progress import Progress
from svd_studio.core.vram import Residency, VramPlan
from svd_studio.engines import placing
from svd_studio.engines.costs import WAYS, Way
from svd_studio.engines.svd import SvdEngine
from tests.engines.test_svd import PLAN, ROUNDING, TINY, distance, scene

RESIDENCIES = get_args(Residency)


@pytest.fixture(scope="module")
def exact(tiny_folder: Path) -> SvdEngine:
    """The engine in double precision, where rounding hides nothing."""
    engine = SvdEngine(TINY, tiny_folder, "cpu", "fp32")
    engine.pipeline.to(dtype=torch.float64)
    return engine


@pytest.fixture(scope="module")
def expected(exact: SvdEngine, picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    return clip(exact, PLAN, picture)


def clip(engine: SvdEngine, plan: VramPlan, picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    latents = engine.denoise(scene(picture, steps=1, frames=2, height=64, width=64), plan, Progress())
    return latents, np.stack(list(engine.decode(latents, plan, Progress())))


def hooks(engine: SvdEngine) -> set[str]:
    """What offloading has left in the UNet."""
    found = set()
    for module in engine.pipeline.unet.modules():
        found |= {"accelerate"} if hasattr(module, "_hf_hook") else set()
        found |= set(module._diffusers_hook.hooks) if hasattr(module, "_diffusers_hook") else set()
    return found


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_no_plan_changes_the_clip(exact: SvdEngine, picture: Image.Image, expected: tuple, way: Way) -> None:
    latents, frames = clip(exact, VramPlan(*way, 25, {}), picture)
    assert distance(latents, expected[0]) < ROUNDING
    assert np.array_equal(frames, expected[1])


@pytest.mark.parametrize("after", RESIDENCIES)
@pytest.mark.parametrize("before", ["group", "sequential"])
def test_one_placing_leaves_nothing_of_the_one_before(exact: SvdEngine, before: Residency, after: Residency) -> None:
    wanted = {"all": set(), "model": {"accelerate"}, "sequential": {"accelerate"}, "group": {"group_offloading"}}
    for residency in (before, after):
        placing.place_weights(exact.pipeline, residency, torch.device("cpu"))
        exact._placed = residency
    assert hooks(exact) == wanted[after]
    if after != "sequential":
        assert not any(part.is_meta for part in exact.pipeline.unet.parameters())


def test_weights_that_stand_right_are_left_alone(
    exact: SvdEngine, picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip(exact, PLAN, picture)
    monkeypatch.delattr("svd_studio.engines.svd.place_weights")
    clip(exact, replace(PLAN, decode_window=4), picture)


class StopInside(Progress):
    """Stop in the middle of a network."""

    checks = 0

    def check(self) -> None:
        self.checks += 1
        if self.checks > 9:
            raise Cancelled


@pytest.mark.parametrize("residency", RESIDENCIES)
def test_after_a_stop_inside_a_step_the_next_clip_is_whole(
    exact: SvdEngine, picture: Image.Image, expected: tuple, residency: Residency
) -> None:
    plan = replace(PLAN, residency=residency)
    with pytest.raises(Cancelled):
        exact.denoise(scene(picture, steps=1, frames=2, height=64, width=64), plan, StopInside())
    latents, frames = clip(exact, plan, picture)
    assert distance(latents, expected[0]) < ROUNDING
    assert np.array_equal(frames, expected[1])


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:132] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 34 bytes."),
    ],
)
def test_out_of_memory_is_known_however_it_is_told(exact: SvdEngine, error: RuntimeError) -> None:
    with pytest.raises(OutOfMemory), exact._placed_by(PLAN):
        raise error


def test_another_error_stays_what_it_is(exact: SvdEngine) -> None:
    with pytest.raises(RuntimeError, match="size of tensor"), exact._placed_by(PLAN):
        raise RuntimeError("The size of tensor a (3) must match")
