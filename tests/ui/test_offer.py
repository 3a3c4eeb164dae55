"""The note under the gauge promises what the planner finds, and offers no download that would be of no use."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.vram import RESERVE_GB
from svd_studio.engines.catalog import ENGINES
from svd_studio.gpu.planner import ALLOCATOR_SLACK
from svd_studio.jobs import place
from svd_studio.studio import Studio
from svd_studio.ui.offer import OFFERED, offer_view
from svd_studio.ui.texts import LANGUAGES
from tests.ui.test_gauge import CARD, snapshot


def offered(tmp_path: Path, total_gb: float, used_gb: float = 0.5, language: str = "en") -> dict[str, Any]:
    card = dataclasses.replace(CARD, total_gb=total_gb, used_gb=used_gb, free_gb=total_gb - used_gb, studio_gb=0.0)
    studio = Studio(StudioConfig(tmp_path))
    offer = offer_view(studio, snapshot(card), language)
    assert offer is not None
    return offer


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "torch_has_cuda", lambda: True)


@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize(
    ("total_gb", "used_gb", "said", "has_button"),
    [
        (24.0, 0.5, "about a minute", True),
        (8.0, 0.5, "parts of it kept in main memory", True),
        (24.0, 16.0, "parts of it kept in main memory", True),  # a game runs
        (1.0, 0.5, "too little free memory", False),
    ],
)
def test_it_says_how_the_model_would_run(
    tmp_path: Path, total_gb: float, used_gb: float, said: str, has_button: bool
) -> None:
    offer = offered(tmp_path, total_gb, used_gb)
    assert said in offer["text"]
    assert ("button" in offer) == has_button


@pytest.mark.usefixtures("cuda")
def test_a_card_that_is_just_too_small_makes_smaller_clips(tmp_path: Path) -> None:
    info = ENGINES[OFFERED]
    plans = info.plans(ClipSettings(engine=OFFERED).resolve(info).settings)
    just_too_small = 0.97 * ALLOCATOR_SLACK * min(plan.peak_gb for plan in plans) + RESERVE_GB
    assert "with fewer frames or smaller" in offered(tmp_path, just_too_small, used_gb=0.0)["text"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_that_no_torch_uses_is_no_reason_for_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr(place, "torch_has_cuda", lambda: False)
    offer = offered(tmp_path, 24.0, language=language)
    assert offer.keys() == {"text"}
    assert "PyTorch" in offer["text"]
