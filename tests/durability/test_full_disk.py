"""A disk that fills while a clip is made: that clip is told, the others wait, and all goes on when there is room."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import DiskFull
from svd_studio.studio import Studio

ROOT = Path(__file__).parents[2]


def on_a_small_disk(folder: Path, left: int) -> dict[str, Any]:
    """Run full_disk.py where it may mount; skipped by name where the system does not let us, but not in CI."""
    allowed = sys.platform == "linux" and not subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode
    if not allowed:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("unshare may not mount a small disk here")
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-m", "tests.durability.full_disk", str(folder), str(left)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "left"), [("latents", 6_000_000), ("frames", 12_500_000), ("the encoder's file", 14_000_000)]
)
def test_the_clip_fails_with_a_sentence_and_the_others_wait_for_room(tmp_path: Path, stage: str, left: int) -> None:
    told = on_a_small_disk(tmp_path, left)
    assert told["during"] == ["failed", "queued", "queued"]
    assert told["reason"] == "files.disk_full"
    assert told["waits"] == "queue.waits_for_room"
    assert told["ended"] == ["failed", "done", "done"]
    assert not told["still_waits"]


def test_a_disk_without_a_byte_for_the_queue_itself_loses_nothing(tmp_path: Path) -> None:
    told = on_a_small_disk(tmp_path, 0)
    assert told["during"][1:] == ["queued", "queued"]
    assert told["ended"][1:] == ["done", "done"]
    assert not told["still_waits"]


def test_a_nearly_full_disk_is_told_before_the_work(tmp_path: Path, picture_file: Path) -> None:
    studio = Studio(StudioConfig(tmp_path / "data", room_for_a_clip=10**18))
    with pytest.raises(DiskFull, match="too_little_room"):
        studio.submit(ClipSettings(engine="svd-nano"), picture_file)
    assert studio.queue.find() == []
