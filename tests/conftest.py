"""What many tests share: thread limits before torch, one tiny checkpoint, one picture."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two spinning OpenMP threads on a busy box are 16 times slower

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random SVD in diffusers' layout, fp16 files."""
    from tests.tiny_weights import tiny_svd

    return tiny_svd(tmp_path_factory.mktemp("weights") / "tiny")


@pytest.fixture(scope="session")
def picture() -> Image.Image:
    """A smooth colourful picture with edges, 320 × 180."""
    y, x = np.mgrid[0:180, 0:320]
    pixels = np.stack([x * 0.8, y * 1.4, 127 + 120 * np.sin(x / 17) * np.cos(y / 11)], axis=-1)
    pixels[40:90, 60:140] = (250, 240, 30)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture
def picture_file(picture: Image.Image, tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    picture.save(path)
    return path
