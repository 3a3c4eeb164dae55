"""What turns frames into H.264: the graphics card's own encoder where one frame went through it, x264 everywhere."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, replace

from svd_studio.core.errors import RenderFailed
from svd_studio.video.ffmpeg import bundled_ffmpeg, succeeds

_log = logging.getLogger(__name__)

PROBE_S = 5.0
SMALLEST = (160, 64)
"""The card's encoder refuses pictures narrower than 145 or lower than 49 pixels."""


@dataclass(frozen=True)
class Encoder:
    """One of ffmpeg's encoders with the quality it is asked for, and which ffmpeg runs it (None: the bundled one)."""

    name: str
    quality: tuple[str, ...]
    program: str | None = None

    @property
    def arguments(self) -> list[str]:
        """As ffmpeg takes them."""
        return ["-c:v", self.name, *self.quality]


X264 = Encoder("libx264", ("-preset", "medium", "-crf", "17"))
NVENC = Encoder(
    "h264_nvenc",
    ("-preset", "p6", "-tune", "hq", "-rc", "vbr", "-cq", "17", "-b:v", "0", "-spatial-aq", "1", "-profile:v", "high"),
)
"""The same number on the same scale of quantizers; larger files than x264's, not worse ones."""


class Encoders:
    """Choose encoders for one process; the card's is probed once, and let be when it failed."""

    def __init__(self, probe_s: float = PROBE_S) -> None:
        self._probe_s = probe_s
        self._fast: Encoder | None = None
        self._is_probed = False

    def for_size(self, size: tuple[int, int]) -> list[Encoder]:
        """What to try, best first; x264 is always the last."""
        if not self._is_probed:
            self._is_probed, self._fast = True, _probed(self._probe_s)
        fits = size[0] >= SMALLEST[0] and size[1] >= SMALLEST[1]
        return [self._fast, X264] if self._fast is not None and fits else [X264]

    def give_up(self, encoder: Encoder) -> None:
        """Do without an encoder from now on: a driver that failed once costs every clip a second try."""
        _log.warning("%s failed: x264 goes on", encoder.name)
        self._fast = None


def _probed(at_most_s: float) -> Encoder | None:
    """The card's encoder with the first ffmpeg that brings one frame through it; half the time for each."""
    frame = ["-f", "lavfi", "-i", "color=size=256x256:rate=1", "-frames:v", "1", "-pix_fmt", "yuv420p"]
    for program in _programs():
        if succeeds(program, [*frame, *NVENC.arguments, "-f", "null", "-"], at_most_s / 2):
            return replace(NVENC, program=program)
    return None


def _programs() -> list[str]:
    """The bundled ffmpeg, then the system's, which may suit an older driver."""
    try:
        found = [bundled_ffmpeg()]
    except RenderFailed:
        found = []
    system = shutil.which("ffmpeg")
    return [*found, system] if system and system not in found else found
