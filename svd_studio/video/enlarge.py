"""Frames with two or four times the pixels a side: Real-ESRGAN's video network on ncnn, tile by tile.

On the graphics card by Vulkan where one small tile shows that it computes rightly, else on the processor.
The only file that knows ncnn, which may be missing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from svd_studio.core.errors import RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.video.tiles import Frame, enlarged, tiles_of

if TYPE_CHECKING:
    from svd_studio.core.clip import Enlarge

_log = logging.getLogger(__name__)

NAME = "REALESRGAN_ANIMAVIDEOV3_UP{factor}X"
"""How the files in the folder of weights are called, .param and .bin."""

PROBE_SIDE = 48
PROBE_APART = 12.0
"""Of 255: half precision moves a pixel by one or two; a driver that computes wrongly by much more."""

PROCESSOR_KIND = 3
"""What ncnn calls a Vulkan device that is only the processor in disguise, slower than ncnn's own code for it."""


def can_enlarge() -> bool:
    """Whether ncnn is installed; imports nothing."""
    return find_spec("ncnn") is not None


def enlarge(frames: Iterable[Frame], factor: Enlarge, weights: Path, progress: Progress, count: int) -> Iterator[Frame]:
    """The frames, larger by `factor`, one at a time. Reports tiles as the stage enlarge.

    `frames` is closed with this generator. Raises RenderFailed, and Cancelled between two tiles.
    """
    try:
        network: EnlargingNetwork | None = None
        for done, frame in enumerate(frames):
            network = network or EnlargingNetwork(weights, factor)
            yield enlarged(frame, factor, network, _Tiles(progress, frame, done, count).tile_done)
    finally:
        if isinstance(frames, Generator):
            frames.close()


class _Tiles:
    """Report a frame's tiles as part of all frames'."""

    def __init__(self, progress: Progress, frame: Frame, frames_done: int, count: int) -> None:
        each = tiles_of((frame.shape[1], frame.shape[0]))
        self._progress, self._done, self._total = progress, frames_done * each, count * each
        progress.report("enlarge", self._done, self._total)

    def tile_done(self) -> None:
        self._done += 1
        self._progress.report("enlarge", self._done, self._total)


class EnlargingNetwork:
    """Make one tile larger by 2 or 4. Raises RenderFailed when the weights cannot be read or nothing comes out."""

    def __init__(self, weights: Path, factor: Enlarge) -> None:
        self._files, self.factor = weights / NAME.format(factor=factor), factor
        self._net = _opened(self._files, vulkan=False)
        card = _opened(self._files, vulkan=True) if _has_card() else None
        if card is not None and self._agrees(card):
            self._net = card

    def __call__(self, tile: Frame) -> Frame:
        larger = _computed(self._net, tile)
        if larger is None or larger.shape != (tile.shape[0] * self.factor, tile.shape[1] * self.factor, 3):
            raise RenderFailed("enlarge.failed")
        return larger

    def _agrees(self, card: Any) -> bool:
        """Whether the card makes of one small tile what the processor does."""
        tile = np.random.default_rng(0).integers(0, 256, (PROBE_SIDE, PROBE_SIDE, 3)).astype(np.uint8)
        there, here = _computed(card, tile), self(tile)
        works = there is not None and float(np.abs(there.astype(float) - here).mean()) < PROBE_APART
        _log.info("enlarging on the %s", "card" if works else "processor: the card computes wrongly")
        return works


def _has_card() -> bool:
    import ncnn

    with suppress(Exception):  # a broken driver may throw anything; the processor does it then
        return bool(ncnn.get_gpu_count()) and ncnn.get_gpu_info(ncnn.get_default_gpu_index()).type() != PROCESSOR_KIND
    return False


def _opened(files: Path, vulkan: bool) -> Any:
    import ncnn

    net = ncnn.Net()
    net.opt.use_vulkan_compute = vulkan
    net.opt.num_threads = max(1, (os.cpu_count() or 2) // 2)
    net.opt.openmp_blocktime = 0  # threads that wait must not take the processor from others
    for load, suffix in ((net.load_param, ".param"), (net.load_model, ".bin")):
        if load(str(files.with_suffix(suffix))) != 0:
            raise RenderFailed("enlarge.unreadable", file=files.with_suffix(suffix).name)
    return net


def _computed(net: Any, tile: Frame) -> Frame | None:
    import ncnn

    planes = np.ascontiguousarray(tile.transpose(2, 0, 1), dtype=np.float32) / 255
    extractor = net.create_extractor()
    extractor.input(net.input_names()[0], ncnn.Mat(planes))
    failed, made = extractor.extract(net.output_names()[0])
    if failed:
        return None
    larger = np.array(made)
    if not np.isfinite(larger).all():
        return None
    pixels: Frame = (larger.clip(0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
    return pixels
