"""What slows a machine down, in words: the one place that turns what it shows into sentences. No torch."""

from collections.abc import Sequence

from svd_studio.core.errors import Message
from svd_studio.gpu.nvml import CardSample
from svd_studio.gpu.telemetry import MachineSample

FULL_GB = 0.3
OTHERS_GB = 1.0
"""What other programs must hold to be named where it costs something."""

BUSY_PERCENT = 50.0
"""Of all cores, by programs that are not ours."""


def card_slowing(samples: Sequence[CardSample], others_from_gb: float = OTHERS_GB) -> list[Message]:
    """What slowed one card in its last samples, the newest last; the likeliest reason comes first.

    A reason that comes and goes holds while it is in any of them, so that nothing flickers.
    """
    reasons = {reason for sample in samples for reason in sample.throttle}
    said, card = [], samples[-1]
    if "thermal" in reasons:
        hottest = max((sample.temperature_c or 0 for sample in samples if "thermal" in sample.throttle), default=0)
        said.append(Message("slow.hot", {"degrees": hottest or "?"}))
    if (others_gb := min(map(held_by_others, samples))) >= others_from_gb:
        said.append(others(others_gb))
    if all(sample.free_gb is not None and sample.free_gb < FULL_GB for sample in samples):
        said.append(Message("slow.full"))
    if "power_brake" in reasons:
        said.append(Message("slow.brake"))
    if "hardware" in reasons:
        said.append(Message("slow.hardware"))
    if "power_cap" in reasons:
        said.append(Message("slow.power", {"watts": round(card.power_limit_w) if card.power_limit_w else "?"}))
    return said


def others(gb: float) -> Message:
    """That other programs hold so much of a card."""
    return Message("slow.others", {"gb": f"{gb:.0f}"})


def held_by_others(card: CardSample) -> float:
    """GiB that other programs hold; 0 where the driver does not tell which are ours."""
    return 0.0 if card.used_gb is None or card.studio_gb is None else card.used_gb - card.studio_gb


def processor_slowing(samples: Sequence[MachineSample]) -> Message | None:
    """That other programs keep the processor busy, when they did so in the mean of the last samples."""
    loads = [
        max(0.0, sample.cpu_percent - sample.studio_cpu_percent)
        for sample in samples
        if sample.cpu_percent is not None and sample.studio_cpu_percent is not None
    ]
    mean = sum(loads) / len(loads) if loads else 0.0
    return Message("slow.processor_load", {"percent": round(mean)}) if mean >= BUSY_PERCENT else None
