"""Tiny random checkpoints with the real topology, built on the fly: real loaders, no downloads."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLTemporalDecoder,
    StableVideoDiffusionPipeline,
    UNetSpatioTemporalConditionModel,
)
from transformers import (
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from svd_studio.engines.blank import svd_scheduler


def tiny_svd(folder: Path, variant: str | None = "fp16") -> Path:
    """Save a random SVD of a few hundred thousand parameters (4 levels and f8 latents, as the real one)."""
    torch.manual_seed(0)
    pipeline = StableVideoDiffusionPipeline(
        vae=AutoencoderKLTemporalDecoder(
            block_out_channels=(32, 32, 32, 32),
            down_block_types=("DownEncoderBlock2D",) * 4,
            layers_per_block=1,
            latent_channels=4,
        ),
        image_encoder=CLIPVisionModelWithProjection(
            CLIPVisionConfig(
                hidden_size=32,
                projection_dim=32,
                num_hidden_layers=1,
                num_attention_heads=2,
                image_size=224,
                patch_size=32,
                intermediate_size=37,
            )
        ),
        unet=UNetSpatioTemporalConditionModel(
            block_out_channels=(32, 32, 32, 32),
            layers_per_block=1,
            sample_size=32,
            in_channels=8,
            out_channels=4,
            cross_attention_dim=32,
            num_attention_heads=(2, 2, 2, 2),
            projection_class_embeddings_input_dim=96,
            addition_time_embed_dim=32,
        ),
        scheduler=svd_scheduler(),
        feature_extractor=CLIPImageProcessor(crop_size=224, size={"shortest_edge": 224}),
    )
    dtype = torch.float16 if variant == "fp16" else torch.float32
    pipeline.to(dtype=dtype).save_pretrained(folder, variant=variant, safe_serialization=True)
    return folder


def tiny_text_tower(folder: Path, dimensions: int = 32) -> Path:
    """Save a random text sibling of the tiny image encoder, with a tokenizer of single letters, beside its parts."""
    torch.manual_seed(1)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    names = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={name: at for at, name in enumerate(names)}, merges=[], model_max_length=77)
    config = CLIPTextConfig(
        vocab_size=len(names),
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=1,
        num_attention_heads=2,
        projection_dim=dimensions,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    tower = CLIPTextModelWithProjection(config).to(torch.float16)
    tower.save_pretrained(folder / "text_encoder", variant="fp16")
    tokenizer.save_pretrained(folder / "tokenizer")
    return folder
