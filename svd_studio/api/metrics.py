"""What the studio does, in Prometheus' text form (prometheus.io/docs/instrumenting/exposition_formats)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from svd_studio import __version__
from svd_studio.core.job import JobStatus
from svd_studio.core.vram import GIB
from svd_studio.gpu.telemetry import CardSample, MachineSample, Telemetry
from svd_studio.studio import Studio

CONTENT_TYPE = "text/plain; version=0.0.4"
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Sample = tuple[dict[str, str], float | None]


@dataclass(frozen=True)
class Gauge:
    """One number that goes up and down, for each set of labels; None is not shown."""

    name: str
    help: str
    samples: Iterable[Sample]

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it; nothing when no number is known."""
        known = [(labels, value) for labels, value in self.samples if value is not None]
        if not known:
            return
        yield f"# HELP svd_studio_{self.name} {self.help}"
        yield f"# TYPE svd_studio_{self.name} gauge"
        for labels, value in known:
            yield f"svd_studio_{self.name}{_labels(labels)} {float(value)!r}"


def metrics(studio: Studio, telemetry: Telemetry) -> str:
    """Everything that is known now."""
    now = telemetry.latest()
    gauges = (*_work(studio), *_cards(now.cards), _memory(now.machine))
    return "".join(f"{line}\n" for gauge in gauges for line in gauge.lines())


def _work(studio: Studio) -> tuple[Gauge, ...]:
    """Counted by SQLite, for a library of thousands is asked every few seconds."""
    ask = studio.database.connection.execute
    jobs = dict(ask("SELECT status, count(*) FROM jobs GROUP BY status"))
    stages = ask("SELECT stage.key, sum(stage.value) FROM clips, json_each(clips.seconds) AS stage GROUP BY stage.key")
    return (
        Gauge("info", "Always 1; the version is in the label.", [({"version": __version__}, 1)]),
        Gauge("jobs", "Jobs by status.", [({"status": status}, jobs.get(status.value, 0)) for status in JobStatus]),
        Gauge(
            "stage_seconds",
            "Seconds that the clips of the library took to make, by stage.",
            [({"stage": str(stage)}, float(seconds)) for stage, seconds in stages],
        ),
    )


def _cards(cards: tuple[CardSample, ...]) -> tuple[Gauge, ...]:
    def each(name: str) -> list[Sample]:
        return [(_card(card), getattr(card, name)) for card in cards]

    memory = [
        ({**_card(card), "kind": kind}, _bytes(getattr(card, f"{kind}_gb")))
        for card in cards
        for kind in ("total", "used", "free", "studio")
    ]
    throttle = [({**_card(card), "reason": reason}, 1.0) for card in cards for reason in card.throttle]
    return (
        Gauge("card_memory_bytes", "Memory of a card; studio is what our own processes hold.", memory),
        Gauge("card_load_percent", "How busy a card is.", each("load_percent")),
        Gauge("card_temperature_celsius", "Temperature of a card.", each("temperature_c")),
        Gauge("card_memory_temperature_celsius", "Temperature of a card's memory.", each("memory_temperature_c")),
        Gauge("card_power_watts", "Power that a card draws.", each("power_w")),
        Gauge("card_power_limit_watts", "Power that a card may draw.", each("power_limit_w")),
        Gauge("card_throttled", "1 for each reason why a card runs slower than it could.", throttle),
    )


def _memory(machine: MachineSample) -> Gauge:
    samples: list[Sample] = [
        ({"kind": "total"}, _bytes(machine.ram_total_gb)),
        ({"kind": "free"}, _bytes(machine.ram_free_gb)),
    ]
    return Gauge("machine_memory_bytes", "Memory of the computer.", samples)


def _card(card: CardSample) -> dict[str, str]:
    return {"card": str(card.index), "name": card.name}


def _bytes(gib: float | None) -> float | None:
    return None if gib is None else round(gib * GIB)


def _labels(labels: dict[str, str]) -> str:
    shown = (f'{name}="{value.translate(ESCAPES)}"' for name, value in labels.items())
    return f"{{{','.join(shown)}}}" if labels else ""
