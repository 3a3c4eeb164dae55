"""How one render may use memory: the card's, or the machine's own where there is no card."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

GIB = 1024**3

CONTEXT_GB = 0.5
"""What CUDA itself takes on a card beside torch's allocations."""

RESERVE_GB = 0.5
"""What a render leaves alone on a card, so that the desktop stays fluid and Windows has no cause to swap."""

Residency = Literal["all", "model", "group", "sequential"]
"""What stays on the card: everything, one model at a time, layers that stream through, one layer at a time."""


@dataclass(frozen=True)
class Place:
    """Where a render runs, as far as memory cares: on a card or a processor, in numbers of 2 or 4 bytes."""

    on_card: bool = True
    value_bytes: int = 2


CARD = Place()
PROCESSOR = Place(on_card=False, value_bytes=4)


@dataclass(frozen=True)
class VramPlan:
    """Fix the choices that change memory and speed but not the picture.

    Only the decode window touches pixels, slightly (the decoder's temporal layers see one
    window at a time), so a clip records its plan. Peaks are GiB by stage, weights included;
    `ram_gb` is what the whole render takes of the machine's own memory.
    """

    residency: Residency
    batched_guidance: bool
    forward_chunk: int | None
    decode_window: int
    expected_peak_gb: Mapping[str, float]
    ram_gb: float = 0.0

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
