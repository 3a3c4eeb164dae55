"""Where a pipeline's weights stand while it works, by diffusers' own means of offloading, and a way back from each."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import cpu_offload
from diffusers import AutoencoderKLTemporalDecoder, StableVideoDiffusionPipeline, UNetSpatioTemporalConditionModel
from diffusers.hooks import HookRegistry

from svd_studio.core.errors import OutOfMemory
from svd_studio.core.vram import Residency

STREAM_HOOKS = ("lazy_prefetch_group_offloading", "layer_execution_tracker", "group_offloading")
"""What group offloading leaves in modules, outermost first; diffusers has no call that takes it out."""

RAN_OUT = (
    *("can't allocate memory", "not enough memory"),  # a processor's
    *("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED"),  # beside the allocator
)
"""How out-of-memory is told by what is not torch's own allocator on a card."""


def place_weights(
    pipeline: StableVideoDiffusionPipeline, residency: Residency, device: torch.device, skips: bool = False
) -> None:
    """Undo the last placing, also one that broke off, and make this one.

    `skips`: some steps will pass by most layers, which fetching ahead in a fixed order would not stand.
    """
    _fetch_home(pipeline)
    if residency == "all":
        pipeline.to(device)
    elif residency == "model":
        pipeline.enable_model_cpu_offload(device=device)
    elif residency == "group":
        _stream_layers(pipeline, device, device.type == "cuda" and not skips)
    else:
        _lend_layers(pipeline, device)


def _fetch_home(pipeline: StableVideoDiffusionPipeline) -> None:
    """Take all hooks off and all weights from the card, as they were loaded."""
    for name in ("unet", "image_encoder"):
        registry = HookRegistry.check_if_exists_or_initialize(getattr(pipeline, name))
        for hook in STREAM_HOOKS:
            registry.remove_hook(hook, recurse=True)
    pipeline.remove_all_hooks()
    pipeline.to("cpu")
    pipeline.vae.to(dtype=pipeline.unet.dtype)  # an encode in fp32 may have broken off
    gc.collect()  # what an error's traceback held
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _stream_layers(pipeline: StableVideoDiffusionPipeline, device: torch.device, ahead: bool) -> None:
    """Let weights flow through the card layer by layer, `ahead` the next one while one computes; the small VAE stays.

    The VAE changes its precision to encode, which copies in pinned memory would not follow.
    """
    pipeline.enable_group_offload(
        onload_device=device,
        offload_device=torch.device("cpu"),
        offload_type="leaf_level",
        use_stream=ahead,
        exclude_modules=["vae"],
    )


def _lend_layers(pipeline: StableVideoDiffusionPipeline, device: torch.device) -> None:
    """Give each layer the card only while it computes: enable_sequential_cpu_offload, which a processor cannot run."""
    for model in (pipeline.image_encoder, pipeline.unet, pipeline.vae):
        cpu_offload(model, device, offload_buffers=bool(model._parameters))


def set_forward_chunk(unet: UNetSpatioTemporalConditionModel, chunk: int | None) -> None:
    """Let every feed-forward work on `chunk` rows at a time, or on all; diffusers can only switch it on."""
    for module in unet.modules():
        if hasattr(module, "set_chunk_feed_forward"):
            module.set_chunk_feed_forward(chunk_size=chunk, dim=0)


@contextmanager
def in_fp32(vae: AutoencoderKLTemporalDecoder) -> Iterator[None]:
    """Compute in full precision for a while; weights come back as they were."""
    before = vae.dtype
    vae.to(dtype=torch.float32)
    try:
        yield
    finally:
        vae.to(dtype=before)


@contextmanager
def out_of_memory_in_words() -> Iterator[None]:
    """Translate out-of-memory errors at the seam, however they are told."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemory("memory.ran_out") from error
    except RuntimeError as error:
        if not any(words in str(error) for words in RAN_OUT):
            raise
        raise OutOfMemory("memory.ran_out") from error
