"""The benchmarks run and report; their figures are for docs/benchmarks.md and never asserted tightly."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from svd_studio.bench.certify import LEVERS, bench_certify
from svd_studio.bench.film import bench_film
from svd_studio.bench.gpu import Subject, as_text, bench_gpu, distances, peak_tflops, speeds
from svd_studio.bench.memory import memory_by_stage
from svd_studio.bench.page import bench_page
from svd_studio.bench.path import SAMPLE, bench_path
from svd_studio.bench.peaks import growth, peaks_by_plan
from svd_studio.bench.prompts import PROMPTS, STRENGTHS, bench_prompts
from svd_studio.bench.queue import BARS, bench_queue
from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput, MissingWeights
from svd_studio.core.vram import PROCESSOR
from svd_studio.engines.base import Scene
from svd_studio.engines.blank import BlankEngine
from svd_studio.engines.catalog import ENGINES, NANO_FOLDER
from svd_studio.engines.svd import SvdEngine
from svd_studio.gpu.device import Device, pick_device
from svd_studio.library.certificates import Certificates
from svd_studio.library.presets import SHIPPED
from svd_studio.rendering.measuring import PICTURES
from svd_studio.rendering.render import framed_picture
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


@pytest.mark.slow
def test_torch_takes_of_the_memory_what_plans_expect() -> None:
    info = ENGINES["svd-nano"]
    settings = ClipSettings(seed=7, steps=1, guidance_last=3.0, width=64, height=64).resolve(info).settings
    rows = memory_by_stage(SvdEngine(info, NANO_FOLDER, "cpu", "fp32"), settings)
    assert [row["stage"] for row in rows] == ["encode_inputs", "denoise", "denoise", "decode"]
    for row in rows:
        assert row["measured_mb"] == pytest.approx(row["expected_mb"], rel=0.15), row


@pytest.mark.slow
def test_the_path_is_measured_against_the_bare_pipeline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = {"width": 128, "height": 80, "frames": 8, "steps": 3}
    assert bench_path(Studio(StudioConfig(tmp_path)), "svd-nano", 1, True, **small) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ours_s"] > 0
    assert 0.5 < report["ratio_median"] < 2


@pytest.mark.slow
def test_what_words_do_is_measured_for_each_prompt_and_strength(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"width": 96, "height": 64, "frames": 2, "steps": 1}
    assert bench_prompts(Studio(StudioConfig(tmp_path)), "svd-nano", True, pictures=["coffee.jpg"], **small) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {(row["prompt"], row["strength"]) for row in rows} == {(p, s) for p in PROMPTS for s in STRENGTHS}
    assert all(row["psnr"] > 0 and row["sharpness"] > 0 for row in rows)


def test_the_pictures_that_are_measured_are_here() -> None:
    assert all((SHIPPED / "pictures" / name).is_file() for name in PICTURES)


def test_a_model_without_its_text_tower_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match=r"bench\.no_text"):
        bench_prompts(Studio(StudioConfig(tmp_path)), "svd-xt", False)


@pytest.mark.slow
def test_every_lever_is_certified_and_the_page_can_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    studio, small = Studio(StudioConfig(tmp_path)), {"width": 64, "height": 64, "frames": 2, "steps": 3}
    assert studio.certified(ENGINES["svd-nano"]) == {}
    assert bench_certify(studio, "svd-nano", True, pictures=["coffee.jpg"], **small) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["way"] for row in rows] == [*LEVERS, "dpm, 3 steps", "good", "draft"]
    assert all(row["faster"] > 0 and row["psnr"] > 10 and 0 < row["ssim"] <= 1 for row in rows)
    told = Studio(StudioConfig(tmp_path)).certified(ENGINES["svd-nano"])
    assert told["good"]["psnr"] == rows[-2]["psnr"]
    assert told["draft"]["faster"] == rows[-1]["faster"]
    assert studio.certified(ENGINES["svd-xt"]) == {}, "it is not installed"


def test_other_weights_are_not_certified(tmp_path: Path) -> None:
    kept = Certificates(tmp_path / "certified.json")
    kept.keep("svd-xt", "these", {"good": {"faster": 1.9, "psnr": 34.0}})
    assert kept.of("svd-xt", "these") == {"good": {"faster": 1.9, "psnr": 34.0}}
    assert kept.of("svd-xt", "those") == {}
    (tmp_path / "certified.json").write_text("[]")
    assert kept.of("svd-xt", "these") == {}


@pytest.fixture
def subject(tiny_folder: Path) -> Subject:
    """What `bench gpu` measures, with a tiny model on the processor."""
    info = replace(ENGINES["svd"], shortest_side=64)
    engine = SvdEngine(info, tiny_folder, "cpu", "fp32")
    settings = ClipSettings(seed=7, width=64, height=64, frames=2, steps=3).resolve(info).settings
    plan = info.plans(settings)[0]
    return Subject(engine, pick_device(), PROCESSOR, Scene(settings, framed_picture(SAMPLE, settings)), plan)


def test_a_card_is_measured_against_stock_diffusers(subject: Subject) -> None:
    rows = speeds(subject, 1, peak=0.05)
    assert [row["way"] for row in rows] == ["stock diffusers", "best, not compiled", "best", "good", "draft"]
    assert rows[0]["faster"] == 1.0
    assert all(row["seconds"] > 0 and row["faster"] > 0 for row in rows)
    assert all("of_the_floor" in row for row in rows[:3])
    assert distances(subject)["lean"] < 1e-4
    assert peak_tflops(subject.device, side=256, runs=2) > 0
    report = {"device": "a card", "torch": "2", "weights": "random", "peak_tflops": 1.0, "distances": {}}
    table = as_text({**report, "speeds": rows, "memory": [{"card_gb": 24.0, "ratio": 1.02}], "growth": {}})
    assert "| stock diffusers |" in table
    assert "| 24.0 | 1.02 |" in table


@pytest.mark.slow
def test_peaks_are_measured_on_each_class_of_card(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[float] = []
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", lambda share, _: held.append(share))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _: None)
    monkeypatch.setattr(SvdEngine, "peak_memory_gb", lambda _: 5.0)
    sizes = dict.fromkeys(subject.engine.info.sizes, (64, 64))
    subject.engine.info = replace(subject.engine.info, sizes=sizes, native={**subject.engine.info.native, "frames": 3})
    rows = peaks_by_plan(subject.engine, Device("cpu", "a card", 80.0))
    assert len(rows) == 32
    assert held == pytest.approx([23 / 80, 1, 15 / 80, 1, 11 / 80, 1, 7 / 80, 1])
    assert all(row["ratio"] == pytest.approx(row["predicted_gb"] / 5.0, abs=0.01) for row in rows)
    assert growth(subject.engine, Device("cpu", "a card", 80.0), times=3) == {
        "second_over_first": 1.0,
        "last_over_second": 1.0,
    }


@pytest.mark.skipif(torch.cuda.is_available(), reason="a card is here, and would be measured for minutes")
def test_without_a_card_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"bench\.no_card"):
        bench_gpu(Studio(StudioConfig(tmp_path)), "svd-xt", 1, False)


def test_full_size_networks_are_made_without_a_download() -> None:
    """On the meta device, where they take no memory: names and sizes of the real ones."""

    class Shapes(BlankEngine):
        def __init__(self) -> None:
            self.device = torch.device("meta")

    pipeline = Shapes().load(Path(), torch.float16)
    counts = [sum(weight.numel() for weight in part.parameters()) for part in (pipeline.unet, pipeline.vae)]
    assert counts == [pytest.approx(1.525e9, rel=0.01), pytest.approx(97.7e6, rel=0.01)]
    assert sum(weight.numel() for weight in pipeline.image_encoder.parameters()) == pytest.approx(632e6, rel=0.01)
    assert pipeline.unet.dtype == torch.float16


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("CI") != "true" and shutil.which("chromium") is None, reason="the page is measured in Chromium"
)
def test_the_page_is_measured_against_an_empty_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_page(1, True) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ours_s"] > 0
    assert report["ours_with_clips_s"] > 0
    assert report["empty_gradio_s"] > 0


@pytest.mark.slow
def test_a_films_memory_and_joins_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_film(True, short=2, long=3, frames=4, steps=1, width=64, height=64) == 0
    report = json.loads(capsys.readouterr().out)
    assert [film["frames"] for film in report["films"]] == [7, 10]
    assert 0.8 < report["peak_ratio"] < 1.2
    assert (report["five_parts"]["joins"]["steps"], report["five_parts"]["inside"]["steps"]) == (2, 7)
    with pytest.raises(BadInput, match=r"bench\.no_film"):
        bench_film(True, short=0, long=2)
