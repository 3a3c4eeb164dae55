"""Count what torch takes of the machine's own memory, allocation by allocation: the truth that plans are held to."""

from collections.abc import Callable
from typing import Any

from torch._C._autograd import DeviceType
from torch.profiler import ProfilerActivity, profile


def most_allocated(run: Callable[[], Any]) -> int:
    """The most bytes that a call holds at once beyond what was held before it."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        run()
    held = most = 0
    for event in sorted(_memory_events(profiled), key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


def _memory_events(profiled: profile) -> list[Any]:
    results: Any = profiled.profiler and profiled.profiler.kineto_results
    return [event for event in results.events() if event.name() == "[memory]" and event.device_type() == DeviceType.CPU]
