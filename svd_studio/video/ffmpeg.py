"""Run ffmpeg, most of all the one that imageio-ffmpeg brings; knows nothing of what it is run for."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Any, Self

from svd_studio.core.errors import RenderFailed

# Its own group: Ctrl-C in a terminal must reach the studio, which then stops ffmpeg, not both at once.
_DETACHED: dict[str, Any]
if sys.platform == "win32":
    _DETACHED = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    _DETACHED = {"start_new_session": True}

# A playlist or a reference movie named .mp4 must not make ffmpeg open other files or the network.
SAFE_INPUT = ("-protocol_whitelist", "file", "-format_whitelist", "mov,matroska")


class FfmpegFailed(Exception):
    """Say that ffmpeg ended with an error; `log` is the end of what it printed."""

    def __init__(self, code: int, log: str) -> None:
        super().__init__(f"ffmpeg ended with {code}: {log[-2000:]}")
        self.code = code
        self.log = log

    @property
    def is_disk_full(self) -> bool:
        """Whether the disk could take no more: exit 228 is -ENOSPC in eight bits."""
        return self.code & 0xFF == 228 or "No space left on device" in self.log or "quota exceeded" in self.log


class Ffmpeg:
    """One ffmpeg process; leaving the block before `finish` kills it.

    It either takes bytes (`write`) or gives them (`read`, `lines`). What it prints is read all
    the time by a thread of its own, because a full pipe would stop it for ever.
    """

    def __init__(self, arguments: Sequence[str], takes_bytes: bool = False, program: str | None = None) -> None:
        self._log: deque[str] = deque(maxlen=200)
        self._process = _start([program or bundled_ffmpeg(), "-hide_banner", "-nostats", *arguments], takes_bytes)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._end()

    @property
    def output(self) -> IO[bytes]:
        """What ffmpeg writes to its standard output."""
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def log(self) -> str:
        """The end of what ffmpeg printed so far."""
        return "\n".join(self._log)

    def write(self, data: memoryview | bytes) -> None:
        """Hand bytes over. Raises FfmpegFailed when ffmpeg has gone."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
        except OSError:
            self.finish()
            raise FfmpegFailed(0, self.log) from None

    def finish(self) -> None:
        """Wait until ffmpeg has ended by itself. Raises FfmpegFailed when it ended with an error."""
        code = self._end()
        if code:
            raise FfmpegFailed(code, self.log)

    def _end(self) -> int:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # bytes without a reader any more; the exit code tells why
                    pipe.close()
        code = self._process.wait()
        self._listener.join()
        return code

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            while line := lines.readline(4096):
                self._log.append(line.decode(errors="replace").rstrip())


def bundled_ffmpeg() -> str:
    """The program that imageio-ffmpeg brings, or that it was told to take. Raises RenderFailed."""
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise RenderFailed("video.no_ffmpeg") from error


def succeeds(program: str, arguments: Sequence[str], at_most_s: float) -> bool:
    """Whether an ffmpeg ends well in that time; one that hangs in a driver is killed and not waited for."""
    nothing = subprocess.DEVNULL
    try:
        process = subprocess.Popen([program, *arguments], stdin=nothing, stdout=nothing, stderr=nothing, **_DETACHED)
    except OSError:
        return False
    try:
        return process.wait(at_most_s) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        threading.Thread(target=process.wait, daemon=True).start()
        return False


def _start(command: Sequence[str], takes_bytes: bool) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if takes_bytes else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if takes_bytes else subprocess.PIPE,
            stderr=subprocess.PIPE,
            **_DETACHED,
        )
    except OSError as error:
        raise RenderFailed("video.no_ffmpeg") from error
