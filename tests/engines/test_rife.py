"""RIFE on a random network of the same layers, and on the real weights where they are installed."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from svd_studio.core.errors import OutOfMemory
from svd_studio.engines.catalog import RIFE
from svd_studio.engines.rife import Rife
from svd_studio.host import user_data_folder
from svd_studio.library.weights import WeightsLibrary
from tests.engines.tiny_rife import tiny_rife
from tests.video.scenes import photograph, psnr, view


@pytest.fixture(scope="module")
def rife(tmp_path_factory: pytest.TempPathFactory) -> Rife:
    return Rife(tiny_rife(tmp_path_factory.mktemp("rife")), "cpu")


@pytest.fixture(scope="module")
def frames() -> tuple[np.ndarray, np.ndarray]:
    """Of a size that is no multiple of what the network halves."""
    picture = photograph(3, 200)
    return view(picture, 0, (70, 45)), view(picture, 1, (70, 45))


@pytest.mark.parametrize("count", [1, 3])
def test_frames_of_any_size_come_back_as_they_went(
    rife: Rife, frames: tuple[np.ndarray, np.ndarray], count: int
) -> None:
    drawn = rife(*frames, count)
    assert [(frame.shape, frame.dtype) for frame in drawn] == [((45, 70, 3), np.dtype(np.uint8))] * count


def test_backwards_in_time_the_same_frames_come_in_turn(rife: Rife, frames: tuple[np.ndarray, np.ndarray]) -> None:
    there, back = rife(*frames, 3), rife(*frames[::-1], 3)
    for one, other in zip(there, reversed(back), strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1
    assert not np.array_equal(there[0], there[2])


def test_a_plain_frame_stays_what_it_is(rife: Rife) -> None:
    plain = np.full((40, 64, 3), (200, 90, 30), np.uint8)
    assert all(np.array_equal(frame, plain) for frame in rife(plain, plain, 3))


def test_memory_that_runs_out_is_told_as_such(
    rife: Rife, frames: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object, **named: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(functional, "grid_sample", full)
    with pytest.raises(OutOfMemory):
        rife(*frames, 1)


REAL = WeightsLibrary(user_data_folder() / "models").installed(RIFE)


@pytest.mark.skipif(REAL is None, reason="RIFE is not installed: ./launch.sh models get rife")
def test_the_real_network_finds_the_middle() -> None:
    assert REAL is not None
    picture = photograph(1)
    first, truth, second = (view(picture, time) for time in (0, 0.5, 1))
    drawn = Rife(REAL, "cpu")(first, second, 1)[0]
    assert psnr(drawn, truth) > psnr(first, truth) + 10
