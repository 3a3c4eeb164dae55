"""The card that this process renders on, or the processor where there is none."""

from dataclasses import dataclass

import torch

from svd_studio.core.vram import CONTEXT_GB, GIB


@dataclass(frozen=True)
class Device:
    """A place to render: torch's name for it, and its memory in GiB (None: the machine's own)."""

    name: str
    title: str
    total_gb: float | None

    def free_gb(self) -> float | None:
        """What a plan may fill: free memory and all that this process already has, weights and context included.

        Plans count weights and context themselves, so a second clip is planned exactly as the first was.
        """
        if self.total_gb is None:
            return None
        free, _ = torch.cuda.mem_get_info(self.name)
        return (free + torch.cuda.memory_reserved(self.name)) / GIB + CONTEXT_GB

    def precision(self, asked: str) -> str:
        """fp32 on a processor, where half precision is 10 to 40 times slower; else what was asked, or fp16."""
        if self.total_gb is None:
            return "fp32"
        return "fp16" if asked == "auto" else asked


def pick_device(card: int = 0) -> Device:
    """The card of that number, or the processor."""
    if not torch.cuda.is_available() or card >= torch.cuda.device_count():
        return Device("cpu", "processor", None)
    properties = torch.cuda.get_device_properties(card)
    return Device(f"cuda:{card}", properties.name, properties.total_memory / GIB)
