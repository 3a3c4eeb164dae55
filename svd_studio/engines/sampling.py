"""The steps of StableVideoDiffusionPipeline.__call__ as a recipe of functions: encode the inputs, take noise away.

The same components give the same latents, bit for bit; apart, they can report, stop, and be kept.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from diffusers import (
    EDMDPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    StableVideoDiffusionPipeline,
    UNetSpatioTemporalConditionModel,
)
from PIL import Image

from svd_studio.core.clip import ResolvedSettings, SchedulerName
from svd_studio.core.errors import RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.core.vram import VramPlan
from svd_studio.engines.base import Scene
from svd_studio.engines.encoding import EncodedPictures
from svd_studio.engines.preview import latent_colours, paint
from svd_studio.engines.prompting import steer
from svd_studio.engines.reuse import DeepFeatures


@dataclass(frozen=True)
class Inputs:
    """What the UNet is told about the picture; the batch's first half is the unconditional one when guided."""

    image_embedding: torch.Tensor
    image_latents: torch.Tensor
    time_ids: torch.Tensor


def make_scheduler(
    euler: EulerDiscreteScheduler, name: SchedulerName
) -> EulerDiscreteScheduler | EDMDPMSolverMultistepScheduler:
    """A fresh scheduler over the model's own noise range.

    `dpm` is DPM-Solver++ 2M (Lu et al. 2022) in EDM's parametrisation, the only one of diffusers' that
    speaks SVD's; sigma_data 1 makes EDM's preconditioning equal to v-prediction.
    """
    config = euler.config
    if name == "euler":
        return EulerDiscreteScheduler.from_config(config)
    return EDMDPMSolverMultistepScheduler(
        sigma_min=config.sigma_min,
        sigma_max=config.sigma_max,
        sigma_data=1.0,
        rho=7.0,
        prediction_type="v_prediction",
        num_train_timesteps=config.num_train_timesteps,
    )


def encode_inputs(
    pipeline: StableVideoDiffusionPipeline,
    scene: Scene,
    generator: torch.Generator,
    encoded: EncodedPictures,
    direction: torch.Tensor | None,
) -> Inputs:
    """Tell the UNet about the picture: CLIP embedding, noised VAE latents, speed and amount of motion.

    `direction` is what the embedding is pushed along, its length being the strength.
    """
    settings, guided = scene.settings, scene.settings.is_guided
    embedding = encoded.embedding(scene.start)
    if direction is not None:
        embedding = steer(embedding, direction, 1.0)
    latents = encoded.latents(scene.start, settings, generator)
    time_ids = pipeline._get_add_time_ids(
        settings.motion_fps - 1,  # SVD was conditioned on fps − 1
        settings.motion_bucket,
        settings.image_noise,
        embedding.dtype,
        1,
        1,
        guided,
    ).to(encoded.device)
    latents = latents.to(embedding.dtype).unsqueeze(1).expand(-1, settings.frames, -1, -1, -1)
    return Inputs(_with_nothing(embedding, guided), _with_nothing(latents, guided), time_ids)


def _with_nothing(condition: torch.Tensor, guided: bool) -> torch.Tensor:
    """The condition, preceded by its absence when guidance will compare the two."""
    return torch.cat([torch.zeros_like(condition), condition]) if guided else condition


def run_steps(
    pipeline: StableVideoDiffusionPipeline,
    settings: ResolvedSettings,
    plan: VramPlan,
    inputs: Inputs,
    generator: torch.Generator,
    device: torch.device,
    progress: Progress,
    picture: Image.Image,
) -> torch.Tensor:
    """Take the noise away step by step; returns latents (frames, channels, height, width)."""
    scheduler, steps = pipeline.scheduler, settings.steps
    scheduler.set_timesteps(steps, device=device)
    latents = pipeline.prepare_latents(
        1,
        settings.frames,
        pipeline.unet.config.in_channels,
        settings.height,
        settings.width,
        inputs.image_embedding.dtype,
        device,
        generator,
    )
    guidance = torch.linspace(settings.guidance_first, settings.guidance_last, settings.frames)
    guidance = guidance.to(device, latents.dtype).view(1, -1, 1, 1, 1)
    colours = latent_colours(inputs.image_latents[-1, 0] * pipeline.vae.config.scaling_factor, picture)
    progress.report("denoise", 0, steps)
    network = Network(pipeline.unet, settings, plan, inputs, guidance)
    with network.listening():
        for done, time in enumerate(scheduler.timesteps, start=1):
            sigma = scheduler.sigmas[done - 1]
            velocity = network.predict(scheduler.scale_model_input(latents, time), time, done - 1)
            clean = latents / (sigma**2 + 1) - velocity * sigma / (sigma**2 + 1) ** 0.5
            latents = scheduler.step(velocity, time, latents).prev_sample
            if not bool(torch.isfinite(latents).all()):  # at the first step, and not after all of them
                raise RenderFailed("render.not_finite")
            progress.report("denoise", done, steps, preview=paint(clean[0], colours))
    final: torch.Tensor = latents[0]
    return final


class Network:
    """Ask the UNet at each step, as the recipe's speed and the plan want it."""

    def __init__(
        self,
        unet: UNetSpatioTemporalConditionModel,
        settings: ResolvedSettings,
        plan: VramPlan,
        inputs: Inputs,
        guidance: torch.Tensor,
    ) -> None:
        self.settings, self.plan, self.inputs, self.guidance = settings, plan, inputs, guidance
        self.unet = unet
        self.features = DeepFeatures(unet) if settings.level.reuse > 1 else None

    def listening(self) -> AbstractContextManager[None]:
        """Around all steps of a clip."""
        return self.features.listening() if self.features else nullcontext()

    def predict(self, noisy: torch.Tensor, time: torch.Tensor, step: int) -> torch.Tensor:
        """Ask once, or twice when guided: in one batch or, to save memory, one after the other."""
        if len(self.inputs.image_embedding) == 1:
            return self._ask(slice(0, 1), noisy, time, step)
        if not self.settings.level.is_guided(step, self.settings.steps):
            return self._ask(slice(1, 2), noisy, time, step)
        if self.plan.batched_guidance:
            without, with_picture = self._ask(slice(0, 2), torch.cat([noisy] * 2), time, step).chunk(2)
        else:
            without, with_picture = (self._ask(slice(row, row + 1), noisy, time, step) for row in (0, 1))
        return without + self.guidance * (with_picture - without)

    def _ask(self, rows: slice, sample: torch.Tensor, time: torch.Tensor, step: int) -> torch.Tensor:
        told = {
            "encoder_hidden_states": self.inputs.image_embedding[rows],
            "added_time_ids": self.inputs.time_ids[rows],
            "return_dict": False,
        }
        sample = torch.cat([sample, self.inputs.image_latents[rows]], dim=2)
        if self.features:
            return self.features.ask(rows, self.settings.level.is_whole(step), sample, time, **told)
        answer: torch.Tensor = self.unet(sample, time, **told)[0]
        return answer

    def ask_all_ways(self) -> None:
        """Ask every kind of question that a clip will ask, and leave the answers."""
        latents = self.inputs.image_latents[:1]
        for step in {0, self.settings.level.reuse, self.settings.steps - 1}:
            self.predict(latents, torch.zeros((), device=latents.device), step)


def blank_network(
    pipeline: StableVideoDiffusionPipeline, settings: ResolvedSettings, plan: VramPlan, device: torch.device
) -> Network:
    """A network that is told nothing: for the time that its shapes take, not for its answers."""
    unet, rows = pipeline.unet, 2 if settings.is_guided else 1
    height, width = (side // pipeline.vae_scale_factor for side in (settings.height, settings.width))

    def nothing(*sides: int) -> torch.Tensor:
        return torch.zeros(sides, device=device, dtype=unet.dtype)

    latents = nothing(rows, settings.frames, unet.config.in_channels // 2, height, width)
    inputs = Inputs(nothing(rows, 1, unet.config.cross_attention_dim), latents, nothing(rows, 3))
    return Network(unet, settings, plan, inputs, nothing(1, settings.frames, 1, 1, 1))


def shape_of(settings: ResolvedSettings, plan: VramPlan) -> tuple[int, ...]:
    """What decides which kernels a clip's steps need."""
    rows = 2 if settings.is_guided and plan.batched_guidance else 1
    return (rows, settings.frames, settings.height, settings.width, settings.level.guided < 1, plan.forward_chunk or 0)
