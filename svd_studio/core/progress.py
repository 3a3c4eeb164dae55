"""One call both tells how far a render is and lets it be stopped."""

from collections.abc import Iterable, Iterator
from typing import Literal, TypeVar

import numpy as np

from svd_studio.core.errors import Message

Stage = Literal["load", "encode_inputs", "denoise", "decode", "enlarge", "finish", "encode"]
STAGES: tuple[Stage, ...] = ("load", "encode_inputs", "denoise", "decode", "enlarge", "finish", "encode")
STREAMED: tuple[Stage, ...] = ("enlarge", "finish", "encode")
"""Stages that run frame by frame side by side: what is enlarged is finished and encoded at once."""

Item = TypeVar("Item")


class Progress:
    """Hear how far a render is; the base class listens to nothing and never stops it."""

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        """Tell that `done` of `total` units of a stage are finished.

        `preview` is a coarse picture of the clip so far, uint8 (frames, height, width, 3).
        Raises Cancelled when somebody asked to stop.
        """
        self.check()

    def check(self) -> None:
        """Raise Cancelled when somebody asked to stop; cheap enough for inner loops."""

    def note(self, message: Message) -> None:
        """Tell a person something about a render that goes on."""

    def rested(self, seconds: float) -> None:
        """Hear that the render was held up on purpose for so long."""

    @property
    def rested_s(self) -> float:
        """Seconds that it was held up so far: they are nobody's work and make no step slow."""
        return 0.0

    def over(self, items: Iterable[Item], stage: Stage, total: int) -> Iterator[Item]:
        """Yield the items, reporting after each one that was consumed."""
        self.report(stage, 0, total)
        for done, item in enumerate(items, start=1):
            yield item
            self.report(stage, done, total)
