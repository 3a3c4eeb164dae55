"""In-between frames: right in number and time, close to the truth, never across a cut."""

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from svd_studio.video.flow import Motion
from svd_studio.video.interpolate import smooth
from tests.video.scenes import photograph, psnr, view


@pytest.fixture(scope="module")
def photographs() -> list[np.ndarray]:
    return [photograph(seed) for seed in range(4)]


def pair(picture: np.ndarray, amount: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    return view(picture, 0, amount=amount), view(picture, 1, amount=amount)


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_clip_gets_exactly_factor_times_as_many_frames(
    photographs: list[np.ndarray], factor: int, count: int
) -> None:
    frames = [view(photographs[0], number, (64, 48)) for number in range(count)]
    smoothed = list(smooth(frames, factor))
    assert len(smoothed) == factor * count
    assert all(np.array_equal(smoothed[factor * number], frame) for number, frame in enumerate(frames))
    assert all(np.array_equal(frame, frames[-1]) for frame in smoothed[factor * (count - 1) :])
    assert all(frame.dtype == np.uint8 and frame.shape == (48, 64, 3) for frame in smoothed)


def test_no_frames_stay_none() -> None:
    assert list(smooth(iter(()), 2)) == []


def test_the_middle_frame_is_close_to_the_true_one(photographs: list[np.ndarray]) -> None:
    for picture in photographs:
        first, second = pair(picture)
        true = view(picture, 0.5)
        made = list(smooth([first, second], 2))[1]
        assert psnr(made, true) >= 40
        assert psnr(made, true) >= psnr(first, true) + 18


def test_quarter_frames_move_by_quarters(photographs: list[np.ndarray]) -> None:
    made = list(smooth(list(pair(photographs[1])), 4))
    for step in (1, 2, 3):
        scores = [psnr(made[step], view(photographs[1], time)) for time in (0.25, 0.5, 0.75)]
        assert int(np.argmax(scores)) == step - 1
        assert max(scores) >= 35


def test_what_comes_out_from_behind_something_is_not_smeared(photographs: list[np.ndarray]) -> None:
    def passing(left: int) -> np.ndarray:
        frame = np.ascontiguousarray(photographs[2][:180, :320])
        frame[50:130, left : left + 80] = photographs[3][50:130, 300:380]
        return frame

    made = list(smooth([passing(100), passing(116)], 2))[1]
    assert psnr(made, passing(108)) >= 30
    assert psnr(made, passing(108)) >= psnr(passing(100), passing(108)) + 8


def test_nothing_is_blended_across_a_cut(photographs: list[np.ndarray]) -> None:
    black = np.zeros((180, 320, 3), np.uint8)
    scenes = [view(picture, 0) for picture in photographs]
    dark = [(scene * 0.25).astype(np.uint8) for scene in scenes]
    cuts = [(scenes[i], scenes[i - 1]) for i in range(4)] + [(dark[i], dark[i - 1]) for i in range(4)]
    cuts += [(scenes[0], black), (black, scenes[1])]
    for before, after in cuts:
        made = list(smooth([before, after], 4))
        assert all(np.array_equal(frame, before) for frame in made[:4])
        assert np.array_equal(made[4], after)


def test_motion_noise_flashes_and_fades_are_no_cuts(photographs: list[np.ndarray]) -> None:
    rng = np.random.default_rng(5)
    for picture in photographs:
        scene = view(picture, 0)
        others = {
            "moved": view(picture, 1, amount=1.5),
            "noisy": (scene + rng.normal(0, 12, scene.shape)).clip(0, 255).astype(np.uint8),
            "flash": (scene * 1.2 + 30).clip(0, 255).astype(np.uint8),
            "faded": (scene * 0.5).astype(np.uint8),
            "same": scene,
        }
        assert [name for name, other in others.items() if Motion(scene, other).is_cut] == []


@pytest.mark.parametrize("size", [(16, 16), (31, 40), (64, 33)])
def test_the_smallest_frames_do_not_break_it(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(6)
    frames = [rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8) for _ in range(2)]
    assert len(list(smooth(frames, 2))) == 4


def test_flat_frames_fade_into_each_other() -> None:
    made = list(smooth([np.full((48, 64, 3), 40, np.uint8), np.full((48, 64, 3), 60, np.uint8)], 2))
    assert made[1].mean() == 50


def test_frames_are_taken_one_by_one_and_the_source_is_closed() -> None:
    taken: list[int] = []

    def source() -> Iterator[np.ndarray]:
        try:
            for number in range(100):
                taken.append(number)
                yield np.full((48, 64, 3), number, np.uint8)
        finally:
            taken.append(-1)

    smoothed = smooth(source(), 2)
    for _ in range(4):
        next(smoothed)
    assert taken == [0, 1, 2]
    smoothed.close()  # type: ignore[attr-defined]
    assert taken[-1] == -1


def test_the_room_is_entered_without_opencv() -> None:
    script = "import sys, svd_studio.video.finish, svd_studio.video.encode; print('cv2' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "False"
