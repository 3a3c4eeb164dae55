"""The optimiser of SVD-Nano's denoiser: Muon for the matrices, AdamW for the rest."""

from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95


class MatrixOptimiser:
    """Orthogonalise the momentum of every hidden weight matrix (Jordan et al. 2024), AdamW for all other weights."""

    def __init__(self, model: nn.Module, rate: float) -> None:
        outer = ("conv_in", "conv_out", "time_embedding", "add_embedding")
        named = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
        self.matrices = [weight for name, weight in named if weight.ndim >= 2 and not name.startswith(outer)]
        chosen = {id(weight) for weight in self.matrices}
        self.momenta = [torch.zeros_like(weight).flatten(1) for weight in self.matrices]
        self.adam = torch.optim.AdamW(
            [weight for _, weight in named if id(weight) not in chosen],
            rate,
            (0.9, 0.99),
            weight_decay=0.01,
            fused=True,
        )
        self.rate = rate

    def step(self, share: float) -> None:
        """Take one step at this share of the full rate."""
        self.adam.param_groups[0]["lr"] = self.rate * share
        self.adam.step()
        self._step_matrices(self.rate * share)

    @torch.no_grad()
    def _step_matrices(self, rate: float) -> None:
        for weight, momentum in zip(self.matrices, self.momenta, strict=True):
            if weight.grad is None:
                continue
            gradient = weight.grad.flatten(1)
            momentum.lerp_(gradient, 1 - MOMENTUM)
            update = orthogonal(gradient.lerp(momentum, MOMENTUM))
            # Steps of the size that AdamW would take (twice 0.2 root mean square), so that both share one rate.
            update *= 0.4 * max(update.shape) ** 0.5
            weight.mul_(1 - rate * 0.01).sub_(update.view_as(weight), alpha=rate)

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on."""
        return {"adam": self.adam.state_dict(), "momenta": self.momenta}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.adam.load_state_dict(saved["adam"])
        for momentum, old in zip(self.momenta, saved["momenta"], strict=True):
            momentum.copy_(old)


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, keep: float) -> None:
    """Let the running average of the weights take a step towards them."""
    for old, new in zip(average.parameters(), model.parameters(), strict=True):
        old.lerp_(new, 1 - keep)


def orthogonal(matrix: Tensor) -> Tensor:
    """Bring all singular values near one by five Newton-Schulz steps."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if is_tall else matrix
    wide = wide / (wide.norm() + 1e-7)
    for _ in range(5):
        square = wide @ wide.T
        wide = 3.4445 * wide + (-4.7750 * square + 2.0315 * square @ square) @ wide
    result: Tensor = wide.T if is_tall else wide
    return result
