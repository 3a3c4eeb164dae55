"""What a picture is to the networks, encoded once: a queue of clips of one picture asks again and again."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext

import torch
from diffusers import StableVideoDiffusionPipeline
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image

from svd_studio.core.clip import ResolvedSettings
from svd_studio.engines.placing import in_fp32

KEPT = 8
"""Embeddings and latents of the last pictures, kept on the processor's side: 1 MB at most."""

Key = tuple[object, ...]


class EncodedPictures:
    """Encode pictures, and remember the last ones. Of a picture's latents, its noise belongs to what is the same."""

    def __init__(self, pipeline: StableVideoDiffusionPipeline, device: torch.device) -> None:
        self.pipeline, self.device = pipeline, device
        self._kept: OrderedDict[Key, torch.Tensor] = OrderedDict()

    def embedding(self, picture: Image.Image) -> torch.Tensor:
        """The image embedding (1, 1, channels) that the UNet attends to."""
        return self._once(
            ("embedding", _digest(picture)), lambda: self.pipeline._encode_image(picture, self.device, 1, False)
        )

    def latents(self, picture: Image.Image, settings: ResolvedSettings, generator: torch.Generator) -> torch.Tensor:
        """VAE latents (1, channels, h, w) of the picture under its noise; takes the noise from the generator always."""
        size = {"height": settings.height, "width": settings.width}
        pixels = self.pipeline.video_processor.preprocess(picture, **size).to(self.device)
        noise = randn_tensor(pixels.shape, generator=generator, device=self.device, dtype=pixels.dtype)
        made_of = (_digest(picture), *size.values(), settings.seed, settings.image_noise)
        return self._once(made_of, lambda: self._encode(pixels + settings.image_noise * noise))

    def _once(self, key: Key, make: Callable[[], torch.Tensor]) -> torch.Tensor:
        if key not in self._kept:
            self._kept[key] = make().cpu()
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key].to(self.device)

    def _encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """In fp32 where the VAE would overflow in fp16."""
        vae = self.pipeline.vae
        with in_fp32(vae) if vae.dtype == torch.float16 and vae.config.force_upcast else nullcontext():
            latents: torch.Tensor = self.pipeline._encode_vae_image(pixels, self.device, 1, False)
        return latents


def _digest(picture: Image.Image) -> str:
    return hashlib.sha256(repr((picture.size, picture.mode)).encode() + picture.tobytes()).hexdigest()
