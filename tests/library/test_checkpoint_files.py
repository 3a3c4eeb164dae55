import json
import os
import re
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from svd_studio.core.errors import WeightsFailed
from svd_studio.library.checkpoint_files import LONGEST_HEADER
from svd_studio.library.weights import WeightsLibrary, verify_before_load
from tests.library.fake_checkpoint import INDEX, TINY, UNET, UNET_BYTES, svd_folder

ROOT = Path(__file__).parents[2]


def spoil_as_pickles(folder: Path) -> None:
    for path in folder.rglob("*.safetensors"):
        path.rename(path.with_suffix(".bin"))


def link_out(folder: Path) -> None:
    (folder / UNET).rename(folder.parent / "blob")
    (folder / UNET).symlink_to(folder.parent / "blob")


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def cut(folder: Path) -> None:
    os.truncate(folder / UNET, UNET_BYTES // 2)


def lengthen(folder: Path) -> None:
    with (folder / UNET).open("ab") as out:
        out.write(b"more")


def with_header(header: object) -> Callable[[Path], object]:
    text = json.dumps(header).encode()
    return lambda folder: (folder / UNET).write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 8)


def tensor(begin: int, end: int, shape: list[int], dtype: str = "F16") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "no index": (lambda folder: (folder / "model_index.json").unlink(), "weights.no_index"),
    "only pickles": (spoil_as_pickles, "weights.only_pickles"),
    "a pickle beside": (write("unet/model.bin", "x"), "weights.could_run_code"),
    "code": (write("unet/model.PY", "x"), "weights.could_run_code"),
    "code of its own": (write("unet/config.json", '{"auto_map": {"AutoModel": "x.Y"}}'), "weights.could_run_code"),
    "a link out": (link_out, "weights.leaves_folder"),
    "cut short": (cut, "weights.torn_file"),
    "too long": (lengthen, "weights.torn_file"),
    "a pointer to LFS": (write(UNET, "version https://git-lfs.github.com/spec/v1\n"), "weights.torn_file"),
    "empty": (write(UNET, ""), "weights.torn_file"),
    "a huge header": (lambda folder: (folder / UNET).write_bytes(b"\xff" * 64), "weights.torn_file"),
    "overlap": (with_header({"a": tensor(0, 8, [4]), "b": tensor(4, 8, [2])}), "weights.torn_file"),
    "a wrong shape": (with_header({"a": tensor(0, 8, [5])}), "weights.torn_file"),
    "an odd type": (with_header({"a": tensor(0, 8, [4], "PICKLE")}), "weights.torn_file"),
    "a shape that takes hours": (with_header({"a": tensor(0, 8, [10**18] * 10**5 + [0])}), "weights.torn_file"),
    "a header that fills the memory": (with_header({"a": " " * LONGEST_HEADER}), "weights.long_header"),
    "negative": (with_header({"a": tensor(0, 8, [-2, -2])}), "weights.torn_file"),
    "a list": (with_header(["a"]), "weights.torn_file"),
    "no json": (write("vae/config.json", "{"), "weights.torn_file"),
    "deep json": (write("vae/config.json", "[" * 100_000), "weights.torn_file"),
    "another pipeline": (
        write("model_index.json", json.dumps({**INDEX, "_class_name": "FluxPipeline"})),
        "weights.unknown_class",
    ),
    "an own class": (
        write("model_index.json", json.dumps({**INDEX, "unet": ["evil", "UNetSpatioTemporalConditionModel"]})),
        "weights.unknown_class",
    ),
    "another part": (
        write("model_index.json", json.dumps({**INDEX, "extra": ["diffusers", "UNet2DModel"]})),
        "weights.unknown_class",
    ),
    "a part too few": (
        write("model_index.json", json.dumps({name: INDEX[name] for name in INDEX if name != "vae"})),
        "weights.missing_part",
    ),
    "no part's folder": (lambda folder: shutil.rmtree(folder / "vae"), "weights.missing_part"),
    "shards elsewhere": (
        write("unet/x.safetensors.index.json", '{"weight_map": {"a": "../../x.safetensors"}}'),
        "weights.missing_part",
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_folder_that_must_not_be_loaded_is_refused(library: WeightsLibrary, tmp_path: Path, how: str) -> None:
    if how == "a link out" and sys.platform == "win32":
        pytest.skip("links need rights there")
    spoil, code = SPOILT[how]
    mine = svd_folder(tmp_path / "mine")
    verify_before_load(mine)
    spoil(mine)
    with pytest.raises(WeightsFailed, match=re.escape(code)):
        verify_before_load(mine)
    with pytest.raises(WeightsFailed, match=re.escape(code)):
        library.use(TINY, mine)
    assert library.installed(TINY) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_does_not_hang_the_check(tmp_path: Path) -> None:
    mine = svd_folder(tmp_path / "mine")
    (mine / UNET).unlink()
    os.mkfifo(mine / UNET)
    with pytest.raises(WeightsFailed):
        verify_before_load(mine)
