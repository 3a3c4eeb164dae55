"""SVD-Nano does what the words say: the whole path of prompts, on the one checkpoint that was trained for them.

Small clips, first and last frame decoded; tools/evaluate_nano.py measures at full size, many more of them.
"""

from functools import cache

import numpy as np
import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.progress import Progress
from svd_studio.engines.base import Scene
from svd_studio.engines.catalog import ENGINES, NANO_FOLDER
from svd_studio.engines.svd import SvdEngine
from svd_studio.library.presets import SHIPPED
from svd_studio.quality.motion import camera_move, mean_flow, optical_flow
from svd_studio.video.pictures import frame_picture, open_picture

INFO = ENGINES["svd-nano"]
SIZE = (128, 80)
PHOTOS = ("coffee.jpg", "mountains.jpg")


@cache
def engine() -> SvdEngine:
    return SvdEngine(INFO, NANO_FOLDER, "cpu", "fp32")


def ends(photo: str = PHOTOS[0], **asked: object) -> np.ndarray:
    """The first and the last frame of a clip."""
    picture = frame_picture(open_picture(SHIPPED / "pictures" / photo), *SIZE)
    typed = {"width": SIZE[0], "height": SIZE[1], "seed": 1, "steps": 5, "guidance_last": 1.0, **asked}
    settings = ClipSettings.from_person(typed).resolve(INFO).settings
    plan = INFO.plans(settings)[0]
    latents = engine().denoise(Scene(settings, picture), plan, Progress())
    return np.stack(list(engine().decode(latents[[0, -1]], plan, Progress())))


@pytest.mark.parametrize(
    ("photo", "prompt", "axis", "sign"),
    [
        (PHOTOS[0], "pan left", "right", -1),
        pytest.param(PHOTOS[1], "glide right, portrait of a woman", "right", 1, marks=pytest.mark.slow),
        pytest.param(PHOTOS[0], "zoom in", "zoom", 1, marks=pytest.mark.slow),
        (PHOTOS[1], "the camera moves back", "zoom", -1),
        pytest.param(PHOTOS[0], "turn left", "turn", -1, marks=pytest.mark.slow),
        pytest.param(PHOTOS[1], "向左平移", "right", -1, marks=pytest.mark.slow),
        (PHOTOS[0], "画面逐渐拉近", "zoom", 1),
        pytest.param(PHOTOS[1], "镜头徐徐上移", "down", -1, marks=pytest.mark.slow),
    ],
)
def test_the_camera_goes_where_the_words_send_it(photo: str, prompt: str, axis: str, sign: int) -> None:
    move = camera_move(*ends(photo, prompt=prompt))
    least = 0.5 if axis in ("right", "down") else 0.004
    assert sign * move[axis] > least, move


@pytest.mark.parametrize(("unwanted", "axis", "sign"), [("pan left", "right", 1), ("拉近", "zoom", -1)])
def test_a_negative_prompt_sends_it_the_other_way(unwanted: str, axis: str, sign: int) -> None:
    move = camera_move(*ends(negative_prompt=unwanted))
    assert sign * move[axis] > 0, move


@pytest.mark.slow
def test_a_higher_bucket_goes_further() -> None:
    flows = [mean_flow(*ends(prompt="pan right", motion_bucket=bucket)) for bucket in (30, 127, 220)]
    assert flows[0] < flows[1] < flows[2], flows


@pytest.mark.parametrize("word", ["still", "静止"])
def test_still_is_still(word: str) -> None:
    assert mean_flow(*ends(prompt=word)) < 0.3


@pytest.mark.slow
def test_a_higher_frame_rate_goes_less_far_between_frames() -> None:
    flows = [mean_flow(*ends(prompt="pan left", motion_fps=fps)) for fps in (4, 7, 12)]
    assert flows[0] > flows[1] > flows[2], flows


@pytest.mark.slow
@pytest.mark.parametrize(("prompt", "sign"), [("the clouds are drifting", 1), ("云朵向左飘", -1)])
def test_clouds_go_over_a_ground_that_stays(prompt: str, sign: int) -> None:
    flow = optical_flow(*ends(PHOTOS[1], prompt=prompt))[4:-4, 4:-4, 0]
    sky, ground = np.median(flow[:20]), np.median(flow[-20:])
    assert sign * sky > 0.5, (sky, ground)
    assert abs(sky) > 2 * abs(ground), (sky, ground)


@pytest.mark.slow
def test_what_is_low_in_the_picture_is_near_and_passes_faster() -> None:
    flow = optical_flow(*ends(PHOTOS[1], prompt="pan left"))[4:-4, 4:-4, 0]
    assert np.median(flow[-20:]) > np.median(flow[:20]) + 0.5


@pytest.mark.slow
def test_without_a_move_in_words_seeds_draw_different_ones() -> None:
    moves = [camera_move(*ends(seed=seed, prompt="a quiet morning")) for seed in (1, 2, 3)]
    kinds = {max(move, key=lambda axis: abs(move[axis]) * (1 if axis in ("right", "down") else 100)) for move in moves}
    signs = {tuple(np.sign(list(move.values()))) for move in moves}
    assert len(kinds) > 1 or len(signs) > 1, moves
