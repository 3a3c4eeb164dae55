"""How ComfyUI's one-file Stable Video Diffusion (svd.safetensors, svd_xt.safetensors) maps onto diffusers' folder.

Names only, no torch: diffusers 0.42 cannot load this layout (Stability's `sgm`) itself. The rules follow
huggingface/diffusers scripts/convert_svd_to_diffusers.py; the picture encoder sits where the conditioner keeps it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Take = Literal["all", "query", "key", "value", "transposed", "flat"]
"""What of a tensor is wanted: a third of its rows, its transpose, a 1×1 convolution as a plain matrix."""


@dataclass(frozen=True)
class Source:
    """Where in the single file a tensor of the folder comes from."""

    name: str
    take: Take = "all"


@dataclass(frozen=True)
class Layout:
    """The widths and depths that decide which tensors there are; the defaults are the real model's."""

    unet_channels: tuple[int, ...] = (320, 640, 1280, 1280)
    vae_channels: tuple[int, ...] = (128, 256, 512, 512)
    clip_layers: int = 32
    conditions: int = 768

    @property
    def marks(self) -> Mapping[str, list[int]]:
        """Shapes that tell this model from its relatives, by name in the single file."""
        width = self.unet_channels[0]
        return {
            f"{UNET}.input_blocks.0.0.weight": [width, 8, 3, 3],
            f"{UNET}.label_emb.0.0.weight": [4 * width, self.conditions],
        }


Pairs = Iterator[tuple[str, Source]]

LAYERS = 2
"""Residual blocks a level, going down; going up there is one more."""

UNET = "model.diffusion_model"
ENCODER = "conditioner.embedders.3.encoder"
DECODER = "first_stage_model.decoder"
CLIP = "conditioner.embedders.0.open_clip.model.visual"

UNET_BLOCK = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
}
TIME_BLOCK = {"norm1": "in_layers.0", "conv1": "in_layers.2", "norm2": "out_layers.0", "conv2": "out_layers.3"}
VAE_BLOCK = {name: name for name in ("norm1", "conv1", "norm2", "conv2")}
BIASED = ("attn1.to_out.0", "attn2.to_out.0", "ff.net.0.proj", "ff.net.2", "norm1", "norm2", "norm3")
UNBIASED = ("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn2.to_q", "attn2.to_k", "attn2.to_v")
TIME_BIASED = ("norm_in", "ff_in.net.0.proj", "ff_in.net.2")


def sources(layout: Layout) -> dict[str, dict[str, Source]]:
    """For each weight file of the folder, its tensors by diffusers' names."""
    return {
        "unet/diffusion_pytorch_model.fp16.safetensors": dict(_unet(layout)),
        "vae/diffusion_pytorch_model.fp16.safetensors": dict(_vae(layout)),
        "image_encoder/model.fp16.safetensors": dict(_clip(layout)),
    }


def _unet(layout: Layout) -> Pairs:
    ends = {"conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"}
    ends |= {f"time_embedding.linear_{n}": f"time_embed.{2 * n - 2}" for n in (1, 2)}
    ends |= {f"add_embedding.linear_{n}": f"label_emb.0.{2 * n - 2}" for n in (1, 2)}
    for ours, theirs in ends.items():
        yield from _both(ours, f"{UNET}.{theirs}")
    yield from _unet_down(layout)
    for block in (0, 1):
        yield from _unet_resnet(f"mid_block.resnets.{block}", f"{UNET}.middle_block.{2 * block}", False)
    yield from _transformer("mid_block.attentions.0", f"{UNET}.middle_block.1")
    yield from _unet_up(layout)


def _unet_down(layout: Layout) -> Pairs:
    channels, number = layout.unet_channels, 1
    for level, width in enumerate(channels):
        ours, is_last = f"down_blocks.{level}", level == len(channels) - 1
        for layer in range(LAYERS):
            theirs = f"{UNET}.input_blocks.{number}"
            widens = layer == 0 and width != channels[max(level - 1, 0)]
            yield from _unet_resnet(f"{ours}.resnets.{layer}", f"{theirs}.0", widens)
            if not is_last:
                yield from _transformer(f"{ours}.attentions.{layer}", f"{theirs}.1")
            number += 1
        if not is_last:
            yield from _both(f"{ours}.downsamplers.0.conv", f"{UNET}.input_blocks.{number}.0.op")
            number += 1


def _unet_up(layout: Layout) -> Pairs:
    """Every block going up takes a skip connection in, so every one has a shortcut."""
    number, levels = 0, len(layout.unet_channels)
    for level in range(levels):
        for layer in range(LAYERS + 1):
            theirs = f"{UNET}.output_blocks.{number}"
            yield from _unet_resnet(f"up_blocks.{level}.resnets.{layer}", f"{theirs}.0", True)
            if level > 0:
                yield from _transformer(f"up_blocks.{level}.attentions.{layer}", f"{theirs}.1")
            number += 1
        if level < levels - 1:
            place = 1 if level == 0 else 2  # behind the attention, where there is one
            yield from _both(f"up_blocks.{level}.upsamplers.0.conv", f"{UNET}.output_blocks.{number - 1}.{place}.conv")


def _unet_resnet(ours: str, theirs: str, has_shortcut: bool) -> Pairs:
    for name, their_name in UNET_BLOCK.items():
        yield from _both(f"{ours}.spatial_res_block.{name}", f"{theirs}.{their_name}")
        yield from _both(f"{ours}.temporal_res_block.{name}", f"{theirs}.time_stack.{their_name}")
    if has_shortcut:
        yield from _both(f"{ours}.spatial_res_block.conv_shortcut", f"{theirs}.skip_connection")
    yield f"{ours}.time_mixer.mix_factor", Source(f"{theirs}.time_mixer.mix_factor")


def _transformer(ours: str, theirs: str) -> Pairs:
    for name in ("norm", "proj_in", "proj_out"):
        yield from _both(f"{ours}.{name}", f"{theirs}.{name}")
    for n in (1, 2):
        yield from _both(f"{ours}.time_pos_embed.linear_{n}", f"{theirs}.time_pos_embed.{2 * n - 2}")
    yield f"{ours}.time_mixer.mix_factor", Source(f"{theirs}.time_mixer.mix_factor")
    blocks = {"transformer_blocks.0": "transformer_blocks.0", "temporal_transformer_blocks.0": "time_stack.0"}
    for block, their_block in blocks.items():
        for name in (*BIASED, *(TIME_BIASED if "temporal" in block else ())):
            yield from _both(f"{ours}.{block}.{name}", f"{theirs}.{their_block}.{name}")
        for name in UNBIASED:
            yield f"{ours}.{block}.{name}.weight", Source(f"{theirs}.{their_block}.{name}.weight")


def _vae(layout: Layout) -> Pairs:
    channels = layout.vae_channels
    yield from _both("quant_conv", f"{ENCODER}.quant_conv")
    for side, theirs in (("encoder", f"{ENCODER}.encoder"), ("decoder", DECODER)):
        for name, their_name in {"conv_in": "conv_in", "conv_norm_out": "norm_out", "conv_out": "conv_out"}.items():
            yield from _both(f"{side}.{name}", f"{theirs}.{their_name}")
        yield from _vae_middle(f"{side}.mid_block", f"{theirs}.mid", side == "decoder")
    yield from _both("decoder.time_conv_out", f"{DECODER}.conv_out.time_mix_conv")
    for level, width in enumerate(channels):
        ours, theirs, is_last = f"encoder.down_blocks.{level}", f"{ENCODER}.encoder.down.{level}", level == 3
        for layer in range(LAYERS):
            widens = layer == 0 and width != channels[max(level - 1, 0)]
            yield from _vae_resnet(f"{ours}.resnets.{layer}", f"{theirs}.block.{layer}", False, widens)
        if not is_last:
            yield from _both(f"{ours}.downsamplers.0.conv", f"{theirs}.downsample.conv")
    upwards = channels[::-1]
    for level, width in enumerate(upwards):
        ours, theirs, is_last = f"decoder.up_blocks.{level}", f"{DECODER}.up.{3 - level}", level == 3
        for layer in range(LAYERS + 1):
            narrows = layer == 0 and width != upwards[max(level - 1, 0)]
            yield from _vae_resnet(f"{ours}.resnets.{layer}", f"{theirs}.block.{layer}", True, narrows)
        if not is_last:
            yield from _both(f"{ours}.upsamplers.0.conv", f"{theirs}.upsample.conv")


def _vae_middle(ours: str, theirs: str, is_temporal: bool) -> Pairs:
    for block in (0, 1):
        yield from _vae_resnet(f"{ours}.resnets.{block}", f"{theirs}.block_{block + 1}", is_temporal, False)
    yield from _both(f"{ours}.attentions.0.group_norm", f"{theirs}.attn_1.norm")
    for name, their_name in {"to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}.items():
        yield from _both(f"{ours}.attentions.0.{name}", f"{theirs}.attn_1.{their_name}", "flat")


def _vae_resnet(ours: str, theirs: str, is_temporal: bool, has_shortcut: bool) -> Pairs:
    spatial = f"{ours}.spatial_res_block" if is_temporal else ours
    for name, their_name in VAE_BLOCK.items():
        yield from _both(f"{spatial}.{name}", f"{theirs}.{their_name}")
    if has_shortcut:
        yield from _both(f"{spatial}.conv_shortcut", f"{theirs}.nin_shortcut")
    if is_temporal:
        for name, their_name in TIME_BLOCK.items():
            yield from _both(f"{ours}.temporal_res_block.{name}", f"{theirs}.time_stack.{their_name}")
        yield f"{ours}.time_mixer.mix_factor", Source(f"{theirs}.mix_factor")


def _clip(layout: Layout) -> Pairs:
    yield "vision_model.embeddings.class_embedding", Source(f"{CLIP}.class_embedding")
    yield "vision_model.embeddings.patch_embedding.weight", Source(f"{CLIP}.conv1.weight")
    yield "vision_model.embeddings.position_embedding.weight", Source(f"{CLIP}.positional_embedding")
    yield "visual_projection.weight", Source(f"{CLIP}.proj", "transposed")
    yield from _both("vision_model.pre_layrnorm", f"{CLIP}.ln_pre")
    yield from _both("vision_model.post_layernorm", f"{CLIP}.ln_post")
    for layer in range(layout.clip_layers):
        ours, theirs = f"vision_model.encoder.layers.{layer}", f"{CLIP}.transformer.resblocks.{layer}"
        thirds: dict[str, Take] = {"q_proj": "query", "k_proj": "key", "v_proj": "value"}
        for name, take in thirds.items():
            for leaf in ("weight", "bias"):
                yield f"{ours}.self_attn.{name}.{leaf}", Source(f"{theirs}.attn.in_proj_{leaf}", take)
        renamed = {"self_attn.out_proj": "attn.out_proj", "layer_norm1": "ln_1", "layer_norm2": "ln_2"}
        for name, their_name in {**renamed, "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}.items():
            yield from _both(f"{ours}.{name}", f"{theirs}.{their_name}")


def _both(ours: str, theirs: str, weight: Take = "all") -> Pairs:
    yield f"{ours}.weight", Source(f"{theirs}.weight", weight)
    yield f"{ours}.bias", Source(f"{theirs}.bias")


CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "model_index.json": {
        "_class_name": "StableVideoDiffusionPipeline",
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "unet": ["diffusers", "UNetSpatioTemporalConditionModel"],
        "vae": ["diffusers", "AutoencoderKLTemporalDecoder"],
    },
    "unet/config.json": {
        "_class_name": "UNetSpatioTemporalConditionModel",
        "block_out_channels": [320, 640, 1280, 1280],
        "num_attention_heads": [5, 10, 20, 20],
        "layers_per_block": 2,
        "cross_attention_dim": 1024,
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 768,
        "in_channels": 8,
        "out_channels": 4,
        "sample_size": 96,
        "num_frames": 25,
    },
    "vae/config.json": {
        "_class_name": "AutoencoderKLTemporalDecoder",
        "block_out_channels": [128, 256, 512, 512],
        "down_block_types": ["DownEncoderBlock2D"] * 4,
        "layers_per_block": 2,
        "latent_channels": 4,
        "sample_size": 768,
        "scaling_factor": 0.18215,
        "force_upcast": True,
    },
    "image_encoder/config.json": {
        "architectures": ["CLIPVisionModelWithProjection"],
        "model_type": "clip_vision_model",
        "hidden_act": "gelu",
        "hidden_size": 1280,
        "intermediate_size": 5120,
        "num_hidden_layers": 32,
        "num_attention_heads": 16,
        "projection_dim": 1024,
        "image_size": 224,
        "patch_size": 14,
        "layer_norm_eps": 1e-05,
    },
    "feature_extractor/preprocessor_config.json": {
        "image_processor_type": "CLIPImageProcessor",
        "do_resize": True,
        "size": {"shortest_edge": 224},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "do_convert_rgb": True,
    },
    "scheduler/scheduler_config.json": {
        "_class_name": "EulerDiscreteScheduler",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "interpolation_type": "linear",
        "num_train_timesteps": 1000,
        "prediction_type": "v_prediction",
        "sigma_min": 0.002,
        "sigma_max": 700.0,
        "steps_offset": 1,
        "timestep_spacing": "leading",
        "timestep_type": "continuous",
        "use_karras_sigmas": True,
    },
}
"""The folder's configurations, by path, as Stability published them (image_encoder without defaults)."""
