"""Tell a worker that has grown from one that is merely large. Knows no engines, only their names."""

from collections.abc import Callable

GROWN, GROWN_GB = 0.5, 2.0
LARGE, LARGE_GB = 0.8, 1.0


class MemoryWatch:
    """Compare what a process holds between jobs with what it held after the first one of the same engine.

    `used_gb` is of this process, `total_gb` of the computer; where they are unknown nothing is ever too much.
    """

    def __init__(self, used_gb: Callable[[], float | None], total_gb: float | None) -> None:
        self._used_gb, self._total_gb = used_gb, total_gb
        self._first_gb: dict[str, float] = {}

    def is_too_much(self, engine: str) -> bool:
        """Whether a fresh process would be better off; asked while nothing is rendered."""
        used_gb = self._used_gb()
        if used_gb is None:
            return False
        first_gb = self._first_gb.setdefault(engine, used_gb)
        grown_gb = used_gb - first_gb
        if self._total_gb is not None and used_gb > LARGE * self._total_gb and grown_gb > LARGE_GB:
            return True
        return grown_gb > max(GROWN * first_gb, GROWN_GB)
