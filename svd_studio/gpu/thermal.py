"""Let a hot card rest: between steps first, and with no new clip when it is hotter still. Only reads. No torch.

Fans, clocks and power limits are never touched, and a sensor that is absent or fails stops nothing.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal, Self

from svd_studio.core.errors import BadInput, Message
from svd_studio.gpu.nvml import CardSample

Limit = Literal["warn", "rest", "stop"]
Sensor = Literal["core", "memory"]

BOUNDS = {"core": (50, 95), "memory": (60, 110)}
"""What a limit may be, in °C; what is above them the card's own protection decides."""

LOOK_EVERY_S = 1.0
REST_AT_MOST_S = 600.0
"""A card in a hot room may never get as cool as it should: then it is enough that it need not rest."""


@dataclass(frozen=True)
class HeatLimits:
    """Where a card warms, rests, stops and is cool again, in °C; its memory is cool below its own warning."""

    warn_c: int = 83
    rest_c: int = 87
    stop_c: int = 92
    cool_c: int = 78
    memory_warn_c: int = 95
    memory_rest_c: int = 100
    memory_stop_c: int = 105

    def changed(self, changes: Mapping[str, object]) -> Self:
        """The same with some of them changed. Raises BadInput for what is no limit, out of bounds or out of order."""
        names = {field.name for field in fields(self)}
        for name, given in changes.items():
            low, high = BOUNDS["memory" if name.startswith("memory") else "core"]
            is_number = isinstance(given, int) and not isinstance(given, bool)
            if name not in names or not is_number or not low <= given <= high:  # type: ignore[operator]  # a number
                spoken = name[:20].removesuffix("_c").replace("_", " ")
                raise BadInput("heat.bounds", name=spoken, low=low, high=high)
        limits = type(self)(**{**asdict(self), **changes})  # type: ignore[arg-type]  # checked above
        if not limits._rise():
            raise BadInput("heat.order", **asdict(limits))
        return limits

    def _rise(self) -> bool:
        core = self.cool_c < self.warn_c <= self.rest_c <= self.stop_c
        return core and self.memory_warn_c <= self.memory_rest_c <= self.memory_stop_c


@dataclass(frozen=True)
class Heat:
    """The sensor that is too hot, and what it has to come down to, in °C."""

    sensor: Sensor
    degrees: int
    until: int

    def told(self, code: str) -> Message:
        """This heat as a message: heat.CODE for the chip, heat.memory.CODE for its memory."""
        room = "memory." if self.sensor == "memory" else ""
        return Message(f"heat.{room}{code}", {"degrees": self.degrees, "until": self.until})


def over(card: CardSample | None, limits: HeatLimits, limit: Limit) -> Heat | None:
    """The sensor of a card that has reached a limit, the chip's before the memory's."""
    if card is None:
        return None
    core, memory = card.temperature_c, card.memory_temperature_c
    if core is not None and core >= getattr(limits, f"{limit}_c"):
        return Heat("core", core, limits.cool_c)
    if memory is not None and memory >= getattr(limits, f"memory_{limit}_c"):
        return Heat("memory", memory, limits.memory_warn_c - 1)
    return None


def is_cool(card: CardSample | None, limits: HeatLimits) -> bool:
    """Whether every sensor that answers has come down far enough."""
    if card is None:
        return True
    core, memory = card.temperature_c, card.memory_temperature_c
    return (core is None or core <= limits.cool_c) and (memory is None or memory < limits.memory_warn_c)


class ThermalGuard:
    """Say when one card has to rest and when it may go on.

    `look` reads the card, None where it cannot be read; it is asked once in a second at most.
    `limits` is asked as often, so that a change takes effect at once.
    """

    def __init__(
        self,
        look: Callable[[], CardSample | None],
        limits: Callable[[], HeatLimits] = HeatLimits,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look, self._limits, self._now = look, limits, now
        self._looked = -1e9
        self._seen: CardSample | None = None
        self._stopped = False

    def must_rest(self) -> Heat | None:
        """What is too hot to go on with the clip that is being made."""
        return over(self._card(), self._limits(), "rest")

    def may_go_on(self, rested_s: float) -> bool:
        """Whether a clip that has rested for so long may go on."""
        card, limits = self._card(), self._limits()
        return is_cool(card, limits) or (rested_s >= REST_AT_MOST_S and over(card, limits, "rest") is None)

    def must_wait(self) -> Heat | None:
        """What is too hot to begin a clip: from the highest limit on until it is cool again."""
        card, limits = self._card(), self._limits()
        heat = over(card, limits, "stop")
        if heat is None and self._stopped and card is not None and not is_cool(card, limits):
            heat = _above_cool(card, limits)
        self._stopped = heat is not None
        return heat

    def _card(self) -> CardSample | None:
        if self._now() - self._looked >= LOOK_EVERY_S:
            self._looked, self._seen = self._now(), self._look()
        return self._seen


def _above_cool(card: CardSample, limits: HeatLimits) -> Heat:
    core = card.temperature_c
    if core is not None and core > limits.cool_c:
        return Heat("core", core, limits.cool_c)
    return Heat("memory", card.memory_temperature_c or 0, limits.memory_warn_c - 1)
