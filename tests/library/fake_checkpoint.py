"""A set of weights with the names and shapes of the real ones, random inside, and what tests do with it."""

import json
import random
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from svd_studio.core.engine import WeightSet
from svd_studio.core.errors import StudioError
from svd_studio.engines.catalog import SVD_FILES
from svd_studio.library.weights import WeightsLibrary
from tests.library.fake_hub import FakeHub

UNET = "unet/diffusion_pytorch_model.fp16.safetensors"
UNET_BYTES = 400_000
TINY = WeightSet(
    "tiny-svd", "someone/tiny-svd", SVD_FILES, 0.001, "A licence", "https://example.org/the-licence", gated=False
)
GATED = replace(TINY, gated=True)
TOKEN = "hf_secret_of_the_test"

INDEX = {
    "_class_name": "StableVideoDiffusionPipeline",
    "_diffusers_version": "0.42.1",
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "unet": ["diffusers", "UNetSpatioTemporalConditionModel"],
    "vae": ["diffusers", "AutoencoderKLTemporalDecoder"],
}


def safetensors(numbers: int) -> bytes:
    header = json.dumps({"weight": {"dtype": "F16", "shape": [numbers], "data_offsets": [0, 2 * numbers]}}).encode()
    return struct.pack("<Q", len(header)) + header + random.Random(numbers).randbytes(2 * numbers)


def svd_folder(folder: Path) -> Path:
    """Files with the names and shapes of a Stable Video Diffusion, random inside, and things nobody asked for."""
    contents = {name: json.dumps({"name": name}).encode() for name in SVD_FILES if name.endswith(".json")}
    contents["model_index.json"] = json.dumps(INDEX).encode()
    contents[UNET] = safetensors(UNET_BYTES // 2)
    contents["vae/diffusion_pytorch_model.fp16.safetensors"] = safetensors(20_000)
    contents["image_encoder/model.fp16.safetensors"] = safetensors(30_000)
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def library_for(hub: FakeHub, folder: Path, token: str | None = None, official: bool = True) -> WeightsLibrary:
    there = hub.url if official else "https://huggingface.co"
    return WeightsLibrary(folder / "models", hub.url, token, official=there, stall_s=0.6, pause_s=0.02)


def nothing(done: int, total: int, file: str) -> None:
    pass


def flip_last_bit(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def refusal(library: WeightsLibrary, weights: WeightSet = TINY) -> StudioError:
    """What a get that must fail says; it must leave the set not installed."""
    with pytest.raises(StudioError) as caught:
        library.get(weights, nothing)
    assert library.installed(weights) is None
    return caught.value
