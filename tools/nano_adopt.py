"""Goes on from the bundled checkpoint where a training state was lost: its weights become the state's."""

from pathlib import Path

import torch
from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
from nano_model import BLOCK, LATENTS
from torch import Tensor


def adopt(checkpoint: Path, state: Path, progress: float) -> None:
    """Fill an empty state with a checkpoint's networks, as if the denoiser's run were so far (0 to 1)."""
    vae = AutoencoderKLTemporalDecoder.from_pretrained(checkpoint / "vae", variant="fp16", dtype=torch.float32)
    unet = UNetSpatioTemporalConditionModel.from_pretrained(checkpoint / "unet", variant="fp16", dtype=torch.float32)
    torch.save(_basis(vae), state / "basis.pt")
    decoder, denoiser = vae.decoder.state_dict(), unet.state_dict()
    torch.save({"model": decoder, "average": decoder, "step": 0}, state / "decoder.pt")
    torch.save({"unet": denoiser, "average": denoiser, "step": 0, "progress": progress}, state / "unet.pt")


def _basis(vae: AutoencoderKLTemporalDecoder) -> Tensor:
    """Read the encoder's filters [8, 3, 4, 4] back from where nano_model wrote them."""
    taps = vae.encoder.down_blocks[1].downsamplers[0].conv.weight[0 : 4 * LATENTS : 4]
    basis = torch.zeros(LATENTS, 3, BLOCK, BLOCK)
    for row in range(BLOCK):
        for column in range(BLOCK):
            phase = 3 * (2 * (row % 2) + column % 2)
            basis[:, :, row, column] = taps[:, phase : phase + 3, row // 2, column // 2]
    return basis
