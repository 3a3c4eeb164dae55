"""The steps of StableVideoDiffusionPipeline.__call__ as a recipe of functions: encode the inputs, take noise away.

The same components give the same latents, bit for bit; apart, they can report, stop, and be kept.
"""

from contextlib import nullcontext
from dataclasses import dataclass

import torch
from diffusers import EDMDPMSolverMultistepScheduler, EulerDiscreteScheduler, StableVideoDiffusionPipeline
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image

from svd_studio.core.clip import ResolvedSettings, SchedulerName
from svd_studio.core.errors import RenderFailed
from svd_studio.core.progress import Progress
from svd_studio.core.vram import VramPlan
from svd_studio.engines.base import Scene
from svd_studio.engines.placing import in_fp32
from svd_studio.engines.preview import latent_colours, paint
from svd_studio.engines.prompting import steer


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
    device: torch.device,
    direction: torch.Tensor | None,
) -> Inputs:
    """Tell the UNet about the picture: CLIP embedding, noised VAE latents, speed and amount of motion.

    `direction` is what the embedding is pushed along, its length being the strength.
    """
    settings, guided = scene.settings, scene.settings.is_guided
    embedding = pipeline._encode_image(scene.start, device, 1, False)
    if direction is not None:
        embedding = steer(embedding, direction, 1.0)
    picture = pipeline.video_processor.preprocess(scene.start, height=settings.height, width=settings.width).to(device)
    noise = randn_tensor(picture.shape, generator=generator, device=device, dtype=picture.dtype)
    latents = _encode_picture(pipeline, picture + settings.image_noise * noise, device)
    time_ids = pipeline._get_add_time_ids(
        settings.motion_fps - 1,  # SVD was conditioned on fps − 1
        settings.motion_bucket,
        settings.image_noise,
        embedding.dtype,
        1,
        1,
        guided,
    ).to(device)
    latents = latents.to(embedding.dtype).unsqueeze(1).expand(-1, settings.frames, -1, -1, -1)
    return Inputs(_with_nothing(embedding, guided), _with_nothing(latents, guided), time_ids)


def _encode_picture(
    pipeline: StableVideoDiffusionPipeline, picture: torch.Tensor, device: torch.device
) -> torch.Tensor:
    """VAE latents of one picture, in fp32 where the VAE would overflow in fp16."""
    vae = pipeline.vae
    with in_fp32(vae) if vae.dtype == torch.float16 and vae.config.force_upcast else nullcontext():
        latents: torch.Tensor = pipeline._encode_vae_image(picture, device, 1, False)
    return latents


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
    for done, time in enumerate(scheduler.timesteps, start=1):
        sigma = scheduler.sigmas[done - 1]
        velocity = predict(pipeline, scheduler.scale_model_input(latents, time), time, inputs, guidance, plan)
        clean = latents / (sigma**2 + 1) - velocity * sigma / (sigma**2 + 1) ** 0.5
        latents = scheduler.step(velocity, time, latents).prev_sample
        if not bool(torch.isfinite(latents).all()):  # at the first step, and not after all of them
            raise RenderFailed("render.not_finite")
        progress.report("denoise", done, steps, preview=paint(clean[0], colours))
    final: torch.Tensor = latents[0]
    return final


def predict(
    pipeline: StableVideoDiffusionPipeline,
    noisy: torch.Tensor,
    time: torch.Tensor,
    inputs: Inputs,
    guidance: torch.Tensor,
    plan: VramPlan,
) -> torch.Tensor:
    """Ask the UNet once, or twice when guided: in one batch or, to save memory, one after the other."""

    def ask(rows: slice, sample: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = pipeline.unet(
            torch.cat([sample, inputs.image_latents[rows]], dim=2),
            time,
            encoder_hidden_states=inputs.image_embedding[rows],
            added_time_ids=inputs.time_ids[rows],
            return_dict=False,
        )[0]
        return output

    if len(inputs.image_embedding) == 1:
        return ask(slice(0, 1), noisy)
    if plan.batched_guidance:
        without, with_picture = ask(slice(0, 2), torch.cat([noisy] * 2)).chunk(2)
    else:
        without, with_picture = ask(slice(0, 1), noisy), ask(slice(1, 2), noisy)
    return without + guidance * (with_picture - without)
