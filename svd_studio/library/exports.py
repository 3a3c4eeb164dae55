"""Clips in other formats and sizes: made when somebody asks, kept for a while, made again after that."""

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from svd_studio.core.errors import BadInput, StudioError
from svd_studio.host import private_folder
from svd_studio.library.clips import Clip
from svd_studio.video.export import EXPORTS, export_clip
from svd_studio.video.files import check_free

KEPT_S = 86400.0
EXPORTS_BYTES = 2 * 1024**3
ROOM_BYTES = 200_000_000
MOST_WAITING, MOST_OF_GUESTS = 8, 2
"""Each one that is being waited for holds one of the window's threads; all guests together have a few of them."""

_WAITING = threading.BoundedSemaphore(MOST_WAITING)
_OF_GUESTS = threading.BoundedSemaphore(MOST_OF_GUESTS)
_MAKING = threading.Lock()
"""One at a time: an encoder takes every core that it is given, and a clip may be rendering."""


class Exports:
    """Hand out one file for each clip and kind of EXPORTS, under names that tell nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, clip: Clip, kind: str, is_guest: bool = False) -> Path:
        """The clip as that kind, made if need be. Raises BadInput, RenderFailed, DiskFull and StudioError when busy."""
        if not clip.is_here:
            raise BadInput("page.gallery.unknown")
        target = self.place(clip, kind)
        if target.exists():  # nobody waits for what is there
            return target
        with one_at_a_time(is_guest):
            if not target.exists():
                self.trim()
                check_free(self.folder, ROOM_BYTES)
                export_clip(clip.rendered.path, EXPORTS[kind], target)
        return target

    def place(self, clip: Clip, kind: str) -> Path:
        """Where the clip as that kind is, or will be."""
        return private_folder(self.folder) / f"{clip.id}-{kind}.{EXPORTS[kind].format}"

    def bytes_of(self, clips: Collection[str]) -> int:
        """What the exports of these clips take, by the clips' ids."""
        return sum(size for _, size, path in self._files() if path.name.rpartition("-")[0] in clips)

    def trim(self, limit_bytes: int = EXPORTS_BYTES) -> None:
        """Let go of what is a day old, and of the oldest until the others fit."""
        total, now = 0, time.time()
        for made, size, path in sorted(self._files(), reverse=True):
            total += size
            if total > limit_bytes or now - made > KEPT_S:
                with suppress(OSError):  # Windows keeps what is being sent
                    path.unlink()

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self.folder.glob("*"):
            with suppress(OSError):
                state = path.stat()
                yield state.st_mtime, state.st_size, path


@contextmanager
def one_at_a_time(is_guest: bool = False) -> Iterator[None]:
    """Wait for one's turn at reading and writing clips. Raises StudioError when too many wait."""
    with _place_in(_OF_GUESTS) if is_guest else nullcontext(), _place_in(_WAITING), _MAKING:
        yield


@contextmanager
def _place_in(waiting: threading.BoundedSemaphore) -> Iterator[None]:
    if not waiting.acquire(blocking=False):
        raise StudioError("export.busy")
    try:
        yield
    finally:
        waiting.release()
