"""A clip given away without its recipe holds the same pictures, and not a byte of its words."""

from pathlib import Path

import numpy as np
import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.video.encode import encode_clip
from svd_studio.video.metadata import read_comment, read_frames, recipe_json
from svd_studio.video.unmarked import write_without_recipe

PROMPT = "a secret meadow 海浪"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = [np.full((48, 64, 3), shade, np.uint8) for shade in (20, 120, 220)]
    recipe = recipe_json(ClipSettings(prompt=PROMPT, seed=123456789), {"title": "My secret picture"})
    return encode_clip(frames, tmp_path / "clip.mp4", 7.0, (64, 48), recipe, Progress(), 3).path


def test_not_a_byte_of_the_recipe_is_left_and_the_pictures_are_the_same(clip: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.mp4"
    write_without_recipe(clip, bare)
    content = bare.read_bytes()
    for word in ("secret", "meadow", "海浪", "123456789", "SVD Studio", "settings"):
        assert word.encode() in clip.read_bytes()
        assert word.encode() not in content
    assert read_comment(bare) is None
    assert np.array_equal(np.stack(list(read_frames(bare))), np.stack(list(read_frames(clip))))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare.mp4", "clip.mp4"]


def test_what_is_no_clip_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x18ftypisom nothing more")
    with pytest.raises(RenderFailed):
        write_without_recipe(broken, tmp_path / "bare.mp4")
    assert list(tmp_path.iterdir()) == [broken]
