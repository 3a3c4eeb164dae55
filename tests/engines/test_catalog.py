"""Every entry of the catalog keeps the contract; its arithmetic is that of docs/benchmarks.md."""

import importlib
import inspect

import pytest

from svd_studio.core.clip import ClipSettings, ResolvedSettings
from svd_studio.core.errors import BadSetting, OutOfMemory
from svd_studio.engines.base import Engine
from svd_studio.engines.catalog import ENGINES, NANO_FOLDER, engine_info
from svd_studio.gpu.planner import choose_plan


def native(name: str, **values: object) -> ResolvedSettings:
    return ClipSettings.from_person(values).resolve(ENGINES[name]).settings


@pytest.mark.parametrize("name", ENGINES)
def test_an_entry_is_whole(name: str) -> None:
    info = ENGINES[name]
    assert info.name == name
    assert info.title
    assert info.licence
    assert set(info.sizes) == {"landscape", "portrait", "square", "4:5"}
    for width, height in info.sizes.values():
        assert width % info.size_step == height % info.size_step == 0
        assert min(width, height) >= info.shortest_side
    assert info.frames[0] <= info.native["frames"] <= info.frames[1]
    assert info.weights is None or all("safetensors" in file or "json" in file for file in info.weights.files)


@pytest.mark.parametrize("name", ENGINES)
def test_an_entry_names_a_class_that_keeps_the_engine_contract(name: str) -> None:
    module, _, class_name = ENGINES[name].code.partition(":")
    built = getattr(importlib.import_module(module), class_name)
    for method in ("__init__", "denoise", "warm", "decode", "peak_memory_gb", "unload"):
        ours, contract = inspect.signature(getattr(built, method)), inspect.signature(getattr(Engine, method))
        assert list(ours.parameters) == list(contract.parameters)


@pytest.mark.parametrize("name", ENGINES)
def test_plans_go_from_fast_to_thrifty_and_the_thriftiest_needs_least(name: str) -> None:
    plans = ENGINES[name].plans(native(name, guidance_last=3.0))
    peaks = [plan.peak_gb for plan in plans]
    assert plans[0].residency == "all"
    assert plans[0].batched_guidance
    assert min(peaks) == peaks[-1]
    assert len(
        {(plan.residency, plan.batched_guidance, plan.forward_chunk, plan.decode_window) for plan in plans}
    ) == len(plans)


@pytest.mark.parametrize(("stage", "gib"), [("denoise", 7.15), ("decode", 20.9), ("encode_inputs", 1.7 + 0.19)])
def test_working_memory_of_svd_xt_is_the_measured_one(stage: str, gib: float) -> None:
    plan = ENGINES["svd-xt"].plans(native("svd-xt"))[0]
    weights_and_context = 4.2 + 0.5
    assert plan.expected_peak_gb[stage] - weights_and_context == pytest.approx(gib, rel=0.03)


def test_on_24_gb_everything_stays_and_guidance_is_batched_with_a_window_of_14() -> None:
    plan = choose_plan(ENGINES["svd-xt"].plans(native("svd-xt")), 22.5)
    assert (plan.residency, plan.batched_guidance, plan.decode_window) == ("all", True, 14)
    assert plan.peak_gb == pytest.approx(16.4, abs=0.5)


@pytest.mark.parametrize("free_gb", [6.5, 8, 10, 12, 16, 24, 80])
def test_a_plan_that_is_chosen_fits(free_gb: float) -> None:
    assert choose_plan(ENGINES["svd-xt"].plans(native("svd-xt")), free_gb).peak_gb < free_gb


def test_when_nothing_fits_the_refusal_says_what_is_needed() -> None:
    with pytest.raises(OutOfMemory) as refusal:
        choose_plan(ENGINES["svd-xt"].plans(native("svd-xt")), 1.0)
    assert float(refusal.value.message.values["needed"]) > 1.0


def test_unguided_clips_have_no_plans_for_guidance() -> None:
    plans = ENGINES["svd"].plans(native("svd", guidance_first=1.0, guidance_last=1.0))
    assert not any(plan.batched_guidance for plan in plans)


def test_an_unknown_engine_is_refused_with_the_choices() -> None:
    with pytest.raises(BadSetting, match="svd-nano"):
        engine_info("sora")


def test_the_bundled_checkpoint_is_small_and_safe() -> None:
    files = [path for path in NANO_FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 64e6
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".md"}
    assert ENGINES["svd-nano"].weights is None
