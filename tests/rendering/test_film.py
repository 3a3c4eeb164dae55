"""Long films: parts that go on from one another, joined without a seam, kept on the way, in flat memory."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.progress import Progress, Stage
from svd_studio.engines.catalog import ENGINES
from svd_studio.jobs.forecast import work
from svd_studio.library.presets import SHIPPED
from svd_studio.quality.likeness import sharpness
from svd_studio.rendering.film import InParts
from svd_studio.rendering.render import Bench, render
from svd_studio.video.metadata import probe, read_frames
from svd_studio.video.stitch import FADE, Film, Piece, colours_like
from tests.fakes import FakeEngine
from tests.rendering.test_render import bench, request  # noqa: F401  # the fixture

PHOTO = SHIPPED / "pictures" / "mountains.jpg"


def resolved(**values: object) -> ResolvedSettings:
    return ClipSettings.from_person(values).resolve(ENGINES["svd-nano"]).settings


@pytest.fixture(scope="module")
def pan() -> np.ndarray:
    """A steady pan over a photograph, long enough for three parts."""
    photo = cv2.cvtColor(cv2.imread(str(PHOTO)), cv2.COLOR_BGR2RGB)
    large = cv2.resize(photo, (360, 220), interpolation=cv2.INTER_AREA)
    return np.stack([large[20:148, 2 * step : 2 * step + 240] for step in range(40)])


def film(pan: np.ndarray, tint: float = 1.0) -> Film:
    """Three parts of ten frames; each begins with the last frame of the one before, in colours of its own."""
    pieces: list[Piece] = []
    for part in range(3):
        frames = np.clip(pan[9 * part : 9 * part + 10] * tint**part, 0, 255).astype(np.uint8)
        colours = colours_like(frames[0], pieces[-1].last()) if pieces else None
        piece = Piece(lambda frames=frames: frames, 10)
        pieces.append(piece if colours is None else replace(piece, colours=colours))
    return Film(pieces)


def steps(frames: list[np.ndarray]) -> list[float]:
    """How far mean colours go from each frame to the next."""
    means = [frame.reshape(-1, 3).mean(axis=0) for frame in frames]
    return [float(np.linalg.norm(after - before)) for before, after in pairwise(means)]


def test_no_frame_is_shown_twice_and_none_is_lost(pan: np.ndarray) -> None:
    whole = film(pan)
    frames = list(whole)
    assert len(frames) == len(whole) == 28
    for at, frame in enumerate(frames):
        assert np.abs(frame.astype(int) - pan[at]).mean() < 1.5, at
    assert np.array_equal(whole[11], frames[11])


def test_colours_make_no_step_at_a_join(pan: np.ndarray) -> None:
    frames = list(film(pan, tint=0.9))
    seen = steps(frames)
    assert max(seen[8:10] + seen[17:19]) < 1.5 * max(seen[1:7])


def test_a_join_is_as_sharp_as_what_lies_inside(pan: np.ndarray) -> None:
    sharp = [sharpness(frame) for frame in film(pan)]
    assert min(sharp[9 : 9 + FADE + 1]) > 0.85 * min(sharp[3:8])


def test_a_part_that_shows_something_else_is_not_faded_into(pan: np.ndarray) -> None:
    other = np.random.default_rng(0).integers(0, 255, (10, 128, 240, 3), dtype=np.uint8)
    frames = list(Film([Piece(lambda: pan[:10], 10), Piece(lambda: other, 10)]))
    assert np.array_equal(frames[10], other[1])


def test_frames_add_up() -> None:
    assert resolved(frames=14).frames_in_all == 14
    assert resolved(frames=14, parts=3).frames_in_all == 40
    assert resolved(frames=14, parts=3, go_on_from=7).frames_in_all == 28
    assert resolved(frames=8, parts=2, go_on_from=100).frames_in_all == 15
    long, short = resolved(parts=4), resolved()
    assert work(long, "denoise") == 4 * work(short, "denoise")
    assert work(long, "encode") == pytest.approx(53 / 14 * work(short, "encode"))


def test_a_film_is_one_clip_with_one_recipe(
    bench: Bench,  # noqa: F811
    picture_file: Path,
    tmp_path: Path,
) -> None:
    asked = request(picture_file, parts=3)
    clip = render(asked, tmp_path / "film.mp4", bench, Progress())
    assert probe(clip.path).frames == asked.settings.frames_in_all == 10
    assert FakeEngine.calls == ["load", *["denoise", "decode"] * 3]
    # the scripted engine pans by a pixel a frame: each part goes on from the last frame of the one before
    frames = list(read_frames(clip.path))
    assert np.abs(frames[9].astype(float) - np.roll(frames[0], 9, axis=1)).mean() < 6


def test_a_film_goes_on_from_a_chosen_frame(
    bench: Bench,  # noqa: F811
    picture_file: Path,
    tmp_path: Path,
) -> None:
    clip = render(request(picture_file, parts=2, go_on_from=2), tmp_path / "film.mp4", bench, Progress())
    assert probe(clip.path).frames == 2 + 4


def test_a_longer_film_makes_only_what_is_new(
    bench: Bench,  # noqa: F811
    picture_file: Path,
    tmp_path: Path,
) -> None:
    render(request(picture_file), tmp_path / "a.mp4", bench, Progress())
    render(request(picture_file, parts=2), tmp_path / "b.mp4", bench, Progress())
    assert FakeEngine.calls.count("denoise") == 2
    render(request(picture_file, parts=3), tmp_path / "c.mp4", bench, Progress())
    assert FakeEngine.calls.count("denoise") == 3


def test_progress_goes_one_way(bench: Bench, picture_file: Path, tmp_path: Path) -> None:  # noqa: F811
    class Recorder(Progress):
        def __init__(self) -> None:
            self.seen: list[tuple[Stage, float]] = []

        def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
            self.seen.append((stage, done / total))

    recorder = Recorder()
    render(request(picture_file, parts=3, steps=6), tmp_path / "film.mp4", bench, recorder)
    stages = [stage for stage, _ in recorder.seen]
    assert stages[0] == "load"
    assert set(stages) == {"load", "denoise", "finish", "encode"}
    assert "denoise" not in stages[stages.index("encode") :]
    denoised = [share for stage, share in recorder.seen if stage == "denoise"]
    assert denoised == sorted(denoised)
    assert denoised[-1] == 1.0


def test_a_plain_clip_tells_its_stages_as_they_are() -> None:
    heard: list[Stage] = []

    class Listener(Progress):
        def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
            heard.append(stage)

    InParts(Listener(), resolved()).report("decode", 1, 2)
    assert heard == ["decode"]
