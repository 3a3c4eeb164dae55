"""The benchmarks run and report; their figures are for docs/benchmarks.md and never asserted tightly."""

import json
import os
import shutil
from pathlib import Path

import pytest

from svd_studio.bench.memory import memory_by_stage
from svd_studio.bench.page import bench_page
from svd_studio.bench.path import bench_path
from svd_studio.bench.prompts import PROMPTS, STRENGTHS, bench_prompts
from svd_studio.bench.queue import BARS, bench_queue
from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput, MissingWeights
from svd_studio.engines.catalog import ENGINES, NANO_FOLDER
from svd_studio.engines.svd import SvdEngine
from svd_studio.studio import Studio


def test_no_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"bench\.pairs"):
        bench_path(Studio(StudioConfig(tmp_path)), "svd-nano", 0, False)
    with pytest.raises(BadInput, match=r"bench\.pairs"):
        bench_page(0, False)
    with pytest.raises(BadInput, match=r"bench\.too_few"):
        bench_queue(False, many=10)


def test_a_large_queue_and_library_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    bench_queue(True, many=500, submits=5)
    report = json.loads(capsys.readouterr().out)
    assert report["jobs"] == report["clips"] == 500
    assert all(report[name] > 0 for name in BARS)
    assert set(report["too_slow"]) <= set(BARS)
    bench_queue(False, many=60, submits=2)
    assert "must be under 300" in capsys.readouterr().out


def test_torch_takes_of_the_memory_what_plans_expect() -> None:
    info = ENGINES["svd-nano"]
    settings = ClipSettings(seed=7, steps=1, guidance_last=3.0, width=64, height=64).resolve(info).settings
    rows = memory_by_stage(SvdEngine(info, NANO_FOLDER, "cpu", "fp32"), settings)
    assert [row["stage"] for row in rows] == ["encode_inputs", "denoise", "denoise", "decode"]
    for row in rows:
        assert row["measured_mb"] == pytest.approx(row["expected_mb"], rel=0.15), row


@pytest.mark.slow
def test_the_path_is_measured_against_the_bare_pipeline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_path(Studio(StudioConfig(tmp_path)), "svd-nano", 1, True) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ours_s"] > 0
    assert 0.5 < report["ratio_median"] < 2


def test_what_words_do_is_measured_for_each_prompt_and_strength(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"width": 96, "height": 64, "frames": 2, "steps": 1}
    assert bench_prompts(Studio(StudioConfig(tmp_path)), "svd-nano", True, pictures=["coffee.jpg"], **small) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {(row["prompt"], row["strength"]) for row in rows} == {(p, s) for p in PROMPTS for s in STRENGTHS}
    assert all(row["psnr"] > 0 and row["sharpness"] > 0 for row in rows)


def test_a_model_without_its_text_tower_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match=r"bench\.no_text"):
        bench_prompts(Studio(StudioConfig(tmp_path)), "svd-xt", False)


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("CI") != "true" and shutil.which("chromium") is None, reason="the page is measured in Chromium"
)
def test_the_page_is_measured_against_an_empty_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_page(1, True) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ours_s"] > 0
    assert report["empty_gradio_s"] > 0
