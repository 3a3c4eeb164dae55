"""The real pipeline on tiny random weights: what ours does must be what diffusers does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableVideoDiffusionPipeline
from PIL import Image

from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import Cancelled, RenderFailed
from svd_studio.core.progress import Progress, Stage
from svd_studio.core.vram import VramPlan
from svd_studio.engines.base import Scene
from svd_studio.engines.catalog import ENGINES
from svd_studio.engines.svd import SvdEngine, load_pipeline

TINY = replace(ENGINES["svd"], shortest_side=64)
PLAN = VramPlan("all", True, None, 25, {"denoise": 1.0})


ROUNDING = 1e-6  # in fp64: random weights and sigma 700 magnify fp32's own rounding to 0.01


def distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


class Recorder(Progress):
    """Remember every report; stop at the one asked for."""

    def __init__(self, stop_at: tuple[Stage, int] | None = None) -> None:
        self.reports: list[tuple[Stage, int, int]] = []
        self.previews: list[np.ndarray] = []
        self.stop_at = stop_at

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        self.reports.append((stage, done, total))
        if preview is not None:
            self.previews.append(preview)
        if self.stop_at == (stage, done):
            raise Cancelled


def scene(picture: Image.Image, info: EngineInfo = TINY, **values: object) -> Scene:
    asked = {"width": 128, "height": 64, "frames": 4, "steps": 3, "seed": 5, **values}
    settings = ClipSettings.from_person(asked).resolve(info).settings
    return Scene(settings, picture.resize((settings.width, settings.height)))


class StockEngine(SvdEngine):
    """Our steps over diffusers' own networks, untouched."""

    lean = False


@pytest.fixture(scope="module")
def engine(tiny_folder: Path) -> SvdEngine:
    return SvdEngine(TINY, tiny_folder, "cpu", "fp32")


def stock(folder: Path, made: Scene) -> np.ndarray:
    pipeline = StableVideoDiffusionPipeline.from_pretrained(folder, variant="fp16", dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    settings: ResolvedSettings = made.settings
    return pipeline(
        made.start,
        height=settings.height,
        width=settings.width,
        num_frames=settings.frames,
        num_inference_steps=settings.steps,
        min_guidance_scale=settings.guidance_first,
        max_guidance_scale=settings.guidance_last,
        fps=settings.motion_fps,
        motion_bucket_id=settings.motion_bucket,
        noise_aug_strength=settings.image_noise,
        generator=torch.Generator("cpu").manual_seed(settings.seed),
        output_type="np",
    ).frames[0]


@pytest.mark.parametrize("guidance", [{}, {"guidance_first": 1.0, "guidance_last": 1.0}])
def test_frames_are_those_of_the_bare_pipeline_bit_for_bit(
    tiny_folder: Path, picture: Image.Image, guidance: dict[str, float]
) -> None:
    engine, made = StockEngine(TINY, tiny_folder, "cpu", "fp32"), scene(picture, **guidance)
    ours = np.stack(list(engine.decode(engine.denoise(made, PLAN, Progress()), PLAN, Progress())))
    assert np.array_equal(ours, (stock(tiny_folder, made) * 255).round().astype(np.uint8))


@pytest.fixture
def exact(tiny_folder: Path) -> SvdEngine:
    """The engine in double precision."""
    engine = SvdEngine(TINY, tiny_folder, "cpu", "fp32")
    engine.pipeline.to(dtype=torch.float64)
    return engine


def test_guidance_in_two_passes_gives_the_same_latents(exact: SvdEngine, picture: Image.Image) -> None:
    engine, made = exact, scene(picture, steps=1)
    batched = engine.denoise(made, PLAN, Progress())
    apart = engine.denoise(made, replace(PLAN, batched_guidance=False), Progress())
    assert distance(batched, apart) < ROUNDING


def test_forward_chunking_gives_the_same_latents(exact: SvdEngine, picture: Image.Image) -> None:
    engine, made = exact, scene(picture, steps=1)
    whole = engine.denoise(made, PLAN, Progress())
    chunked = engine.denoise(made, replace(PLAN, residency="sequential", forward_chunk=1), Progress())
    assert distance(whole, chunked) < ROUNDING
    assert engine.pipeline.unet.mid_block.attentions[0].transformer_blocks[0]._chunk_size == 1


def test_every_step_and_every_frame_is_reported_with_a_preview(engine: SvdEngine, picture: Image.Image) -> None:
    progress = Recorder()
    latents = engine.denoise(scene(picture), PLAN, progress)
    frames = list(engine.decode(latents, PLAN, progress))
    assert [done for stage, done, _ in progress.reports if stage == "denoise"] == [0, 1, 2, 3]
    assert [done for stage, done, _ in progress.reports if stage == "decode"] == [0, 1, 2, 3, 4]
    assert [preview.shape for preview in progress.previews] == [(4, 8, 16, 3)] * 3
    assert progress.previews[-1].std() > 3, "a preview is a picture, not a white sheet"
    assert len(frames) == 4
    assert frames[0].shape == (64, 128, 3)
    assert frames[0].dtype == np.uint8


@pytest.mark.parametrize("stop_at", [("encode_inputs", 0), ("denoise", 2), ("decode", 1)])
def test_after_a_cancel_the_same_seed_gives_the_same_clip(
    engine: SvdEngine, picture: Image.Image, stop_at: tuple[Stage, int]
) -> None:
    made = scene(picture)
    before = engine.denoise(made, PLAN, Progress())
    with pytest.raises(Cancelled):
        list(engine.decode(engine.denoise(made, PLAN, Recorder(stop_at)), PLAN, Recorder(stop_at)))
    assert np.array_equal(before, engine.denoise(made, PLAN, Progress()))


def test_a_cancel_is_heard_inside_a_step_and_inside_a_decode_window(engine: SvdEngine, picture: Image.Image) -> None:
    class AtOnce(Progress):
        """Report in peace, stop at the first check between blocks."""

        def report(self, *_: object, **__: object) -> None: ...
        def check(self) -> None:
            raise Cancelled

    latents = engine.denoise(scene(picture), PLAN, Progress())
    with pytest.raises(Cancelled):
        engine.denoise(scene(picture), PLAN, AtOnce())
    with pytest.raises(Cancelled):
        next(engine.decode(latents, PLAN, AtOnce()))


@pytest.mark.parametrize("window", [1, 2, 3, 4, 5, 8])
def test_any_decode_window_gives_every_frame_once_and_nearly_the_same(
    engine: SvdEngine, picture: Image.Image, window: int
) -> None:
    still = np.random.default_rng(0).normal(size=(1, 4, 8, 8)).astype(np.float32)
    latents = still + np.linspace(0, 0.5, 9, dtype=np.float32).reshape(-1, 1, 1, 1)
    whole = np.stack(list(engine.decode(latents, replace(PLAN, decode_window=25), Progress())))
    parts = np.stack(list(engine.decode(latents, replace(PLAN, decode_window=window), Progress())))
    assert parts.shape == whole.shape
    assert np.abs(parts.astype(float) - whole).mean() < (8 if window > 2 else 20)


def test_frames_that_are_not_numbers_fail_honestly(engine: SvdEngine) -> None:
    latents = np.full((2, 4, 8, 8), np.nan, dtype=np.float32)
    with pytest.raises(RenderFailed, match="not_finite"):
        list(engine.decode(latents, PLAN, Progress()))


def test_seeds_decide(engine: SvdEngine, picture: Image.Image) -> None:
    first, again, other = (engine.denoise(scene(picture, seed=seed), PLAN, Progress()) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_previews_come_near_the_pictures_colours(engine: SvdEngine, picture: Image.Image) -> None:
    from svd_studio.engines.preview import latent_colours, paint

    small = np.asarray(picture.resize((16, 8), Image.Resampling.BOX), dtype=np.float32)
    latents = torch.from_numpy(small.transpose(2, 0, 1) / 100 - 1)
    scaled = 0.18215 * latents  # what the scheduler works on
    painted = paint(scaled[None], latent_colours(scaled, picture.resize((128, 64))))
    assert np.abs(painted[0] - small).mean() < 3


def test_weights_without_the_fp16_variant_load_too(tmp_path: Path) -> None:
    from tests.tiny_weights import tiny_svd

    assert load_pipeline(tiny_svd(tmp_path / "plain", variant=None), torch.float32).unet.dtype == torch.float32


def test_a_folder_that_lacks_its_unet_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(RenderFailed, match=r"weights\.unreadable"):
        load_pipeline(tmp_path, torch.float32)
