"""What each lossy lever costs on the installed weights: time, PSNR and SSIM against the best, over sample pictures.

Losses on a small model say little about a large one, so nothing is claimed before this has run there.
"""

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from svd_studio.bench.loaded import load
from svd_studio.bench.prompts import PICTURES
from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.progress import Progress
from svd_studio.core.speed import LEVELS, Level, Speed
from svd_studio.engines.base import Scene
from svd_studio.library.presets import SHIPPED
from svd_studio.quality.likeness import psnr, ssim
from svd_studio.rendering.parts import fingerprint
from svd_studio.rendering.render import framed_picture
from svd_studio.studio import Studio

LEVERS: Mapping[str, Level] = {
    "features kept for 2 steps": Level(reuse=2),
    "features kept for 3 steps": Level(reuse=3),
    "features kept for 4 steps": Level(reuse=4),
    "guidance on 60 % of the steps": Level(guided=0.6),
    "sums in fp16 (GeForce)": Level(coarse=True),
}
SPEEDS: tuple[Speed, ...] = ("good", "draft")

Row = dict[str, Any]


def bench_certify(studio: Studio, engine: str, as_json: bool, pictures: Sequence[str] = PICTURES, **asked: Any) -> int:
    """Print a row for each lever and speed, and keep the speeds' figures for the page."""
    clips = _Clips(studio, engine, pictures, asked)
    rows = [clips.compared(name, clips.settings(), level) for name, level in LEVERS.items()]
    drafted = clips.settings(speed="draft")
    fewer = clips.settings(steps=drafted.steps, scheduler=drafted.scheduler)
    rows.append(clips.compared(f"dpm, {drafted.steps} steps", fewer, LEVELS["best"]))
    speeds: dict[str, Row] = {name: clips.compared(name, clips.settings(speed=name), LEVELS[name]) for name in SPEEDS}
    studio.certificates.keep(engine, fingerprint(studio.weights_folder(clips.loaded.info)), speeds)
    rows += speeds.values()
    print(json.dumps({"engine": engine, "rows": rows}, indent=2) if as_json else _table(rows))
    return 0


class _Clips:
    """One loaded engine, the pictures, and the best clip of each, made once."""

    def __init__(self, studio: Studio, engine: str, pictures: Sequence[str], asked: dict[str, Any]) -> None:
        self.loaded = load(studio, engine)
        self.pictures, self.asked = pictures, asked
        self.best: dict[str, tuple[np.ndarray, float]] = {}

    def settings(self, **values: Any) -> ResolvedSettings:
        return ClipSettings.from_person({"seed": 7, **self.asked, **values}).resolve(self.loaded.info).settings

    def compared(self, name: str, settings: ResolvedSettings, level: Level) -> Row:
        """Medians over the pictures: the lever's steps against the best's."""
        rows = []
        for picture in self.pictures:
            if picture not in self.best:
                self._frames(picture, self.settings(), LEVELS["best"])  # warm
                self.best[picture] = self._frames(picture, self.settings(), LEVELS["best"])
            (best, best_s), (frames, seconds) = self.best[picture], self._frames(picture, settings, level)
            alike = statistics.mean(ssim(frame, other) for frame, other in zip(frames, best, strict=True))
            rows.append((best_s / seconds, psnr(frames, best), alike))
        faster, noise, alike = (statistics.median(values) for values in zip(*rows, strict=True))
        return {"way": name, "faster": round(faster, 2), "psnr": round(noise, 1), "ssim": round(alike, 3)}

    def _frames(self, picture: str, settings: ResolvedSettings, level: Level) -> tuple[np.ndarray, float]:
        """The clip, and the seconds that its steps took."""
        tried = _at(settings, level)
        scene = Scene(tried, framed_picture(SHIPPED / "pictures" / picture, tried))
        plan = self.loaded.plan(tried)
        started = time.perf_counter()
        latents = self.loaded.engine.denoise(scene, plan, Progress())
        seconds = time.perf_counter() - started
        return np.stack(list(self.loaded.engine.decode(latents, plan, Progress()))), seconds


def _at(settings: ResolvedSettings, tried: Level) -> ResolvedSettings:
    """The same recipe with a lever that no speed of its own pulls."""

    class Tried(ResolvedSettings):
        level: ClassVar[Level] = tried  # type: ignore[misc]  # where a recipe has a property

    return Tried.from_person(settings.model_dump())


def _table(rows: list[Row]) -> str:
    lines = ["| way | times as fast | PSNR to best | SSIM to best |", "|---|---|---|---|"]
    lines += [f"| {row['way']} | {row['faster']} | {row['psnr']} dB | {row['ssim']} |" for row in rows]
    return "\n".join(lines)
