"""Words push the picture's embedding along a direction in CLIP space; without words it is stock SVD, bit for bit."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel

from svd_studio.core.clip import ClipSettings
from svd_studio.core.errors import RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.core.vram import VramPlan
from svd_studio.engines.base import Scene
from svd_studio.engines.catalog import ENGINES
from svd_studio.engines.prompting import TextTower, steer
from svd_studio.engines.svd import SvdEngine
from tests.tiny_weights import tiny_text_tower

TALKING = replace(ENGINES["svd"], shortest_side=64, takes=frozenset({"start", "prompt"}))
PLAN = VramPlan("all", True, None, 25, {"denoise": 1.0})


@pytest.fixture(scope="module")
def folder(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint with a text tower beside its parts."""
    talking = tmp_path_factory.mktemp("weights") / "talking"
    shutil.copytree(tiny_folder, talking)
    return tiny_text_tower(talking)


@pytest.fixture(scope="module")
def engine(folder: Path) -> SvdEngine:
    return SvdEngine(TALKING, folder, "cpu", "fp32")


@pytest.fixture(scope="module")
def tower(folder: Path) -> TextTower:
    return TextTower(folder)


def latents(engine: SvdEngine, picture: Image.Image, **words: object) -> np.ndarray:
    asked = {"width": 128, "height": 64, "frames": 3, "steps": 2, "seed": 5, **words}
    settings = ClipSettings.from_person(asked).resolve(TALKING).settings
    return engine.denoise(Scene(settings, picture.resize((128, 64))), PLAN, Progress())


def test_without_words_or_strength_it_is_stock_svd_bit_for_bit(
    engine: SvdEngine, tiny_folder: Path, picture: Image.Image
) -> None:
    stock = latents(SvdEngine(TALKING, tiny_folder, "cpu", "fp32"), picture)
    assert np.array_equal(latents(engine, picture), stock)
    assert np.array_equal(latents(engine, picture, prompt="a storm", prompt_strength=0), stock)
    assert np.array_equal(latents(engine, picture, prompt="a storm", negative_prompt="a storm"), stock)


def test_words_change_the_clip_and_stronger_ones_change_it_more(engine: SvdEngine, picture: Image.Image) -> None:
    stock = latents(engine, picture)
    changes = [
        float(np.abs(latents(engine, picture, prompt="a storm", prompt_strength=strength) - stock).mean())
        for strength in (0.05, 0.2, 1.0)
    ]
    assert 0 < changes[0] < changes[1] < changes[2]


def test_a_model_without_a_text_tower_leaves_words_unheard(tiny_folder: Path, picture: Image.Image) -> None:
    deaf = SvdEngine(TALKING, tiny_folder, "cpu", "fp32")
    assert np.array_equal(latents(deaf, picture, prompt="a storm"), latents(deaf, picture))


def test_the_negative_prompt_is_the_same_difference_the_other_way_round(tower: TextTower) -> None:
    there, back = tower.direction("calm sea", "a storm"), tower.direction("a storm", "calm sea")
    assert torch.allclose(there, -back, atol=1e-6)
    assert float(there.norm()) > 0.01
    assert not tower.direction("calm sea", "calm sea").any()


def test_words_that_mean_nearly_the_same_push_only_a_little() -> None:
    """T is of unit length, the difference is not."""
    embedding = torch.randn(1, 1, 32, generator=torch.Generator().manual_seed(0))
    near, far = torch.zeros(32), torch.zeros(32)
    near[0], far[0] = 0.01, 1.0
    angles = [torch.nn.functional.cosine_similarity(steer(embedding, d, 0.2), embedding, dim=-1) for d in (near, far)]
    assert float(1 - angles[0]) < float(1 - angles[1]) / 100


def test_a_push_keeps_the_length_of_the_embedding() -> None:
    embedding = 8 * torch.randn(1, 1, 32, generator=torch.Generator().manual_seed(0))
    pushed = steer(embedding, torch.ones(32), 0.5)
    assert torch.allclose(pushed.norm(dim=-1), embedding.norm(dim=-1))


def test_a_very_long_prompt_is_cut_and_any_script_is_read(tower: TextTower) -> None:
    assert tower.direction("x" * 20_000, "镜头 🎬 \u202e").isfinite().all()


def test_a_broken_text_tower_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / "text_encoder" / "config.json").write_text("{}")
    (broken / "text_encoder" / "model.fp16.safetensors").write_bytes(b"not weights")
    with pytest.raises(RenderFailed) as refused:
        TextTower(broken)
    assert refused.value.message.code == "weights.unreadable"


def test_a_folder_with_a_whole_clip_is_a_text_tower_too(folder: Path, tmp_path: Path, picture: Image.Image) -> None:
    """The hub's ViT-H holds both halves in one file, in fp32, without parts of a pipeline around it."""
    text = TextTower(folder).model.config.to_dict()
    config = CLIPConfig(text_config=text, vision_config={"hidden_size": 24, "num_hidden_layers": 1}, projection_dim=32)
    whole = CLIPModel(config)
    whole.save_pretrained(tmp_path)
    TextTower(folder).tokenizer.save_pretrained(tmp_path)
    assert TextTower(tmp_path).direction("calm sea", "").norm() > 0
