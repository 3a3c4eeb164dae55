"""The doctor's whole report: this computer, the studio on it, and the limits that hold; for terminal and page."""

from dataclasses import asdict

from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import Value
from svd_studio.core.vram import GIB
from svd_studio.engines.catalog import ENGINES
from svd_studio.gpu.telemetry import Snapshot
from svd_studio.jobs.housekeeping import holdings
from svd_studio.library.trash import KEPT_DAYS
from svd_studio.machine import Finding, examine
from svd_studio.rendering.parts import PARTS_BYTES
from svd_studio.studio import Studio


def examine_studio(studio: Studio, snapshot: Snapshot | None = None) -> list[Finding]:
    """Everything that a clip needs and what is there of it, in about a second; changes nothing."""
    here = ", ".join(info.name for info in ENGINES.values() if studio.is_installed(info))
    limits = Finding("heat.limits", "ok", asdict(studio.heat.limits()))
    holds = [Finding("models.here", "ok", {"names": here}), kept_besides_clips(studio.config), limits]
    return examine(studio.config, weights=holds, snapshot=snapshot)


def kept_besides_clips(config: StudioConfig) -> Finding:
    """How much room the data folder takes for what comes and goes, and what bounds it."""
    sizes: dict[str, Value] = {holding.kind: round(holding.bytes / GIB, 1) for holding in holdings(config)}
    return Finding("machine.kept", "ok", {**sizes, "parts_limit": round(PARTS_BYTES / GIB, 1), "days": KEPT_DAYS})
