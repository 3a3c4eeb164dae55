"""What speeds cost on this machine's own weights, measured by a worker or `bench certify`, shown beside the choice."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from svd_studio.core.errors import StudioError
from svd_studio.video.files import write_whole

Figures = Mapping[str, Mapping[str, float]]
"""By speed: how many times as fast as best, and PSNR (dB) and SSIM to it."""


class Certificates:
    """Keep the last measurement of every engine, as long as its weights are the same."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, engine: str, weights: str) -> Figures:
        """The figures by speed, empty when nothing was measured or the weights (a fingerprint) were others."""
        kept = self._all().get(engine)
        if not isinstance(kept, dict) or kept.get("weights") != weights or not isinstance(kept.get("speeds"), dict):
            return {}
        return {name: found for name, found in kept["speeds"].items() if _is_whole(found)}

    def keep(self, engine: str, weights: str, speeds: Figures) -> None:
        """Replace what was known of an engine. Raises StudioError when the disk refuses."""
        everything = {**self._all(), engine: {"weights": weights, "speeds": speeds}}
        text = json.dumps(everything, indent=1)
        write_whole(self._path, lambda part: _write(part, text), _check)

    def _all(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _check(path: Path) -> None:
    if not isinstance(json.loads(path.read_text(encoding="utf-8")), dict):
        raise StudioError("files.unusable", path=str(path), reason="not whole")


def _is_whole(figures: object) -> bool:
    return isinstance(figures, dict) and all(isinstance(figures.get(key), int | float) for key in ("faster", "psnr"))
