"""Choose how a render uses memory: the fastest plan that fits. Arithmetic only, no torch."""

from collections.abc import Sequence

from svd_studio.core.errors import OutOfMemory
from svd_studio.core.vram import VramPlan

ALLOCATOR_SLACK = 1.06
"""Blocks that torch's caching allocator holds and cannot reuse, as a share of what is live."""


def choose_plan(plans: Sequence[VramPlan], free_gb: float) -> VramPlan:
    """The first plan, fastest first, whose peak fits. Raises OutOfMemory naming what the thriftiest needs."""
    for plan in plans:
        if plan.peak_gb * ALLOCATOR_SLACK <= free_gb:
            return plan
    needed = min(plan.peak_gb for plan in plans) * ALLOCATOR_SLACK
    raise OutOfMemory("memory.nothing_fits", needed=f"{needed:.1f}", free=f"{free_gb:.1f}")
