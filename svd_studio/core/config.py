"""Where a studio keeps its things; passed in, never imported as a constant."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

HUB = "https://huggingface.co"
PACKAGE_INDEX = "https://pypi.org/simple"


@dataclass(frozen=True)
class StudioConfig:
    """Name the data folder and what hangs below it; nothing is created here.

    `precision` is of the card; a processor always computes in fp32. The token never shows in a repr.
    `room_for_a_clip` is what must be free before a clip is accepted or begun, in bytes; `room_for_guests` what
    everything may take that guests bring and make.
    """

    data: Path
    precision: Literal["auto", "fp16", "bf16", "fp32"] = "auto"
    hub_endpoint: str = HUB
    package_index: str = PACKAGE_INDEX
    hub_token: str | None = field(default=None, repr=False)
    room_for_a_clip: int = 500_000_000
    room_for_guests: int = 10_000_000_000

    @property
    def database(self) -> Path:
        return self.data / "studio.db"

    @property
    def inputs(self) -> Path:
        return self.data / "inputs"

    @property
    def parts(self) -> Path:
        return self.data / "parts"

    @property
    def clips(self) -> Path:
        return self.data / "clips"

    @property
    def previews(self) -> Path:
        return self.data / "previews"

    @property
    def presets(self) -> Path:
        return self.data / "presets"

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def uploads(self) -> Path:
        return self.data / "uploads"

    @property
    def exports(self) -> Path:
        return self.data / "exports"

    @property
    def certificates(self) -> Path:
        return self.data / "certified.json"

    @property
    def compiled(self) -> Path:
        return self.data / "compiled"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def studio_lock(self) -> Path:
        return self.data / "studio.lock"

    def worker_lock(self, card: int = 0) -> Path:
        """What whoever renders on that card holds."""
        return self.data / (f"worker-{card}.lock" if card else "worker.lock")
