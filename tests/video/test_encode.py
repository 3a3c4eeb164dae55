"""Frames in, the same frames out: in number, speed, size and colour; or nothing at all."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from svd_studio.core.errors import Cancelled, DiskFull, RenderFailed
from svd_studio.core.progress import Progress, Stage
from svd_studio.video.encode import EncodedFile, encode_clip, exact_fps
from svd_studio.video.metadata import probe, read_frames

PATCHES = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 128, 128), (200, 120, 40)]
PATCHES += [(30, 90, 160), (250, 220, 190), (90, 60, 50), (20, 20, 30), (180, 30, 200)]


def encode(path: Path, frames: list[np.ndarray] | Iterator[np.ndarray], **changed: object) -> EncodedFile:
    options = {"fps": 7, "size": (64, 48), "comment": "{}", "progress": Progress(), "total": 5} | changed
    return encode_clip(frames, path, **options)  # type: ignore[arg-type]


def numbered(count: int, size: tuple[int, int] = (64, 48)) -> Iterator[np.ndarray]:
    """Frames that can be told apart after encoding: number n is grey 3 n + 20."""
    for number in range(count):
        yield np.full((size[1], size[0], 3), 20 + 3 * number, np.uint8)


def noisy(count: int, size: tuple[int, int] = (256, 256)) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    for _ in range(count):
        yield rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)


def patches(side: int) -> np.ndarray:
    rows = [np.concatenate([np.full((side, side, 3), c, np.uint8) for c in PATCHES[i : i + 4]], 1) for i in (0, 4, 8)]
    return np.concatenate(rows)


def patch_errors(frame: np.ndarray, side: int) -> list[float]:
    errors = []
    for number, colour in enumerate(PATCHES):
        top, left = number // 4 * side, number % 4 * side
        middle = frame[top + side // 4 : top + side * 3 // 4, left + side // 4 : left + side * 3 // 4].astype(int)
        errors.append(float(np.abs(middle - colour).mean()))
    return errors


# What comes out


@pytest.mark.parametrize("fps", [1, 6, 7, 12.5, 23.976, 24_000 / 1001, 24, 29.97, 30, 60])
@pytest.mark.parametrize("count", [1, 2, 14, 25])
def test_frames_and_speed_are_exact(tmp_path: Path, fps: float, count: int) -> None:
    encoded = encode(tmp_path / "clip.mp4", numbered(count), fps=fps, total=count)
    facts = probe(encoded.path)
    assert (encoded.frames, facts.frames) == (count, count)
    assert facts.fps == pytest.approx(fps, rel=1e-9)
    assert facts.seconds == pytest.approx(count / fps, rel=1e-9) == encoded.seconds
    assert (facts.width, facts.height, facts.codec, facts.pix_fmt) == (64, 48, "h264", "yuv420p")


def test_every_frame_is_there_once_and_in_order(tmp_path: Path) -> None:
    encode(tmp_path / "clip.mp4", numbered(60), total=60)
    shown = [frame.mean() for frame in read_frames(tmp_path / "clip.mp4")]
    assert np.abs(np.array(shown) - (20 + 3 * np.arange(60))).max() < 1.2


@pytest.mark.parametrize(("fps", "exact"), [(7, "7"), (23.976, "2997/125"), (30000 / 1001, "30000/1001"), (0.5, "1/2")])
def test_a_frame_rate_becomes_the_fraction_that_was_meant(fps: float, exact: str) -> None:
    assert str(exact_fps(fps)) == exact


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_an_impossible_frame_rate_is_refused(fps: float) -> None:
    with pytest.raises(ValueError, match="frame rate"):
        exact_fps(fps)


@pytest.mark.parametrize("size", [(256, 192), (960, 720)])
def test_colours_stay_as_they_are_also_when_enlarged(tmp_path: Path, size: tuple[int, int]) -> None:
    encode(tmp_path / "clip.mp4", [patches(64)] * 5, size=size)
    for frame in read_frames(tmp_path / "clip.mp4"):
        errors = patch_errors(frame, size[0] // 4)
        assert np.mean(errors) <= 1
        assert max(errors) <= 2


def test_the_file_says_which_colours_it_holds_and_can_be_played_while_it_loads(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", numbered(5)).path
    content = path.read_bytes()
    assert b"colrnclx\0\1\0\1\0\1\0" in content  # primaries, transfer and matrix 1: BT.709; limited range
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("size", [(65, 49), (65, 48), (64, 49)])
def test_an_odd_side_loses_one_pixel_and_is_not_scaled(tmp_path: Path, size: tuple[int, int]) -> None:
    stripes = np.zeros((size[1], size[0], 3), np.uint8)
    stripes[:, ::2] = 255
    encoded = encode(tmp_path / "clip.mp4", [stripes] * 3, size=size)
    assert encoded.size == (64, 48)
    frame = next(read_frames(encoded.path))
    assert frame.shape == (48, 64, 3)
    assert frame[:, ::2].mean() > 240
    assert frame[:, 1::2].mean() < 15


def test_frames_may_be_read_only_or_cut_out_of_larger_ones(tmp_path: Path) -> None:
    large = np.zeros((100, 100, 3), np.uint8)
    large[20:68, 10:74] = (200, 120, 40)
    large.flags.writeable = False
    encode(tmp_path / "clip.mp4", [large[20:68, 10:74]] * 3)
    assert np.abs(next(read_frames(tmp_path / "clip.mp4")).astype(int) - (200, 120, 40)).max() <= 3


def test_memory_stays_flat_for_a_long_clip(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        encode(tmp_path / "clip.mp4", noisy(300, (128, 128)), size=(128, 128), total=300)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000  # all frames together are 15 MB


def test_progress_is_told_frame_by_frame(tmp_path: Path) -> None:
    told: list[tuple[Stage, int, int]] = []

    class Listening(Progress):
        def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
            told.append((stage, done, total))

    encode(tmp_path / "clip.mp4", numbered(5), progress=Listening())
    assert told == [("encode", done, 5) for done in range(6)]


# What goes wrong


class StopAt(Progress):
    def __init__(self, frame: int) -> None:
        self.frame = frame

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        if done == self.frame:
            raise Cancelled


class Watched:
    """A generator of frames that knows whether it was closed."""

    closed = False

    def frames(self, count: int, error: BaseException | None = None) -> Iterator[np.ndarray]:
        try:
            yield from noisy(count, (128, 128))
            if error:
                raise error
        finally:
            self.closed = True


def children() -> set[str]:
    """The processes that this one has started and not yet buried."""
    lists = Path("/proc/self/task").glob("*/children")
    return {child for file in lists for child in file.read_text().split()}


@pytest.mark.parametrize("frame", [0, 1, 20])
def test_cancel_leaves_nothing(tmp_path: Path, frame: int) -> None:
    watched, before = Watched(), children()
    with pytest.raises(Cancelled):
        encode(tmp_path / "clip.mp4", watched.frames(50), size=(128, 128), progress=StopAt(frame))
    assert list(tmp_path.iterdir()) == []
    assert frame == 0 or watched.closed
    assert children() == before


@pytest.mark.parametrize("error", [Cancelled(), RuntimeError("the engine broke"), KeyboardInterrupt()])
def test_frames_that_break_off_leave_nothing(tmp_path: Path, error: BaseException) -> None:
    watched, before = Watched(), children()
    with pytest.raises(type(error)):
        encode(tmp_path / "clip.mp4", watched.frames(5, error), size=(128, 128))
    assert list(tmp_path.iterdir()) == []
    assert watched.closed
    assert children() == before


def test_no_frames_are_no_clip(tmp_path: Path) -> None:
    with pytest.raises(RenderFailed, match=r"video\.no_frames"):
        encode(tmp_path / "clip.mp4", iter(()))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "frame", [np.zeros((48, 65, 3), np.uint8), np.zeros((48, 64, 3), np.float32), np.zeros((48, 64), np.uint8)]
)
def test_a_frame_of_another_kind_is_refused(tmp_path: Path, frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a frame is uint8"):
        encode(tmp_path / "clip.mp4", [next(numbered(1)), frame])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_left_clean(small_disk: Path) -> None:
    watched = Watched()
    with pytest.raises(DiskFull, match=r"files\.disk_full"):
        encode(small_disk / "clip.mp4", watched.frames(150), size=(128, 128), total=150)
    assert list(small_disk.iterdir()) == []
    assert watched.closed


@pytest.mark.parametrize(
    ("commands", "raised", "code"),
    [
        ("exit 3", RenderFailed, "video.encoder_failed"),
        ("cat > /dev/null; exit 3", RenderFailed, "video.encoder_failed"),
        ("head -c 100000 > /dev/null; kill -9 $$", RenderFailed, "video.encoder_failed"),
        ("exec 0<&-; exit 0", RenderFailed, "video.encoder_failed"),
        ("cat > /dev/null; exit 228", DiskFull, "files.disk_full"),
        ("cat > /dev/null; echo 'write: No space left on device' >&2; exit 1", DiskFull, "files.disk_full"),
        ("cat > /dev/null; exit 0", RenderFailed, "video.undecodable"),
    ],
)
def test_an_encoder_that_fails_is_told_apart(
    tmp_path: Path, other_ffmpeg: Callable[[str], None], commands: str, raised: type[Exception], code: str
) -> None:
    other_ffmpeg(commands)
    watched = Watched()
    with pytest.raises(raised) as told:
        encode(tmp_path / "clip.mp4", watched.frames(30), size=(128, 128))
    assert told.value.message.code == code  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []
    assert watched.closed


def test_an_encoder_that_talks_without_end_is_not_waited_for_for_ever(
    tmp_path: Path, other_ffmpeg: Callable[[str], None]
) -> None:
    other_ffmpeg("head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; cat > /dev/null; exit 9")
    start = time.perf_counter()
    with pytest.raises(RenderFailed) as told:
        encode(tmp_path / "clip.mp4", noisy(3), size=(256, 256))
    assert told.value.message.values["exit_code"] == 9
    assert time.perf_counter() - start < 10


def test_cancel_does_not_wait_for_an_encoder_that_hangs(tmp_path: Path, other_ffmpeg: Callable[[str], None]) -> None:
    other_ffmpeg("cat > /dev/null; exec sleep 30")
    start = time.perf_counter()
    with pytest.raises(Cancelled):
        encode(tmp_path / "clip.mp4", numbered(9), progress=StopAt(3))
    assert time.perf_counter() - start < 10


def test_a_missing_encoder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "nothing"))
    with pytest.raises(RenderFailed, match=r"video\.no_ffmpeg"):
        encode(tmp_path / "clip.mp4", numbered(3))
    assert list(tmp_path.iterdir()) == []
