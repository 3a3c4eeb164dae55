"""Both schedulers on an analytic denoiser: Gaussian data, whose probability-flow ODE has an exact solution."""

import pytest
import torch

from svd_studio.engines.blank import svd_scheduler
from svd_studio.engines.sampling import make_scheduler

SPREAD, MEAN = 0.7, 0.4


def solve(name: str, steps: int) -> float:
    """Mean error against the exact solution, starting from the same noise."""
    scheduler = make_scheduler(svd_scheduler(), name)  # type: ignore[arg-type]
    scheduler.set_timesteps(steps)
    noise = torch.randn(4096, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    sample = noise * scheduler.init_noise_sigma
    for step, time in enumerate(scheduler.timesteps):
        sigma = float(scheduler.sigmas[step])
        scaled = scheduler.scale_model_input(sample, time)
        assert torch.allclose(scaled, sample / (sigma**2 + 1) ** 0.5, rtol=1e-4), "SVD's UNet expects this scaling"
        assert float(time) == pytest.approx(0.25 * torch.tensor(sigma).log().item(), rel=1e-3, abs=1e-4)
        clean = (SPREAD**2 * sample + sigma**2 * MEAN) / (SPREAD**2 + sigma**2)
        velocity = (sample / (sigma**2 + 1) - clean) * (sigma**2 + 1) ** 0.5 / sigma
        sample = scheduler.step(velocity, time, sample).prev_sample
    first = float(scheduler.init_noise_sigma)
    exact = MEAN + (noise * first - MEAN) * SPREAD / (SPREAD**2 + float(scheduler.sigmas[0]) ** 2) ** 0.5
    return float((sample - exact).abs().mean())


@pytest.mark.parametrize("name", ["euler", "dpm"])
def test_more_steps_come_nearer_to_the_exact_solution(name: str) -> None:
    errors = [solve(name, steps) for steps in (8, 25, 50)]
    assert errors[0] > errors[2]
    assert errors[2] < 0.05


def test_dpm_needs_fewer_steps_than_euler() -> None:
    assert solve("dpm", 8) < solve("euler", 15)
