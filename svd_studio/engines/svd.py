"""Stable Video Diffusion: svd, svd-xt, svd-xt-1.1 and the bundled svd-nano, one pipeline with other weights.

The steps are diffusers' own (StableVideoDiffusionPipeline.__call__), taken apart so that each can report,
be cancelled and be kept: encode the inputs, denoise, decode in windows. Knows nothing of files but the weights'.
"""

import json
import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import StableVideoDiffusionPipeline, UNetSpatioTemporalConditionModel
from diffusers.models.resnet import ResnetBlock2D
from diffusers.utils import logging as diffusers_logging
from torch._dynamo.exc import TorchDynamoException
from transformers.utils import logging as transformers_logging

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.core.vram import GIB, Residency, VramPlan
from svd_studio.engines.attention import pick_attention
from svd_studio.engines.base import Frame, Latents, Scene
from svd_studio.engines.compiling import CompiledBlocks, can_compile, counting_in_half
from svd_studio.engines.decoding import decode_windows
from svd_studio.engines.encoding import EncodedPictures
from svd_studio.engines.lean import make_lean
from svd_studio.engines.placing import out_of_memory_in_words, place_weights, set_forward_chunk
from svd_studio.engines.prompting import TextTower, has_text_tower
from svd_studio.engines.sampling import blank_network, encode_inputs, make_scheduler, run_steps, shape_of

log = logging.getLogger(__name__)

MOVE_STRENGTH = 0.4
"""How hard a drawn move pushes: the middle of what SVD-Nano was trained on (its model card)."""

NAMES_A_MOVE = 0.5
"""Length of a direction from which on words are heard by SVD-Nano; words of other things fall far below."""

PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


class SvdEngine:
    """Hold one loaded pipeline and make clips with it; see engines.base.Engine.

    `lean` computes the same with less work (engines/lean.py); without it every bit is stock diffusers'.
    """

    lean = True

    def __init__(self, info: EngineInfo, folder: Path, device: str, precision: str) -> None:
        self.info = info
        self.device = torch.device(device)
        self.pipeline = self.load(folder, PRECISIONS[precision])
        self.attend = pick_attention(self.device, PRECISIONS[precision])
        if self.lean:
            make_lean(self.pipeline, self.attend)
        self.moves = _read_moves(folder)
        self.own_tower = folder if has_text_tower(folder) else None
        self.blocks = CompiledBlocks(self.pipeline.unet, usable=self.device.type == "cuda" and can_compile())
        self._euler = self.pipeline.scheduler
        self._encoded = EncodedPictures(self.pipeline, self.device)
        self._placed: tuple[Residency, bool] | None = None
        self._last: tuple[ResolvedSettings, VramPlan] | None = None

    def load(self, folder: Path, dtype: torch.dtype) -> StableVideoDiffusionPipeline:
        """Read the weights. Raises RenderFailed."""
        return load_pipeline(folder, dtype)

    def denoise(self, scene: Scene, plan: VramPlan, progress: Progress) -> Latents:
        self._last = scene.settings, plan
        with self.blocks.used_for(shape_of(*self._last)) as compiled:
            try:
                return self._denoise(scene, plan, progress)
            except TorchDynamoException:
                if not compiled:
                    raise
                log.exception("compiled blocks failed")
                self.blocks.give_up()
        return self._denoise(scene, plan, progress)

    @torch.no_grad()  # weights that inference_mode has moved could not be placed otherwise outside of it
    def _denoise(self, scene: Scene, plan: VramPlan, progress: Progress) -> Latents:
        settings = scene.settings
        generator = torch.Generator("cpu").manual_seed(settings.seed)
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        with self._placed_by(plan, settings), _checking(_levels(self.pipeline.unet), progress):
            progress.report("encode_inputs", 0, 1)
            inputs = encode_inputs(self.pipeline, scene, generator, self._encoded, self._push(scene))
            progress.report("encode_inputs", 1, 1)
            self.pipeline.scheduler = make_scheduler(self._euler, settings.scheduler)
            with counting_in_half(settings.level.coarse):
                latents = run_steps(
                    self.pipeline, settings, plan, inputs, generator, self.device, progress, scene.start
                )
        return latents.float().cpu().numpy()

    @torch.no_grad()
    def warm(self, progress: Progress) -> None:
        if self._last is None or self._last[1].residency not in ("all", "model"):
            return
        settings, plan = self._last
        with self._placed_by(plan, settings), _checking(_levels(self.pipeline.unet), progress):
            network = blank_network(self.pipeline, settings, plan, self.device)
            self.blocks.warm(shape_of(settings, plan), lambda: network.ask_all_ways())

    def decode(self, latents: Latents, plan: VramPlan, progress: Progress) -> Iterator[Frame]:
        tensor = torch.from_numpy(latents)
        blocks = [part for part in self.pipeline.vae.decoder.modules() if isinstance(part, ResnetBlock2D)]
        with self._placed_by(plan), _checking(blocks, progress):
            yield from progress.over(
                decode_windows(self.pipeline.vae, tensor, plan.decode_window, self.device), "decode", len(latents)
            )

    def peak_memory_gb(self) -> float | None:
        if self.device.type != "cuda":
            return None
        return torch.cuda.max_memory_allocated(self.device) / GIB

    def unload(self) -> None:
        self.pipeline.remove_all_hooks()
        self.blocks.forget()
        del self.pipeline, self._euler, self.blocks, self._encoded
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _push(self, scene: Scene) -> torch.Tensor | None:
        """What the words push the picture's embedding along; on SVD-Nano the seed draws a move where they name none."""
        settings, told = scene.settings, self._told(scene)
        if not self.moves or (told is not None and float(told.norm()) > NAMES_A_MOVE):
            return None if told is None else settings.prompt_strength * told
        return MOVE_STRENGTH * torch.tensor(random.Random(settings.seed).choice(self.moves))

    def _told(self, scene: Scene) -> torch.Tensor | None:
        """The direction that the words name; None without words, strength or a text tower."""
        settings, tower = scene.settings, self.own_tower or scene.text_tower
        if tower is None or not settings.has_words:
            return None
        return TextTower(tower).direction(settings.prompt, settings.negative_prompt)

    @contextmanager
    def _placed_by(self, plan: VramPlan, settings: ResolvedSettings | None = None) -> Iterator[None]:
        """Run with the weights where the plan wants them; offloaded ones leave the card again, whatever happens."""
        wanted = plan.residency, settings is not None and settings.level.reuse > 1 and plan.residency == "group"
        before, self._placed = self._placed, None  # what breaks off leaves weights and hooks that must be placed again
        with out_of_memory_in_words():
            set_forward_chunk(self.pipeline.unet, plan.forward_chunk)
            if before != wanted:
                place_weights(self.pipeline, plan.residency, self.device, skips=wanted[1])
            try:
                yield
            finally:
                self.pipeline.maybe_free_model_hooks()
            self._placed = wanted


def load_pipeline(folder: Path, dtype: torch.dtype) -> StableVideoDiffusionPipeline:
    """Read a diffusers folder, safetensors only, without asking the network. Raises RenderFailed."""
    variant = "fp16" if any(folder.glob("unet/*.fp16.safetensors")) else None
    for library in (diffusers_logging, transformers_logging):
        library.disable_progress_bar()
        library.set_verbosity_error()  # such as that CLIP's slower picture processor is used, which is fast enough
    try:
        pipeline = StableVideoDiffusionPipeline.from_pretrained(
            str(folder), variant=variant, dtype=dtype, use_safetensors=True, local_files_only=True
        )
    except (OSError, IndexError, ValueError, KeyError) as error:
        raise RenderFailed("weights.unreadable", folder=str(folder), detail=str(error)[:200]) from error
    pipeline.set_progress_bar_config(disable=True)
    pipeline.unet.eval()
    return pipeline


@contextmanager
def _checking(blocks: Sequence[torch.nn.Module], progress: Progress) -> Iterator[None]:
    """Let a cancel take effect between blocks of a network, not only between steps: a CPU step is long."""
    hooks = [block.register_forward_pre_hook(lambda *_: progress.check()) for block in blocks]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _levels(unet: UNetSpatioTemporalConditionModel) -> list[torch.nn.Module]:
    return [*unet.down_blocks, unet.mid_block, *unet.up_blocks]


def _read_moves(folder: Path) -> list[list[float]]:
    path = folder / "moves.json"
    return list(json.loads(path.read_text(encoding="utf-8")).values()) if path.is_file() else []
