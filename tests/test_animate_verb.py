"""The animate verb beside a worker that holds the lock: whoever waits is told what for, once."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import Message
from svd_studio.studio import Studio
from svd_studio.ui.texts import say

FULL = Message("queue.waits_for_room", {"folder": "/data", "needed_mb": 200})
REASONS = {"paused": Message("jobs.are_paused"), "full": FULL, "long": Message("job.ahead", {"n": 1})}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(StudioConfig(tmp_path / "data"))


def animate(studio: Studio, picture: Path) -> "subprocess.Popen[str]":
    asked = ("--engine", "svd-nano", "--frames", "2")
    command = [sys.executable, "-m", "svd_studio", "animate", str(picture), *asked, "--data", str(studio.config.data)]
    return subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, encoding="utf-8", env={**os.environ, "PYTHONUTF8": "1"}
    )


@pytest.mark.parametrize("reason", REASONS)
def test_who_waits_for_the_window_is_told_what_for_once(studio: Studio, picture_file: Path, reason: str) -> None:
    if reason == "paused":
        studio.queue.set_paused(True)
    if reason == "full":
        studio.queue.block(FULL)
    if reason == "long":
        studio.submit(ClipSettings(engine="svd-nano", frames=2), picture_file)
    window = studio.render_lock()
    assert window.try_acquire()
    with animate(studio, picture_file) as process:
        assert process.stderr is not None
        patience = threading.Timer(60, process.kill)
        patience.start()
        first = process.stderr.readline().strip()
        time.sleep(1)  # it looks three more times
        for job in studio.queue.find():
            studio.cancel(job.id)
        rest = process.stderr.read().splitlines()
        patience.cancel()
    window.release()
    assert first == say(REASONS[reason])
    assert rest == [say("job.cancelled")]
    assert process.returncode == 130
