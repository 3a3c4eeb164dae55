"""What each speed of the recipe gives up for time: pure arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Speed = Literal["best", "good", "draft"]

SHALLOW_COST = 0.16
"""Of a whole step's work, what one takes that renews only the outermost layer (SVD's UNet; docs/benchmarks.md)."""

DRAFT_STEPS = 0.6
"""Of the usual steps, what a draft takes where the person set none: its sampler needs fewer."""


@dataclass(frozen=True)
class Level:
    """Renew deep features each `reuse` steps, guide the first `guided` share of them, and count in fp16 if `coarse`."""

    reuse: int = 1
    guided: float = 1.0
    coarse: bool = False

    def is_whole(self, step: int) -> bool:
        """Whether a step, from 0, goes through the whole network."""
        return step % self.reuse == 0

    def is_guided(self, step: int, steps: int) -> bool:
        """Whether a step of a guided clip is compared with its unconditional twin."""
        return step < round(self.guided * steps)

    def work(self, steps: int, guided: bool) -> float:
        """What all steps take together, in whole unguided steps."""
        return sum(
            (1.0 if self.is_whole(step) else SHALLOW_COST) * (2 if guided and self.is_guided(step, steps) else 1)
            for step in range(steps)
        )


LEVELS: Mapping[Speed, Level] = {
    "best": Level(),
    "good": Level(reuse=2),
    "draft": Level(reuse=3, guided=0.6, coarse=True),
}
