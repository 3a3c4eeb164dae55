"""Out of memory is not the end: the next thriftier plan goes on from the last finished stage. No torch."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from svd_studio.core.errors import OutOfMemory
from svd_studio.core.progress import Progress, Stage
from svd_studio.core.vram import VramPlan
from svd_studio.gpu.planner import difference, thriftier

log = logging.getLogger(__name__)

Made = TypeVar("Made")


class Ladder:
    """The plan of one render: it steps down when memory runs out, says so, and never steps up again."""

    def __init__(self, plans: Sequence[VramPlan], plan: VramPlan, progress: Progress) -> None:
        self.plan = plan
        self._plans = plans
        self._progress = progress

    def make(self, attempt: Callable[[VramPlan], Made], stage: Callable[[], Stage]) -> Made:
        """What an attempt returns; `stage` is asked where it ran out. Raises OutOfMemory when no plan takes less."""
        while True:
            try:
                return attempt(self.plan)
            except OutOfMemory as error:
                self._step_down(stage(), error)
            # only here is the error gone, and with it what its traceback held on the card

    def _step_down(self, stage: Stage, error: OutOfMemory) -> None:
        following = thriftier(self._plans, self.plan, stage)
        if following is None:
            raise error
        log.warning("out of memory in %s with %s: going on with %s", stage, self.plan, following)
        self._progress.note(difference(self.plan, following))
        self.plan = following
