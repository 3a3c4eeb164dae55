"""Rights and disks that ordinary tests do not have."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest


@pytest.fixture
def without_root() -> Callable[[], AbstractContextManager[None]]:
    """A block in which file permissions count, also when the tests run as root."""

    @contextmanager
    def block() -> Iterator[None]:
        if os.name == "nt":
            pytest.skip("permissions work otherwise on Windows")
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(user)

    return block


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system with room for one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True)
    except OSError:
        pytest.skip("there is no mount command here, so no small disk")
    if made.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def other_ffmpeg(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a shell script in ffmpeg's place; the test writes what it does."""
    if os.name == "nt":
        pytest.skip("the stand-in is a shell script")
    script = tmp_path_factory.mktemp("bin") / "ffmpeg"
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(script))

    def become(commands: str) -> None:
        script.write_text(f"#!/bin/sh\n{commands}\n")
        script.chmod(0o755)

    return become
