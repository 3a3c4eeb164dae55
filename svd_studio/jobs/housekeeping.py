"""What the data folder holds besides clips and models: how much, and how it stays small."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from svd_studio.core.config import StudioConfig
from svd_studio.jobs.neighbours import Neighbours
from svd_studio.library.exports import EXPORTS_BYTES
from svd_studio.library.uploads import UPLOADS_BYTES
from svd_studio.rendering.parts import PARTS_BYTES
from svd_studio.video.files import remove_leftovers

COMPILED_BYTES = 2 * 1024**3
LOG_BYTES, LOGS_KEPT = 4_000_000, 2
COPYING_S = 300.0
"""Nobody copies a picture for longer: what is older and half written was left by a killed process."""


@dataclass(frozen=True)
class Holding:
    """How many bytes one kind of thing takes, and how many it may; None where a person decides."""

    kind: str
    bytes: int
    limit_bytes: int | None = None


def holdings(config: StudioConfig) -> list[Holding]:
    """Look at the disk now; of 10,000 files that takes some 50 ms."""
    writers = max(1, len(list(config.logs.glob("worker*.log")))) + 1  # every card's worker, and the command line
    temporary = sum(map(bytes_in, (config.previews, config.uploads, config.exports, config.compiled)))
    return [
        Holding("temp", temporary, UPLOADS_BYTES + EXPORTS_BYTES + COMPILED_BYTES),
        Holding("parts", bytes_in(config.parts), PARTS_BYTES),
        Holding("trash", bytes_in(config.data / "trash")),
        Holding("logs", bytes_in(config.logs), writers * (LOGS_KEPT + 1) * LOG_BYTES),
    ]


def sweep(config: StudioConfig, neighbours: Neighbours | None = None) -> None:
    """Delete what ended and killed renders left behind; only while nobody renders but the neighbours."""
    writers = neighbours.processes if neighbours else tuple
    remove_leftovers(config.clips, writers=writers)
    remove_leftovers(config.parts, writers=writers)
    remove_leftovers(config.inputs, older_than_s=COPYING_S)
    previews = list(config.previews.glob("*"))
    shown = neighbours.jobs() if neighbours else ()
    _remove(path for path in previews if path.stem not in map(str, shown))
    if bytes_in(config.compiled) > COMPILED_BYTES:
        shutil.rmtree(config.compiled, ignore_errors=True)


def rotate(log: Path) -> None:
    """Begin a new log when the old one is long, keeping the two before it; only while nobody writes to it."""
    if not log.is_file() or log.stat().st_size < LOG_BYTES:
        return
    names = [log, *(log.with_name(f"{log.name}.{number}") for number in range(1, LOGS_KEPT + 1))]
    for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
        with suppress(OSError):
            newer.replace(older)


def bytes_in(folder: Path) -> int:
    """What everything below a folder takes; what goes while we look takes nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()
