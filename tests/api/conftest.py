"""One page for the whole room: starting Gradio takes longer than most tests here."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from svd_studio.core.progress import Progress
from svd_studio.video.encode import encode_clip
from tests.api.window import Window, served

PASSWORD = "abcdefghijkmnpqrstuv"


@pytest.fixture(scope="session")
def clip_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real MP4 of two seconds."""
    frames = [np.full((48, 64, 3), 20 * number, np.uint8) for number in range(12)]
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return encode_clip(frames, path, 6, (64, 48), "{}", Progress(), 12).path


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory, clip_file: Path) -> Iterator[Window]:
    with served(tmp_path_factory.mktemp("open") / "data", clip_file) as served_window:
        yield served_window


@pytest.fixture(scope="session")
def locked_window(tmp_path_factory: pytest.TempPathFactory, clip_file: Path) -> Iterator[Window]:
    """The same page with a password."""
    with served(tmp_path_factory.mktemp("locked") / "data", clip_file, PASSWORD) as served_window:
        yield served_window
