"""What words do to a model's clips on its installed weights: how much moves, how sharp it stays, how much it changes.

Of the large models nobody knows before this has run; the page calls steering experimental there.
"""

import json
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from svd_studio.bench.loaded import load
from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import BadInput, MissingWeights
from svd_studio.core.progress import Progress
from svd_studio.engines.base import Scene
from svd_studio.engines.catalog import engine_info
from svd_studio.library.presets import SHIPPED
from svd_studio.quality.likeness import psnr, sharpness
from svd_studio.quality.motion import mean_flow
from svd_studio.rendering.measuring import PICTURES
from svd_studio.rendering.render import framed_picture
from svd_studio.studio import Studio

PROMPTS = ("pan left", "zoom in", "waves roll in, wind in the trees", "slow motion, golden light")
STRENGTHS = (0.1, 0.2, 0.4)

Row = dict[str, Any]


def bench_prompts(studio: Studio, engine: str, as_json: bool, pictures: Sequence[str] = PICTURES, **asked: Any) -> int:
    """Print for each prompt and strength the medians over the pictures, against the same clips without words."""
    info = engine_info(engine)
    if "prompt" not in info.takes:
        raise BadInput("bench.no_words", engine=engine)
    if info.text is not None and studio.text_tower(info) is None:
        raise MissingWeights("bench.no_text", engine=engine, text=info.text.name, gb=info.text.size_gb)
    clips = _Clips(studio, engine, asked)
    rows = [clips.compared(prompt, strength, pictures) for prompt in PROMPTS for strength in STRENGTHS]
    print(json.dumps({"engine": engine, "rows": rows}, indent=2) if as_json else _table(rows))
    return 0


class _Clips:
    """One loaded engine and the clips without words, made once."""

    def __init__(self, studio: Studio, engine: str, asked: dict[str, Any]) -> None:
        self.loaded, self.asked = load(studio, engine), asked
        self.tower = studio.text_tower(self.loaded.info)
        self.stock: dict[str, np.ndarray] = {}

    def compared(self, prompt: str, strength: float, pictures: Sequence[str]) -> Row:
        rows = []
        for picture in pictures:
            if picture not in self.stock:
                self.stock[picture] = self.frames(picture)
            stock, told = self.stock[picture], self.frames(picture, prompt=prompt, prompt_strength=strength)
            moved = mean_flow(told[0], told[-1]) / max(mean_flow(stock[0], stock[-1]), 1e-3)
            sharp = sharpness(told[-1]) / max(sharpness(stock[-1]), 1e-3)
            rows.append((moved, sharp, psnr(told, stock)))
        motion, sharp, like = (round(statistics.median(values), 2) for values in zip(*rows, strict=True))
        return {"prompt": prompt, "strength": strength, "motion": motion, "sharpness": sharp, "psnr": like}

    def frames(self, picture: str, **words: Any) -> np.ndarray:
        """The clip of a sample picture, uint8 (frames, height, width, 3); always the same seed."""
        settings = ClipSettings.from_person({"seed": 7, **self.asked, **words}).resolve(self.loaded.info).settings
        plan = self.loaded.plan(settings)
        start = framed_picture(SHIPPED / "pictures" / picture, settings)
        latents = self.loaded.engine.denoise(Scene(settings, start, text_tower=self.tower), plan, Progress())
        return np.stack(list(self.loaded.engine.decode(latents, plan, Progress())))


def _table(rows: list[Row]) -> str:
    lines = ["| prompt | strength | motion ÷ stock | sharpness ÷ stock | PSNR to stock |", "|---|---|---|---|---|"]
    for row in rows:
        cells = (row["prompt"], row["strength"], row["motion"], row["sharpness"], f"{row['psnr']} dB")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)
