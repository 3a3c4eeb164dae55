"""A film of several parts: each goes on from the last frame of the one before, and all are kept on the way."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.errors import Message
from svd_studio.core.progress import Progress, Stage
from svd_studio.engines.base import Scene
from svd_studio.video.stitch import SAME, Film, Piece, colours_like

DENOISE_SHARE = 0.75
"""Of a part's time, what its steps take; the rest is decoding."""

Frames = np.ndarray | Film
MakeFrames = Callable[[Scene], tuple[np.ndarray, float]]


class InParts(Progress):
    """Tell a film's stages, part after part, as the steps of one long denoising; a plain clip's as they are."""

    def __init__(self, listener: Progress, settings: ResolvedSettings) -> None:
        self.listener, self.settings, self.part = listener, settings, 0

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        if self.settings.parts > 1 and stage in ("encode_inputs", "denoise", "decode"):
            whole = self.settings.parts * self.settings.steps
            self.listener.report("denoise", self._steps(stage, done, total), whole, preview)
        elif self.part and stage == "load":
            self.check()
        else:
            self.listener.report(stage, done, total, preview)

    def _steps(self, stage: Stage, done: int, total: int) -> int:
        share = done / max(total, 1)
        within = {"encode_inputs": 0.0, "denoise": DENOISE_SHARE * share}.get(
            stage, DENOISE_SHARE + (1 - DENOISE_SHARE) * share
        )
        return int(self.settings.steps * (self.part + within))

    def check(self) -> None:
        self.listener.check()

    def note(self, message: Message) -> None:
        self.listener.note(message)

    def rested(self, seconds: float) -> None:
        self.listener.rested(seconds)

    @property
    def rested_s(self) -> float:
        return self.listener.rested_s


def make_film(scene: Scene, make_frames: MakeFrames, progress: InParts) -> tuple[Frames, float]:
    """The frames of all parts, and the peak memory in GiB. Parts that are kept are not made again.

    Every part has the same recipe and seed, so that a move goes on as it began.
    """
    settings = scene.settings
    if settings.parts == 1:
        return make_frames(scene)
    pieces: list[Piece] = []
    peak_gb = 0.0
    for part in range(settings.parts):
        progress.part = part
        piece_scene = replace(scene, settings=settings.one_part())
        if pieces:
            piece_scene = replace(piece_scene, start=Image.fromarray(pieces[-1].last()))
        frames, used_gb = make_frames(piece_scene)
        peak_gb = max(peak_gb, used_gb)
        colours = colours_like(frames[0], pieces[-1].last()) if pieces else SAME
        shown = settings.frames if part == settings.parts - 1 else settings.part_frames
        pieces.append(Piece(_again(make_frames, piece_scene), shown, colours))
    return Film(pieces), peak_gb


def _again(make_frames: MakeFrames, scene: Scene) -> Callable[[], np.ndarray]:
    """A part's frames from where they are kept; made again should they have had to make room."""
    return lambda: make_frames(scene)[0]
