"""The one engine that is loaded: kept between jobs, freed on a switch."""

import importlib
from pathlib import Path

from svd_studio.core.engine import EngineInfo
from svd_studio.core.progress import Progress
from svd_studio.engines.base import Engine


class LoadedEngine:
    """Load engines by their catalog entry; a second job with the same one loads nothing."""

    def __init__(self, device: str, precision: str) -> None:
        self.device = device
        self.precision = precision
        self._engine: Engine | None = None
        self._key: tuple[str, Path] | None = None

    def get(self, info: EngineInfo, folder: Path, progress: Progress) -> Engine:
        """The engine, loaded from a folder of weights. Reports load."""
        progress.report("load", 0, 1)
        if self._engine is None or self._key != (info.name, folder):
            self.free()
            module, _, name = info.code.partition(":")
            self._engine = getattr(importlib.import_module(module), name)(info, folder, self.device, self.precision)
            self._key = (info.name, folder)
        progress.report("load", 1, 1)
        assert self._engine is not None
        return self._engine

    def warm(self, progress: Progress) -> None:
        """Let the loaded engine make itself faster. Raises Cancelled when `progress` does."""
        if self._engine is not None:
            self._engine.warm(progress)

    def free(self) -> None:
        """Give the memory back."""
        if self._engine is not None:
            self._engine.unload()
        self._engine = self._key = None
