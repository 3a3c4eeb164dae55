"""Clips for where they go: every frame, the right size and speed, the recipe where it can travel."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.video.encode import encode_clip
from svd_studio.video.export import EXPORTS, export_clip
from svd_studio.video.metadata import probe, read_comment, read_frames, recipe_json

FRAMES = 8


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A square that moves over a colour, at seven frames a second."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    frames = [np.full((144, 256, 3), (30, 90, 160), np.uint8) for _ in range(FRAMES)]
    for number, frame in enumerate(frames):
        frame[40:80, 20 * number : 20 * number + 40] = (220, 120, 40)
    return encode_clip(frames, path, 7, (256, 144), recipe_json(ClipSettings(prompt="海")), Progress(), FRAMES).path


@pytest.fixture
def exported(clip: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    export = EXPORTS[request.param]
    target = tmp_path / f"clip.{export.format}"
    export_clip(clip, export, target)
    assert list(tmp_path.iterdir()) == [target], "nothing else is left"
    return target


@pytest.mark.parametrize("exported", ["1080x1920"], indirect=True)
def test_an_upright_film_shows_all_of_a_wide_clip_on_its_own_blur(exported: Path, clip: Path) -> None:
    facts = probe(exported)
    assert (facts.frames, facts.fps, facts.width, facts.height) == (FRAMES, 7, 1080, 1920)
    assert read_comment(exported) == read_comment(clip)
    shown = list(read_frames(exported))[5].astype(int)
    assert abs(shown[960 - 303 + 5, 1075] - (30, 90, 160)).max() < 12, "the clip reaches the sides in the middle"
    assert np.ptp(shown[600], axis=0).max() > 10, "above it is not one colour"
    assert np.abs(np.diff(shown[600], axis=0)).max() < 4, "but soft"


@pytest.mark.parametrize("exported", ["webm"], indirect=True)
def test_webm_is_vp9_with_every_frame_and_the_recipe(exported: Path, clip: Path) -> None:
    facts = probe(exported)
    assert (facts.codec, facts.frames, facts.width, facts.height) == ("vp9", FRAMES, 256, 144)
    assert read_comment(exported) == read_comment(clip)


@pytest.mark.parametrize("exported", ["gif"], indirect=True)
def test_a_gif_moves_as_fast_and_keeps_the_colours(exported: Path) -> None:
    with Image.open(exported) as gif:
        assert (gif.n_frames, gif.size, gif.info["loop"]) == (FRAMES, (256, 144), 0)  # type: ignore[attr-defined]
        durations = [gif.seek(number) or gif.info["duration"] for number in range(FRAMES)]
        assert abs(sum(durations) - 1000 * FRAMES / 7) < 40
        gif.seek(0)
        pixels = np.asarray(gif.convert("RGB")).astype(int)
    assert abs(pixels[120, 200] - (30, 90, 160)).max() < 16


@pytest.mark.parametrize("exported", ["png"], indirect=True)
def test_pictures_are_the_frames_themselves_beside_the_recipe(exported: Path, clip: Path) -> None:
    with zipfile.ZipFile(exported) as pack:
        assert pack.namelist() == [*(f"{number:05}.png" for number in range(1, FRAMES + 1)), "recipe.json"]
        assert json.loads(pack.read("recipe.json"))["settings"]["prompt"] == "海"
        for name, frame in zip(pack.namelist(), read_frames(clip), strict=False):
            assert (np.asarray(Image.open(pack.open(name))) == frame).all()


def test_a_broken_clip_is_refused_and_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[:300])
    for kind, export in EXPORTS.items():
        with pytest.raises(RenderFailed):
            export_clip(broken, export, tmp_path / f"{kind}.out")
    assert list(tmp_path.iterdir()) == [broken]
