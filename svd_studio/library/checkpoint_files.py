"""What a folder of weights may hold: known parts, whole safetensors files, nothing that can run code.

Everything here is quick (headers and names, no hashing) except hash_file, and needs no torch.
"""

import hashlib
import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from svd_studio.core.errors import WeightsFailed

PARTS: dict[str, tuple[str, frozenset[str]]] = {
    "unet": ("diffusers", frozenset({"UNetSpatioTemporalConditionModel"})),
    "vae": ("diffusers", frozenset({"AutoencoderKLTemporalDecoder"})),
    "image_encoder": ("transformers", frozenset({"CLIPVisionModelWithProjection"})),
    "feature_extractor": ("transformers", frozenset({"CLIPImageProcessor", "CLIPImageProcessorPil"})),
    "scheduler": ("diffusers", frozenset({"EulerDiscreteScheduler"})),
}
"""The parts of a Stable Video Diffusion folder, and the only classes that may load them."""

WEIGHED_PARTS = ("unet", "vae", "image_encoder")

CODE = {".py", ".pyc", ".pyd", ".so", ".dll", ".dylib", ".sh", ".bat", ".exe"}
PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"}
READ_AT_LOAD = {".json", ".safetensors", ".txt", ".model"}

BYTES_PER_NUMBER = {
    **{"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2},
    **{"I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1},
}
LONGEST_HEADER = 10_000_000
"""The whole UNet's takes 0.2 MB; of JSON, Python makes many times as much."""
LONGEST_CONFIG = 10_000_000
MOST_SIDES, LONGEST_SIDE = 8, 2**40
"""Of one tensor: to multiply a million of large numbers takes longer than anybody waits."""


def verify_before_load(folder: Path) -> None:
    """Refuse a folder that is not a whole Stable Video Diffusion in safetensors; quick, so call it at every load.

    Raises WeightsFailed.
    """
    index = folder / "model_index.json"
    if not index.is_file():
        raise WeightsFailed("weights.no_index", folder=str(folder))
    _check_index(_read_config(index))
    for part in WEIGHED_PARTS:
        _check_part(folder / part)
    verify_files(folder)


def verify_files(folder: Path) -> None:
    """Refuse links out of the folder, code, pickles, torn weights, configurations that ask for code.

    Raises WeightsFailed.
    """
    files = loaded_files(folder)
    for path in files:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise WeightsFailed("weights.leaves_folder", file=str(path))
        if path.suffix.lower() in CODE | PICKLES:
            raise WeightsFailed("weights.could_run_code", file=str(path))
    for path in files:
        if path.name.endswith(".safetensors.index.json"):
            _check_shards(path)
        elif path.suffix == ".json":
            _read_config(path)
        elif path.suffix == ".safetensors":
            read_header(path)


def loaded_files(folder: Path) -> list[Path]:
    """Every file of the folder that a loader could open, code and pickles included.

    A loader looks at the folder and one level below. Beside a model_index.json, weights in the folder itself
    are single-file checkpoints that no loader of ours reads.
    """
    only_parts = (folder / "model_index.json").exists()
    found = []
    for path in sorted([*folder.glob("*"), *folder.glob("*/*")]):
        inner = path.relative_to(folder)
        suffix = path.suffix.lower()
        if any(part.startswith(".") for part in inner.parts) or suffix not in CODE | PICKLES | READ_AT_LOAD:
            continue
        if only_parts and len(inner.parts) == 1 and suffix == ".safetensors":
            continue
        if inner.as_posix() != "installed.json":
            found.append(path)
    return found


def read_header(path: Path) -> dict[str, Any]:
    """The tensors of a safetensors file by name, their byte ranges checked against its length.

    Raises WeightsFailed.
    """
    try:
        if not path.is_file():
            raise ValueError("not a regular file")
        length = path.stat().st_size
        with path.open("rb") as stream:
            (header_length,) = struct.unpack("<Q", stream.read(8))
            if header_length > length - 8:
                raise ValueError("the header is longer than the file")
            if header_length > LONGEST_HEADER:
                raise WeightsFailed("weights.long_header", file=str(path), most=LONGEST_HEADER // 10**6)
            header: dict[str, Any] = json.loads(stream.read(header_length))
        header.pop("__metadata__", None)
        _check_ranges(header, length - 8 - header_length)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise WeightsFailed("weights.torn_file", file=str(path)) from error
    return header


def hash_file(path: Path, heard: Callable[[int], None] = lambda done: None) -> str:
    """The sha256 of a file in hex; `heard` is told the bytes done and may raise to stop."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(4 * 1024**2):
            digest.update(block)
            done += len(block)
            heard(done)
    return digest.hexdigest()


def _check_ranges(header: dict[str, Any], data_length: int) -> None:
    """Tensors must lie end to end and fill the file exactly, as the format demands."""
    position = 0
    for tensor in sorted(header.values(), key=lambda tensor: tuple(tensor["data_offsets"])):
        begin, end = tensor["data_offsets"]
        if len(tensor["shape"]) > MOST_SIDES or not all(_is_side(side) for side in tensor["shape"]):
            raise ValueError("a tensor has no such shape")
        length = math.prod(tensor["shape"]) * BYTES_PER_NUMBER[tensor["dtype"]]
        if begin != position or end - begin != length:
            raise ValueError("a tensor's range is wrong")
        position = end
    if position != data_length:
        raise ValueError("the file is longer or shorter than its tensors")


def _is_side(side: object) -> bool:
    return type(side) is int and 0 <= side <= LONGEST_SIDE


def _check_index(index: dict[str, Any]) -> None:
    """Only the classes of PARTS may be named, each in its place."""
    if index.get("_class_name") != "StableVideoDiffusionPipeline":
        raise WeightsFailed("weights.unknown_class", given=str(index.get("_class_name"))[:80])
    for part, named in index.items():
        if part.startswith("_"):
            continue
        library, classes = PARTS.get(part, ("", frozenset[str]()))
        if not isinstance(named, list) or len(named) != 2 or named[0] != library or named[1] not in classes:
            raise WeightsFailed("weights.unknown_class", given=f"{part}: {named}"[:80])
    for part in PARTS:
        if part not in index:
            raise WeightsFailed("weights.missing_part", part=part)


def _check_part(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise WeightsFailed("weights.missing_part", part=f"{folder.name}/config.json")
    if any(folder.glob("*.safetensors")):
        return
    code = (
        "weights.only_pickles" if any(path.suffix in PICKLES for path in folder.iterdir()) else "weights.missing_part"
    )
    raise WeightsFailed(code, part=folder.name)


def _check_shards(path: Path) -> None:
    """A shard index may only name files that lie beside it."""
    shards = _read_config(path).get("weight_map")
    names = set(shards.values()) if isinstance(shards, dict) else {""}
    for name in names:
        if not isinstance(name, str) or "/" in name or "\\" in name or not (path.parent / name).is_file():
            raise WeightsFailed("weights.missing_part", part=f"{path.parent.name}/{str(name)[:80]}")


def _read_config(path: Path) -> dict[str, Any]:
    """A JSON object that does not ask for code of its own."""
    try:
        if not path.is_file() or path.stat().st_size > LONGEST_CONFIG:
            raise ValueError("not a configuration")
        config = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise TypeError("not an object")
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise WeightsFailed("weights.torn_file", file=str(path)) from error
    if "auto_map" in config or "custom_pipelines" in config:
        raise WeightsFailed("weights.could_run_code", file=str(path))
    return config
