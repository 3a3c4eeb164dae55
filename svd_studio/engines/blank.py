"""SVD-XT's networks in full size with random weights: they cost and fill what the real ones do, without a download."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLTemporalDecoder,
    EulerDiscreteScheduler,
    StableVideoDiffusionPipeline,
    UNetSpatioTemporalConditionModel,
)
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from svd_studio.engines.svd import SvdEngine


class BlankEngine(SvdEngine):
    """The engine over random weights, made on the card itself: nothing is read."""

    def load(self, folder: Path, dtype: torch.dtype) -> StableVideoDiffusionPipeline:
        with _made_as(dtype), torch.device(self.device):
            vae = AutoencoderKLTemporalDecoder(
                down_block_types=("DownEncoderBlock2D",) * 4,
                block_out_channels=(128, 256, 512, 512),
                layers_per_block=2,
                sample_size=768,
            )
            image_encoder = CLIPVisionModelWithProjection(vision_config())
            unet = UNetSpatioTemporalConditionModel()  # whose defaults are SVD-XT's
        pipeline = StableVideoDiffusionPipeline(
            vae=vae,
            image_encoder=image_encoder,
            unet=unet,
            scheduler=svd_scheduler(),  # which counts on the processor, and not in half precision
            feature_extractor=CLIPImageProcessor(),
        )
        pipeline.set_progress_bar_config(disable=True)
        for part in (pipeline.unet, pipeline.vae, pipeline.image_encoder):
            part.eval()
        return pipeline.to(self.device, dtype)


def vision_config() -> CLIPVisionConfig:
    """CLIP ViT-H/14."""
    return CLIPVisionConfig(
        hidden_size=1280,
        intermediate_size=5120,
        num_hidden_layers=32,
        num_attention_heads=16,
        image_size=224,
        patch_size=14,
        projection_dim=1024,
    )


def svd_scheduler() -> EulerDiscreteScheduler:
    """SVD's own noise schedule."""
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        interpolation_type="linear",
        use_karras_sigmas=True,
        sigma_min=0.002,
        sigma_max=700.0,
        timestep_spacing="leading",
        timestep_type="continuous",
        steps_offset=1,
    )


@contextmanager
def _made_as(dtype: torch.dtype) -> Iterator[None]:
    """Make weights in a precision at once: six gigabytes in fp32 would not fit where three do."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
