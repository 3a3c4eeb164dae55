"""Turn a single-file checkpoint into a diffusers folder, tensor by tensor, so that memory stays small."""

import json
import math
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from svd_studio.core.errors import WeightsFailed
from svd_studio.engines.single_file import CONFIGS, Layout, Source, sources
from svd_studio.library.checkpoint_files import read_header

NUMBERS = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "BF16": "<u2"}
THIRDS = ("query", "key", "value")


class SingleFile:
    """A whole Stable Video Diffusion in one safetensors file, read where it lies."""

    def __init__(self, path: Path, layout: Layout | None = None) -> None:
        """Raises WeightsFailed when the file is torn or holds another model."""
        self.path = path
        self.layout = layout or Layout()
        self.tensors = read_header(path)
        self.files = sources(self.layout)
        self._refuse_another_model()
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
        self.data_begins = 8 + length

    def unpack(
        self,
        folder: Path,
        heard: Callable[[int, int, str], None],
        configs: Mapping[str, Mapping[str, Any]] = CONFIGS,
    ) -> None:
        """Write the diffusers folder in half precision.

        `heard` is told (bytes written, bytes in all, file) and may raise to stop. Raises WeightsFailed.
        """
        sizes = {name: sum(self._size(source) for source in wanted.values()) for name, wanted in self.files.items()}
        done, total = 0, sum(sizes.values())
        for name, wanted in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            self._write(folder / name, wanted, _counting(heard, done, total, name))
            done += sizes[name]
        for name, config in configs.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(config, indent=2), encoding="utf-8")

    def shape(self, source: Source) -> list[int]:
        """The shape that a tensor has in the folder."""
        whole: list[int] = self.tensors[source.name]["shape"]
        if source.take in THIRDS:
            return [whole[0] // 3, *whole[1:]]
        if source.take == "transposed":
            return whole[::-1]
        return whole[:2] if source.take == "flat" else whole

    def half(self, source: Source) -> np.ndarray:
        """A tensor in half precision. Raises WeightsFailed when it holds what is no number."""
        tensor = self.tensors[source.name]
        kind, count = NUMBERS[tensor["dtype"]], math.prod(tensor["shape"])
        offset = self.data_begins + tensor["data_offsets"][0]
        array = np.fromfile(self.path, kind, count, offset=offset).reshape(tensor["shape"])
        if tensor["dtype"] == "BF16":  # numpy has none: it is the upper half of a float32
            array = (array.astype(np.uint32) << 16).view(np.float32)
        if source.take in THIRDS:
            array = np.split(array, 3)[THIRDS.index(source.take)]
        array = array.T if source.take == "transposed" else array.reshape(self.shape(source))
        with np.errstate(over="ignore"):
            halved = array.astype("<f2")
        if not np.isfinite(halved).all():
            raise WeightsFailed("weights.torn_file", file=str(self.path))
        return halved

    def _write(self, path: Path, wanted: Mapping[str, Source], heard: Callable[[int], None]) -> None:
        header: dict[str, Any] = {"__metadata__": {"format": "pt"}}  # transformers refuses files that do not say so
        position = 0
        for name, source in wanted.items():
            end = position + self._size(source)
            header[name] = {"dtype": "F16", "shape": self.shape(source), "data_offsets": [position, end]}
            position = end
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with path.open("wb") as out:
            out.write(struct.pack("<Q", len(text)) + text)
            for name, source in wanted.items():
                out.write(self.half(source).tobytes())
                heard(header[name]["data_offsets"][1])

    def _size(self, source: Source) -> int:
        return 2 * math.prod(self.shape(source))

    def _refuse_another_model(self) -> None:
        needed = {source.name for wanted in self.files.values() for source in wanted.values()}
        odd = [name for name in sorted(needed) if self.tensors.get(name, {}).get("dtype") not in NUMBERS]
        odd += [name for name, shape in self.layout.marks.items() if not odd and self.tensors[name]["shape"] != shape]
        if odd:
            raise WeightsFailed("weights.unknown_checkpoint", file=str(self.path), missing=odd[0])


def _counting(heard: Callable[[int, int, str], None], before: int, total: int, name: str) -> Callable[[int], None]:
    return lambda done: heard(before + done, total, name)
