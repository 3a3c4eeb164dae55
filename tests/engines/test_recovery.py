"""Memory runs out at every stage of every plan of the real pipeline: the clip is the same, nothing is made twice."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from svd_studio.core.clip import ClipSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import Message, OutOfMemory, RenderFailed
from svd_studio.core.progress import Progress, Stage
from svd_studio.core.vram import CARD, VramPlan
from svd_studio.engines.base import Scene
from svd_studio.engines.catalog import ENGINES
from svd_studio.engines.costs import SVD_COSTS
from svd_studio.engines.svd import SvdEngine
from svd_studio.gpu.planner import thriftier
from svd_studio.gpu.recovery import Ladder
from svd_studio.rendering.clock import StageClock
from svd_studio.rendering.parts import PartStore
from svd_studio.rendering.render import Bench, make_frames, not_black
from tests.engines.test_svd import ROUNDING, TINY, distance, scene

STAGES: tuple[Stage, ...] = ("load", "encode_inputs", "denoise", "decode")


class Card(TorchDispatchMode):
    """Stand where a card would: every operation of torch passes here, and may find no memory left."""

    def __init__(self) -> None:
        super().__init__()
        self.fails_in = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self.fails_in:
            self.fails_in -= 1
            if self.fails_in == 0:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB (injected)")
        return func(*args, **(kwargs or {}))


class RunsOut(Progress):
    """Let the card run out some operations into a stage, so often; hear what is told."""

    def __init__(self, card: Card, stage: Stage, times: int = 1) -> None:
        self.card, self.stage, self.times = card, stage, times
        self.notes: list[Message] = []
        self.reports: Counter[str] = Counter()

    def report(self, stage: Stage, done: int, total: int, preview: np.ndarray | None = None) -> None:
        self.reports[f"{stage} {done}"] += 1
        if stage == self.stage and done == (1 if stage == "load" else 0) and self.times:
            self.times -= 1
            self.card.fails_in = 12 if stage != "load" else 1

    def note(self, message: Message) -> None:
        self.notes.append(message)


class Loaded:
    """An engine that is loaded already, with numbers so wide that rounding hides nothing."""

    precision = "fp64"

    def __init__(self, engine: SvdEngine) -> None:
        self.engine = engine

    def get(self, info: EngineInfo, folder: Path, progress: Progress) -> SvdEngine:
        progress.report("load", 0, 1)
        progress.report("load", 1, 1)
        return self.engine


@pytest.fixture(scope="module")
def exact(tiny_folder: Path) -> SvdEngine:
    engine = SvdEngine(TINY, tiny_folder, "cpu", "fp32")
    engine.pipeline.to(dtype=torch.float64)
    return engine


@pytest.fixture(scope="module")
def made(picture: Image.Image) -> Scene:
    return scene(picture, steps=2, frames=2, width=64, height=64)


@pytest.fixture(scope="module")
def plans() -> list[VramPlan]:
    """Those of a clip in full size, where every way differs; two windows stand for all."""
    settings = ClipSettings(engine="svd-xt").resolve(ENGINES["svd-xt"]).settings
    return [plan for plan in SVD_COSTS.plans(settings, CARD) if plan.decode_window in (8, 1)]


def frames_of(engine: SvdEngine, made: Scene, ladder: Ladder, clock: StageClock, folder: Path) -> np.ndarray:
    bench = Bench(Loaded(engine), PartStore(folder), lambda info: folder, lambda: 24.0, lambda: 1.0)  # type: ignore[arg-type]
    return np.array(make_frames(TINY, made, ladder, bench, clock)[0])


@pytest.fixture(scope="module")
def expected(
    exact: SvdEngine, made: Scene, plans: list[VramPlan], tmp_path_factory: pytest.TempPathFactory
) -> dict[int, np.ndarray]:
    """The frames by decode window, which alone may touch them."""
    folder, clock = tmp_path_factory.mktemp("expected"), StageClock(Progress())
    windows = {plan.decode_window: plan for plan in plans}
    return {
        window: frames_of(exact, made, Ladder([plan], plan, clock), clock, folder) for window, plan in windows.items()
    }


def latents_in(folder: Path) -> np.ndarray:
    return np.load(next(path for path in folder.glob("*.npy") if "-w" not in path.stem))


def recover(
    exact: SvdEngine, made: Scene, plans: list[VramPlan], number: int, stage: Stage, folder: Path, times: int = 1
) -> tuple[np.ndarray, Ladder, RunsOut]:
    card = Card()
    heard = RunsOut(card, stage, times)
    clock = StageClock(heard)
    ladder = Ladder(plans, plans[number], clock)
    exact._placed = None  # as in a fresh process: weights have to be moved
    with card:
        frames = frames_of(exact, made, ladder, clock, folder)
    assert card.fails_in == 0, "it did run out"
    return frames, ladder, heard


def check_recovery(
    exact: SvdEngine, made: Scene, plans: list[VramPlan], expected: dict, number: int, stage: Stage, folder: Path
) -> None:
    before = plans[number]
    frames, ladder, heard = recover(exact, made, plans, number, stage, folder)
    assert plans.index(ladder.plan) > number
    assert ladder.plan.expected_peak_gb[stage] < before.expected_peak_gb[stage]
    assert [note.code.startswith("memory.goes_on.") for note in heard.notes] == [True]
    assert heard.reports["denoise 2"] == 1, "finished latents are never made again"
    assert np.abs(frames.astype(int) - expected[ladder.plan.decode_window]).max() <= 1


# A plan that offloads puts nothing on the card while it loads, so that nothing can run out there.
@pytest.mark.parametrize(
    ("number", "stage"), [(number, stage) for number in (0, 2) for stage in STAGES if (number, stage) != (2, "load")]
)
def test_out_of_memory_goes_on_with_a_thriftier_plan(
    exact: SvdEngine, made: Scene, plans: list, expected: dict, number: int, stage: Stage, tmp_path: Path
) -> None:
    check_recovery(exact, made, plans, expected, number, stage, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_of_every_plan_recovers_or_says_why_not(
    exact: SvdEngine, made: Scene, plans: list, expected: dict, stage: Stage, tmp_path: Path
) -> None:
    for number, plan in enumerate(plans):
        folder = tmp_path / str(number)
        if stage == "load" and plan.expected_peak_gb["load"] <= 0.5:
            continue
        if thriftier(plans, plan, stage) is not None:
            check_recovery(exact, made, plans, expected, number, stage, folder)
        else:
            with pytest.raises(OutOfMemory):
                recover(exact, made, plans, number, stage, folder)


def test_latents_are_the_same_after_a_fall_through_several_plans(
    exact: SvdEngine, made: Scene, plans: list, expected: dict, tmp_path: Path
) -> None:
    recover(exact, made, plans, 0, "denoise", tmp_path / "a", times=2)
    recover(exact, made, plans, 0, "decode", tmp_path / "b", times=1)
    assert distance(latents_in(tmp_path / "a"), latents_in(tmp_path / "b")) < ROUNDING


def test_the_last_plan_gives_up_in_words_and_the_next_clip_is_whole(
    exact: SvdEngine, made: Scene, plans: list, expected: dict, tmp_path: Path
) -> None:
    with pytest.raises(OutOfMemory, match=r"memory\.ran_out"):
        recover(exact, made, plans, len(plans) - 1, "denoise", tmp_path)
    clock = StageClock(Progress())
    frames = frames_of(exact, made, Ladder(plans, plans[0], clock), clock, tmp_path)
    assert np.array_equal(frames, expected[8])


def test_what_overflows_in_half_precision_is_decoded_in_full(
    tiny_folder: Path, made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = SvdEngine(TINY, tiny_folder, "cpu", "bf16")
    latents = np.random.default_rng(0).normal(size=(2, 4, 8, 8)).astype(np.float32)
    plan = VramPlan("all", True, None, 2, {})
    right = np.stack(list(engine.decode(latents, plan, Progress())))
    stock, precisions, broken = engine.pipeline.vae.decode, [], [0.0]

    def overflowing(scaled: torch.Tensor, **rest: Any) -> Any:
        precisions.append(scaled.dtype)
        decoded = stock(scaled, **rest)
        if scaled.dtype != torch.float32:
            decoded.sample.fill_(broken[0])
        return decoded

    monkeypatch.setattr(engine.pipeline.vae, "decode", overflowing)
    for broken[0] in (float("nan"), -1.0):
        precisions.clear()
        frames = np.stack(list(engine.decode(latents, plan, Progress())))
        assert precisions == [torch.bfloat16, torch.float32]
        assert np.abs(frames.astype(int) - right).mean() < 3
        assert engine.pipeline.vae.dtype == torch.bfloat16


def test_black_frames_fail_honestly_unless_the_picture_is_black(picture: Image.Image) -> None:
    def black() -> Any:
        return iter([np.zeros((4, 4, 3), np.uint8)] * 2)

    with pytest.raises(RenderFailed, match=r"render\.black"):
        list(not_black(black(), picture))
    assert len(list(not_black(black(), Image.new("RGB", (8, 8))))) == 2


def test_latents_that_are_not_numbers_are_not_kept(
    exact: SvdEngine, made: Scene, plans: list, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with torch.no_grad():
        before = exact.pipeline.unet.conv_out.bias.clone()
        exact.pipeline.unet.conv_out.bias.fill_(float("inf"))
    exact._placed = None
    clock = StageClock(Progress())
    try:
        with pytest.raises(RenderFailed, match=r"render\.not_finite"):
            frames_of(exact, made, Ladder(plans, plans[0], clock), clock, tmp_path)
    finally:
        with torch.no_grad():
            exact.pipeline.unet.conv_out.bias.copy_(before)
    assert list(tmp_path.glob("*.npy")) == []
