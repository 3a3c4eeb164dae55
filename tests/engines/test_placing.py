"""Where weights go for each plan, on a pipeline that only remembers what it was told: no card is at hand here."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from svd_studio.core.errors import OutOfMemory
from svd_studio.core.vram import VramPlan
from svd_studio.engines.svd import SvdEngine

PLAN = VramPlan("all", True, None, 8, {"denoise": 1.0})


class RememberingPipeline:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.unet = torch.nn.Module()
        self.fails = False

    def __getattr__(self, name: str) -> Any:
        def called(*_: object, **__: object) -> None:
            self.calls.append(name)
            if self.fails and name.startswith(("to", "enable")):
                raise torch.OutOfMemoryError

        return called


@pytest.fixture
def engine() -> SvdEngine:
    engine = SvdEngine.__new__(SvdEngine)
    engine.pipeline, engine.device, engine._placed = RememberingPipeline(), torch.device("cuda:0"), None
    return engine


def placed(engine: SvdEngine, plan: VramPlan) -> list[str]:
    engine.pipeline.calls.clear()
    with engine._placed_by(plan):
        pass
    return list(engine.pipeline.calls)


@pytest.mark.parametrize(
    ("residency", "call"),
    [("all", "to"), ("model", "enable_model_cpu_offload"), ("sequential", "enable_sequential_cpu_offload")],
)
def test_each_residency_is_asked_for_after_the_last_one_was_undone(
    engine: SvdEngine, residency: Any, call: str
) -> None:
    assert placed(engine, replace(PLAN, residency=residency)) == ["remove_all_hooks", call, "maybe_free_model_hooks"]


def test_weights_that_stand_right_are_left_alone(engine: SvdEngine) -> None:
    placed(engine, PLAN)
    assert placed(engine, replace(PLAN, decode_window=4)) == ["maybe_free_model_hooks"]
    assert "enable_model_cpu_offload" in placed(engine, replace(PLAN, residency="model"))


def test_offloaded_weights_leave_the_card_also_after_an_error(engine: SvdEngine) -> None:
    with pytest.raises(KeyError), engine._placed_by(PLAN):
        raise KeyError
    assert engine.pipeline.calls[-1] == "maybe_free_model_hooks"


def test_half_moved_weights_are_told_as_out_of_memory_and_moved_again(engine: SvdEngine) -> None:
    engine.pipeline.fails = True
    with pytest.raises(OutOfMemory), engine._placed_by(PLAN):
        pass
    engine.pipeline.fails = False
    assert "to" in placed(engine, PLAN)


def test_an_error_on_the_card_during_a_render_is_told_as_out_of_memory(engine: SvdEngine) -> None:
    with pytest.raises(OutOfMemory), engine._placed_by(PLAN):
        raise torch.OutOfMemoryError
