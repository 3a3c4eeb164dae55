"""The card's encoder is taken where one frame went through it; where it fails, x264 makes the same clip."""

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.errors import DiskFull
from svd_studio.core.progress import Progress
from svd_studio.engines.catalog import ENGINES
from svd_studio.rendering.clock import StageClock
from svd_studio.rendering.render import encode_frames
from svd_studio.video.encoders import NVENC, X264, Encoders
from svd_studio.video.metadata import probe, read_frames, read_record

STAND_IN = Path(__file__).with_name("nvenc_stand_in.py")
REAL = imageio_ffmpeg.get_ffmpeg_exe()
SIZE = (256, 192)

Become = Callable[[str], Callable[[], list[str]]]
"""Told how h264_nvenc fails, tells which encoders were asked for."""


@pytest.fixture
def nvenc(other_ffmpeg: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Become:
    """Let ffmpeg answer for h264_nvenc, failing as asked; returns what lists the encoders it was asked for."""
    monkeypatch.setenv("PATH", str(tmp_path))  # no other ffmpeg than ours
    calls = tmp_path / "calls.txt"
    calls.touch()

    def become(fails: str) -> Callable[[], list[str]]:
        command = shlex.join([sys.executable, "-S", str(STAND_IN), REAL, str(calls), fails])
        other_ffmpeg(f'exec {command} "$@"')
        return lambda: calls.read_text().split()

    return become


def settings(**finish: object) -> ResolvedSettings:
    asked = {"seed": 1, "frames": 6, "width": SIZE[0], "height": SIZE[1], "finish": finish}
    return ClipSettings.from_person(asked).resolve(ENGINES["svd-nano"]).settings


def frames() -> np.ndarray:
    """Frames that can be told apart: number n is grey 10 n + 20."""
    greys = np.arange(6, dtype=np.uint8) * 10 + 20
    return np.broadcast_to(greys[:, None, None, None], (6, SIZE[1], SIZE[0], 3)).copy()


def made(folder: Path, encoders: Encoders, **finish: object) -> str:
    """Make a clip of all frames, look that none is lost, doubled or out of order; the encoder of its record."""
    path, asked = folder / "clip.mp4", settings(**finish)
    encoded, recipe = encode_frames(frames(), asked, {"title": "x"}, path, encoders, StageClock(Progress()))
    assert encoded.frames == probe(path).frames == 6 * asked.finish.smooth
    shown = [frame.mean() for frame in read_frames(path)][:: asked.finish.smooth]
    assert np.abs(np.array(shown) - (20 + 10 * np.arange(6))).max() < 1.5
    assert b"colrnclx\0\1\0\1\0\1\0" in path.read_bytes()
    assert {one.name for one in folder.iterdir()} <= {"clip.mp4", "calls.txt"}
    record = read_record(path) or {}
    assert f'"encoder":"{record["made"]["encoder"]}"' in recipe
    return str(record["made"]["encoder"])


def test_here_without_such_a_card_the_probe_says_no_and_x264_is_taken(tmp_path: Path) -> None:
    encoders = Encoders()
    if encoders.for_size(SIZE) != [X264]:
        pytest.skip("this machine's card encodes")
    assert made(tmp_path, encoders) == "libx264"


def test_a_card_that_encodes_is_probed_once_and_its_clip_says_so(nvenc: Become, tmp_path: Path) -> None:
    calls, encoders = nvenc("never"), Encoders()
    assert made(tmp_path, encoders) == "h264_nvenc"
    assert made(tmp_path, encoders, smooth=2) == "h264_nvenc"
    assert calls() == ["probe", "h264_nvenc", "h264_nvenc"]


def test_a_probe_that_fails_means_x264(nvenc: Become, tmp_path: Path) -> None:
    calls, encoders = nvenc("probe"), Encoders()
    assert [made(tmp_path, encoders), made(tmp_path, encoders)] == ["libx264"] * 2
    assert calls() == ["probe", "libx264", "libx264"]


def test_a_driver_that_hangs_costs_no_more_than_the_probe(nvenc: Become, tmp_path: Path) -> None:
    nvenc("hangs")
    started = time.monotonic()
    assert Encoders(probe_s=1).for_size(SIZE) == [X264]
    assert time.monotonic() - started < 30, "the stand-in sleeps for a minute"


@pytest.mark.parametrize("fails", ["midway", "garbled"])
def test_frames_that_the_card_lost_go_through_x264_and_the_card_is_let_be(
    nvenc: Become, tmp_path: Path, fails: str
) -> None:
    calls, encoders = nvenc(fails), Encoders()
    assert made(tmp_path, encoders, smooth=2) == "libx264"
    assert made(tmp_path, encoders) == "libx264"
    assert calls() == ["probe", "h264_nvenc", "libx264", "libx264"]


def test_a_full_disk_is_no_reason_to_try_again(other_ffmpeg: Callable[[str], None], tmp_path: Path) -> None:
    other_ffmpeg('case "$*" in *lavfi*) exit 0;; *) cat > /dev/null; exit 228;; esac')
    encoders = Encoders()
    with pytest.raises(DiskFull):
        encode_frames(frames(), settings(), {}, tmp_path / "clip.mp4", encoders, StageClock(Progress()))
    assert encoders.for_size(SIZE)[0].name == NVENC.name


def test_pictures_too_small_for_a_card_are_not_shown_to_it(nvenc: Become, tmp_path: Path) -> None:
    nvenc("never")
    encoders = Encoders()
    assert len(encoders.for_size((160, 64))) == 2
    assert encoders.for_size((144, 256)) == encoders.for_size((256, 48)) == [X264]
