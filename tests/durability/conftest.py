"""A data folder with one picture, and a studio on it that is gone after the test, whatever happened."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from tests.durability.processes import FastStudio


@pytest.fixture
def make_data(tmp_path: Path, picture: Image.Image) -> Callable[[str], Path]:
    """Make a data folder with one picture, in a place of its own."""

    def make(name: str) -> Path:
        folder = tmp_path / name / "data 数据"
        folder.mkdir(parents=True)
        picture.resize((64, 64)).save(folder / "picture.png")
        return folder

    return make


@pytest.fixture
def data(make_data: Callable[[str], Path]) -> Path:
    return make_data("one")


@pytest.fixture
def open_studio() -> Iterator[Callable[..., FastStudio]]:
    if sys.platform != "linux":
        pytest.skip("counts processes in /proc")
    opened: list[FastStudio] = []

    def open_it(data: Path, **environment: str) -> FastStudio:
        opened.append(FastStudio(data, **environment))
        return opened[-1]

    yield open_it
    for studio in opened:
        workers = [studio.worker(card) for card in range(2)]
        for pid in [studio.window.pid, *filter(None, workers)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        studio.window.wait()
