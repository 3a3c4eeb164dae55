"""What the system tells of its hardware: cores, cards in their slots, drives behind a network."""

import ctypes
import os
import re
import sys
from pathlib import Path

NVIDIA, DISPLAY = "0x10de", "0x03"
NETWORK_FILESYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "afs", "glusterfs", "davfs", "lustre"})
NETWORK_FUSE = frozenset({"sshfs", "rclone", "s3fs", "glusterfs", "davfs2", "gvfsd-fuse", "cephfs"})


def cores() -> int:
    """How many processor cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def mounted_network_filesystem(path: str, mounts: str) -> str | None:
    """The kind of network file system that holds `path`, by the text of /proc/mounts."""
    deepest, kind, options = "", "", ""
    for line in mounts.splitlines():
        point, found, how = (re.sub(r"\\(\d{3})", _letter, part) for part in line.split()[1:4])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(deepest):  # the later of two at one place covers the earlier
            deepest, kind, options = point, found, how
    # Windows drives inside WSL are 9p; other 9p mounts are a virtual machine's own disk.
    is_windows_drive = kind == "9p" and "drvfs" in options
    is_remote = kind in NETWORK_FILESYSTEMS or kind.removeprefix("fuse.") in NETWORK_FUSE
    return kind if is_remote or is_windows_drive else None


def _letter(code: re.Match[str]) -> str:
    return chr(int(code[1], 8))


if sys.platform == "win32":

    class _Display(ctypes.Structure):
        """DISPLAY_DEVICEW."""

        _fields_ = [
            ("size", ctypes.c_uint32),
            ("name", ctypes.c_wchar * 32),
            ("title", ctypes.c_wchar * 128),
            ("flags", ctypes.c_uint32),
            ("id", ctypes.c_wchar * 128),
            ("key", ctypes.c_wchar * 128),
        ]

    def network_drive(folder: Path) -> str | None:
        """What kind of network drive holds a folder, None for a local disk."""
        remote = 4
        kind = ctypes.windll.kernel32.GetDriveTypeW(folder.absolute().anchor)
        return "SMB" if kind == remote else None

    def has_nvidia_hardware() -> bool:
        """Whether an NVIDIA graphics card is in the computer, with or without a driver."""
        display, number = _Display(size=ctypes.sizeof(_Display)), 0
        while ctypes.windll.user32.EnumDisplayDevicesW(None, number, ctypes.byref(display), 0):
            if "VEN_10DE" in display.id:
                return True
            number += 1
        return False

else:

    def network_drive(folder: Path) -> str | None:
        """What kind of network drive holds a folder, None for a local disk."""
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        return mounted_network_filesystem(os.path.realpath(folder), mounts)

    def has_nvidia_hardware(devices: Path = Path("/sys/bus/pci/devices")) -> bool:
        """Whether an NVIDIA graphics card is in the computer, with or without a driver."""
        return any(
            (device / "vendor").read_text().strip() == NVIDIA and (device / "class").read_text().startswith(DISPLAY)
            for device in (devices.iterdir() if devices.is_dir() else ())
        )
