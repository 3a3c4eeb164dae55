"""The folders of a studio: what each holds, how much room it takes, and what may be cleared away."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput
from svd_studio.core.job import JobStatus
from svd_studio.jobs.housekeeping import bytes_in, holdings
from svd_studio.jobs.queue import JobQueue
from svd_studio.library.uploads import trim_uploads
from svd_studio.rendering.parts import PartStore


@dataclass(frozen=True)
class Stored:
    """One kind of thing that a studio keeps; `limit_bytes` is where it stops growing by itself."""

    kind: str
    folder: Path
    bytes: int
    limit_bytes: int | None = None
    may_go: bool = False


def stored(config: StudioConfig) -> list[Stored]:
    """Look at the disk now: first what a person made or fetched, then what comes and goes."""
    kept = {"clips": config.clips, "models": config.models, "inputs": config.inputs, "presets": config.presets}
    passing = {"trash": config.data / "trash", "parts": config.parts, "temp": config.data, "logs": config.logs}
    held = {one.kind: one for one in holdings(config)}
    return [
        *(Stored(kind, folder, bytes_in(folder)) for kind, folder in kept.items()),
        *(
            Stored(kind, folder, held[kind].bytes, held[kind].limit_bytes, may_go=True)
            for kind, folder in passing.items()
        ),
    ]


class Clearing:
    """Delete what may go and nothing else. The trash is the library's own to empty."""

    def __init__(self, config: StudioConfig, queue: JobQueue) -> None:
        self._config, self._queue = config, queue
        self._ways: Mapping[str, Callable[[], None]] = {"parts": self._parts, "temp": self._temp, "logs": self._logs}

    def clear(self, kind: str) -> None:
        """Make room. Raises BadInput for what may not go, or not while a clip is rendered."""
        if kind not in self._ways:
            raise BadInput("page.system.keeps")
        if kind != "logs" and self._queue.count()[JobStatus.RUNNING]:
            raise BadInput("page.system.clear_later")
        self._ways[kind]()

    def _parts(self) -> None:
        PartStore(self._config.parts, limit_bytes=0).trim()

    def _temp(self) -> None:
        trim_uploads(self._config, limit_bytes=0)
        shutil.rmtree(self._config.compiled, ignore_errors=True)

    def _logs(self) -> None:
        """The rotated ones: somebody writes to the others."""
        for log in self._config.logs.glob("*.log.*"):
            log.unlink(missing_ok=True)
