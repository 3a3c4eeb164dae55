"""Trains SVD-Nano's denoiser on camera moves whose direction is told through the image embedding.

Given picture, direction and amount, every frame of such a move is certain, so frames need not look at each other:
the temporal layers keep their frame number and feed-forward parts, their mixing over time is left passing through.
Single frames of many clips then teach as much as whole clips, at a sixth of the cost.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from diffusers import UNetSpatioTemporalConditionModel
from nano_data import FRAMES, Move, Photographs
from nano_model import (
    AXIS_COUNT,
    EMBEDDING,
    EMBEDDING_NORM,
    RESERVED,
    build_unet,
    channels_last,
    code,
    encode,
    nothing_named,
    spatial_only,
    steer,
)
from nano_optimiser import MatrixOptimiser, follow
from torch import Tensor, nn

RATE, KEEP = 2e-3, 0.996
STRENGTHS = (0.12, 0.8)  # of steering; the app's own is 0.2
OTHERS, SCENE = (2, 3), (4, 5)  # axes learnt besides pans: zoom and turn; clouds and ripples
STILL, STIRRED = 0.14, 0.14  # shares of examples in which nothing moves, or only the scene
LEAK = 0.06  # of other words into the codes, each number, as the text tower's small mistakes do


@dataclass(frozen=True)
class Phase:
    """A stretch of training: until which share of the run, window sizes and latents a step, share of pans."""

    until: float
    sizes: tuple[tuple[int, int], ...]
    latents: int
    pans: float


# Pans are learnt on small windows, where a step is cheap; zooms and turns need the whole picture, to know its middle.
PHASES = (
    Phase(0.55, ((16, 16),), 24 * 256, 1.0),
    Phase(0.70, ((16, 16), (18, 32), (32, 18), (24, 24)), 24 * 256, 0.6),
    Phase(1.00, ((36, 64), (36, 64), (64, 36), (48, 48)), 3 * 2304, 0.4),
)


@dataclass(frozen=True)
class Examples:
    """A batch as the network meets it: one frame each of many clips."""

    target: Tensor  # scaled latents [b, 8, h, w]
    picture: Tensor  # latents of the (noised) first frame [b, 8, h, w]
    embedding: Tensor  # [b, 64]
    numbers: Tensor  # fps - 1, motion bucket, image noise [b, 3]
    frame: Tensor  # which frame of the clip [b]


class ExampleMaker:
    """Makes endless random batches."""

    def __init__(self, photos: Photographs, basis: Tensor, device: torch.device) -> None:
        self.photos, self.random, self.basis, self.device = photos, photos.random, basis.to(device), device
        self.nothing, self.still = nothing_named().to(device), nothing_named(standing_still=True).to(device)
        self.centre = torch.randn(EMBEDDING, generator=torch.Generator().manual_seed(3)).to(device)

    def batch(self, phase: Phase) -> Examples:
        """Render, encode and label one batch."""
        height, width = phase.sizes[self.random.integers(len(phase.sizes))]
        moves = [self._move(phase.pans) for _ in range(phase.latents // (height * width))]
        frames = [int(self.random.integers(FRAMES)) for _ in moves]
        shots = np.stack(
            [self.photos.clip(move, [frame], 4 * height, 4 * width) for move, frame in zip(moves, frames, strict=True)]
        )
        pixels = torch.from_numpy(shots).to(self.device).permute(0, 1, 4, 2, 3).float() / 127.5 - 1
        return self._label(pixels, moves, frames)

    def _label(self, pixels: Tensor, moves: list[Move], frames: list[int]) -> Examples:
        target = encode(pixels[:, 1], self.basis)
        noise = torch.tensor([0.02 if self.random.random() < 0.5 else self.random.uniform(0, 0.1) for _ in moves])
        noise = noise.to(self.device)
        still = pixels[:, 0] + noise.view(-1, 1, 1, 1) * torch.randn_like(pixels[:, 0])
        picture, embedding = encode(still, self.basis), self._embedding(moves)
        dropped = torch.rand(len(moves), device=self.device) < 0.06
        picture[dropped], embedding[dropped] = 0, 0
        numbers = [[move.fps - 1.0, move.bucket] for move in moves]
        shown = torch.cat([torch.tensor(numbers, device=self.device), noise[:, None]], 1).float()
        return Examples(target, picture, embedding, shown, torch.tensor(frames, device=self.device))

    def _embedding(self, moves: list[Move]) -> Tensor:
        """Draw picture embeddings like the image encoder's, steered into the moves' directions."""
        plain = self.centre + 0.7 * torch.randn(len(moves), EMBEDDING, device=self.device)
        plain[:, :RESERVED] = 0
        plain *= EMBEDDING_NORM / plain.norm(dim=1, keepdim=True)
        strength = torch.tensor(
            [float(np.exp(self.random.uniform(math.log(STRENGTHS[0]), math.log(STRENGTHS[1])))) for _ in moves]
        )
        directions = code(torch.tensor([move.direction for move in moves], device=self.device, dtype=torch.float32))
        # Half of them as a prompt steers: away from where words that name no move are.
        told = torch.tensor(self.random.random(len(moves)) < 0.5, device=self.device)
        still = torch.tensor([not any(move.direction) for move in moves], device=self.device)
        directions = directions + (told & still)[:, None] * self.still - told[:, None] * self.nothing
        directions[:, :RESERVED] += LEAK * told[:, None] * torch.randn(len(moves), RESERVED, device=self.device)
        return steer(plain, directions, strength.to(self.device))

    def _move(self, pans: float) -> Move:
        """Draw a move: a pan, a zoom or turn, a mixture, clouds or water, or none (which means stand still)."""
        random, direction = self.random, np.zeros(AXIS_COUNT)
        bucket = random.uniform(1, 255) if random.random() < 0.5 else random.triangular(60, 127, 220)
        fps = 7 if random.random() < 0.7 else int(random.integers(4, 13))
        kind = random.random()
        if kind < STILL:
            return Move((0.0,) * AXIS_COUNT, bucket, fps)
        if kind < STILL + STIRRED:
            direction[random.choice(SCENE)] = 1.0
            direction[4] *= random.choice((-1, 1))
            return Move(tuple(direction.tolist()), bucket, fps)
        angle = random.uniform(0, 2 * np.pi) if random.random() < 0.3 else random.integers(4) * np.pi / 2
        if random.random() < pans:
            direction[:2] = np.cos(angle), np.sin(angle)
        elif random.random() < 0.8:
            direction[random.choice(OTHERS)] = random.choice((-1, 1))
        else:
            direction[[0, 1, *OTHERS]] = random.normal(size=2 + len(OTHERS))
        return Move(tuple((direction / np.linalg.norm(direction)).tolist()), bucket, fps)


def leave_out_time_mixing(unet: nn.Module) -> dict[str, Tensor]:
    """Skip what passes through anyway, and return the cell in which the temporal layers read their frame numbers."""
    clock: dict[str, Tensor] = {}
    for name, module in unet.named_modules():
        if hasattr(module, "temporal_res_block"):
            module.forward = spatial_only(module.spatial_res_block)
        elif name.endswith("attn1"):
            module.forward = _nothing
        elif name.endswith("attn2"):
            module.forward = _one_token(module)
        elif hasattr(module, "time_pos_embed"):
            module.time_proj.register_forward_pre_hook(lambda _, inputs: (clock["frame"],))
    return clock


def _nothing(*inputs: Any, **more: Any) -> float:
    return 0.0


def _one_token(attention: Any) -> Callable[..., Any]:
    def forward(hidden: Tensor, encoder_hidden_states: Tensor, **more: Any) -> Any:
        return attention.to_out[0](attention.to_v(encoder_hidden_states))

    return forward


def denoising_loss(unet: nn.Module, clock: dict[str, Tensor], examples: Examples) -> Tensor:
    """Compute the v-prediction loss in SVD's parametrisation (Karras et al. 2022, sigma_data 1)."""
    target, count = examples.target, len(examples.target)
    sigma = torch.exp(1.4 + 1.5 * torch.randn(count, device=target.device)).clamp(0.002, 80)
    wide = sigma.view(-1, 1, 1, 1)
    noise = torch.randn_like(target)
    scale = (wide**2 + 1).rsqrt()
    clock["frame"] = examples.frame
    seen = torch.cat([(target + wide * noise) * scale, examples.picture], dim=1)
    out = unet(seen[:, None], 0.25 * sigma.log(), examples.embedding[:, None], examples.numbers, return_dict=False)[0]
    loss: Tensor = (out[:, 0] - (noise - wide * target) * scale).square().mean()
    return loss


class Training:
    """The state of a run: weights, their running average, optimiser and step."""

    def __init__(self, path: Path, device: torch.device) -> None:
        torch.manual_seed(2)
        self.path, self.step, self.progress = path, 0, 0.0
        self.unet, self.average = fresh_unet().to(device), fresh_unet().to(device)
        self.average.load_state_dict(self.unet.state_dict())
        channels_last(self.unet)
        self.clock = leave_out_time_mixing(self.unet)
        self.optimiser = MatrixOptimiser(self.unet, RATE)
        if path.exists():
            saved = torch.load(path, map_location=device)
            for name in {"unet", "average", "optimiser"} & set(saved):
                getattr(self, name).load_state_dict(saved[name])
            self.step, self.progress = saved["step"], saved.get("progress", saved["step"] / 1400)

    def update(self, loss: Tensor, progress: float) -> None:
        """Take one step; with several processes, over the mean of their gradients."""
        self.unet.zero_grad()
        torch.autograd.backward(loss)
        share_gradients(self.unet)
        nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
        # Full rate for 60 % of the run, then straight down.
        self.optimiser.step(min(1, (self.step + 1) / 50, max(0.02, (1 - progress) / 0.4)))
        self.progress = progress
        self.step += 1
        if self.step % 5 == 0:
            follow(self.average, self.unet, min(KEEP, self.step / (self.step + 50)) ** 5)

    def save(self) -> None:
        """Write everything needed to go on, in one move."""
        part = self.path.with_suffix(".part")
        torch.save(
            {
                "unet": self.unet.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "progress": self.progress,
            },
            part,
        )
        part.replace(self.path)


def fresh_unet() -> UNetSpatioTemporalConditionModel:
    """Build a denoiser whose residual branches start silent, which learns sooner."""
    unet = build_unet()
    for name, module in unet.named_modules():
        if name.endswith(("conv2", "proj_out", "conv_out", "attn1.to_out.0")):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    return unet


def load_unet(state: Path) -> UNetSpatioTemporalConditionModel:
    """Build the denoiser with the averaged weights as trained so far."""
    unet = fresh_unet()
    unet.load_state_dict(torch.load(state / "unet.pt", map_location="cpu")["average"])
    return unet


def share_gradients(model: nn.Module) -> None:
    """Average the gradients over all processes."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    for gradient, piece in zip(gradients, _split(flat / dist.get_world_size(), gradients), strict=True):
        gradient.copy_(piece)


def _split(flat: Tensor, like: list[Tensor]) -> Iterator[Tensor]:
    for piece, shape in zip(torch.split(flat, [g.numel() for g in like]), like, strict=True):
        yield piece.view_as(shape)


class Pace:
    """How far the run is, from 0 to 1: by steps, or squeezed into some minutes where those are given."""

    def __init__(self, start: float, steps: int, minutes: float | None) -> None:
        self.start, self.steps, self.minutes, self.began, self.taken = start, steps, minutes, time.monotonic(), 0

    def tick(self) -> float:
        """Count one step; with several processes, the first one's clock holds for all."""
        share = self.taken / self.steps
        if self.minutes:
            share = (1 - self.start) * (time.monotonic() - self.began) / (60 * self.minutes)
        self.taken += 1
        progress = torch.tensor(min(1.0, self.start + share), dtype=torch.float64)
        if dist.is_initialized():
            dist.broadcast(progress, 0)
        return float(progress)


def train_denoiser(
    photos: list[Path],
    basis: Tensor,
    state: Path,
    device: torch.device,
    pace: tuple[int, float | None],
) -> None:
    """Go through the phases in so many steps or minutes, going on from state/unet.pt; save every 25 steps."""
    rank = dist.get_rank() if dist.is_initialized() else 0
    training = Training(state / "unet.pt", device)
    seed = 1000 + 17 * training.step + rank
    torch.manual_seed(seed)
    maker, clock = ExampleMaker(Photographs(photos, seed), basis, device), Pace(training.progress, *pace)
    losses: list[float] = []
    while (progress := clock.tick()) < 1:
        phase = next(phase for phase in PHASES if progress < phase.until)
        loss = denoising_loss(training.unet, training.clock, maker.batch(phase))
        training.update(loss, progress)
        losses.append(loss.item())
        if rank == 0 and training.step % 25 == 0:
            training.save()
            print(
                f"denoiser step {training.step} ({progress:.3f}) loss {np.mean(losses[-25:]):.4f} "
                f"{time.monotonic() - clock.began:.0f} s",
                flush=True,
            )
    if rank == 0:
        training.save()
