"""Frames drawn larger: tiles meet without a seam, memory stays flat, a stop is heard soon; then the real network."""

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from svd_studio.core.errors import Cancelled, RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.engines.catalog import REAL_ESRGAN
from svd_studio.host import user_data_folder
from svd_studio.library.presets import SHIPPED
from svd_studio.quality.likeness import psnr
from svd_studio.video import enlarge as enlarging
from svd_studio.video.enlarge import EnlargingNetwork, can_enlarge, enlarge
from svd_studio.video.tiles import REACH, TILE, enlarged, tiles_of

LOOKS = 2 * REACH + 1


def far_looking(tile: np.ndarray) -> np.ndarray:
    """In place of the network: twice as large, and every pixel hangs on all that are REACH away."""
    blurred = cv2.blur(tile, (LOOKS, LOOKS), borderType=cv2.BORDER_CONSTANT)
    return blurred.repeat(2, axis=0).repeat(2, axis=1)


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (TILE + 90, 2 * TILE + 33, 3)).astype(np.uint8)


def test_tiles_join_without_a_seam(noise: np.ndarray) -> None:
    assert np.array_equal(enlarged(noise, 2, far_looking, lambda: None), far_looking(noise))


@pytest.mark.parametrize(("size", "tiles"), [((TILE, TILE), 1), ((TILE + 1, 20), 2), ((1024, 576), 12)])
def test_a_frame_is_cut_into_few_tiles(size: tuple[int, int], tiles: int) -> None:
    done: list[int] = []
    frame = np.zeros((size[1], size[0], 3), np.uint8)
    enlarged(frame, 2, far_looking, lambda: done.append(1))
    assert len(done) == tiles_of(size) == tiles


def test_no_tile_is_larger_than_one_fit_for_any_machine(noise: np.ndarray) -> None:
    seen: list[int] = []

    def network(tile: np.ndarray) -> np.ndarray:
        seen.append(max(tile.shape[:2]))
        return far_looking(tile)

    enlarged(noise, 2, network, lambda: None)
    assert max(seen) <= TILE + 2 * REACH


class Heard(Progress):
    def __init__(self, stop_at: int | None = None) -> None:
        self.reports: list[tuple[str, int, int]] = []
        self.stop_at = stop_at

    def report(self, stage: str, done: int, total: int, preview: np.ndarray | None = None) -> None:  # type: ignore[override]
        self.reports.append((stage, done, total))
        if done == self.stop_at:
            raise Cancelled


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enlarging, "EnlargingNetwork", lambda weights, factor: far_looking)


@pytest.mark.usefixtures("scripted")
def test_memory_does_not_grow_with_the_clip() -> None:
    def peak(count: int) -> int:
        frames = (np.zeros((200, 300, 3), np.uint8) for _ in range(count))
        tracemalloc.start()
        for _ in enlarge(frames, 2, Path(), Progress(), count):
            pass
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(20) < 1.5 * peak(4)


@pytest.mark.usefixtures("scripted")
def test_tiles_of_all_frames_are_told_and_a_stop_is_heard_between_two(noise: np.ndarray) -> None:
    heard, closed = Heard(), []

    def frames() -> Iterator[np.ndarray]:
        try:
            yield from [noise] * 3
        finally:
            closed.append(True)

    assert len(list(enlarge(frames(), 2, Path(), heard, 3))) == 3
    assert heard.reports[0] == ("enlarge", 0, 18)
    assert heard.reports[-1] == ("enlarge", 18, 18)
    with pytest.raises(Cancelled):
        list(enlarge(frames(), 2, Path(), Heard(stop_at=8), 3))
    assert closed == [True, True]


def test_weights_that_cannot_be_read_are_a_sentence(tmp_path: Path) -> None:
    if not can_enlarge():
        pytest.skip("ncnn is not installed")
    with pytest.raises(RenderFailed) as refused:
        EnlargingNetwork(tmp_path, 2)
    assert refused.value.message.code == "enlarge.unreadable"


@pytest.fixture(scope="module")
def weights() -> Path:
    """Real-ESRGAN where this machine's own studio has it."""
    data = Path(os.environ.get("SVD_STUDIO_DATA") or user_data_folder())
    folder = data / "models" / REAL_ESRGAN.name
    if not can_enlarge() or not (folder / "REALESRGAN_ANIMAVIDEOV3_UP2X.bin").exists():
        pytest.skip("needs ncnn and `./launch.sh models get real-esrgan`")
    return folder


@pytest.mark.parametrize("factor", [2, 4])
def test_the_real_network_draws_the_picture_larger(weights: Path, factor: int) -> None:
    with Image.open(SHIPPED / "pictures" / "coffee.jpg") as photo:
        small = np.asarray(photo.convert("RGB").resize((120, 80), Image.Resampling.LANCZOS))
    network = EnlargingNetwork(weights, factor)  # type: ignore[arg-type]
    large = network(small)
    assert large.shape == (80 * factor, 120 * factor, 3)
    back = np.asarray(Image.fromarray(large).resize((120, 80), Image.Resampling.LANCZOS))
    assert psnr(back, small) > 24
