"""A well-behaved hub and an empty library that asks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from svd_studio.library.weights import WeightsLibrary
from tests.library.fake_checkpoint import library_for, safetensors, svd_folder
from tests.library.fake_hub import FakeHub, fake_hub


@pytest.fixture(scope="session")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = svd_folder(tmp_path_factory.mktemp("there"))
    (folder / "README.md").write_text("not asked for")
    (folder / "svd.safetensors").write_bytes(safetensors(40_000))
    (folder / "unet/diffusion_pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "unet/modeling.py").write_text("raise SystemExit")
    return folder


@pytest.fixture
def hub(there: Path) -> Iterator[FakeHub]:
    with fake_hub(there) as hub:
        yield hub


@pytest.fixture
def library(hub: FakeHub, tmp_path: Path) -> WeightsLibrary:
    return library_for(hub, tmp_path)
