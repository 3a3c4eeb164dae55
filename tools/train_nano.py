"""Trains SVD-Nano from freely licensed photographs and exports it: python tools/train_nano.py all."""

import argparse
import os
from pathlib import Path

import torch
import torch.distributed as dist
from nano_adopt import adopt
from nano_card import write_card
from nano_data import Move, Photographs, gather
from nano_decoder import load_vae, train_decoder
from nano_denoiser import load_unet, train_denoiser
from nano_model import AXIS_COUNT, CAMERA, export, principal_basis
from nano_text import train_text
from torch import Tensor
from torch.multiprocessing.spawn import spawn

NANO = Path(__file__).parents[1] / "svd_studio" / "engines" / "nano"


def main() -> None:
    """Run one stage, or all of them."""
    options = _options()
    options.state.mkdir(parents=True, exist_ok=True)
    photos = gather(options.state, options.photos)
    if options.from_bundled is not None and not (options.state / "basis.pt").exists():
        adopt(NANO, options.state, options.from_bundled)
    basis = find_basis(photos, options.state)
    (options.state / "rendezvous").unlink(missing_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if options.stage in ("decoder", "all"):
        train_decoder(Photographs(photos, seed=1), basis, options.state, options.decoder_steps, device)
    if options.stage in ("unet", "all"):
        pace = (options.steps, options.minutes)
        spawn(  # type: ignore[no-untyped-call]
            _denoise, (options.processes, photos, basis, options.state, device, pace), options.processes
        )
    if options.stage in ("text", "all"):
        train_text(options.out, options.text_steps)
    if options.stage in ("export", "all"):
        _export(options, basis)


def _export(options: argparse.Namespace, basis: Tensor) -> None:
    """Write the checkpoint and its card."""
    export(options.out, load_vae(basis, options.state), load_unet(options.state), options.moves.split(","))
    steps = [int(torch.load(options.state / name, map_location="cpu")["step"]) for name in ("decoder.pt", "unet.pt")]
    write_card(options.out, options.state, (steps[0], steps[1]))


def _denoise(
    rank: int,
    processes: int,
    photos: list[Path],
    basis: Tensor,
    state: Path,
    device: torch.device,
    pace: tuple[int, float | None],
) -> None:
    """Train the denoiser as one of several processes."""
    torch.set_num_threads(max(1, torch.get_num_threads() // processes))
    if processes > 1:
        dist.init_process_group("gloo", init_method=f"file://{state}/rendezvous", rank=rank, world_size=processes)
    train_denoiser(photos, basis, state, device, pace)


def find_basis(photos: list[Path], state: Path) -> Tensor:
    """Compute the encoder's filters once, from random windows of the training photographs."""
    path = state / "basis.pt"
    if not path.exists():
        source = Photographs(photos, seed=0)
        still = Move((1.0, *(0.0,) * (AXIS_COUNT - 1)), 127, 7)
        torch.save(principal_basis([source.clip(still, [], 96, 96)[0] for _ in range(400)]), path)
    basis: Tensor = torch.load(path)
    return basis


def _options() -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("decoder", "unet", "text", "export", "all"))
    parser.add_argument("--state", type=Path, default=cache / "svd-studio" / "nano", help="where progress is kept")
    parser.add_argument("--from-bundled", type=float, metavar="SHARE", help="an empty state goes on from our weights")
    parser.add_argument("--photos", type=Path, help="a folder of your own pictures instead of the free ones")
    parser.add_argument("--out", type=Path, default=NANO, help="where the checkpoint goes")
    parser.add_argument("--moves", default=",".join(CAMERA), help="those that the seed draws from")
    parser.add_argument("--processes", type=int, default=1, help="of the denoiser's training, data parallel")
    parser.add_argument("--steps", type=int, default=3000, help="of the denoiser")
    parser.add_argument("--minutes", type=float, help="squeeze the rest of the denoiser's training into these")
    parser.add_argument("--decoder-steps", type=int, default=3000)
    parser.add_argument("--text-steps", type=int, default=1500)
    return parser.parse_args()


if __name__ == "__main__":
    main()
