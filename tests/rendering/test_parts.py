"""Kept parts: whole or not there, found again by what made them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.engines.catalog import ENGINES
from svd_studio.rendering.parts import PartStore, fingerprint, frames_name, latents_name


def resolved(**values: object) -> ResolvedSettings:
    return ClipSettings.from_person({"seed": 1, **values}).resolve(ENGINES["svd-nano"]).settings


def name(**values: object) -> str:
    return latents_name(resolved(**values), b"picture", "weights", "fp32")


@pytest.mark.parametrize("values", [{"seed": 2}, {"steps": 9}, {"motion_bucket": 9}, {"prompt": "x"}, {"focus_x": 0.1}])
def test_whatever_reaches_the_engine_makes_another_name(values: dict[str, object]) -> None:
    assert name(**values) != name()


@pytest.mark.parametrize("values", [{"finish": {"smooth": 2}}, {"export": {"fps": 30}}])
def test_finish_and_export_share_the_latents(values: dict[str, object]) -> None:
    assert name(**values) == name()


def test_picture_weights_and_precision_make_another_name() -> None:
    names = {latents_name(resolved(), picture, version, precision) for picture, version, precision in
             [(b"a", "1", "fp32"), (b"b", "1", "fp32"), (b"a", "2", "fp32"), (b"a", "1", "fp16")]}  # fmt: skip
    assert len(names) == 4


def test_decode_windows_keep_their_frames_apart() -> None:
    assert frames_name("a", 8) != frames_name("a", 4)


def test_a_part_comes_back_as_it_was(tmp_path: Path) -> None:
    parts, array = PartStore(tmp_path), np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    assert np.array_equal(parts.save("a", array), array)
    assert np.array_equal(PartStore(tmp_path).load("a"), array)
    assert parts.load("b") is None


def test_rows_that_stop_halfway_leave_nothing(tmp_path: Path) -> None:
    def rows():  # type: ignore[no-untyped-def]
        yield np.zeros((2, 2, 3), np.uint8)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        PartStore(tmp_path).save_stream("a", rows(), (2, 2, 2, 3))
    with pytest.raises(ValueError, match="1 of 2 rows"):
        PartStore(tmp_path).save_stream("a", iter([np.zeros((2, 2, 3), np.uint8)]), (2, 2, 2, 3))
    assert list(tmp_path.iterdir()) == []


def test_a_torn_part_counts_as_missing(tmp_path: Path) -> None:
    parts = PartStore(tmp_path)
    parts.save("a", np.zeros((50, 50)))
    path = tmp_path / "a.npy"
    path.write_bytes(path.read_bytes()[:500])
    assert parts.load("a") is None


def test_the_oldest_parts_make_room(tmp_path: Path) -> None:
    parts = PartStore(tmp_path, limit_bytes=35_000)
    for age, part in enumerate("abc"):
        parts.save(part, np.zeros(1250))
        os.utime(tmp_path / f"{part}.npy", (1000 + age, 1000 + age))
    assert parts.load("a") is not None, "loading makes a part young again"
    parts.save("d", np.zeros(1250))
    assert {path.stem for path in tmp_path.iterdir()} == {"a", "c", "d"}


def test_other_weights_under_the_same_names_have_another_fingerprint(tmp_path: Path) -> None:
    weights = tmp_path / "unet" / "model.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"a" * 200_000)
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    weights.write_bytes(b"a" * 199_999 + b"b")
    assert fingerprint(tmp_path) != before


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """In a child whose files may not grow beyond 100 kB, as on a full disk."""
    script = (
        "import resource, signal, sys; from pathlib import Path; import numpy as np\n"
        "from svd_studio.rendering.parts import PartStore\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "PartStore(Path(sys.argv[1])).save('a', np.zeros((50, 100_000), np.uint8))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1, "an error that can be told, not a signal"
    assert "Error" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_parts_give_way_to_a_full_disk_frames_first_and_only_if_that_is_enough(tmp_path: Path) -> None:
    parts = PartStore(tmp_path)
    for age, part in enumerate(["old", frames_name("old", 8), frames_name("new", 8)]):
        parts.save(part, np.zeros(1250))
        os.utime(tmp_path / f"{part}.npy", (1000 + age, 1000 + age))
    assert not parts.give_way(50_000)
    assert len(list(tmp_path.iterdir())) == 3
    assert parts.give_way(5_000)
    assert {path.stem for path in tmp_path.iterdir()} == {"old", frames_name("new", 8)}
    assert parts.give_way(15_000)
    assert list(tmp_path.iterdir()) == []
