"""Picture in, MP4 out: plan · latents · frames · finish · encode, each kept so that nothing is done twice."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from svd_studio import __version__
from svd_studio.core.clip import ClipRequest, FinishSettings, RenderedClip, ResolvedSettings
from svd_studio.core.engine import EngineInfo
from svd_studio.core.errors import RenderFailed, StudioError
from svd_studio.core.progress import Progress
from svd_studio.core.vram import CARD, Place, VramPlan
from svd_studio.engines.base import Scene
from svd_studio.engines.catalog import engine_info
from svd_studio.gpu.planner import plan_clip
from svd_studio.gpu.recovery import Ladder
from svd_studio.rendering.between import drawing_for
from svd_studio.rendering.clock import StageClock, Unheard
from svd_studio.rendering.film import Frames, InParts, make_film
from svd_studio.rendering.loaded import LoadedEngine
from svd_studio.rendering.parts import PartStore, fingerprint, frames_name, latents_name
from svd_studio.video.encode import EncodedFile, encode_clip, exact_fps
from svd_studio.video.encoders import Encoder, Encoders
from svd_studio.video.enlarge import enlarge
from svd_studio.video.filters import scaled_size
from svd_studio.video.finish import Enlarging, finish, finished_size, playback_fps
from svd_studio.video.interpolate import Drawing
from svd_studio.video.metadata import recipe_json
from svd_studio.video.pictures import frame_picture, open_picture
from svd_studio.video.poster import make_poster

log = logging.getLogger(__name__)

BLACK = 8
"""Of 255: a frame whose brightest spot stays under it shows nothing."""


@dataclass(frozen=True)
class Bench:
    """What a render works with: the loaded engine, kept parts, where weights are, what memory it may fill and where.

    `held_gb` is what this process holds on its card; `enlarging_weights` raises BadInput when they are not here.
    """

    loaded: LoadedEngine
    parts: PartStore
    weights_folder: Callable[[EngineInfo], Path]
    free_gb: Callable[[], float]
    peak_memory_gb: Callable[[], float]
    text_tower: Callable[[EngineInfo], Path | None] = lambda info: None
    place: Place = CARD
    held_gb: Callable[[], float] = lambda: 0.0
    encoders: Encoders = field(default_factory=Encoders)
    enlarging_weights: Callable[[], Path] = Path
    rife_weights: Callable[[], Path | None] = lambda: None


def render(
    request: ClipRequest,
    target: Path,
    bench: Bench,
    listener: Progress,
    title: str = "",
    job: int | None = None,
    owner: str = "",
) -> RenderedClip:
    """Make the clip that was asked for at `target`, which appears whole or not at all; a poster beside it.

    The file tells its job and its owner, so that a clip whose row was lost is known again. Raises
    StudioError or Cancelled; finished parts stay for the next try.
    """
    settings, in_parts = request.settings, InParts(listener, request.settings)
    clock = StageClock(in_parts)
    info = engine_info(settings.engine)
    tower = bench.text_tower(info) if settings.has_words else None
    scene = Scene(settings, framed_picture(request.start_image, settings), text_tower=tower)
    plan = plan_clip(info, settings, bench.place, bench.free_gb())
    enlarging = enlarger(settings, bench.enlarging_weights, clock)
    drawing = drawing_for(settings.finish, bench.rife_weights, bench.loaded.device, clock)

    ladder = Ladder(info.plans(settings, bench.place), plan, clock)

    frames, peak_gb = make_film(scene, lambda part: make_frames(info, part, ladder, bench, clock), in_parts)

    made = {
        "version": __version__,
        "title": title,
        "owner": owner,
        "job": job,
        "created": round(time.time(), 3),
        "source_sha256": hashlib.sha256(request.start_image.read_bytes()).hexdigest(),
        "plan": ladder.plan.as_dict(),
        "peak_memory_gb": round(peak_gb, 3),
        "seconds": {stage: round(seconds, 3) for stage, seconds in clock.seconds.items()},
    }
    encoded, recipe = encode_frames(frames, settings, made, target, bench.encoders, clock, enlarging, drawing)
    poster = add_poster(target, np.asarray(frames[0]), recipe)
    clip = RenderedClip(
        path=target,
        settings=settings,
        source_sha256=str(made["source_sha256"]),
        frames=encoded.frames,
        fps=encoded.fps,
        size=encoded.size,
        seconds_by_stage=clock.seconds,
        peak_memory_gb=peak_gb,
        plan=ladder.plan.as_dict(),
        poster=poster,
    )
    if settings.finish != FinishSettings():
        add_before(clip, frames, clock)
    return clip


def encode_frames(
    frames: Frames,
    settings: ResolvedSettings,
    made: Mapping[str, Any],
    target: Path,
    encoders: Encoders,
    clock: StageClock,
    enlarging: Enlarging = iter,
    drawing: Drawing | None = None,
) -> tuple[EncodedFile, str]:
    """Finish and encode all frames, and return the recipe that the file carries, too.

    When the card's encoder fails midway, the same frames go through x264. Raises RenderFailed,
    DiskFull, BadInput, Cancelled.
    """
    size, fps = finished_size((settings.width, settings.height), settings.finish), playback_fps(settings)

    def through(encoder: Encoder) -> tuple[EncodedFile, str]:
        better, count = finish(frames, settings.finish, len(frames), enlarging, drawing)
        recipe = recipe_json(settings, {**made, "encoder": encoder.name, "video": _shape(size, count, fps)})
        stream = _reported(better, count, clock)
        return encode_clip(stream, target, fps, size, recipe, clock, count, encoder), recipe

    *fast, sure = encoders.for_size(size)
    for encoder in fast:
        try:
            return through(encoder)
        except RenderFailed:
            encoders.give_up(encoder)
    return through(sure)


def enlarger(settings: ResolvedSettings, weights: Callable[[], Path], clock: StageClock) -> Enlarging:
    """What draws the frames larger; nothing does where that was not asked for. Raises BadInput without weights."""
    factor = settings.finish.enlarge
    if factor == 1:
        return iter
    folder = weights()
    return lambda frames: enlarge(frames, factor, folder, clock, settings.frames_in_all)


def _shape(size: tuple[int, int], frames: int, fps: float) -> dict[str, float]:
    """What the finished file will be, so that an index of thousands is made again without decoding them."""
    width, height = scaled_size(size, None)
    return {"width": width, "height": height, "frames": frames, "fps": float(exact_fps(fps))}


def add_poster(clip: Path, frame: np.ndarray, recipe: str) -> Path:
    """Write the still beside a clip; when it cannot be written the clip goes too. Raises BadInput or DiskFull."""
    poster = clip.with_suffix(".webp")
    try:
        make_poster(frame, poster, recipe)
    except BaseException:
        clip.unlink(missing_ok=True)
        raise
    return poster


def add_before(clip: RenderedClip, frames: Frames, clock: StageClock) -> None:
    """Write the same clip without finishing beside it, to be judged against; a clip is whole without it, too.

    Raises Cancelled; then the clip and its poster go, too.
    """
    settings, fps = clip.settings, clip.fps * len(frames) / clip.frames
    try:
        encode_clip(iter(frames), clip.before, fps, (settings.width, settings.height), "", Unheard(clock), len(frames))
    except StudioError as error:
        log.warning("nothing to compare %s with: %s", clip.path.name, error)
    except BaseException:
        for path in (clip.path, clip.poster):
            if path is not None:
                path.unlink(missing_ok=True)
        raise


def framed_picture(path: Path, settings: ResolvedSettings) -> Image.Image:
    """The start picture as the engine will see it: exactly (width, height)."""
    zoom = settings.crop_zoom if settings.fit == "crop" else 1.0
    picture = open_picture(path, zoom)
    place = settings.fit, settings.focus_x, settings.focus_y, zoom
    return frame_picture(picture, settings.width, settings.height, *place)


def make_frames(
    info: EngineInfo, scene: Scene, ladder: Ladder, bench: Bench, clock: StageClock
) -> tuple[np.ndarray, float]:
    """The clip's frames, memory-mapped, and the peak memory in GiB; from kept parts where they are.

    An engine is loaded only when something has to be made. When memory runs out, thriftier plans go
    on: latents that are finished are never made again. Raises OutOfMemory when no plan is left.
    """
    parts, settings = bench.parts, scene.settings
    folder = bench.weights_folder(info)
    weights = fingerprint(folder) + (fingerprint(scene.text_tower) if scene.text_tower else "")
    latents_key = latents_name(settings, scene.start.tobytes(), weights, bench.loaded.precision)
    kept = parts.load(frames_name(latents_key, ladder.plan.decode_window))
    if kept is not None:
        return kept, 0.0
    engine = bench.loaded.get(info, folder, clock)
    latents = parts.load(latents_key)
    if latents is None:
        denoised = ladder.make(lambda plan: engine.denoise(scene, plan, clock), lambda: clock.stage)
        latents = parts.save(latents_key, denoised)
    shape = (settings.frames, settings.height, settings.width, 3)

    def decode(plan: VramPlan) -> np.ndarray:
        decoded = not_black(engine.decode(np.array(latents), plan, clock), scene.start)
        return parts.save_stream(frames_name(latents_key, plan.decode_window), decoded, shape)

    frames = ladder.make(decode, lambda: "decode")
    card_peak = engine.peak_memory_gb()
    return frames, bench.peak_memory_gb() if card_peak is None else card_peak


def not_black(frames: Iterator[np.ndarray], start: Image.Image) -> Iterator[np.ndarray]:
    """Pass frames on; raise RenderFailed at their end when all were black and the start picture is not."""
    brightest = 0
    for frame in frames:
        brightest = max(brightest, int(frame.max()))
        yield frame
    if brightest < BLACK and np.asarray(start).max() >= 2 * BLACK:
        raise RenderFailed("render.black")


def _reported(frames: Iterator[np.ndarray], count: int, clock: StageClock) -> Iterator[np.ndarray]:
    """Charge the time that finishing takes to its own stage: frames are finished while they are encoded."""
    clock.report("finish", 0, count)
    for done, frame in enumerate(frames, start=1):
        clock.report("finish", done, count)
        yield frame
