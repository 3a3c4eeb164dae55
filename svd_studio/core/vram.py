"""How one render may use the card's memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

GIB = 1024**3

CONTEXT_GB = 0.5
"""What CUDA itself takes on a card beside torch's allocations."""

Residency = Literal["all", "model", "sequential"]
"""What stays on the card: everything, one model at a time, single layers."""


@dataclass(frozen=True)
class VramPlan:
    """Fix the choices that change memory and speed but not the picture.

    Only the decode window touches pixels, slightly (the decoder's temporal layers see one
    window at a time), so a clip records its plan. Peaks are GiB by stage, weights included.
    """

    residency: Residency
    batched_guidance: bool
    forward_chunk: int | None
    decode_window: int
    expected_peak_gb: Mapping[str, float]

    @property
    def peak_gb(self) -> float:
        """The highest of the stages."""
        return max(self.expected_peak_gb.values())

    def as_dict(self) -> dict[str, Any]:
        """The plan as a clip records it."""
        return {
            "residency": self.residency,
            "batched_guidance": self.batched_guidance,
            "forward_chunk": self.forward_chunk,
            "decode_window": self.decode_window,
            "expected_peak_gb": {stage: round(gb, 2) for stage, gb in self.expected_peak_gb.items()},
        }
