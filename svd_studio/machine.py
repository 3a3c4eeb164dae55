"""What `doctor` tells of this computer, and what to do about what is wrong. Imports no torch."""

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import Message, Value
from svd_studio.gpu.telemetry import Snapshot, Telemetry
from svd_studio.hardware import cores, has_nvidia_hardware, network_drive
from svd_studio.installed import InstalledTorch, installed_torch, sqlite_version, unmet_pins, version_of, xformers_cuda

Level = Literal["ok", "note", "problem"]

LAUNCHER = "launch.bat" if sys.platform == "win32" else "./launch.sh"
HELPFUL = ("diffusers", "transformers", "gradio", "moviepy", "nvidia-ml-py")
PYTHONS = ((3, 11), (3, 14))
SAFE_SQLITE = (3, 51, 3)
"""Older ones can corrupt a database that several connections write (the WAL-reset bug)."""
TURING = (7, 5)
"""The oldest compute capability that PyTorch's CUDA 13 builds run on."""
LITTLE_DISK_GB, NO_DISK_GB, LITTLE_RAM_GB = 20, 2, 15
EARLIEST = 1_767_225_600
"""The start of 2026 in seconds since 1970: no clock that is right shows less."""


@dataclass(frozen=True)
class Finding:
    """One fact about this computer: a code from ui/texts, and whether somebody should act."""

    code: str
    level: Level = "ok"
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def message(self) -> Message:
        return Message(self.code, self.values)


def examine(
    config: StudioConfig,
    *,
    snapshot: Snapshot | None = None,
    weights: Sequence[Finding] = (),
    requirements: Path | None = None,
    port: int = 7860,
    environment: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Look at everything that a clip needs, in under a second; changes nothing.

    `weights` are the caller's findings about installed models and come last. The environment
    is this process's own unless one is given.
    """
    seen = snapshot or Telemetry().sample()
    torch = installed_torch()
    return [
        _system(),
        _python(sys.version_info[:3]),
        _ok("machine.cores", cores=cores()),
        *_memory(seen),
        *_cards(seen),
        *_torch(seen, torch),
        *_packages(requirements or Path(__file__).parent.parent / "requirements.txt"),
        _ffmpeg(),
        *_sqlite(),
        *_data_folder(config.data),
        _port(port),
        *_proxies(os.environ if environment is None else environment),
        *_clock(config.data),
        *weights,
    ]


def _ok(code: str, /, **values: Value) -> Finding:
    return Finding(code, "ok", values)


def _note(code: str, /, **values: Value) -> Finding:
    return Finding(code, "note", values)


def _problem(code: str, /, **values: Value) -> Finding:
    return Finding(code, "problem", {"launcher": LAUNCHER, **values})


def _system() -> Finding:
    name = f"{platform.system()} {platform.release()}"
    if sys.platform == "linux":
        with suppress(OSError, KeyError):  # a Linux without a name
            name = f"{platform.freedesktop_os_release()['PRETTY_NAME']} ({name})"
    return _ok("machine.system", name=name)


def _python(version: tuple[int, ...]) -> Finding:
    oldest, newest = PYTHONS
    if oldest <= version[:2] <= newest:
        return _ok("machine.python", version=_dotted(version))
    return _problem(
        "machine.python_unsupported", version=_dotted(version), oldest=_dotted(oldest), newest=_dotted(newest)
    )


def _memory(seen: Snapshot) -> Iterator[Finding]:
    total, free = seen.machine.ram_total_gb, seen.machine.ram_free_gb
    if total is None or free is None:
        return
    enough = total >= LITTLE_RAM_GB
    yield (_ok if enough else _note)(
        "machine.ram" if enough else "machine.little_ram", total_gb=round(total, 1), free_gb=round(free, 1)
    )


def _cards(seen: Snapshot) -> Iterator[Finding]:
    for card in seen.cards:
        yield _ok(
            "machine.card",
            index=card.index,
            name=card.name,
            total_gb=_rounded(card.total_gb),
            free_gb=_rounded(card.free_gb),
            driver=seen.driver or "?",
        )
        if card.power_limit_w:
            yield _ok("machine.power_limit", index=card.index, watts=round(card.power_limit_w))
    if seen.problem is None:
        return
    # Without a card in the computer a missing driver is nothing to mend.
    if seen.state == "lost" or seen.problem.code == "card.no_reader" or has_nvidia_hardware():
        yield _problem(seen.problem.code, **seen.problem.values)
    else:
        yield _note("machine.no_card")


def _torch(seen: Snapshot, torch: InstalledTorch | None) -> Iterator[Finding]:
    """How PyTorch fits the cards; that it is missing is told with the other packages."""
    if torch is None:
        return
    if torch.cuda is not None:
        yield _ok("machine.torch", version=torch.version, cuda=_dotted(torch.cuda))
        yield from _cuda_mismatch(seen, torch.cuda)
        yield _xformers(torch.cuda)
    elif seen.cards:
        yield _problem("machine.card_idle", version=torch.version, name=seen.cards[0].name)
    else:
        yield _ok("machine.torch_for_cpu", version=torch.version)


def _cuda_mismatch(seen: Snapshot, cuda: tuple[int, int]) -> Iterator[Finding]:
    if seen.cuda is not None and seen.cuda[0] < cuda[0]:
        yield _problem("machine.driver_too_old", driver=seen.driver or "?", has=_dotted(seen.cuda), needs=_dotted(cuda))
    for card in seen.cards:
        if cuda[0] >= 13 and card.compute is not None and card.compute < TURING:
            yield _problem("machine.card_too_old", name=card.name, cuda=_dotted(cuda))


def _xformers(cuda: tuple[int, int]) -> Finding:
    built_for = xformers_cuda()
    if built_for is None:
        return _ok("machine.no_xformers")
    if built_for[0] != cuda[0]:
        return _note("machine.xformers_for_other_cuda", found=_dotted(built_for), cuda=_dotted(cuda))
    return _ok("machine.xformers", cuda=_dotted(built_for))


def _packages(requirements: Path) -> Iterator[Finding]:
    if not requirements.is_file():
        yield _note("machine.no_pins", path=str(requirements))
        return
    unmet = list(unmet_pins(requirements))
    for pin in unmet:
        if pin.found is None:
            yield _problem("machine.package_missing", name=pin.name, wanted=pin.wanted)
        else:
            yield _problem("machine.package_other", name=pin.name, wanted=pin.wanted, found=pin.found)
    if not unmet:
        yield _ok("machine.packages")
    yield from _versions()


def _versions() -> Iterator[Finding]:
    """What somebody who helps asks for first."""
    found = [f"{name} {version}" for name in HELPFUL if (version := version_of(name))]
    if found:
        yield _ok("machine.versions", names=", ".join(found))


def _ffmpeg() -> Finding:
    try:
        import imageio_ffmpeg

        said = subprocess.run(
            [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-version"],
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=10,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        ).stdout.decode(errors="replace")
    except (ImportError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        return _problem("machine.no_ffmpeg", reason=type(error).__name__)
    found = re.search(r"version (\S+)", said)
    version = found[1] if found else "?"
    if "--enable-libx264" not in said:
        return _problem("machine.ffmpeg_without_h264", version=version)
    return _ok("machine.ffmpeg", version=version)


def _sqlite() -> Iterator[Finding]:
    """That apsw is missing is told with the other packages."""
    version = sqlite_version()
    if version is not None and version < SAFE_SQLITE:
        yield _problem("machine.sqlite_unsafe", version=_dotted(version), needs=_dotted(SAFE_SQLITE))
    elif version is not None:
        yield _ok("machine.sqlite", version=_dotted(version))


def _data_folder(data: Path) -> Iterator[Finding]:
    data, path = data.absolute(), str(data)
    nearest = next((folder for folder in (data, *data.parents) if folder.is_dir()), None)
    if nearest is None or not _can_write(nearest, is_data=nearest == data):
        yield _problem("machine.data_read_only", path=path)
    if nearest is None:
        return
    if kind := network_drive(nearest):
        yield _problem("machine.data_on_network", path=path, kind=kind)
    free_gb = round(shutil.disk_usage(nearest).free / 1e9, 1)  # as file managers and the Models page count
    if free_gb < NO_DISK_GB:
        yield _problem("machine.disk_full", path=path, free_gb=free_gb)
    elif free_gb < LITTLE_DISK_GB:
        yield _note("machine.disk_little", path=path, free_gb=free_gb)
    else:
        yield _ok("machine.data_folder", path=path, free_gb=free_gb)


def _can_write(folder: Path, is_data: bool) -> bool:
    """Try it in the data folder itself; elsewhere only ask, and leave nothing."""
    if not is_data:
        return os.access(folder, os.W_OK | os.X_OK)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"?")
    except OSError:
        return False
    return True


def _port(port: int) -> Finding:
    with socket.socket() as listener:
        if sys.platform != "win32":  # there it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return _note("machine.port_taken", port=port)
    return _ok("machine.port_free", port=port)


def _proxies(environment: Mapping[str, str]) -> Iterator[Finding]:
    """A proxy that is also asked for this computer's own page keeps Gradio from starting."""
    given = {name.upper(): value for name, value in environment.items() if value}
    proxies = [name for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") if name in given]
    direct = {host.strip() for host in given.get("NO_PROXY", "").split(",")}
    if proxies:
        is_direct = "*" in direct or {"127.0.0.1", "localhost"} <= direct
        # Names only: the values may hold a password.
        yield (
            _ok("machine.proxy", names=", ".join(proxies))
            if is_direct
            else _problem("machine.proxy_for_all", names=", ".join(proxies))
        )


def _clock(data: Path) -> Iterator[Finding]:
    now = time.time()
    written = data.stat().st_mtime if data.exists() else now
    if now < EARLIEST or written > now + 86_400:
        yield _problem("machine.clock_wrong", date=time.strftime("%Y-%m-%d", time.localtime(now)))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _rounded(gb: float | None) -> Value:
    return "?" if gb is None else round(gb, 1)
