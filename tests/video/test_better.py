"""Better frames are better by the field's own figures, and streams stay streams."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from svd_studio.core.clip import FinishSettings
from svd_studio.library.presets import SHIPPED
from svd_studio.quality.likeness import sharpness
from svd_studio.quality.stability import flicker, temporal_ssim, warp_error
from svd_studio.video.better import deflicker, grade, make_better, sharpened

PHOTO = SHIPPED / "pictures" / "pagoda.jpg"


@pytest.fixture(scope="module")
def pan() -> list[np.ndarray]:
    """A steady camera move over a photograph."""
    photo = cv2.cvtColor(cv2.imread(str(PHOTO)), cv2.COLOR_BGR2RGB)
    large = cv2.resize(photo, (320, 200), interpolation=cv2.INTER_AREA)
    return [large[10:154, 2 * step : 2 * step + 256].copy() for step in range(12)]


@pytest.fixture(scope="module")
def flickering(pan: list[np.ndarray]) -> list[np.ndarray]:
    draw = np.random.default_rng(3)
    gains = 1 + 0.04 * draw.normal(size=(len(pan), 1, 1, 1)) + 0.02 * draw.normal(size=(len(pan), 1, 1, 3))
    return [np.clip(frame * gain, 0, 255).astype(np.uint8) for frame, gain in zip(pan, gains, strict=True)]


def test_flicker_goes_and_motion_stays(pan: list[np.ndarray], flickering: list[np.ndarray]) -> None:
    steady = list(deflicker(flickering, 1.0))
    assert len(steady) == len(pan)
    assert flicker(steady) < 0.35 * flicker(flickering)
    assert warp_error(steady) < 0.7 * warp_error(flickering)
    assert temporal_ssim(steady) > temporal_ssim(flickering) - 0.005


def test_steady_frames_are_left_nearly_alone(pan: list[np.ndarray]) -> None:
    after = list(deflicker(pan, 1.0))
    assert np.abs(np.stack(after).astype(int) - np.stack(pan)).mean() < 1.5


def test_a_fade_stays_a_fade_and_a_cut_a_cut(pan: list[np.ndarray]) -> None:
    fade = [np.clip(frame * (1 - step / 15), 0, 255).astype(np.uint8) for step, frame in enumerate(pan)]
    faded = list(deflicker(fade, 1.0))
    assert abs(faded[5].mean() - fade[5].mean()) < 2
    dark = [(frame // 5).astype(np.uint8) for frame in pan]
    cut = list(deflicker([*pan[:6], *dark[6:]], 1.0))
    assert abs(cut[5].mean() - pan[5].mean()) < 3
    assert abs(cut[6].mean() - dark[6].mean()) < 3


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_frame_comes_out_once(pan: list[np.ndarray], count: int) -> None:
    assert len(list(deflicker(pan[:count], 0.5))) == count


def test_contrast_brings_out_what_is_pale_without_flicker(pan: list[np.ndarray]) -> None:
    pale = [(frame // 3 + 120).astype(np.uint8) for frame in pan]
    better = [grade(frame, 1.0, 1.0) for frame in pale]
    assert np.std(better[0]) > 1.15 * np.std(pale[0])
    assert flicker(better) < flicker(pale) + 0.5


def test_colour_gets_stronger_and_light_stays(pan: list[np.ndarray]) -> None:
    def parts(frame: np.ndarray) -> tuple[float, float]:
        lab = cv2.cvtColor(frame, cv2.COLOR_RGB2LAB).astype(float)
        return float(np.abs(lab[..., 1:] - 128).mean()), float(lab[..., 0].mean())

    (before, light), (after, light_after) = parts(pan[0]), parts(grade(pan[0], 0.0, 1.4))
    assert after > 1.2 * before
    assert abs(light_after - light) < 3
    assert parts(grade(pan[0], 0.0, 0.0))[0] < 1.5


def test_sharpening_sharpens_as_asked(pan: list[np.ndarray]) -> None:
    soft = cv2.GaussianBlur(pan[0], (0, 0), 1.0)
    assert sharpness(soft) < sharpness(sharpened(soft, 0.5)) < sharpness(sharpened(soft, 1.0))


def test_nothing_asked_changes_nothing(pan: list[np.ndarray]) -> None:
    assert all(a is b for a, b in zip(make_better(pan, FinishSettings()), pan, strict=True))


def test_frames_flow_and_the_source_is_closed(pan: list[np.ndarray]) -> None:
    drawn, closed = [0], []

    def source() -> Iterator[np.ndarray]:
        try:
            for frame in pan * 50:
                drawn[0] += 1
                yield frame
        finally:
            closed.append(True)

    settings = FinishSettings(deflicker=1.0, contrast=0.3, colour=1.2, sharpen=0.5)
    better = make_better(source(), settings)
    for _ in range(3):
        next(better)
    assert drawn[0] <= 7
    better.close()  # type: ignore[attr-defined]
    assert closed == [True]
