"""What an SVD-shaped model needs, by arithmetic: bytes for each choice that a plan can make. No torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from svd_studio.core.clip import ResolvedSettings
from svd_studio.core.vram import CARD, CONTEXT_GB, GIB, Place, Residency, VramPlan

DECODE_WINDOWS = (25, 14, 8, 6, 4, 3, 2, 1)

WINDOW_CLASSES = (8, 4, 1)
"""Where seams between decode windows begin to show: slower plans are taken before smaller windows than these."""

CONVOLUTION = 1.19
"""What a card's convolutions take beside a decoder's activations (stock: 2,432 bytes of 2,048); a processor's none."""

LAYERS_AT_ONCE = 3
"""Layers on the card while weights stream through it: the one at work, the next one, and one being let go."""

PROGRAM_GB = {True: 2.5, False: 1.2}
"""What the render process takes of the machine's memory before any weights, with a card and without."""

Way = tuple[Residency, bool, int | None]
WAYS: tuple[Way, ...] = (
    ("all", True, None),
    ("all", False, None),
    ("model", True, None),
    ("model", False, None),
    ("group", False, None),
    ("group", False, 1),
    ("sequential", False, 1),
)
"""Residency, guidance in one batch, rows at a time in feed-forwards: fastest first, each thriftier than some before."""


@dataclass(frozen=True)
class SvdCosts:
    """Bytes that one SVD-shaped model needs in half precision and lean form, linear in the size of the clip.

    The UNet's are bytes for each frame and latent pixel, the decoder's for each frame and picture
    pixel. The picture is always encoded in fp32: those are bytes for each pixel as they are. `unet_kept` is what
    stays from step to step where deep features are used again.
    """

    latent_factor: int
    unet_weights: float
    clip_weights: float
    vae_weights: float
    largest_layer: float
    unet_batched: float
    unet_two_passes: float
    unet_batched_chunked: float
    unet_two_passes_chunked: float
    unet_kept: float
    vae_decode: float
    vae_encode: float

    @property
    def weights(self) -> float:
        return self.unet_weights + self.clip_weights + self.vae_weights

    def plans(self, settings: ResolvedSettings, place: Place = CARD) -> list[VramPlan]:
        """Every way to run, fastest first: smaller decode windows than a class allows only after all slower ways."""
        windows = sorted({min(window, settings.frames) for window in DECODE_WINDOWS}, reverse=True)
        ways = [way for way in WAYS if (place.on_card or way[0] == "all") and (settings.is_guided or not way[1])]
        return [
            self._plan(settings, place, way, window)
            for group in _classes(windows, settings.frames)
            for way in ways
            for window in group
        ]

    def _plan(self, settings: ResolvedSettings, place: Place, way: Way, window: int) -> VramPlan:
        peaks = self.peaks(settings, place, way, window)
        ram_gb = PROGRAM_GB[place.on_card] + (
            self.weights * place.value_bytes / 2 / GIB if place.on_card else max(peaks.values())
        )
        return VramPlan(*way, window, peaks, ram_gb)

    def peaks(self, settings: ResolvedSettings, place: Place, way: Way, window: int) -> Mapping[str, float]:
        """GiB by stage under one set of choices."""
        wide, pixels = place.value_bytes / 2, settings.width * settings.height
        latents = settings.frames * pixels / self.latent_factor**2
        decode = self.vae_decode * (CONVOLUTION if place.on_card else 1) * min(window, settings.frames) * pixels
        working = {
            "load": 0.0,
            "encode_inputs": self.vae_encode * pixels,
            "denoise": wide * self._for_each_latent(settings, way) * latents,
            "decode": wide * decode,
        }
        context = CONTEXT_GB if place.on_card else 0.0
        resident = self._resident(way[0], wide)
        return {stage: context + (work + resident[stage]) / GIB for stage, work in working.items()}

    def _for_each_latent(self, settings: ResolvedSettings, way: Way) -> float:
        kept = 0.0 if settings.level.reuse == 1 else self.unet_kept * (2 if settings.is_guided else 1)
        return kept + self._in_a_step(settings, way)

    def _in_a_step(self, settings: ResolvedSettings, way: Way) -> float:
        _, batched, chunk = way
        if batched and settings.is_guided:
            return 2 * (self.unet_batched if chunk is None else self.unet_batched_chunked)
        return self.unet_two_passes if chunk is None else self.unet_two_passes_chunked

    def _resident(self, residency: Residency, wide: float) -> Mapping[str, float]:
        """Bytes of weights on the card by stage, as diffusers' offloading leaves them there."""
        unet, clip, vae = (wide * part for part in (self.unet_weights, self.clip_weights, self.vae_weights))
        exact_vae, layers = 2 * self.vae_weights, LAYERS_AT_ONCE * wide * self.largest_layer
        if residency == "all":
            rest = unet + clip
            return {"load": rest + vae, "encode_inputs": rest + exact_vae, "denoise": rest + vae, "decode": rest + vae}
        if residency == "model":  # the VAE, which encodes first, stays until the UNet has run
            return {"load": 0.0, "encode_inputs": clip + exact_vae, "denoise": unet + vae, "decode": vae}
        if residency == "group":  # the VAE is small, and stays
            return {"load": vae, "encode_inputs": layers + exact_vae, "denoise": layers + vae, "decode": vae}
        return {"load": 0.0, "encode_inputs": 2 * layers, "denoise": layers, "decode": layers}


def _classes(windows: list[int], frames: int) -> Iterator[list[int]]:
    """Windows that are equally good, the best class first; one window over all frames has no seam at all."""
    above = frames + 1
    for least in WINDOW_CLASSES:
        floor = min(least, frames)
        yield [window for window in windows if floor <= window < above]
        above = floor


SVD_COSTS = SvdCosts(
    latent_factor=8,
    unet_weights=3.05e9,
    clip_weights=1.26e9,
    vae_weights=0.20e9,
    largest_layer=59e6,
    unet_batched=16_658,
    unet_two_passes=16_657,
    unet_batched_chunked=9_617,
    unet_two_passes_chunked=9_617,
    unet_kept=640,
    vae_decode=1_280,
    vae_encode=3_084,
)

NANO_COSTS = SvdCosts(
    latent_factor=4,
    unet_weights=30.1e6,
    clip_weights=0.55e6,
    vae_weights=10e6,
    largest_layer=1.2e6,
    unet_batched=2_650,
    unet_two_passes=2_690,
    unet_batched_chunked=2_650,
    unet_two_passes_chunked=2_690,
    unet_kept=256,
    vae_decode=1_289,
    vae_encode=2_203,
)
