"""The leaner networks compute what the stock ones do, and take the memory that plans count on."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLTemporalDecoder, StableVideoDiffusionPipeline, UNetSpatioTemporalConditionModel
from diffusers.models.resnet import SpatioTemporalResBlock
from torch import Tensor

from svd_studio.engines.catalog import NANO_FOLDER
from svd_studio.engines.costs import SVD_COSTS
from svd_studio.engines.lean import make_lean, make_stock
from svd_studio.engines.placing import set_forward_chunk
from svd_studio.engines.svd import load_pipeline
from tests.engines.live_storage import attend, most_live

H, W = 24, 40


@pytest.fixture(scope="module")
def exact(tiny_folder: Path) -> StableVideoDiffusionPipeline:
    """Tiny random networks in double precision, with mixing factors that are not all the same."""
    pipeline = load_pipeline(tiny_folder, torch.float64)
    generator = torch.Generator().manual_seed(3)
    for model in (pipeline.unet, pipeline.vae):
        for name, weight in model.named_parameters():
            if name.endswith("mix_factor"):
                weight.data.normal_(generator=generator)
    return pipeline


def asked(pipeline: StableVideoDiffusionPipeline, frames: int = 3, context_size: int = 32) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    sample = torch.randn(2, frames, pipeline.unet.config.in_channels, 16, 24, generator=generator, dtype=torch.float64)
    context = torch.randn(2, 1, context_size, generator=generator, dtype=torch.float64)
    numbers = torch.tensor([[6, 127, 0.02]] * 2, dtype=torch.float64)
    with torch.no_grad():
        answer: Tensor = pipeline.unet(sample, torch.tensor(0.7), context, numbers, return_dict=False)[0]
    return answer


def decoded(pipeline: StableVideoDiffusionPipeline) -> Tensor:
    latents = torch.randn(5, 4, 8, 12, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    with torch.no_grad():
        frames: Tensor = pipeline.vae.decode(latents, num_frames=5).sample
    return frames


def distance(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


@pytest.mark.parametrize("chunk", [None, 1])
def test_lean_networks_answer_as_stock_ones(exact: StableVideoDiffusionPipeline, chunk: int | None) -> None:
    make_stock(exact)
    set_forward_chunk(exact.unet, chunk)
    step, frames = asked(exact), decoded(exact)
    make_lean(exact)
    assert distance(asked(exact), step) < 1e-12
    assert distance(asked(exact, frames=4), step[:, :1]) > 0.1, "another count of frames is another question"
    assert distance(asked(exact), step) < 1e-12, "frame numbers of another count were kept"
    assert distance(decoded(exact), frames) < 1e-12


def test_the_stock_networks_come_back(exact: StableVideoDiffusionPipeline) -> None:
    make_stock(exact)
    before = asked(exact)
    make_lean(exact)
    assert not torch.equal(asked(exact), before), "nothing was leaner"
    make_stock(exact)
    assert torch.equal(asked(exact), before)


def test_the_trained_networks_answer_alike_in_single_precision() -> None:
    pipeline = load_pipeline(NANO_FOLDER, torch.float32)
    latents = torch.randn(2, 8, 16, 16, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        stock = pipeline.vae.decode(latents, num_frames=2).sample
        make_lean(pipeline)
        lean = pipeline.vae.decode(latents, num_frames=2).sample
    assert distance(lean, stock) < 5e-6


def test_mixing_over_time_is_left_out_where_it_ends_in_zeros_and_only_there() -> None:
    pipeline = load_pipeline(NANO_FOLDER, torch.float64)
    mixers = [module for module in pipeline.unet.modules() if isinstance(module, SpatioTemporalResBlock)]
    used: list[bool] = []
    mixers[0].temporal_res_block.conv1.register_forward_hook(lambda *_: used.append(True))
    make_stock(pipeline)
    step = asked(pipeline, context_size=64)
    used.clear()
    make_lean(pipeline)
    assert distance(asked(pipeline, context_size=64), step) < 1e-12
    assert not used, "SVD-Nano mixes nothing over time, and it was computed"
    with torch.no_grad():
        mixers[0].temporal_res_block.conv2.bias[0] = 1.0
    make_stock(pipeline)
    step = asked(pipeline, context_size=64)
    make_lean(pipeline)
    assert distance(asked(pipeline, context_size=64), step) < 1e-12


@pytest.fixture(scope="module")
def full_size() -> Any:
    """SVD-XT's networks in half precision, as shapes."""
    with torch.device("meta"):
        unet = UNetSpatioTemporalConditionModel()
        vae = AutoencoderKLTemporalDecoder(
            down_block_types=("DownEncoderBlock2D",) * 4, block_out_channels=(128, 256, 512, 512), layers_per_block=2
        )
    pipeline = SimpleNamespace(unet=unet.half().to("meta"), vae=vae.half().to("meta"))
    make_lean(pipeline, attend)  # type: ignore[arg-type]  # all that it needs of a pipeline
    return pipeline


@pytest.mark.parametrize(
    ("clips", "chunk", "expected"),
    [
        (2, None, SVD_COSTS.unet_batched),
        (1, None, SVD_COSTS.unet_two_passes),
        (2, 1, SVD_COSTS.unet_batched_chunked),
        (1, 1, SVD_COSTS.unet_two_passes_chunked),
    ],
)
def test_a_step_holds_what_plans_count(full_size: Any, clips: int, chunk: int | None, expected: float) -> None:
    def shape(*sides: int) -> Tensor:
        return torch.empty(sides, device="meta", dtype=torch.half)

    frames, unet = 14, full_size.unet
    set_forward_chunk(unet, chunk)
    sample, context, numbers = shape(clips, frames, 8, H, W), shape(clips, 1, 1024), shape(clips, 3)
    held = most_live([unet], lambda: unet(sample, torch.empty((), device="meta"), context, numbers, return_dict=False))
    assert held / (clips * frames * H * W) == pytest.approx(expected, rel=0.01)


def test_decoding_holds_what_plans_count(full_size: Any) -> None:
    latents = torch.empty(6, 4, H, W, device="meta", dtype=torch.half)
    held = most_live([full_size.vae], lambda: full_size.vae.decode(latents, num_frames=6))
    assert held / (6 * 64 * H * W) == pytest.approx(SVD_COSTS.vae_decode, rel=0.01)
