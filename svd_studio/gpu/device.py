"""The card that this process renders on, or the processor where there is none."""

from dataclasses import dataclass

import torch

from svd_studio.core.vram import CONTEXT_GB, GIB, PROCESSOR, RESERVE_GB, Place


@dataclass(frozen=True)
class Device:
    """A place to render: torch's name for it, and its memory in GiB (None: the machine's own)."""

    name: str
    title: str
    total_gb: float | None

    def claim_gb(self) -> float | None:
        """Cap torch at what is free minus a reserve, and tell what a plan may fill; None on a processor.

        The cap makes a full card an error that can be recovered from: drivers on Windows would
        go on in main memory, ten times slower and without a word. Plans count weights and context
        themselves, so what this process holds already is free to them and a second clip is
        planned exactly as the first was.
        """
        if self.total_gb is None:
            return None
        free, total = torch.cuda.mem_get_info(self.name)
        allowed = max(0.0, free + torch.cuda.memory_reserved(self.name) - RESERVE_GB * GIB)
        torch.cuda.set_per_process_memory_fraction(min(1.0, allowed / total), self.name)
        return allowed / GIB + CONTEXT_GB

    def held_gb(self) -> float:
        """What this process holds on the card: drivers on Windows and in containers do not tell."""
        if self.total_gb is None or not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            return 0.0
        return torch.cuda.memory_reserved(self.name) / GIB + CONTEXT_GB

    def precision(self, asked: str) -> str:
        """fp32 on a processor, where half precision is 10 to 40 times slower; else what was asked, or fp16."""
        if self.total_gb is None:
            return "fp32"
        return "fp16" if asked == "auto" else asked

    def place(self, precision: str) -> Place:
        """What a plan must know of where it runs."""
        return PROCESSOR if self.total_gb is None else Place(True, 4 if precision == "fp32" else 2)


def pick_device() -> Device:
    """The first card that this process is shown, or the processor."""
    if not torch.cuda.is_available():
        return Device("cpu", "processor", None)
    properties = torch.cuda.get_device_properties(0)
    return Device("cuda:0", properties.name, properties.total_memory / GIB)
