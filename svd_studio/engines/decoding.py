"""Latents to frames, window by window, so that memory stays flat and each frame can be reported."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from diffusers import AutoencoderKLTemporalDecoder

from svd_studio.core.errors import RenderFailed
from svd_studio.engines.base import Frame
from svd_studio.engines.placing import in_fp32

BLACK = -0.95


@torch.no_grad()
def _decode_window(vae: AutoencoderKLTemporalDecoder, latents: torch.Tensor, device: torch.device) -> np.ndarray:
    """Frames of one window as float32 in [0, 1]: (frames, height, width, 3)."""
    decoded = _decode(vae, latents, device)
    if vae.dtype != torch.float32 and not _shows_something(decoded):
        del decoded
        with in_fp32(vae):  # half precision may have overflowed, or be right: then full precision agrees
            decoded = _decode(vae, latents, device)
    if not bool(torch.isfinite(decoded).all()):
        raise RenderFailed("render.not_finite")
    pixels: np.ndarray = (decoded / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
    return pixels


def _decode(vae: AutoencoderKLTemporalDecoder, latents: torch.Tensor, device: torch.device) -> torch.Tensor:
    scaled = 1 / vae.config.scaling_factor * latents.to(device, vae.dtype)
    decoded: torch.Tensor = vae.decode(scaled, num_frames=len(latents)).sample.float()
    return decoded


def _shows_something(decoded: torch.Tensor) -> bool:
    """Whether all values are numbers and not all of them black (−1)."""
    return bool(torch.isfinite(decoded).all()) and float(decoded.max()) > BLACK


def decode_windows(
    vae: AutoencoderKLTemporalDecoder, latents: torch.Tensor, window: int, device: torch.device
) -> Iterator[Frame]:
    """Decode windows that overlap by a quarter and cross-fade, so that no seam shows between them.

    The decoder's temporal layers see one window at a time; one window over all frames is exact.
    """
    overlap = window // 4 if window < len(latents) else 0
    tail = np.zeros((0,))
    for start in window_starts(len(latents), window, overlap):
        frames = _decode_window(vae, latents[start : start + window], device)
        shared = len(tail)
        if shared:
            weight = np.linspace(0, 1, shared + 2, dtype=np.float32)[1:-1].reshape(-1, 1, 1, 1)
            frames[:shared] = tail * (1 - weight) + frames[:shared] * weight
        is_last = start + window >= len(latents)
        keep = len(frames) if is_last or not overlap else len(frames) - overlap
        yield from _as_bytes(frames[:keep])
        tail = frames[keep:]


def window_starts(frames: int, window: int, overlap: int) -> range:
    """Where each window begins."""
    return range(0, max(frames - overlap, 1), window - overlap)


def _as_bytes(frames: np.ndarray) -> Iterable[Frame]:
    return (frames * 255).round().astype(np.uint8)
