"""What differs between Linux and Windows: file locks, child death, folders. Knows nothing of videos."""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from svd_studio.core.errors import BadInput, StudioError

LOCKED_BYTE = 1 << 30
"""Windows refuses to read locked bytes, so the lock sits far behind the text."""

RECORD_BYTES = 1024
ORPHANED = 3
"""Exit code of a child whose parent died."""


class FileLock:
    """Hold a file for this process alone; the system lets go when the process ends, however it ends.

    While held, the file says who holds it, readable by everyone. The file itself stays: removing
    it would let two processes hold two files of one name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def try_acquire(self, url: str = "") -> bool:
        """Take the lock if nobody holds it, this process included; never waits."""
        if self._file is not None:
            return False
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock(file):
            os.close(file)
            return False
        self._file = file
        self.announce(url)
        return True

    def announce(self, url: str) -> None:
        """Tell others where the holder can be reached; only while held."""
        assert self._file is not None, "announce needs the lock"
        # One write of one fixed length, so that a reader never sees half of it.
        record = json.dumps({"pid": os.getpid(), "url": url}).encode().ljust(RECORD_BYTES)
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, record)

    def release(self) -> None:
        """Let go; harmless when not held."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            _unlock(self._file)
            os.close(self._file)
            self._file = None

    def holder(self) -> dict[str, Any] | None:
        """Who holds the lock, as {"pid", "url"}; None when it is free or just being taken."""
        try:
            found = json.loads(self.path.read_bytes()[:RECORD_BYTES])
        except (OSError, ValueError):
            return None
        # Look at the pid first: only the rare second look touches the lock, which others may want.
        pid = found.get("pid") if isinstance(found, dict) else None
        if not isinstance(pid, int) or not is_alive(pid) or self._is_free():
            return None
        return {"pid": pid, "url": str(found.get("url", ""))}

    def _is_free(self) -> bool:
        if self._file is not None:
            return False
        file = os.open(self.path, os.O_RDONLY)
        try:
            free = _lock(file)
            if free:
                _unlock(file)
            return free
        finally:
            os.close(file)

    def __enter__(self) -> Self:
        if not self.try_acquire():
            raise StudioError("host.lock_held", path=str(self.path), pid=(self.holder() or {}).get("pid", 0))
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Child(subprocess.Popen[bytes]):
    """A process that ends when we do; `spawn_child` starts it."""

    def stop(self, patience_s: float = 5.0) -> int:
        """End it as if we had died, by force when it does not listen; also tidies up one that ended."""
        assert self.stdin
        self.stdin.close()
        try:
            return self.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.wait()


def spawn_child(argv: Sequence[str], env: Mapping[str, str], log: Path) -> Child:
    """Start a process whose output is appended to `log` and whose stdin is open for as long as we live.

    It must call `exit_when_parent_dies` first thing. Ctrl-C in our terminal does not reach it.
    """
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    with log.open("ab") as output:
        return Child(argv, env=dict(env), stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, **apart)


def exit_when_parent_dies(fd: int = 0) -> None:
    """In a child of `spawn_child`: leave at once, without cleaning up, when the pipe at `fd` closes."""
    pipe = os.dup(fd)
    # Nobody else may meet the pipe: on Windows a grandchild that inherits a stdin which a thread
    # is reading hangs at its start (github.com/python/cpython/issues/78961).
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, fd, inheritable=fd == 0)
    os.close(nothing)
    threading.Thread(target=_exit_at_end_of, args=(pipe,), name="parent-watch", daemon=True).start()


def _exit_at_end_of(pipe: int) -> None:
    with suppress(OSError):  # Windows reports a broken pipe instead of its end
        while os.read(pipe, 4096):
            pass
    os._exit(ORPHANED)


def die_with_parent() -> None:
    """On Linux, have the kernel kill this process when the *thread* that started it ends.

    It works even while native code holds the interpreter, when no watching thread can run.
    """
    if sys.platform == "linux":
        parent, set_death_signal = os.getppid(), 1
        ctypes.CDLL(None).prctl(set_death_signal, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(ORPHANED)


def fsync_folder(path: Path) -> None:
    """Make renames and new names in a folder survive a power cut; Windows has no such call."""
    if sys.platform != "win32":
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def show_in_folder(path: Path) -> bool:
    """Open the system's file manager where a file is; False where there is none to open."""
    command = _file_manager(path)
    if command is None or not path.parent.is_dir():
        return False
    nowhere = subprocess.DEVNULL
    try:
        shown = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)
    except OSError:
        return False
    threading.Thread(target=shown.wait, name="file-manager", daemon=True).start()
    return True


def _file_manager(path: Path) -> str | list[str] | None:
    if sys.platform == "win32":
        return f'explorer /select,"{path}"'  # quoted as explorer wants it, which is not as a list would be
    if sys.platform == "darwin":
        return ["open", "-R", str(path)]
    has_screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    program = shutil.which("xdg-open") if has_screen else None
    return [program, str(path.parent)] if program else None


def user_data_folder() -> Path:
    """Where this system wants a person's own files; nothing is created."""
    import platformdirs

    return platformdirs.user_data_path("svd-studio", appauthor=False)


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter; its parents get the usual rights.

    Raises BadInput when the system does not allow it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BadInput("host.folder_refused", path=str(path), reason=error.strerror or "") from error
    if sys.platform != "win32" and path.stat().st_mode & 0o077:
        with suppress(PermissionError):  # somebody else's folder, lent to us
            path.chmod(0o700)
    return path


def peak_memory_gb() -> float:
    """The most memory that this process ever had resident, in GiB."""
    return _peak_bytes() / 1024**3


def used_memory_gb() -> float | None:
    """What this process holds of its own now, files it merely looks at left out, in GiB; None where nobody tells."""
    used = _used_bytes()
    return None if used is None else used / 1024**3


def open_many_files() -> int:
    """Let this process have as many files open as the system allows: connections are files, too. Returns how many."""
    return _raise_file_limit()


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs; a zombie does not."""
    return 0 < pid < 2**31 and _exists(pid)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> bool:
        os.lseek(file, LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: int) -> None:
        os.lseek(file, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

    class _Memory(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS of psapi.h."""

        _fields_ = [
            ("size", ctypes.c_uint32),
            ("page_faults", ctypes.c_uint32),
            *((name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "page_file", "peak_page_file")),
        ]

    def _memory() -> _Memory:
        counters, kernel = _Memory(ctypes.sizeof(_Memory)), ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        process = ctypes.c_void_p(kernel.GetCurrentProcess())
        kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.size)
        return counters

    def _peak_bytes() -> int:
        return int(_memory().peak)

    def _used_bytes() -> int | None:
        return int(_memory().page_file)

    def _raise_file_limit() -> int:
        return 16_384  # of the C library, which sockets do not count for

    def _exists(pid: int) -> bool:
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = ctypes.c_void_p
        may_wait, still_running, access_denied = 0x0010_0000, 0x102, 5
        process = ctypes.c_void_p(kernel.OpenProcess(may_wait, False, pid))
        if not process:
            return ctypes.get_last_error() == access_denied
        try:
            return bool(kernel.WaitForSingleObject(process, 0) == still_running)
        finally:
            kernel.CloseHandle(process)

else:
    import fcntl
    import resource

    def _lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)

    def _used_bytes() -> int | None:
        try:
            status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        except OSError:
            return None
        return sum(int(status[kind].split()[0]) * 1024 for kind in ("RssAnon", "RssShmem"))

    def _peak_bytes() -> int:
        with suppress(OSError):  # getrusage also counts what the parent held when it started us
            return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return kilobytes if sys.platform == "darwin" else kilobytes * 1024  # there it counts bytes

    def _raise_file_limit() -> int:
        limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = min(hard, 10_240) if sys.platform == "darwin" else hard  # macOS says infinite, and takes no more
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, most), hard))
        now = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return sys.maxsize if now == resource.RLIM_INFINITY else now  # infinite is -1 on Linux

    def _exists(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True  # no /proc here
        return state not in "ZX"  # dead, and only waiting to be counted
