"""The animate verb beside a worker that holds the lock: whoever waits is told what for, once."""

import importlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from svd_studio.animate import read_sweep
from svd_studio.cli import main
from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import Message
from svd_studio.studio import Studio
from svd_studio.ui.texts import say
from tests.fakes import FakeEngine

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


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["bucket=30, 127", "seed=1,2"], {"motion_bucket": [30, 127], "seed": [1, 2]}),
        (["motion-bucket=30", "bucket=60"], {"motion_bucket": [30, 60]}),
        (["prompt=slowly, and left", "prompt=zoom in"], {"prompt": ["slowly, and left", "zoom in"]}),
        (["speed=draft,best"], {"speed": ["draft", "best"]}),
    ],
)
def test_a_sweep_is_read(typed: list[str], read: dict[str, list[object]]) -> None:
    assert read_sweep(typed) == read


def test_a_sweep_makes_a_clip_of_every_combination(
    studio: Studio, picture_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.import_module("svd_studio.engines.svd"), "SvdEngine", FakeEngine)
    monkeypatch.setattr(
        "svd_studio.animate.keep_log", lambda config: None
    )  # this process goes on; its log would stay open
    asked = ["animate", str(picture_file), "--data", str(studio.config.data), "--engine", "svd-nano", "--frames", "2"]
    assert main([*asked, "--sweep", "bucket=30,200", "--sweep", "seed=1,2"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [Path(path).is_file() for path in printed] == [True] * 4
    made = [clip.rendered.settings for clip in studio.clips.newest()][::-1]
    assert [(one.seed, one.motion_bucket) for one in made] == [(1, 30), (1, 200), (2, 30), (2, 200)]


@pytest.mark.parametrize("wrong", ["bucket", "steps=1,2", "bucket=30", "bucket=30,999", "speed=warp,best"])
def test_a_sweep_that_cannot_be_is_refused(
    studio: Studio, picture_file: Path, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["animate", str(picture_file), "--data", str(studio.config.data), "--engine", "svd-nano"]
    assert main([*asked, "--sweep", wrong]) == 2
    assert capsys.readouterr().err
    assert main([*asked, "--sweep", "seed=1,2", "-o", "one.mp4"]) == 2
    assert studio.queue.find() == []
