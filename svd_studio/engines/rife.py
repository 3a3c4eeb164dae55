"""RIFE, a network that draws the frame halfway between two frames.

"Real-Time Intermediate Flow Estimation for Video Frame Interpolation", Huang et al., ECCV 2022; the layers follow
IFNet_HDv3.py beside the weights (https://github.com/hzwer/ECCV2022-RIFE, MIT licence). The weights also hold
block_tea, a teacher for training alone.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from svd_studio.engines.catalog import RIFE
from svd_studio.engines.placing import out_of_memory_in_words

CHANNELS = 90
SCALES = (4, 2, 1)
STEP = 32
"""Sides must be multiples: the coarsest block sees a quarter of the picture and halves it three times."""


class Rife:
    """Draw frames between two; half precision on a card, which is twice as fast there."""

    def __init__(self, folder: Path, device: str) -> None:
        weights = load_file(folder / RIFE.files[0])
        wanted = {name.removeprefix("module."): tensor for name, tensor in weights.items() if "block_tea" not in name}
        self.net = IFNet(wanted["block0.conv0.1.1.weight"].numel())
        self.net.load_state_dict(wanted)
        self.device = torch.device(device)
        self.net.to(self.device, torch.float16 if self.device.type == "cuda" else torch.float32).eval()

    def __call__(self, first: np.ndarray, second: np.ndarray, count: int) -> list[np.ndarray]:
        """1 or 3 uint8 RGB frames, evenly between the two. Raises OutOfMemory."""
        height, width = first.shape[:2]
        with out_of_memory_in_words(), torch.inference_mode():
            drawn = self._between(self._given(first), self._given(second), count)
            return [self._taken(frame)[:height, :width] for frame in drawn]

    def _between(self, first: Tensor, second: Tensor, count: int) -> list[Tensor]:
        """The network knows only the middle: quarters are the middles of halves."""
        middle: Tensor = self.net(first, second)
        if count == 1:
            return [middle]
        return [*self._between(first, middle, 1), middle, *self._between(middle, second, 1)]

    def _given(self, frame: np.ndarray) -> Tensor:
        """A frame as the network takes it, its edges repeated to a size that can be halved."""
        height, width = frame.shape[:2]
        tensor = torch.from_numpy(np.array(frame)).to(self.device).permute(2, 0, 1)[None].float() / 255
        return functional.pad(tensor, (0, -width % STEP, 0, -height % STEP), mode="replicate")

    def _taken(self, tensor: Tensor) -> np.ndarray:
        frame: np.ndarray = (tensor[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        return frame


def _conv(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 3, stride, 1), nn.PReLU(outside))


def _grown(outside: int, channels: int) -> nn.Sequential:
    """Four times as large again."""
    half = channels // 2
    first, second = nn.ConvTranspose2d(channels, half, 4, 2, 1), nn.ConvTranspose2d(half, outside, 4, 2, 1)
    return nn.Sequential(first, nn.PReLU(half), second)


class Block(nn.Module):
    """Correct the motion found so far, at one scale."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(_conv(11, channels // 2, 2), _conv(channels // 2, channels, 2))
        for number in range(4):
            setattr(self, f"convblock{number}", nn.Sequential(_conv(channels, channels), _conv(channels, channels)))
        self.conv1 = _grown(4, channels)
        self.conv2 = _grown(1, channels)

    def forward(self, seen: Tensor, flow: Tensor, scale: int) -> tuple[Tensor, Tensor]:
        """How the flow (x and y to the first frame, then to the second) and the mask between them change."""
        together = torch.cat((_scaled(seen, 1 / scale), _scaled(flow, 1 / scale) / scale), 1)
        features = self.conv0(together.to(next(self.parameters()).dtype))
        for number in range(4):
            features = getattr(self, f"convblock{number}")(features) + features
        flow, mask = self.conv1(features).float(), self.conv2(features).float()
        return _scaled(flow, scale) * scale, _scaled(mask, scale)


class IFNet(nn.Module):
    """Find, coarse to fine, where both frames' pixels are halfway, and mix what they show there."""

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.block0, self.block1, self.block2 = Block(channels), Block(channels), Block(channels)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """The frame in the middle; frames are float32, (1, 3, height, width), 0 to 1, sides multiples of STEP."""
        flow, mask = first.new_zeros(1, 4, *first.shape[2:]), first.new_zeros(1, 1, *first.shape[2:])
        seen = first, second
        for block, scale in zip((self.block0, self.block1, self.block2), SCALES, strict=True):
            change, shift = block(torch.cat((*seen, mask), 1), flow, scale)
            back, opposite = block(torch.cat((*seen[::-1], -mask), 1), _swapped(flow), scale)
            flow = flow + (change + _swapped(back)) / 2
            mask = mask + (shift - opposite) / 2
            seen = _warped(first, flow[:, :2]), _warped(second, flow[:, 2:])
        share = torch.sigmoid(mask)
        return seen[0] * share + seen[1] * (1 - share)


def _scaled(picture: Tensor, factor: float) -> Tensor:
    return functional.interpolate(picture, scale_factor=factor, mode="bilinear", align_corners=False)


def _swapped(flow: Tensor) -> Tensor:
    return torch.cat((flow[:, 2:], flow[:, :2]), 1)


def _warped(picture: Tensor, flow: Tensor) -> Tensor:
    """The picture with every pixel fetched from where the flow points; positions need all of float32."""
    height, width = picture.shape[2:]
    rows = torch.linspace(-1, 1, height, device=picture.device)
    columns = torch.linspace(-1, 1, width, device=picture.device)
    x = columns[None, None, :] + flow[:, 0] * 2 / (width - 1)
    y = rows[None, :, None] + flow[:, 1] * 2 / (height - 1)
    places = torch.stack((x, y), -1)
    return functional.grid_sample(picture, places, padding_mode="border", align_corners=True)
