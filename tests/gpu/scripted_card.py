"""Graphics cards that a test writes: a fake driver library that the real pynvml loads in a child process.

card = ScriptedCard(tmp_path)
card.set(cards=[BUSY | {"processes": {worker_pid: 9.5}}])
subprocess.Popen(argv, env=os.environ | card.environment())
card.set(cards=[BUSY | {"lost": True}])      # the running child sees it at its next sample
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

LIBRARY = "libnvidia-ml.so.1"
SOURCE = Path(__file__).with_name("fake_nvml.c")
DRIVER_NOT_LOADED, GPU_IS_LOST, VERSION_MISMATCH = 9, 15, 18
THROTTLE_BITS = {"idle": 0x1, "power_cap": 0x4, "hardware": 0x8, "thermal": 0x20, "power_brake": 0x80}

IDLE: Mapping[str, Any] = {
    "name": "NVIDIA GeForce RTX 4090",
    "uuid": "GPU-4090",
    "total_gb": 24.0,
    "used_gb": 0.5,
    "load_percent": 0,
    "temperature_c": 38,
    "memory_temperature_c": 44,
    "power_w": 22.5,
    "power_limit_w": 450.0,
    "throttle": ["idle"],
    "compute": (8, 9),
    "processes": {},
    "lost": False,
}
"""What a card says unless a test says otherwise. Sizes in GiB. None is "not supported", processes are
{pid: GiB}, or {pid: None} as on Windows; an unknown key raises."""
BUSY = {**IDLE, "used_gb": 15.0, "load_percent": 99, "temperature_c": 67, "power_w": 430.0, "throttle": []}
HOT = {**BUSY, "temperature_c": 84, "memory_temperature_c": 98}
THROTTLED = {**HOT, "temperature_c": 88, "load_percent": 100, "throttle": ["thermal", "power_cap"]}

SCALED = {"total_gb": ("total", 1024**3), "used_gb": ("used", 1024**3)} | {
    "power_w": ("power_mw", 1000),
    "power_limit_w": ("power_limit_mw", 1000),
}


class NvmlError(int):
    """In the place of a reading: the error that the driver gives instead."""

    def __str__(self) -> str:
        return f"!{int(self)}"


def needs_compiler() -> None:
    """Skip the calling test where no driver can be faked; in CI a missing compiler is a failure."""
    if sys.platform != "linux":
        pytest.skip("the scripted card needs Linux: pynvml finds it through LD_LIBRARY_PATH")
    if shutil.which("gcc") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("the scripted card needs gcc")


@cache
def build(folder: Path) -> Path:
    """Compile the library into a folder, once; takes a fifth of a second."""
    needs_compiler()
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / LIBRARY
    subprocess.run(
        ["gcc", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, SOURCE], check=True
    )
    return library


class ScriptedCard:
    """One computer's cards, idle RTX 4090 at first; `library` is a folder that another test built already."""

    def __init__(self, folder: Path, library: Path | None = None) -> None:
        self.library = library or build(folder / "driver")
        self.state = folder / "card.txt"
        self.set()

    def environment(self) -> dict[str, str]:
        """What the child needs besides the environment that it gets anyway."""
        return {"LD_LIBRARY_PATH": str(self.library.parent), "SCRIPTED_CARD_STATE": str(self.state)}

    def set(
        self,
        cards: Sequence[Mapping[str, Any]] = ({},),
        init_error: int = 0,
        driver: str | NvmlError | None = "580.95.05",
        cuda: int | None = 13000,
    ) -> None:
        """Change what the driver says from the next call on; each card overrides IDLE."""
        lines = [f"init {NvmlError(init_error) if init_error else 'ok'}", f"count {len(cards)}"]
        lines += [f"{key} {value}" for key, value in {"driver": driver, "cuda": cuda}.items() if value is not None]
        for index, card in enumerate(cards):
            assert card.keys() <= IDLE.keys(), f"no such reading: {card.keys() - IDLE.keys()}"
            lines += [f"{index}.{line}" for line in _card_lines({**IDLE, **card})]
        fresh = self.state.with_suffix(".new")
        fresh.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
        fresh.replace(self.state)  # a reader sees the old card or the new one, never half of it


def records_of_cuda(folder: Path) -> dict[str, str]:
    """The environment of a child that finds records of a PyTorch for CUDA, and imports the one that is here."""
    records = folder / "torch-2.13.0+cu130.dist-info"
    records.mkdir(parents=True)
    (records / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0+cu130\n")
    (folder / "torch").mkdir()  # without an __init__.py the real package goes before it
    (folder / "torch" / "version.py").write_text("cuda: Optional[str] = '13.0'\n")
    return {"PYTHONPATH": str(folder)}


def _card_lines(card: Mapping[str, Any]) -> list[str]:
    """The lines of one card; what is left out is "not supported"."""
    lines = [f"lost {NvmlError(GPU_IS_LOST)}"] if card["lost"] else []
    for key, value in card.items():
        name, scale = SCALED.get(key, (key, None))
        if value is None or key == "lost":
            continue
        if isinstance(value, NvmlError):
            lines.append(f"{name} {value}")
        elif scale is not None:
            lines.append(f"{name} {round(value * scale)}")
        elif key == "throttle":
            lines.append(f"throttle_bits {sum(THROTTLE_BITS[reason] for reason in value)}")
        elif key == "compute":
            lines.append(f"compute {value[0] * 10 + value[1]}")
        elif key == "processes":
            listed = (f"{pid}:{'-' if gb is None else round(gb * 1024**3)}" for pid, gb in value.items())
            lines.append(f"processes {','.join(listed)}")
        else:
            lines.append(f"{key} {value}")
    return lines
