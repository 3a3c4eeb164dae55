"""Graphics cards as NVIDIA's driver tells of them (NVML). Knows no threads, no history and no torch."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from svd_studio.core.errors import Message
from svd_studio.core.vram import GIB

NOT_LOADED, LIBRARY_MISSING, VERSION_MISMATCH, NO_PERMISSION = 9, 12, 18, 4
GONE = frozenset({1, 9, 15, 16, 28})
"""NVML's codes for a card or a session that will not answer again: uninitialized, driver not
loaded, GPU is lost, reset required, GPU not found."""

INIT_PROBLEMS = {
    LIBRARY_MISSING: "card.no_driver",
    NOT_LOADED: "card.driver_not_loaded",
    VERSION_MISMATCH: "card.driver_mismatch",
}

THROTTLE_BITS = {"thermal": 0x20 | 0x40, "power_cap": 0x04, "power_brake": 0x80}
HARDWARE_SLOWDOWN = 0x08
"""Set beside the thermal and power brake bits; alone it is the board's own protection."""


@dataclass(frozen=True)
class CardSample:
    """One card at one moment; None is what this card or driver does not tell.

    Sizes are GiB. `studio_gb` is what our own processes hold, `throttle` why the card runs
    slower than it could: thermal, power_cap, power_brake, hardware. `compute` is the CUDA
    compute capability, such as (8, 9). `when` is seconds since 1970.
    """

    index: int
    name: str
    uuid: str | None
    total_gb: float | None
    used_gb: float | None
    free_gb: float | None
    studio_gb: float | None
    load_percent: int | None
    temperature_c: int | None
    memory_temperature_c: int | None
    power_w: float | None
    power_limit_w: float | None
    throttle: tuple[str, ...]
    compute: tuple[int, int] | None
    when: float


class _CardGone(Exception):
    """Leave a card that stopped answering."""


class CardReader:
    """Hold one session with the driver; threads that share it must take turns."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self.driver: str | None = None
        self.cuda: tuple[int, int] | None = None

    def open(self) -> Message | None:
        """Start a session, ending an older one; tell what is wrong, None when nothing is."""
        self.close()
        try:
            import pynvml
        except ImportError:
            return Message("card.no_reader")
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            code = error.value
            return Message(INIT_PROBLEMS.get(code, "card.driver_failed"), {"number": code})
        self._nvml = pynvml
        try:
            self.driver = _text(self._ask("nvmlSystemGetDriverVersion"))
            self.cuda = _version(self._ask("nvmlSystemGetCudaDriverVersion"))
        except _CardGone:
            self.close()
            return Message("card.driver_failed", {"number": 0})
        return None

    def close(self) -> None:
        """End the session."""
        if self._nvml is not None:
            with suppress(self._nvml.NVMLError):  # a driver that went away has nothing left to shut down
                self._nvml.nvmlShutdown()
        self._nvml = self.driver = self.cuda = None

    def read(self, studio_pids: Collection[int], when: float) -> tuple[tuple[CardSample, ...], bool]:
        """The cards that answer, and whether one is lost; needs an open session."""
        cards: list[CardSample] = []
        try:
            count = self._ask("nvmlDeviceGetCount") or 0
        except _CardGone:
            return (), True
        lost = False
        for index in range(count):
            try:
                handle = self._handle(index)
                if handle is not None:
                    cards.append(self._card(index, handle, studio_pids, when))
            except _CardGone:
                lost = True
        return tuple(cards), lost

    def _handle(self, index: int) -> Any:
        try:
            return self._nvml.nvmlDeviceGetHandleByIndex(index)
        except self._nvml.NVMLError as error:
            if error.value == NO_PERMISSION:  # a card that is not lent to this container
                return None
            raise _CardGone from None  # a card that fell off the bus also answers "unknown error" here

    def _card(self, index: int, handle: Any, studio_pids: Collection[int], when: float) -> CardSample:
        # The first version of memory info counts the driver's own reserve as used, so used + free = total.
        memory = self._ask("nvmlDeviceGetMemoryInfo", handle)
        load = self._ask("nvmlDeviceGetUtilizationRates", handle)
        return CardSample(
            index=index,
            name=_text(self._ask("nvmlDeviceGetName", handle)) or "NVIDIA",
            uuid=_text(self._ask("nvmlDeviceGetUUID", handle)),
            total_gb=memory and memory.total / GIB,
            used_gb=memory and memory.used / GIB,
            free_gb=memory and memory.free / GIB,
            studio_gb=self._held(handle, studio_pids),
            load_percent=load and load.gpu,
            temperature_c=self._temperature(handle),
            memory_temperature_c=self._memory_temperature(handle),
            power_w=_watts(self._ask("nvmlDeviceGetPowerUsage", handle)),
            power_limit_w=_watts(self._ask("nvmlDeviceGetEnforcedPowerLimit", handle)),
            throttle=self._throttle(handle),
            compute=self._ask("nvmlDeviceGetCudaComputeCapability", handle),
            when=when,
        )

    def _held(self, handle: Any, studio_pids: Collection[int]) -> float | None:
        """What our processes hold: unknown on Windows, and in a container, where NVML tells the host's pids."""
        if not studio_pids:
            return 0.0
        processes = self._ask("nvmlDeviceGetComputeRunningProcesses", handle) or ()
        held = [process.usedGpuMemory for process in processes if process.pid in studio_pids]
        return sum(held) / GIB if held and None not in held else None

    def _temperature(self, handle: Any) -> int | None:
        # The short name leaves with CUDA 14; the long one is unknown to drivers of before 2025.
        sensor = self._nvml.NVML_TEMPERATURE_GPU
        degrees: int | None = self._ask("nvmlDeviceGetTemperature", handle, sensor)
        return self._ask("nvmlDeviceGetTemperatureV", handle, sensor) if degrees is None else degrees

    def _memory_temperature(self, handle: Any) -> int | None:
        values = self._ask("nvmlDeviceGetFieldValues", handle, [self._nvml.NVML_FI_DEV_MEMORY_TEMP])
        return values[0].value.uiVal if values and values[0].nvmlReturn == 0 else None

    def _throttle(self, handle: Any) -> tuple[str, ...]:
        bits = self._ask("nvmlDeviceGetCurrentClocksEventReasons", handle)
        if bits is None:  # drivers before 535
            bits = self._ask("nvmlDeviceGetCurrentClocksThrottleReasons", handle) or 0
        reasons = tuple(name for name, mask in THROTTLE_BITS.items() if bits & mask)
        return reasons or (("hardware",) if bits & HARDWARE_SLOWDOWN else ())

    def _ask(self, function: str, *arguments: Any) -> Any:
        """What the driver answers, None when it does not know; raises _CardGone when it will not answer again."""
        try:
            ask: Callable[..., Any] = getattr(self._nvml, function)
            return ask(*arguments)
        except self._nvml.NVMLError as error:
            if error.value in GONE:
                raise _CardGone from None
            return None
        except (AttributeError, UnicodeDecodeError):  # another release of pynvml, a name in no known alphabet
            return None


def _text(value: str | bytes | None) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / 1000


def _version(number: int | None) -> tuple[int, int] | None:
    """CUDA 13.2 is 13020."""
    return None if number is None else (number // 1000, number % 1000 // 10)
