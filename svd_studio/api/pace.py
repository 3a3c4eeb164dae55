"""How often one visitor may ask: token buckets, so that nobody keeps everybody else waiting."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_VISITORS = 4096


@dataclass(frozen=True)
class Pace:
    """So many requests at once, and so many more with every second."""

    burst: float
    per_second: float


READING, ASKING, UPLOADING, SIGNING_IN = Pace(3000, 200), Pace(300, 30), Pace(120, 1), Pace(20, 0.5)
"""A page with a thousand clips asks 300 times while it is scrolled, and once a second when it is left alone."""

MEGABYTES_UPLOADED = Pace(1000, 16)
"""Of all visitors from elsewhere together: what is beyond the upload folder's limit goes only once a minute."""


class Paces:
    """Count what each visitor asks for; the least recently seen are forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._now = clock
        self._left: OrderedDict[tuple[str, Pace], tuple[float, float]] = OrderedDict()

    def allow(self, visitor: str, pace: Pace, cost: float = 1) -> bool:
        """Whether one more request is within the pace; it is counted if it is."""
        now, left = self._now(), self._has_left(visitor, pace)
        is_within = left >= cost
        self._left.pop((visitor, pace), None)  # so that it is the most recently seen
        self._left[visitor, pace] = (left - cost * is_within, now)
        if len(self._left) > MOST_VISITORS:
            self._left.popitem(last=False)
        return is_within

    def wait_s(self, visitor: str, pace: Pace) -> float:
        """How long until one more is within the pace; nothing is counted."""
        return max(0.0, 1 - self._has_left(visitor, pace)) / pace.per_second

    def _has_left(self, visitor: str, pace: Pace) -> float:
        now = self._now()
        left, when = self._left.get((visitor, pace), (pace.burst, now))
        return min(pace.burst, left + (now - when) * pace.per_second)
