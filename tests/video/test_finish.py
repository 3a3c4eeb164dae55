"""What finishing makes of count, size and speed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svd_studio.core.clip import FinishSettings, ResolvedSettings
from svd_studio.core.progress import Progress
from svd_studio.video.encode import encode_clip
from svd_studio.video.filters import LONGEST_SIDE, scaled_size
from svd_studio.video.finish import finish, finished_size, playback_fps
from svd_studio.video.metadata import probe


@pytest.fixture
def recipe() -> ResolvedSettings:
    return ResolvedSettings(
        engine="svd-nano",
        shape="landscape",
        width=64,
        height=48,
        frames=14,
        steps=4,
        scheduler="euler",
        guidance_first=1,
        guidance_last=1,
        motion_bucket=127,
        motion_fps=7,
        image_noise=0.02,
        seed=1,
    )


def frames(count: int) -> list[np.ndarray]:
    return [np.full((48, 64, 3), 10 + number, np.uint8) for number in range(count)]


@pytest.mark.parametrize(("smooth", "count", "fps"), [(1, 14, 7), (2, 28, 14), (4, 56, 28)])
def test_smoothing_keeps_the_length_of_a_clip(
    tmp_path: Path, recipe: ResolvedSettings, smooth: int, count: int, fps: float
) -> None:
    recipe = recipe.changed(finish={"smooth": smooth, "scale": None})
    better, promised = finish(iter(frames(14)), recipe.finish, 14)
    assert (promised, playback_fps(recipe)) == (count, fps)
    size = finished_size((64, 48), recipe.finish)
    facts = probe(encode_clip(better, tmp_path / "c.mp4", fps, size, "{}", Progress(), count).path)
    assert (facts.frames, facts.fps, facts.seconds) == (count, fps, 2)


def test_a_playback_speed_that_was_asked_for_is_kept(recipe: ResolvedSettings) -> None:
    recipe = recipe.changed(finish={"smooth": 4, "scale": None}, export={"fps": 30})
    assert playback_fps(recipe) == 30


def test_a_clip_is_enlarged_while_it_is_encoded(tmp_path: Path) -> None:
    size = finished_size((64, 36), FinishSettings(scale="720p"))
    small = [np.full((36, 64, 3), 80, np.uint8)] * 2
    encoded = encode_clip(small, tmp_path / "c.mp4", 7, size, "{}", Progress(), 2)
    assert encoded.size == size == (1280, 720)
    facts = probe(encoded.path)
    assert (facts.width, facts.height) == (1280, 720)


@pytest.mark.parametrize(
    ("size", "scale", "expected"),
    [
        ((1024, 576), "720p", (1280, 720)),
        ((1024, 576), "1080p", (1920, 1080)),
        ((576, 1024), "1080p", (1080, 1920)),
        ((512, 512), "720p", (720, 720)),
        ((1000, 576), "720p", (1250, 720)),
        ((1024, 576), None, (1024, 576)),
        ((1025, 577), None, (1024, 576)),
        ((1920, 1080), "720p", (1280, 720)),
        ((2048, 64), "1080p", (4096, 128)),
    ],
)
def test_a_size_keeps_its_shape(size: tuple[int, int], scale: str | None, expected: tuple[int, int]) -> None:
    assert scaled_size(size, scale) == expected  # type: ignore[arg-type]


@given(st.integers(64, 2048), st.integers(64, 2048), st.sampled_from([None, "720p", "1080p"]))
def test_any_size_becomes_even_and_playable(width: int, height: int, scale: str | None) -> None:
    result = scaled_size((width, height), scale)  # type: ignore[arg-type]
    assert all(side % 2 == 0 and 2 <= side <= LONGEST_SIDE for side in result)
    ratio = (result[0] / result[1]) / (width / height)
    assert abs(ratio - 1) <= 2.5 / min(result)
    if scale and max(result) < LONGEST_SIDE:
        assert min(result) == int(scale[:-1])
