"""The bundled checkpoint makes clips fit to be shown: like the picture, sharp to the end, moving as told."""

from functools import cache

import numpy as np
import pytest
from PIL import Image

from svd_studio.core.clip import ClipSettings
from svd_studio.core.progress import Progress
from svd_studio.engines.base import Scene
from svd_studio.engines.catalog import ENGINES, NANO_FOLDER
from svd_studio.engines.svd import SvdEngine
from svd_studio.library.presets import SHIPPED
from svd_studio.quality.likeness import sharpness, ssim
from svd_studio.quality.motion import mean_flow
from svd_studio.video.pictures import frame_picture, open_picture

PHOTOS = ("coffee.jpg", "mountains.jpg")


@cache
def engine() -> SvdEngine:
    return SvdEngine(ENGINES["svd-nano"], NANO_FOLDER, "cpu", "fp32")


def framed(photo: str) -> Image.Image:
    return frame_picture(open_picture(SHIPPED / "pictures" / photo), 256, 144)


@cache
def clip(photo: str) -> np.ndarray:
    settings = ClipSettings(seed=7, shape="landscape", steps=8).resolve(ENGINES["svd-nano"]).settings
    plan = ENGINES["svd-nano"].plans(settings)[0]
    latents = engine().denoise(Scene(settings, framed(photo)), plan, Progress())
    return np.stack(list(engine().decode(latents, plan, Progress())))


@pytest.mark.slow
@pytest.mark.parametrize("photo", PHOTOS)
def test_the_first_frame_is_recognisably_the_picture(photo: str) -> None:
    assert ssim(clip(photo)[0], np.asarray(framed(photo))) >= 0.65


@pytest.mark.slow
@pytest.mark.parametrize("photo", PHOTOS)
def test_the_last_frame_is_still_sharp_and_has_moved(photo: str) -> None:
    frames = clip(photo)
    assert len(frames) == 14
    assert sharpness(frames[-1]) >= 0.5 * sharpness(frames[0])
    assert mean_flow(frames[0], frames[-1]) >= 1.0
