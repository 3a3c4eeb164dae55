"""Features used again, blocks compiled, pictures encoded once: less work, and what it does to the clip."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import Cancelled, OutOfMemory
from svd_studio.core.progress import Progress
from svd_studio.core.vram import PROCESSOR, VramPlan
from svd_studio.engines.base import Scene
from svd_studio.engines.catalog import ENGINES, NANO_FOLDER
from svd_studio.engines.compiling import CompiledBlocks, counting_in_half
from svd_studio.engines.svd import SvdEngine
from svd_studio.quality.likeness import psnr

TINY = replace(ENGINES["svd"], shortest_side=64)
PLAN = VramPlan("all", True, None, 25, {"denoise": 1.0})


def scene(picture: Image.Image, **values: object) -> Scene:
    asked = {"width": 64, "height": 64, "frames": 3, "steps": 4, "seed": 5, **values}
    settings = ClipSettings.from_person(asked).resolve(TINY).settings
    return Scene(settings, picture.resize((settings.width, settings.height)))


@pytest.fixture
def exact(tiny_folder: Path) -> SvdEngine:
    engine = SvdEngine(TINY, tiny_folder, "cpu", "fp32")
    engine.pipeline.to(dtype=torch.float64)
    return engine


def asked_levels(engine: SvdEngine, made: Scene, plan: VramPlan = PLAN) -> tuple[int, int]:
    """How often the middle of the network and its last layer were asked."""
    unet, counts = engine.pipeline.unet, [0, 0]

    def count(at: int) -> None:
        counts[at] += 1

    hooks = [
        unet.mid_block.register_forward_pre_hook(lambda *_: count(0)),
        unet.up_blocks[-1].resnets[-1].register_forward_pre_hook(lambda *_: count(1)),
    ]
    engine.denoise(made, plan, Progress())
    for hook in hooks:
        hook.remove()
    return counts[0], counts[1]


@pytest.mark.parametrize(
    ("values", "batched", "expected"),
    [
        ({"speed": "best"}, True, (4, 4)),
        ({"speed": "good"}, True, (2, 4)),
        ({"speed": "good"}, False, (4, 8)),
        ({"speed": "draft", "scheduler": "euler"}, True, (2, 4)),
        ({"speed": "draft", "scheduler": "euler"}, False, (3, 6)),  # two of four steps are guided
        ({"speed": "good", "guidance_last": 1.0}, True, (2, 4)),
    ],
)
def test_only_whole_steps_go_through_the_whole_network(
    exact: SvdEngine, picture: Image.Image, values: dict[str, object], batched: bool, expected: tuple[int, int]
) -> None:
    assert asked_levels(exact, scene(picture, **values), replace(PLAN, batched_guidance=batched)) == expected


@pytest.mark.parametrize("residency", ["model", "group", "sequential"])
def test_no_plan_changes_a_clip_that_uses_features_again(
    exact: SvdEngine, picture: Image.Image, residency: str
) -> None:
    made = scene(picture, speed="draft", steps=3)
    here = exact.denoise(made, PLAN, Progress())
    away = exact.denoise(made, replace(PLAN, residency=residency, batched_guidance=False), Progress())
    assert np.linalg.norm(here - away) / np.linalg.norm(here) < 1e-6


def test_after_a_fast_clip_the_best_is_as_before(exact: SvdEngine, picture: Image.Image) -> None:
    before = exact.denoise(scene(picture), PLAN, Progress())
    draft = exact.denoise(scene(picture, speed="draft", steps=4), PLAN, Progress())
    assert not np.allclose(draft, before)
    assert np.array_equal(exact.denoise(scene(picture), PLAN, Progress()), before)


@pytest.mark.slow
def test_on_the_trained_model_good_stays_near_the_best(picture: Image.Image) -> None:
    info = ENGINES["svd-nano"]
    engine = SvdEngine(info, NANO_FOLDER, "cpu", "fp32")

    def frames(name: str) -> np.ndarray:
        asked = {"width": 96, "height": 64, "frames": 4, "steps": 8, "seed": 3, "scheduler": "euler", "speed": name}
        settings = ClipSettings.from_person(asked).resolve(info).settings
        plan = info.plans(settings, PROCESSOR)[0]
        latents = engine.denoise(Scene(settings, picture.resize((96, 64))), plan, Progress())
        return np.stack(list(engine.decode(latents, plan, Progress())))

    best, good, draft = frames("best"), frames("good"), frames("draft")
    assert psnr(good, best) > 30
    assert 20 < psnr(draft, best) < psnr(good, best)


def test_pictures_are_encoded_once_for_clips_that_start_alike(exact: SvdEngine, picture: Image.Image) -> None:
    asked: list[str] = []
    exact.pipeline.image_encoder.register_forward_pre_hook(lambda *_: asked.append("clip"))
    exact.pipeline.vae.encoder.register_forward_pre_hook(lambda *_: asked.append("vae"))
    first = exact.denoise(scene(picture), PLAN, Progress())
    again = exact.denoise(scene(picture), PLAN, Progress())
    assert asked == ["clip", "vae"]
    assert np.array_equal(first, again)
    exact.denoise(scene(picture, motion_bucket=200), PLAN, Progress())
    assert asked == ["clip", "vae"]
    exact.denoise(scene(picture, seed=6), PLAN, Progress())  # another seed is another noise on the picture
    assert asked == ["clip", "vae", "vae"]
    exact.denoise(scene(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)), PLAN, Progress())
    assert asked == ["clip", "vae", "vae", "clip", "vae"]


def test_half_precision_sums_last_as_long_as_the_clip() -> None:
    matmul = torch.backends.cuda.matmul
    with counting_in_half(True):
        assert matmul.allow_fp16_accumulation
    assert not matmul.allow_fp16_accumulation


class Compiling(SvdEngine):
    """Compile also on a processor, by a backend that only traces."""

    backend = "eager"

    def __init__(self, *asked: object) -> None:
        super().__init__(*asked)  # type: ignore[arg-type]
        self.blocks = CompiledBlocks(self.pipeline.unet, usable=True, backend=self.backend)


@pytest.fixture
def compiling(tiny_folder: Path) -> Compiling:
    torch._dynamo.reset()
    return Compiling(TINY, tiny_folder, "cpu", "fp32")


@pytest.mark.slow
def test_a_shape_is_compiled_while_nothing_waits_and_used_from_then_on(
    compiling: Compiling, picture: Image.Image
) -> None:
    from torch._dynamo.utils import counters

    made = scene(picture, steps=2)
    compiling.warm(Progress())
    assert not compiling.blocks.ready, "there was no clip yet"
    plain = compiling.denoise(made, PLAN, Progress())
    counters.clear()
    compiling.warm(Progress())
    graphs = counters["stats"]["unique_graphs"]
    assert len(compiling.blocks.ready) == 1
    assert 0 < graphs <= 24
    compiled = compiling.denoise(made, PLAN, Progress())
    assert counters["stats"]["unique_graphs"] == graphs, "a clip waited for a compiler"
    assert np.linalg.norm(compiled - plain) / np.linalg.norm(plain) < 1e-3
    compiling.warm(Progress())
    assert counters["stats"]["unique_graphs"] == graphs


@pytest.mark.slow
def test_another_shape_runs_uncompiled(compiling: Compiling, picture: Image.Image) -> None:
    from torch._dynamo.utils import counters

    compiling.denoise(scene(picture, steps=1), PLAN, Progress())
    compiling.warm(Progress())
    graphs = counters["stats"]["unique_graphs"]
    compiling.denoise(scene(picture, steps=1, frames=5), PLAN, Progress())
    assert counters["stats"]["unique_graphs"] == graphs


def test_a_job_that_comes_stops_the_warming(compiling: Compiling, picture: Image.Image) -> None:
    class Comes(Progress):
        def check(self) -> None:
            raise Cancelled

    compiling.denoise(scene(picture, steps=1), PLAN, Progress())
    with pytest.raises(Cancelled):
        compiling.warm(Comes())
    assert not compiling.blocks.ready
    assert compiling.blocks.usable


def test_a_compiler_that_fails_is_left_alone(compiling: Compiling, picture: Image.Image) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no compiler here")

    compiling.blocks = CompiledBlocks(compiling.pipeline.unet, usable=True, backend=broken)  # type: ignore[arg-type]
    before = compiling.denoise(scene(picture, steps=1), PLAN, Progress())
    compiling.warm(Progress())
    assert not compiling.blocks.usable
    assert np.array_equal(compiling.denoise(scene(picture, steps=1), PLAN, Progress()), before)


def test_memory_that_runs_out_while_warming_is_told(compiling: Compiling, picture: Image.Image) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("full")

    compiling.denoise(scene(picture, steps=1), PLAN, Progress())
    compiling.pipeline.unet.conv_out.register_forward_pre_hook(full)
    with pytest.raises(OutOfMemory):
        compiling.warm(Progress())
    assert compiling.blocks.usable


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own compiler uses what torch deprecates
def test_compiled_kernels_make_the_same_clip(tiny_folder: Path, picture: Image.Image) -> None:
    class Real(Compiling):
        backend = "inductor"

    torch._dynamo.reset()
    engine = Real(TINY, tiny_folder, "cpu", "fp32")
    made = scene(picture, steps=1)
    plain = engine.denoise(made, PLAN, Progress())
    engine.warm(Progress())
    assert engine.blocks.ready
    compiled = engine.denoise(made, PLAN, Progress())
    assert np.linalg.norm(compiled - plain) / np.linalg.norm(plain) < 1e-3
