"""What each lossy lever costs on the installed weights: time, PSNR and SSIM against the best, over sample pictures.

Losses on a small model say little about a large one, so nothing is claimed before this has run there.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from svd_studio.bench.loaded import load
from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.progress import Progress
from svd_studio.core.speed import LEVELS, Level
from svd_studio.library.presets import SHIPPED
from svd_studio.rendering.measuring import LOSSY, PICTURES, Cost, Made, cost, make, recipe
from svd_studio.rendering.parts import fingerprint
from svd_studio.studio import Studio

LEVERS: Mapping[str, Level] = {
    "features kept for 2 steps": Level(reuse=2),
    "features kept for 3 steps": Level(reuse=3),
    "features kept for 4 steps": Level(reuse=4),
    "guidance on 60 % of the steps": Level(guided=0.6),
    "sums in fp16 (GeForce)": Level(coarse=True),
}

Row = dict[str, Any]


def bench_certify(studio: Studio, engine: str, as_json: bool, pictures: Sequence[str] = PICTURES, **asked: Any) -> int:
    """Print a row for each lever and speed, and keep the speeds' figures for the page."""
    clips = _Clips(studio, engine, pictures, asked)
    rows = [clips.compared(name, clips.settings(), level) for name, level in LEVERS.items()]
    drafted = clips.settings(speed="draft")
    fewer = clips.settings(steps=drafted.steps, scheduler=drafted.scheduler)
    rows.append(clips.compared(f"dpm, {drafted.steps} steps", fewer, LEVELS["best"]))
    speeds: dict[str, Row] = {name: clips.compared(name, clips.settings(speed=name), LEVELS[name]) for name in LOSSY}
    studio.certificates.keep(engine, fingerprint(studio.weights_folder(clips.loaded.info)), speeds)
    rows += speeds.values()
    print(json.dumps({"engine": engine, "rows": rows}, indent=2) if as_json else _table(rows))
    return 0


class _Clips:
    """One loaded engine, the pictures, and the best clip of each, made once."""

    def __init__(self, studio: Studio, engine: str, pictures: Sequence[str], asked: dict[str, Any]) -> None:
        self.loaded = load(studio, engine)
        self.pictures, self.asked = pictures, asked
        self.best: dict[str, Made] = {}

    def settings(self, **values: Any) -> ResolvedSettings:
        return recipe(self.loaded.info, self.asked, **values)

    def compared(self, name: str, settings: ResolvedSettings, level: Level) -> Row:
        """Medians over the pictures: the lever's steps against the best's."""
        costs = []
        for picture in self.pictures:
            if picture not in self.best:
                self._made(picture, self.settings(), LEVELS["best"])  # warm
                self.best[picture] = self._made(picture, self.settings(), LEVELS["best"])
            costs.append(cost(self._made(picture, settings, level), self.best[picture]))
        medians = (statistics.median(getattr(one, name) for one in costs) for name in ("faster", "psnr", "ssim"))
        return {"way": name, **Cost(*medians).rounded()}

    def _made(self, picture: str, settings: ResolvedSettings, level: Level) -> Made:
        tried, start = _at(settings, level), SHIPPED / "pictures" / picture
        return make(self.loaded.engine, tried, start, self.loaded.plan(tried), Progress())


def _at(settings: ResolvedSettings, tried: Level) -> ResolvedSettings:
    """The same recipe with a lever that no speed of its own pulls."""

    class Tried(ResolvedSettings):
        level: ClassVar[Level] = tried  # type: ignore[misc]  # where a recipe has a property

    return Tried.from_person(settings.model_dump())


def _table(rows: list[Row]) -> str:
    lines = ["| way | times as fast | PSNR to best | SSIM to best |", "|---|---|---|---|"]
    lines += [f"| {row['way']} | {row['faster']} | {row['psnr']} dB | {row['ssim']} |" for row in rows]
    return "\n".join(lines)
