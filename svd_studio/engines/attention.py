"""Which attention a card computes fastest: torch's own, or xformers' where it is alive."""

import logging
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from svd_studio.engines.lean import Attend

log = logging.getLogger(__name__)

ROWS, HEADS, TOKENS, SIZE = 4, 5, 9216, 64
"""SVD's spatial attention at 1024 × 576, the largest: its time is what counts. Four frames, to be quick."""

WORTH = 0.98
"""Another than torch's own must be so much faster."""

ALIKE = 2e-2
"""Two fp16 attentions over the same numbers differ by less, relative to their size."""

RUNS = 5


def pick_attention(device: torch.device, dtype: torch.dtype) -> Attend:
    """Time what there is on this device; on a processor there is only torch's own."""
    if device.type != "cuda":
        return scaled_dot_product_attention
    return fastest({"torch": scaled_dot_product_attention, **_others()}, device, dtype)


def fastest(ways: Mapping[str, Attend], device: torch.device, dtype: torch.dtype) -> Attend:
    """The first way, unless another gives the same and is clearly faster; one that fails is left out."""
    query, key, value = (torch.randn(ROWS, HEADS, TOKENS, SIZE, device=device, dtype=dtype) for _ in range(3))
    (first, attend), *others = ways.items()
    expected, best_s = attend(query, key, value), WORTH * _seconds(attend, query, key, value)
    chosen = first
    for name, other in others:
        try:
            found, seconds = other(query, key, value), _seconds(other, query, key, value)
        except Exception:  # built for another CUDA it imports, and fails at its first call
            log.exception("attention by %s does not work here", name)
            continue
        alike = float((found - expected).norm() / expected.norm()) < ALIKE
        if alike and seconds < best_s:
            chosen, attend, best_s = name, other, seconds
    log.info("attention by %s", chosen)
    return attend


def _others() -> Mapping[str, Attend]:
    try:
        from xformers.ops import memory_efficient_attention
    except Exception:  # noqa: BLE001  # whatever a wheel for another torch raises, torch's own remains
        return {}

    def by_xformers(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        rows = (part.transpose(1, 2) for part in (query, key, value))
        attended: Tensor = memory_efficient_attention(*rows)
        return attended.transpose(1, 2)

    return {"xformers": by_xformers}


def _seconds(attend: Callable[..., Tensor], *parts: Tensor) -> float:
    """The fastest of some runs."""
    best = float("inf")
    for _ in range(RUNS):
        _wait(parts[0].device)
        started = time.perf_counter()
        attend(*parts)
        _wait(parts[0].device)
        best = min(best, time.perf_counter() - started)
    return best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
