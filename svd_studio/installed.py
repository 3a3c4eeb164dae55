"""What is installed beside the studio, read from the packages' own records. Imports none of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path


@dataclass(frozen=True)
class InstalledTorch:
    """PyTorch's version and the CUDA version that it was built for, None for a CPU build."""

    version: str
    cuda: tuple[int, int] | None


@dataclass(frozen=True)
class UnmetPin:
    """A package that is not what the requirements ask for; `found` is None when it is missing."""

    name: str
    wanted: str
    found: str | None


def installed_torch() -> InstalledTorch | None:
    """Which PyTorch an import would load; takes milliseconds where the import takes seconds."""
    try:
        package = distribution("torch")
        text = Path(str(package.locate_file("torch/version.py"))).read_text(encoding="utf-8")
    except (PackageNotFoundError, OSError):
        return None
    found = re.search(r"^cuda\b.*?=\s*'(\d+)\.(\d+)", text, re.MULTILINE)
    return InstalledTorch(package.version, (int(found[1]), int(found[2])) if found else None)


def xformers_cuda() -> tuple[int, int] | None:
    """The CUDA version that xformers' kernels were built for; None when it is missing or has none.

    Built for another major version than PyTorch it imports, says that it is available, and is dead.
    """
    try:
        record = Path(str(distribution("xformers").locate_file("xformers/cpp_lib.json")))
        number = json.loads(record.read_text(encoding="utf-8"))["version"]["cuda"]
    except (PackageNotFoundError, OSError, ValueError, KeyError):
        return None
    return (number // 100, number % 100) if isinstance(number, int) else None


def sqlite_version() -> tuple[int, ...] | None:
    """The SQLite inside apsw, whose releases carry its number (3.54.1.0 holds 3.54.1)."""
    try:
        return tuple(int(part) for part in version("apsw").split(".")[:3])
    except PackageNotFoundError:
        return None


def unmet_pins(requirements: Path) -> Iterator[UnmetPin]:
    """The lines of a requirements file that this environment does not meet."""
    from packaging.requirements import Requirement

    for line in requirements.read_text(encoding="utf-8").splitlines():
        wanted = line.partition("#")[0].strip()
        if not wanted or wanted.startswith("-"):
            continue
        pin = Requirement(wanted)
        if pin.marker is not None and not pin.marker.evaluate():
            continue
        found = version_of(pin.name)
        if found is None or not pin.specifier.contains(found, prereleases=True):
            yield UnmetPin(pin.name, str(pin.specifier), found)


def version_of(name: str) -> str | None:
    """The version of an installed package; None where it is not."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
