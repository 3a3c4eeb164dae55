"""Wait for something to become true, for a bounded time."""

import time
from collections.abc import Callable


def until(is_so: Callable[[], object], seconds: float = 10.0) -> None:
    """Return as soon as it is so; fail when it never is."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never became so"
        time.sleep(0.02)
