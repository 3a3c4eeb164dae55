import json
import math
import shutil
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLTemporalDecoder, StableVideoDiffusionPipeline, UNetSpatioTemporalConditionModel
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from svd_studio.core.errors import WeightsFailed
from svd_studio.engines.blank import svd_scheduler
from svd_studio.engines.catalog import ENGINES
from svd_studio.engines.single_file import CLIP, CONFIGS, Layout, Source, sources
from svd_studio.engines.svd import load_pipeline
from svd_studio.library.checkpoint_files import verify_before_load
from svd_studio.library.checkpoint_import import SingleFile
from svd_studio.library.weights import WeightsLibrary
from tests.library.fake_checkpoint import TINY

SMALL = Layout(unet_channels=(32, 64, 64, 64), vae_channels=(32, 64, 64, 64), clip_layers=2, conditions=96)

KNOWN: dict[str, dict[str, str]] = {
    "model.diffusion_model.": {
        "time_embed.0.weight": "time_embedding.linear_1.weight",
        "time_embed.2.bias": "time_embedding.linear_2.bias",
        "label_emb.0.2.bias": "add_embedding.linear_2.bias",
        "input_blocks.0.0.weight": "conv_in.weight",
        "input_blocks.1.0.in_layers.2.weight": "down_blocks.0.resnets.0.spatial_res_block.conv1.weight",
        "input_blocks.1.0.emb_layers.1.bias": "down_blocks.0.resnets.0.spatial_res_block.time_emb_proj.bias",
        "input_blocks.2.0.time_stack.out_layers.3.weight": "down_blocks.0.resnets.1.temporal_res_block.conv2.weight",
        "input_blocks.1.0.time_stack.emb_layers.1.weight": (
            "down_blocks.0.resnets.0.temporal_res_block.time_emb_proj.weight"
        ),
        "input_blocks.1.0.time_mixer.mix_factor": "down_blocks.0.resnets.0.time_mixer.mix_factor",
        "input_blocks.1.1.time_mixer.mix_factor": "down_blocks.0.attentions.0.time_mixer.mix_factor",
        "input_blocks.5.1.time_pos_embed.2.weight": "down_blocks.1.attentions.1.time_pos_embed.linear_2.weight",
        "input_blocks.1.1.time_stack.0.norm_in.weight": (
            "down_blocks.0.attentions.0.temporal_transformer_blocks.0.norm_in.weight"
        ),
        "input_blocks.1.1.time_stack.0.ff_in.net.0.proj.bias": (
            "down_blocks.0.attentions.0.temporal_transformer_blocks.0.ff_in.net.0.proj.bias"
        ),
        "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight": (
            "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"
        ),
        "input_blocks.3.0.op.weight": "down_blocks.0.downsamplers.0.conv.weight",
        "input_blocks.4.0.skip_connection.weight": "down_blocks.1.resnets.0.spatial_res_block.conv_shortcut.weight",
        "input_blocks.9.0.op.bias": "down_blocks.2.downsamplers.0.conv.bias",
        "input_blocks.11.0.time_stack.in_layers.0.weight": "down_blocks.3.resnets.1.temporal_res_block.norm1.weight",
        "middle_block.0.time_mixer.mix_factor": "mid_block.resnets.0.time_mixer.mix_factor",
        "middle_block.1.proj_out.weight": "mid_block.attentions.0.proj_out.weight",
        "middle_block.2.out_layers.0.bias": "mid_block.resnets.1.spatial_res_block.norm2.bias",
        "output_blocks.2.1.conv.weight": "up_blocks.0.upsamplers.0.conv.weight",
        "output_blocks.5.2.conv.weight": "up_blocks.1.upsamplers.0.conv.weight",
        "output_blocks.8.2.conv.bias": "up_blocks.2.upsamplers.0.conv.bias",
        "output_blocks.11.1.norm.weight": "up_blocks.3.attentions.2.norm.weight",
        "output_blocks.7.0.skip_connection.bias": "up_blocks.2.resnets.1.spatial_res_block.conv_shortcut.bias",
        "out.0.weight": "conv_norm_out.weight",
        "out.2.bias": "conv_out.bias",
    },
    "first_stage_model.decoder.": {
        "conv_out.time_mix_conv.weight": "decoder.time_conv_out.weight",
        "mid.attn_1.q.weight": "decoder.mid_block.attentions.0.to_q.weight",
        "mid.block_1.mix_factor": "decoder.mid_block.resnets.0.time_mixer.mix_factor",
        "mid.block_2.time_stack.out_layers.3.bias": "decoder.mid_block.resnets.1.temporal_res_block.conv2.bias",
        "up.0.block.0.nin_shortcut.weight": "decoder.up_blocks.3.resnets.0.spatial_res_block.conv_shortcut.weight",
        "up.3.block.2.time_stack.in_layers.2.weight": "decoder.up_blocks.0.resnets.2.temporal_res_block.conv1.weight",
        "up.1.upsample.conv.weight": "decoder.up_blocks.2.upsamplers.0.conv.weight",
        "norm_out.bias": "decoder.conv_norm_out.bias",
    },
    "conditioner.embedders.3.encoder.": {
        "encoder.down.1.block.0.nin_shortcut.bias": "encoder.down_blocks.1.resnets.0.conv_shortcut.bias",
        "encoder.down.2.downsample.conv.weight": "encoder.down_blocks.2.downsamplers.0.conv.weight",
        "encoder.mid.attn_1.proj_out.weight": "encoder.mid_block.attentions.0.to_out.0.weight",
        "encoder.mid.block_2.conv1.weight": "encoder.mid_block.resnets.1.conv1.weight",
        "quant_conv.weight": "quant_conv.weight",
    },
    "conditioner.embedders.0.open_clip.model.visual.": {
        "class_embedding": "vision_model.embeddings.class_embedding",
        "positional_embedding": "vision_model.embeddings.position_embedding.weight",
        "conv1.weight": "vision_model.embeddings.patch_embedding.weight",
        "proj": "visual_projection.weight",
        "ln_pre.weight": "vision_model.pre_layrnorm.weight",
        "ln_post.bias": "vision_model.post_layernorm.bias",
        "transformer.resblocks.31.attn.out_proj.bias": "vision_model.encoder.layers.31.self_attn.out_proj.bias",
        "transformer.resblocks.0.mlp.c_fc.weight": "vision_model.encoder.layers.0.mlp.fc1.weight",
        "transformer.resblocks.0.ln_2.bias": "vision_model.encoder.layers.0.layer_norm2.bias",
    },
}
"""Names that svd_xt.safetensors is known to hold, by prefix, and what each is in diffusers: one of every kind."""


def small_svd(folder: Path) -> Path:
    """A random SVD with every kind of tensor that the real one has, shortcuts included."""
    torch.manual_seed(0)
    clip = CLIPVisionConfig(
        hidden_size=32,
        projection_dim=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=224,
        patch_size=32,
        intermediate_size=40,
    )
    pipeline = StableVideoDiffusionPipeline(
        vae=AutoencoderKLTemporalDecoder(
            block_out_channels=SMALL.vae_channels, down_block_types=("DownEncoderBlock2D",) * 4, layers_per_block=2
        ),
        image_encoder=CLIPVisionModelWithProjection(clip),
        unet=UNetSpatioTemporalConditionModel(
            block_out_channels=SMALL.unet_channels,
            cross_attention_dim=24,
            num_attention_heads=2,
            projection_class_embeddings_input_dim=96,
            addition_time_embed_dim=32,
        ),
        scheduler=svd_scheduler(),
        feature_extractor=CLIPImageProcessor(crop_size=224, size={"shortest_edge": 224}),
    )
    pipeline.to(dtype=torch.float16).save_pretrained(folder, variant="fp16")
    return folder


def as_single_file(folder: Path, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The inverse of the import, written from the target's side: thirds joined, matrices made 1×1 convolutions."""
    single: dict[str, torch.Tensor] = {"denoiser.sigmas": torch.zeros(3)}
    thirds: dict[str, dict[str, torch.Tensor]] = {}
    for file, wanted in sources(SMALL).items():
        for name, tensor in load_file(folder / file).items():
            source = wanted[name]
            if source.take in ("query", "key", "value"):
                thirds.setdefault(source.name, {})[source.take] = tensor
            else:
                single[source.name] = _back(source, tensor)
    for name, parts in thirds.items():
        single[name] = torch.cat([parts["query"], parts["key"], parts["value"]])
    return {name: tensor.to(dtype).contiguous() for name, tensor in single.items()}


def _back(source: Source, tensor: torch.Tensor) -> torch.Tensor:
    if source.take == "transposed":
        return tensor.T
    return tensor[:, :, None, None] if source.take == "flat" else tensor


def configs_of(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    return {name: json.loads((folder / name).read_text()) for name in CONFIGS}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_svd(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def single(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("single") / "svd_xt.safetensors"
    save_file(as_single_file(small, torch.float32), path)
    return path


def real_models() -> tuple[torch.nn.Module, ...]:
    """The three networks in their real size, without memory."""
    with torch.device("meta"):
        return (
            UNetSpatioTemporalConditionModel.from_config(dict(CONFIGS["unet/config.json"])),
            AutoencoderKLTemporalDecoder.from_config(dict(CONFIGS["vae/config.json"])),
            CLIPVisionModelWithProjection(CLIPVisionConfig(**CONFIGS["image_encoder/config.json"])),
        )


def test_the_real_model_is_mapped_whole() -> None:
    models = real_models()
    for (file, wanted), model in zip(sources(Layout()).items(), models, strict=True):
        assert set(wanted) == set(model.state_dict()), file
        places = [(source.name, source.take) for source in wanted.values()]
        assert len(places) == len(set(places))
    assert sum(parameter.numel() for parameter in models[0].parameters()) == 1_524_623_082


def test_the_names_are_those_of_the_published_file() -> None:
    mapped = {ours: source.name for wanted in sources(Layout()).values() for ours, source in wanted.items()}
    for prefix, names in KNOWN.items():
        for theirs, ours in names.items():
            assert mapped[ours] == prefix + theirs
    clip = sources(Layout())["image_encoder/model.fp16.safetensors"]
    thirds = [clip[f"vision_model.encoder.layers.5.self_attn.{name}_proj.weight"] for name in "qkv"]
    assert {source.name for source in thirds} == {f"{CLIP}.transformer.resblocks.5.attn.in_proj_weight"}
    assert [source.take for source in thirds] == ["query", "key", "value"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_there_and_back_gives_the_same_tensors(small: Path, tmp_path: Path, dtype: torch.dtype) -> None:
    save_file(as_single_file(small, dtype), tmp_path / "svd.safetensors")
    heard: list[tuple[int, int, str]] = []
    SingleFile(tmp_path / "svd.safetensors", SMALL).unpack(
        tmp_path / "back", lambda *now: heard.append(now), configs_of(small)
    )
    for file in sources(SMALL):
        before, after = load_file(small / file), load_file(tmp_path / "back" / file)
        assert before.keys() == after.keys()
        for name, tensor in before.items():
            assert torch.equal(tensor.to(dtype).half(), after[name]), name
    assert heard[-1][0] == heard[-1][1]


def test_the_folder_loads_and_makes_the_same_clip(
    small: Path, single: Path, tmp_path: Path, picture: Image.Image
) -> None:
    SingleFile(single, SMALL).unpack(tmp_path, lambda *_: None, configs_of(small))
    verify_before_load(tmp_path)
    before, after = (_latents(load_pipeline(folder, torch.float32), picture) for folder in (small, tmp_path))
    assert torch.equal(before, after)
    assert before.abs().mean() > 0.01


def _latents(pipeline: StableVideoDiffusionPipeline, picture: Image.Image) -> torch.Tensor:
    pipeline.set_progress_bar_config(disable=True)
    small_picture, generator = picture.resize((64, 64)), torch.Generator().manual_seed(1)
    frames: torch.Tensor = pipeline(
        small_picture, 64, 64, num_frames=2, num_inference_steps=1, output_type="latent", generator=generator
    ).frames
    return frames


def test_the_configurations_are_those_of_the_published_scheduler() -> None:
    ours = CONFIGS["scheduler/scheduler_config.json"]
    theirs = dict(svd_scheduler().config)
    assert {name: theirs[name] for name in ours if name != "_class_name"} == {
        name: value for name, value in ours.items() if name != "_class_name"
    }


def test_another_model_is_refused_before_anything_is_written(single: Path, tmp_path: Path) -> None:
    library = WeightsLibrary(tmp_path / "models")
    with pytest.raises(WeightsFailed, match=r"weights\.unknown_checkpoint"):
        library.use(TINY, single)  # whole, but not the size of the real one
    with pytest.raises(WeightsFailed, match="unknown_checkpoint"):
        SingleFile(single, replace(SMALL, conditions=768))
    save_file({"model.diffusion_model.out.2.bias": torch.zeros(4)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsFailed, match="unknown_checkpoint"):
        SingleFile(tmp_path / "other.safetensors", SMALL)
    (tmp_path / "page.safetensors").write_text("<html>")
    with pytest.raises(WeightsFailed, match="torn_file"):
        library.use(TINY, tmp_path / "page.safetensors")
    assert not library.folder.exists()


def test_a_tensor_that_half_precision_cannot_hold_is_refused(small: Path, tmp_path: Path) -> None:
    tensors = as_single_file(small, torch.float32)
    tensors["model.diffusion_model.out.2.bias"][0] = 1e6
    save_file(tensors, tmp_path / "svd.safetensors")
    with pytest.raises(WeightsFailed, match="torn_file"):
        SingleFile(tmp_path / "svd.safetensors", SMALL).unpack(tmp_path, lambda *_: None)


@pytest.mark.slow
@pytest.mark.skipif(shutil.disk_usage(tempfile.gettempdir()).free < 20e9, reason="writes 4.5 GB")
def test_a_file_of_the_real_size_becomes_an_installed_set(tmp_path: Path) -> None:
    weights = ENGINES["svd-xt"].weights
    assert weights is not None
    library = WeightsLibrary(tmp_path / "models")
    library.use(weights, sparse_svd(tmp_path / "svd_xt.safetensors"))
    folder = library.installed(weights)
    assert folder == library.folder_for(weights)
    assert library.check(weights) == []
    _, found = UNetSpatioTemporalConditionModel.from_pretrained(
        folder, subfolder="unet", variant="fp16", dtype=torch.float16, output_loading_info=True
    )
    assert not any(found.values())
    shutil.rmtree(tmp_path)


def sparse_svd(path: Path) -> Path:
    """A single file with the real names and shapes, all zeros, that takes no room."""
    shapes: dict[str, list[int]] = {}
    for wanted, model in zip(sources(Layout()).values(), real_models(), strict=True):
        for name, tensor in model.state_dict().items():
            take, shape = wanted[name].take, list(tensor.shape)
            if take in ("query", "key", "value"):
                shape[0] *= 3
            shapes[wanted[name].name] = shape[::-1] if take == "transposed" else shape + [1, 1] * (take == "flat")
    header, position = {}, 0
    for name, shape in shapes.items():
        end = position + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [position, end]}
        position = end
    text = json.dumps(header).encode()
    with path.open("wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        out.truncate(8 + len(text) + position)
    return path
