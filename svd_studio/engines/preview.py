"""Latents to coarse pictures, to watch a clip while it is made."""

import numpy as np
import torch
from PIL import Image


def latent_colours(latents: torch.Tensor, picture: Image.Image) -> torch.Tensor:
    """Fit latents to colours by least squares over the start picture, for previews: (channels + 1, 3).

    Works for any VAE, without constants of its own.
    """
    channels, height, width = latents.shape
    small = np.asarray(picture.resize((width, height), Image.Resampling.BOX), dtype=np.float32).reshape(-1, 3)
    rows = latents.float().cpu().reshape(channels, -1).T
    rows = torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
    colours: torch.Tensor = torch.linalg.lstsq(rows, torch.from_numpy(small)).solution
    return colours


def paint(latents: torch.Tensor, colours: torch.Tensor) -> np.ndarray:
    """A coarse picture of each frame: uint8 (frames, height, width, 3)."""
    weights = colours.to(latents.device, torch.float32)
    painted = torch.einsum("fchw,ck->fhwk", latents.float(), weights[:-1]) + weights[-1]
    return painted.clamp(0, 255).byte().cpu().numpy()
