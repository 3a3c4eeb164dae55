"""Trains SVD-Nano's picture decoder against the fixed linear encoder."""

import math
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLTemporalDecoder
from nano_data import Move, Photographs
from nano_model import build_vae, channels_last, encode, spatial_only
from nano_optimiser import MatrixOptimiser, follow
from torch import Tensor, nn

CROP, BATCH, RATE = 48, 4, 1e-3
STILL = Move((1.0, 0.0, 0.0, 0.0), 127, 7)


def train_decoder(photos: Photographs, basis: Tensor, state: Path, steps: int, device: torch.device) -> None:
    """Train, going on from state/decoder.pt, with a cosine rate; save every 100 steps."""
    torch.manual_seed(1)
    vae = build_vae(basis).to(device)
    channels_last(vae)
    average = build_vae(basis).decoder.to(device)
    average.load_state_dict(vae.decoder.state_dict())
    _skip_time(vae)
    optimiser = MatrixOptimiser(vae.decoder, RATE)
    start = _load(state / "decoder.pt", vae.decoder, average, optimiser)
    began, losses = time.monotonic(), []
    for step in range(start, steps):
        crops = np.concatenate([photos.clip(STILL, [], CROP, CROP) for _ in range(BATCH)])
        pictures = torch.from_numpy(crops).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
        latents = encode(pictures, basis.to(device))
        error = (
            vae.decoder(latents + 0.03 * torch.randn_like(latents), torch.zeros(1, BATCH, device=device), num_frames=1)
            - pictures
        )
        loss = error.square().mean() + 0.1 * error.abs().mean()
        vae.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(vae.decoder.parameters(), 1.0)
        optimiser.step(min(1.0, (step - start + 1) / 50) * max(0.03, min(1.0, (steps - step) / (0.4 * steps))))
        follow(average, vae.decoder, min(0.995, step / (step + 20)))
        losses.append(error.square().mean().item())
        if (step + 1) % 100 == 0 or step + 1 == steps:
            decibels = 10 * math.log10(4 / np.mean(losses[-100:]))
            print(f"decoder step {step + 1} {decibels:.2f} dB {time.monotonic() - began:.0f} s", flush=True)
            _save(state / "decoder.pt", vae.decoder, average, optimiser, step + 1)


def load_vae(basis: Tensor, state: Path) -> AutoencoderKLTemporalDecoder:
    """Build the autoencoder with the averaged decoder as trained so far."""
    vae = build_vae(basis)
    vae.decoder.load_state_dict(torch.load(state / "decoder.pt", map_location="cpu")["average"])
    return vae


def _skip_time(vae: AutoencoderKLTemporalDecoder) -> None:
    """Leave out the temporal layers, which pass through anyway: half the cost of a step."""
    for module in vae.decoder.modules():
        if hasattr(module, "temporal_res_block"):
            module.forward = spatial_only(module.spatial_res_block)


def _save(path: Path, model: nn.Module, average: nn.Module, optimiser: MatrixOptimiser, step: int) -> None:
    part = path.with_suffix(".part")
    torch.save(
        {
            "model": model.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "step": step,
        },
        part,
    )
    part.replace(path)


def _load(path: Path, model: nn.Module, average: nn.Module, optimiser: MatrixOptimiser) -> int:
    if not path.exists():
        return 0
    saved = torch.load(path, map_location="cpu")
    model.load_state_dict(saved["model"])
    average.load_state_dict(saved["average"])
    if "optimiser" in saved:
        optimiser.load_state_dict(saved["optimiser"])
    return int(saved["step"])
