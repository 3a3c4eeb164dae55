"""Finished latents and frames, kept under the hash of what made them: resume is asking again."""

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.errors import DiskFull
from svd_studio.video.files import write_whole

PICTURE_ONLY = {"version", "finish", "export"}
"""Fields of a recipe that do not reach the engine."""

EDGE_BYTES = 65_536
PARTS_BYTES = 8 * 1024**3
FRAMES_MARK = "-w"


def latents_name(settings: ResolvedSettings, picture: bytes, weights: str, precision: str) -> str:
    """Name latents by everything that makes them: recipe, framed picture, weights, precision."""
    recipe = settings.model_dump(mode="json", exclude=PICTURE_ONLY)
    made_of = json.dumps([recipe, hashlib.sha256(picture).hexdigest(), weights, precision], sort_keys=True)
    return hashlib.sha256(made_of.encode()).hexdigest()[:32]


def frames_name(latents: str, window: int) -> str:
    """Name decoded frames by their latents and the decode window, which touches pixels slightly."""
    return f"{latents}{FRAMES_MARK}{window}"


def fingerprint(folder: Path) -> str:
    """Tell one set of weights from another without reading gigabytes: names, sizes, both ends of each file."""
    seen = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".safetensors", ".json"):
            with path.open("rb") as file:
                seen.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
                seen.update(file.read(EDGE_BYTES))
                file.seek(-min(EDGE_BYTES, path.stat().st_size), os.SEEK_END)
                seen.update(file.read())
    return seen.hexdigest()


class PartStore:
    """Keep arrays in one folder, whole or not at all, the oldest making room for the new."""

    def __init__(self, folder: Path, limit_bytes: int = PARTS_BYTES) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes

    def load(self, name: str) -> np.ndarray | None:
        """The part of that name, memory-mapped; None when it is not here or not readable."""
        path = self._path(name)
        try:
            part: np.ndarray = np.load(path, mmap_mode="r")
            os.utime(path)
        except (OSError, ValueError, EOFError):
            return None
        return part

    def save(self, name: str, array: np.ndarray) -> np.ndarray:
        """Keep an array and return it."""
        return self.save_stream(name, iter(array), array.shape, array.dtype)

    def save_stream(
        self, name: str, rows: Iterable[np.ndarray], shape: tuple[int, ...], dtype: np.dtype | type = np.uint8
    ) -> np.ndarray:
        """Keep an array that arrives row by row, with one row in memory, and return it memory-mapped.

        Nothing is kept when the rows stop early or raise. Raises DiskFull: rows are written and not mapped,
        because a full disk behind a memory map kills the process.
        """
        self.folder.mkdir(parents=True, exist_ok=True)

        def write(part: Path) -> None:
            with part.open("wb") as file:
                _write_array(file, rows, shape, np.dtype(dtype))

        write_whole(self._path(name), write, lambda part: None)
        self.trim(keep=name)
        loaded = self.load(name)
        if loaded is None:  # the worker of another card made room of it
            raise DiskFull("files.disk_full", folder=str(self.folder))
        return loaded

    def trim(self, keep: str = "") -> None:
        """Delete the parts used longest ago until the folder is within its limit."""
        total = 0
        for path, facts in sorted(self._kept(), key=lambda part: part[1].st_mtime, reverse=True):
            total += facts.st_size
            if total > self.limit_bytes and path != self._path(keep):
                _delete(path)

    def give_way(self, wanted_bytes: int) -> bool:
        """Delete parts until this many bytes came free, frames before the latents that cost more, the oldest first.

        Deletes nothing and returns False when all of them would not be enough.
        """
        found = self._kept()
        if sum(facts.st_size for _, facts in found) < wanted_bytes:
            return False
        for path, facts in sorted(found, key=lambda part: (FRAMES_MARK not in part[0].stem, part[1].st_mtime)):
            if wanted_bytes > 0:
                _delete(path)
                wanted_bytes -= facts.st_size
        return True

    def _kept(self) -> list[tuple[Path, os.stat_result]]:
        """The parts that are here; the worker of another card may delete one at any moment."""
        found = []
        for path in self.folder.glob("*.npy"):
            with suppress(OSError):
                found.append((path, path.stat()))
        return found

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npy"


def _delete(path: Path) -> None:
    with suppress(OSError):  # Windows keeps what another worker has mapped
        path.unlink()


def _write_array(file: BinaryIO, rows: Iterable[np.ndarray], shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Write NumPy's own format with one row in memory. Raises ValueError when rows are missing."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    done = 0
    for row in rows:
        file.write(np.ascontiguousarray(row, dtype=dtype).tobytes())
        done += 1
    if done != shape[0]:
        raise ValueError(f"{done} of {shape[0]} rows came")
