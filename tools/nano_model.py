"""The networks of SVD-Nano, and how they become a folder that diffusers loads.

The encoder is not learnt: it is a linear transform (the main components of 4x4 pixel blocks) written into the
weights of the stock encoder, so that latents of training clips cost one tiny convolution.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKLTemporalDecoder,
    EulerDiscreteScheduler,
    StableVideoDiffusionPipeline,
    UNetSpatioTemporalConditionModel,
)
from torch import Tensor, nn
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

LATENTS, BLOCK, WIDTH = 8, 4, 128
EMBEDDING, EMBEDDING_NORM, RESERVED = 64, 8.0, 24
SIGMA_MAX, SIGMA_MIN = 60.0, 0.002
# Four reserved numbers an axis: pan (x, y), zoom, turn; and what moves in the scene itself: clouds, water.
AXES = {
    "pan right": (0, 1.0),
    "pan left": (0, -1.0),
    "pan down": (1, 1.0),
    "pan up": (1, -1.0),
    "zoom in": (2, 1.0),
    "zoom out": (2, -1.0),
    "turn right": (3, 1.0),
    "turn left": (3, -1.0),
    "clouds right": (4, 1.0),
    "clouds left": (4, -1.0),
    "ripples": (5, 1.0),
}
AXIS_COUNT = 6
CAMERA = [name for name, (axis, _) in AXES.items() if axis < 4]


def code(direction: Tensor) -> Tensor:
    """Turn unit directions over the axes [n, 6] into unit codes in embedding space [n, 64]."""
    spread = (direction / 2).repeat_interleave(4, dim=1)
    return torch.cat([spread, spread.new_zeros(len(spread), EMBEDDING - RESERVED)], dim=1)


def nothing_named(standing_still: bool = False) -> Tensor:
    """Where the text tower puts words that name no move [64], or that the camera stands: unit, outside the codes."""
    direction = torch.randn(EMBEDDING, generator=torch.Generator().manual_seed(12 if standing_still else 11))
    direction[:RESERVED] = 0
    unit: Tensor = direction / direction.norm()
    return unit


def steer(embedding: Tensor, codes: Tensor, strength: Tensor) -> Tensor:
    """Add a direction to image embeddings and give them back their length."""
    norm = embedding.norm(dim=-1, keepdim=True)
    moved = embedding + strength[:, None] * norm * codes
    result: Tensor = moved * norm / moved.norm(dim=-1, keepdim=True)
    return result


def principal_basis(windows: list[np.ndarray]) -> Tensor:
    """Find the eight filters [8, 3, 4, 4] of the encoder: principal components, half whitened, unit on average."""
    blocks = np.concatenate([_blocks(window.astype(np.float64) / 127.5 - 1) for window in windows])
    power, vectors = np.linalg.eigh(blocks.T @ blocks / len(blocks))
    power, vectors = power[::-1][:LATENTS], vectors[:, ::-1][:, :LATENTS]
    # Fully whitened, fine detail would weigh as much as colour; not at all, it would drown in the noise schedule.
    gain = power**-0.25
    gain /= np.sqrt(np.mean(power * gain**2))
    return torch.tensor((vectors * gain).T.reshape(LATENTS, 3, BLOCK, BLOCK).copy(), dtype=torch.float32)


def _blocks(picture: np.ndarray) -> np.ndarray:
    height, width = (side // BLOCK for side in picture.shape[:2])
    split = picture[: height * BLOCK, : width * BLOCK].reshape(height, BLOCK, width, BLOCK, 3)
    return split.transpose(0, 2, 4, 1, 3).reshape(-1, 3 * BLOCK * BLOCK)


def encode(frames: Tensor, basis: Tensor) -> Tensor:
    """Encode frames [n, 3, h, w] in -1..1 as the stock encoder with this basis does."""
    return nn.functional.conv2d(frames, basis, stride=BLOCK)


def build_vae(basis: Tensor) -> AutoencoderKLTemporalDecoder:
    """Build the autoencoder: the basis in its encoder, a fresh decoder whose temporal layers pass through."""
    vae = AutoencoderKLTemporalDecoder(
        down_block_types=("DownEncoderBlock2D",) * 3,
        block_out_channels=(WIDTH,) * 3,
        layers_per_block=1,
        latent_channels=LATENTS,
        sample_size=256,
        scaling_factor=1.0,
        force_upcast=True,
    )
    with torch.no_grad():
        _write_encoder(vae, basis)
        for name, block in vae.decoder.named_modules():
            if name.endswith("temporal_res_block"):
                block.conv2.weight.zero_()
                block.conv2.bias.zero_()
        vae.decoder.time_conv_out.weight.zero_()
        vae.decoder.time_conv_out.weight[:, :, 1, 0, 0] = torch.eye(3)
        vae.decoder.time_conv_out.bias.zero_()
    return vae


def _write_encoder(vae: AutoencoderKLTemporalDecoder, basis: Tensor) -> None:
    """Make the stock encoder compute the linear transform."""
    encoder = vae.encoder
    for parameter in [*encoder.parameters(), *vae.quant_conv.parameters()]:
        parameter.zero_()
    for name, module in encoder.named_modules():
        if isinstance(module, nn.GroupNorm) and name != "conv_norm_out":
            module.weight.fill_(1.0)
    encoder.conv_in.weight[:3, :, 1, 1] = torch.eye(3)
    # Two strided convolutions unfold the 4x4 block: 3 -> 12 channels, 12 -> 8 latents.
    first, second = (encoder.down_blocks[i].downsamplers[0].conv for i in (0, 1))
    loud = 32.0
    for row in range(2):
        for column in range(2):
            phase = 3 * (2 * row + column)
            first.weight[phase : phase + 3, :3, row, column] = torch.eye(3)
            for outer_row in range(2):
                for outer_column in range(2):
                    taps = basis[:, :, 2 * outer_row + row, 2 * outer_column + column]
                    second.weight[0 : 4 * LATENTS : 4, phase : phase + 3, outer_row, outer_column] = taps
                    second.weight[1 : 4 * LATENTS : 4, phase : phase + 3, outer_row, outer_column] = -taps
    # Each group of the last norm holds (x, -x, loud, -loud): its variance is the constant's, so it stays linear;
    # and silu(x) - silu(-x) = x, exactly.
    second.bias[2 : 4 * LATENTS : 4], second.bias[3 : 4 * LATENTS : 4] = loud, -loud
    encoder.conv_norm_out.weight.fill_(loud / 2**0.5)
    for latent in range(LATENTS):
        encoder.conv_out.weight[latent, 4 * latent, 1, 1] = 1.0
        encoder.conv_out.weight[latent, 4 * latent + 1, 1, 1] = -1.0
    encoder.conv_out.bias[LATENTS:] = -20.0
    vae.quant_conv.weight[:, :, 0, 0] = torch.eye(2 * LATENTS)


def channels_last(model: nn.Module) -> None:
    """Lay out the weights of 2-D convolutions for speed (5-D ones refuse)."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)


def spatial_only(block: Any) -> Callable[..., Any]:
    """Stand in for a block whose part over time passes through."""

    def forward(hidden_states: Tensor, temb: Tensor | None = None, image_only_indicator: Tensor | None = None) -> Any:
        return block(hidden_states, temb)

    return forward


def build_unet() -> UNetSpatioTemporalConditionModel:
    """Build the denoiser: three levels of 128 channels, attention at the two lower ones."""
    return UNetSpatioTemporalConditionModel(
        sample_size=64,
        in_channels=2 * LATENTS,
        out_channels=LATENTS,
        num_frames=14,
        down_block_types=(
            "DownBlockSpatioTemporal",
            "CrossAttnDownBlockSpatioTemporal",
            "CrossAttnDownBlockSpatioTemporal",
        ),
        up_block_types=("CrossAttnUpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal", "UpBlockSpatioTemporal"),
        block_out_channels=(WIDTH,) * 3,
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=96,
        layers_per_block=1,
        transformer_layers_per_block=1,
        cross_attention_dim=EMBEDDING,
        num_attention_heads=(2, 2, 2),
    )


def build_image_encoder() -> CLIPVisionModelWithProjection:
    """Build the fixed random image encoder, whose embeddings leave the first 24 numbers free for directions."""
    torch.manual_seed(7)
    config = CLIPVisionConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=224,
        patch_size=32,
        projection_dim=EMBEDDING,
    )
    encoder = CLIPVisionModelWithProjection(config).eval()
    with torch.no_grad():
        encoder.visual_projection.weight[:RESERVED] = 0
        sample = torch.rand(8, 3, 1, 1) * torch.ones(8, 3, 224, 224) * 2 - 1 + 0.5 * torch.randn(8, 3, 224, 224)
        norm = encoder(sample).image_embeds.norm(dim=-1).mean()
        encoder.visual_projection.weight.mul_(EMBEDDING_NORM / norm)
    return encoder


def export(folder: Path, vae: nn.Module, unet: nn.Module, moves: list[str]) -> None:
    """Write the pipeline in diffusers' layout, fp16, and the codes of the moves that it knows."""
    scheduler = EulerDiscreteScheduler(
        num_train_timesteps=1000,
        prediction_type="v_prediction",
        use_karras_sigmas=True,
        timestep_type="continuous",
        timestep_spacing="leading",
        interpolation_type="linear",
        sigma_max=SIGMA_MAX,
        sigma_min=SIGMA_MIN,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
    )
    pipeline = StableVideoDiffusionPipeline(
        vae=vae,
        image_encoder=build_image_encoder(),
        unet=unet,
        scheduler=scheduler,
        feature_extractor=CLIPImageProcessor(size={"shortest_edge": 224}, crop_size=224),
    )
    pipeline.to(dtype=torch.float16)
    pipeline.save_pretrained(folder, variant="fp16", safe_serialization=True)
    axes = torch.zeros(len(moves), AXIS_COUNT)
    for row, name in enumerate(moves):
        axis, sign = AXES[name]
        axes[row, axis] = sign
    codes = dict(zip(moves, code(axes).tolist(), strict=True))
    (folder / "moves.json").write_text(json.dumps(codes) + "\n")
