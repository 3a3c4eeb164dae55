"""The computer around the cards: its memory, and how busy its processor is. No torch."""

import ctypes
import sys
from pathlib import Path

from svd_studio.core.vram import GIB

if sys.platform == "win32":

    class _MemoryStatus(ctypes.Structure):
        """MEMORYSTATUSEX."""

        _fields_ = [
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            ("total", ctypes.c_uint64),
            ("free", ctypes.c_uint64),
            ("rest", ctypes.c_uint64 * 5),
        ]

    def memory_gb() -> tuple[float | None, float | None]:
        """Total and available RAM in GiB, None where the system does not tell."""
        status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
        if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
            return None, None
        return status.total / GIB, status.free / GIB

    def cpu_seconds() -> tuple[float, float] | None:
        """Busy and all time of all cores since the start, in one unit."""
        idle, kernel, user = ctypes.c_uint64(), ctypes.c_uint64(), ctypes.c_uint64()
        if not ctypes.windll.kernel32.GetSystemTimes(ctypes.byref(idle), ctypes.byref(kernel), ctypes.byref(user)):
            return None
        total = kernel.value + user.value  # Windows counts idle as kernel time
        return float(total - idle.value), float(total)

    def process_seconds(pid: int) -> float | None:
        """What one process has computed, in the unit of cpu_seconds; None for one that cannot be asked."""
        windows = ctypes.windll.kernel32
        handle = ctypes.c_void_p(windows.OpenProcess(0x1000, False, pid))  # PROCESS_QUERY_LIMITED_INFORMATION
        times = [ctypes.c_uint64() for _ in range(4)]
        if not handle:
            return None
        answered = windows.GetProcessTimes(handle, *map(ctypes.byref, times))
        windows.CloseHandle(handle)
        return float(times[2].value + times[3].value) if answered else None

else:

    def memory_gb() -> tuple[float | None, float | None]:
        """Total and available RAM in GiB, None where the system does not tell."""
        try:
            lines = Path("/proc/meminfo").read_text().splitlines()
        except OSError:
            return None, None
        kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        return kilobytes["MemTotal"] * 1024 / GIB, kilobytes["MemAvailable"] * 1024 / GIB

    def cpu_seconds() -> tuple[float, float] | None:
        """Busy and all time of all cores since the start, in one unit."""
        try:
            first = Path("/proc/stat").read_text().split("\n", 1)[0]
        except OSError:
            return None
        user, nice, system, idle, waiting, *interrupts = (float(part) for part in first.split()[1:9])
        busy = user + nice + system + sum(interrupts)
        return busy, busy + idle + waiting

    def process_seconds(pid: int) -> float | None:
        """What one process has computed, in the unit of cpu_seconds; None for one that cannot be asked."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return float(fields[11]) + float(fields[12])
