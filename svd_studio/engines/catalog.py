"""Every engine of the studio: what it takes, what it costs, where its code is.

A new model is one file of code and one entry here. No torch: page, command line and planner read this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from svd_studio.core.clip import ResolvedSettings, Shape
from svd_studio.core.engine import EngineInfo, WeightSet
from svd_studio.core.errors import BadSetting
from svd_studio.core.vram import CONTEXT_GB, GIB, Residency, VramPlan

NANO_FOLDER = Path(__file__).parent / "nano"

DECODE_WINDOWS = (25, 14, 8, 4, 2, 1)


@dataclass(frozen=True)
class SvdCosts:
    """Bytes that one SVD-shaped model needs, linear in the size of the clip (docs/benchmarks.md).

    The UNet's are bytes for each frame and latent pixel, the VAE's for each frame and picture pixel.
    """

    latent_factor: int
    unet_weights: float
    clip_weights: float
    vae_weights: float
    unet_batched: float
    unet_two_passes: float
    unet_batched_chunked: float
    unet_two_passes_chunked: float
    vae_decode: float
    vae_encode: float

    @property
    def weights(self) -> float:
        return self.unet_weights + self.clip_weights + self.vae_weights

    def peaks(
        self, settings: ResolvedSettings, residency: Residency, batched: bool, chunk: int | None, window: int
    ) -> Mapping[str, float]:
        """GiB by stage under one set of choices."""
        pixels = settings.width * settings.height
        latents = settings.frames * pixels / self.latent_factor**2
        chunked, both = chunk is not None, batched and settings.is_guided
        a_latent = (
            2 * (self.unet_batched_chunked if chunked else self.unet_batched)
            if both
            else (self.unet_two_passes_chunked if chunked else self.unet_two_passes)
        )
        working = {
            "encode_inputs": (self.vae_encode * pixels, self.vae_weights * 2),
            "denoise": (a_latent * latents, self.unet_weights),
            "decode": (self.vae_decode * min(window, settings.frames) * pixels, self.vae_weights),
        }
        return {
            stage: CONTEXT_GB + (work + self._resident(residency, own)) / GIB for stage, (work, own) in working.items()
        }

    def _resident(self, residency: Residency, own: float) -> float:
        return {"all": self.weights, "model": own, "sequential": own * 0.05}[residency]

    def plans(self, settings: ResolvedSettings) -> list[VramPlan]:
        """Every way to run, fastest first: big decode windows before small, resident before offloaded."""
        windows = sorted({min(window, settings.frames) for window in DECODE_WINDOWS}, reverse=True)
        ways: list[tuple[Residency, bool, int | None]] = [("all", True, None), ("all", False, None)]
        ways += [("model", True, None), ("model", False, None), ("sequential", False, 1)]
        if not settings.is_guided:
            ways = [way for way in ways if not way[1]]
        return [
            VramPlan(residency, batched, chunk, window, self.peaks(settings, residency, batched, chunk, window))
            for residency, batched, chunk in ways
            for window in windows
        ]


SVD_COSTS = SvdCosts(
    latent_factor=8,
    unet_weights=3.05e9,
    clip_weights=1.26e9,
    vae_weights=0.20e9,
    unet_batched=18_020,
    unet_two_passes=17_297,
    unet_batched_chunked=10_339,
    unet_two_passes_chunked=10_257,
    vae_decode=2_432,
    vae_encode=3_084,
)

NANO_COSTS = SvdCosts(
    latent_factor=4,
    unet_weights=64e6,
    clip_weights=1e6,
    vae_weights=20e6,
    unet_batched=12_000,
    unet_two_passes=12_000,
    unet_batched_chunked=12_000,
    unet_two_passes_chunked=12_000,
    vae_decode=4_864,
    vae_encode=6_168,
)

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
        native={**SVD_NATIVE, "frames": 14, "steps": 10, "guidance_last": 1.0},
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
    """What an engine's name, or a text tower's, has to be fetched for; None for what is bundled. Raises BadSetting."""
    return CLIP_TEXT if name == CLIP_TEXT.name else engine_info(name).weights


def engine_info(name: str) -> EngineInfo:
    """The entry of that name. Raises BadSetting naming the choices."""
    if name not in ENGINES:
        raise BadSetting("engine.unknown", "engine", given=name[:40], choices=", ".join(ENGINES))
    return ENGINES[name]
