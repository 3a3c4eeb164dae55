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
def data(tmp_path: Path, picture: Image.Image) -> Path:
    folder = tmp_path / "data 数据"
    folder.mkdir()
    picture.resize((64, 64)).save(folder / "picture.png")
    return folder


@pytest.fixture
def open_studio(data: Path) -> Iterator[Callable[..., FastStudio]]:
    if sys.platform != "linux":
        pytest.skip("counts processes in /proc")
    opened: list[FastStudio] = []

    def open_it(**environment: str) -> FastStudio:
        opened.append(FastStudio(data, **environment))
        return opened[-1]

    yield open_it
    for studio in opened:
        worker = studio.worker()
        for pid in [studio.window.pid, *([worker] if worker else [])]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        studio.window.wait()
