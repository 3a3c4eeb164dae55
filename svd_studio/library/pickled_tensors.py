"""Read the tensors of a checkpoint that PyTorch pickled (torch.save before 1.6), with neither torch nor any code run.

The file is a row of pickles: a magic number, the protocol, the writer's machine, the tensors by name, the storages'
names; then each storage's length and bytes. A pickle can name any function; here it gets only the three below.
"""

import math
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors.numpy import save

from svd_studio.core.errors import WeightsFailed

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
NUMBER_BYTES = 4


@dataclass(frozen=True)
class _Tensor:
    """Which numbers of which storage a tensor is."""

    storage: str
    offset: int
    shape: tuple[int, ...]


class _Reader(pickle.Unpickler):
    """Unpickle names, numbers and descriptions of float32 tensors; refuse everything else."""

    KNOWN: dict[tuple[str, str], Callable[..., Any] | str] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch", "FloatStorage"): "float32",
        ("torch._utils", "_rebuild_tensor_v2"): lambda storage, offset, shape, *rest: _Tensor(storage, offset, shape),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a checkpoint")
        return self.KNOWN[module, name]

    def persistent_load(self, given: Any) -> str:
        kind, numbers, key, *_ = given
        if kind != "storage" or numbers != "float32":
            raise pickle.UnpicklingError("not a float32 storage")
        return str(key)


def as_safetensors(path: Path) -> bytes:
    """The tensors of a pickled checkpoint as a safetensors file. Raises WeightsFailed when it is something else."""
    try:
        with path.open("rb") as file:
            content: bytes = save(_read(file))
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, AttributeError, struct.error) as error:
        raise WeightsFailed("weights.torn_file", file=str(path)) from error
    return content


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    magic, protocol, _machine, tensors, keys = (_Reader(file).load() for _ in range(5))
    if (magic, protocol) != (MAGIC, PROTOCOL):
        raise ValueError("another format")
    storages = {key: _storage(file) for key in keys}
    return {name: _numbers(tensor, storages[tensor.storage]) for name, tensor in tensors.items()}


def _storage(file: BinaryIO) -> np.ndarray:
    (count,) = struct.unpack("<q", file.read(8))
    return np.frombuffer(file.read(count * NUMBER_BYTES), "<f4", count)


def _numbers(tensor: _Tensor, storage: np.ndarray) -> np.ndarray:
    count = math.prod(tensor.shape)
    return storage[tensor.offset : tensor.offset + count].reshape(tensor.shape)
