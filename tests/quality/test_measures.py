"""The figures of merit find what was put in."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from svd_studio.library.presets import SHIPPED
from svd_studio.quality.likeness import psnr, sharpness, ssim
from svd_studio.quality.motion import camera_move, mean_flow, warped_back, warped_back_by_flow
from svd_studio.quality.softness import SOFT_BELOW, detail, is_soft


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    picture = Image.open(SHIPPED / "pictures" / "coffee.jpg").convert("RGB").resize((300, 200))
    return np.asarray(picture)


def seen_by(camera: dict[str, float], photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The middle of a photo before and after a move of the camera; 256 × 144."""
    height, width = photo.shape[:2]
    matrix = cv2.getRotationMatrix2D(
        (width / 2, height / 2), np.degrees(camera.get("turn", 0)), 1 + camera.get("zoom", 0)
    )
    matrix[:, 2] -= camera.get("right", 0), camera.get("down", 0)
    moved = cv2.warpAffine(photo, matrix, (width, height), flags=cv2.INTER_CUBIC)
    inner = np.s_[28:172, 22:278]
    return photo[inner], moved[inner]


@pytest.mark.parametrize(
    "camera",
    [{"right": 6}, {"right": -3, "down": 2}, {"zoom": 0.05}, {"zoom": -0.05}, {"turn": 0.045}, {"turn": -0.045}, {}],
)
def test_a_camera_move_is_found_again(camera: dict[str, float], photo: np.ndarray) -> None:
    found = camera_move(*seen_by(camera, photo))
    for axis, tolerance in {"right": 0.3, "down": 0.3, "zoom": 0.003, "turn": 0.003}.items():
        assert found[axis] == pytest.approx(camera.get(axis, 0), abs=tolerance), axis


def test_mean_flow_is_the_length_of_the_way(photo: np.ndarray) -> None:
    assert mean_flow(*seen_by({"right": 3, "down": 4}, photo)) == pytest.approx(5, abs=0.3)
    assert mean_flow(photo, photo) < 0.05


def test_a_plain_sky_does_not_move_when_it_is_mottled(photo: np.ndarray) -> None:
    """Smooth stains in a plain half are no motion; where there is something to follow, they change little."""
    sky = photo.copy()
    sky[: len(sky) // 2] = 170
    stains = cv2.GaussianBlur(np.random.default_rng(0).normal(size=sky.shape).astype(np.float32), (0, 0), 4)
    mottled = np.clip(sky + 6 * stains / stains.std(), 0, 255).astype(np.uint8)
    assert mean_flow(sky, mottled) < 0.15


@pytest.mark.parametrize("undone", [warped_back, warped_back_by_flow])
def test_a_frame_warped_back_is_like_the_first_only_if_nothing_else_changed(
    photo: np.ndarray, undone: Callable[[np.ndarray, np.ndarray], float]
) -> None:
    first, last = seen_by({"right": 5, "zoom": 0.04}, photo)
    assert undone(first, last) > 30
    blurred = cv2.GaussianBlur(last, (0, 0), 3)
    assert undone(first, blurred) < undone(first, last) - 5


def test_nothing_to_follow_is_no_move() -> None:
    flat = np.full((144, 256, 3), 90, np.uint8)
    assert all(abs(value) < 1e-6 for value in camera_move(flat, flat).values())


def test_likeness_and_sharpness(photo: np.ndarray) -> None:
    noisy = (photo + np.random.default_rng(0).normal(0, 5, photo.shape)).clip(0, 255).astype(np.uint8)
    assert psnr(photo, noisy) == pytest.approx(20 * np.log10(255 / 5), abs=0.5)
    assert ssim(photo, photo) == pytest.approx(1)
    assert ssim(photo, cv2.GaussianBlur(photo, (0, 0), 2)) < 0.95
    assert sharpness(cv2.GaussianBlur(photo, (0, 0), 2)) < sharpness(photo) / 2


@pytest.mark.parametrize("size", [(1024, 576), (256, 144)])
@pytest.mark.parametrize("path", sorted((SHIPPED / "pictures").glob("*.jpg")), ids=lambda path: path.stem)
def test_a_sharp_picture_is_told_from_its_blurred_copy(path: Path, size: tuple[int, int]) -> None:
    picture = Image.open(path).convert("RGB")
    scale = min(1.0, max(size[0] / picture.width, size[1] / picture.height))
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    assert detail(picture) > 10 * SOFT_BELOW
    assert is_soft(picture.filter(ImageFilter.GaussianBlur(2)))
