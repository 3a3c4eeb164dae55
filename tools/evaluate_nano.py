"""Measures an SVD-Nano checkpoint on photographs it has not seen, through the app's own engine; writes the figures.

python tools/evaluate_nano.py CHECKPOINT PHOTOGRAPHS --figures FILE: the table of the model card, hours on a processor
(--parts directions --size 128x80 --steps 5 makes the many clips small).
python tools/evaluate_nano.py CHECKPOINT PHOTOGRAPHS --sheet FILE: one clip a photograph, to look at.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from nano_words import HELD_OUT
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from svd_studio.core.clip import ClipSettings
from svd_studio.core.progress import Progress
from svd_studio.engines.base import Scene
from svd_studio.engines.catalog import ENGINES
from svd_studio.engines.svd import SvdEngine
from svd_studio.quality.likeness import psnr, sharpness, ssim
from svd_studio.quality.motion import EDGE, camera_move, mean_flow, optical_flow, warped_back, warped_back_by_flow
from svd_studio.video.pictures import frame_picture, open_picture

INFO = ENGINES["svd-nano"]
PROMPTS = {
    "pan left": ("right", -1),
    "pan right": ("right", 1),
    "zoom in": ("zoom", 1),
    "zoom out": ("zoom", -1),
    "turn left": ("turn", -1),
    "turn right": ("turn", 1),
    "向左平移": ("right", -1),
    "拉近": ("zoom", 1),
}
FLOOR = {"right": 0.5, "down": 0.5, "zoom": 0.004, "turn": 0.004}  # about half a pixel at the edge
MOVES = ("pan left", "zoom in", "pan up", "turn right", "zoom out", "pan right", "turn left", "pan down")

Row = tuple[str, str]


class Subject:
    """A checkpoint and the photographs to measure it on."""

    def __init__(self, checkpoint: Path, photographs: Path, size: tuple[int, int], steps: int) -> None:
        self.engine = SvdEngine(INFO, checkpoint, "cpu", "fp32")
        self.steps = steps
        files = sorted(path for path in photographs.iterdir() if path.suffix in (".jpg", ".png"))
        self.pictures = [frame_picture(open_picture(path), *size) for path in files]

    def latents(self, picture: Image.Image, **asked: Any) -> np.ndarray:
        """Denoise a clip with this recipe; latents [frames, channels, height, width]."""
        asked = {"width": picture.width, "height": picture.height, "seed": 1, "steps": self.steps, **asked}
        settings = ClipSettings.from_person(asked).resolve(INFO).settings
        latents: np.ndarray = self.engine.denoise(Scene(settings, picture), INFO.plans(settings)[0], Progress())
        return latents

    def frames(self, picture: Image.Image, ends_only: bool = False, **asked: Any) -> np.ndarray:
        """Make a clip, or only its first and last frame; uint8 [frames, height, width, 3]."""
        made = self.latents(picture, **asked)
        return self.decode(made[[0, -1]] if ends_only else made)

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Decode latents; the decoder mixes nothing over time, so any of a clip's frames can stand alone."""
        settings = ClipSettings.from_person({}).resolve(INFO).settings
        return np.stack(list(self.engine.decode(latents, INFO.plans(settings)[0], Progress())))

    @torch.inference_mode()
    def round_trip(self, picture: Image.Image) -> np.ndarray:
        """Encode a picture with the VAE and decode it again."""
        pipeline = self.engine.pipeline
        pixels = pipeline.video_processor.preprocess(picture, height=picture.height, width=picture.width)
        latents = pipeline._encode_vae_image(pixels, torch.device("cpu"), 1, False) * pipeline.vae.config.scaling_factor
        decoded: np.ndarray = self.decode(latents.numpy())[0]
        return decoded


def directions(subject: Subject, clips: int) -> Iterator[Row]:
    """Does a prompt move the camera as it says, and as negative prompt the other way?"""
    held_out = [(text, PROMPTS[move]) for move, texts in HELD_OUT.items() if move in PROMPTS for text in texts]
    for text, (axis, sign) in [*PROMPTS.items(), *held_out]:
        yield f"“{text}”", share(went(subject, axis, sign, clips, prompt=text))
    for text, (axis, sign) in PROMPTS.items():
        yield (
            f"“{text}” as negative prompt: the opposite",
            share(went(subject, axis, -sign, clips, negative_prompt=text)),
        )


def went(subject: Subject, axis: str, sign: int, clips: int, **words: str) -> list[bool]:
    """Whether each of so many clips went that way, by more than half a pixel at its edge."""
    found = []
    for number in range(clips):
        picture = subject.pictures[number % len(subject.pictures)]
        first, last = subject.frames(picture, ends_only=True, seed=1 + number // len(subject.pictures), **words)
        found.append(sign * camera_move(first, last)[axis] > FLOOR[axis])
    return found


def amounts(subject: Subject, clips: int) -> Iterator[Row]:
    """Does the bucket set the amount, and does "still" hold the camera?"""
    grows = []
    for number, picture in enumerate(subject.pictures):
        prompt = MOVES[number % len(MOVES)]
        flows = [
            mean_flow(*subject.frames(picture, ends_only=True, prompt=prompt, motion_bucket=bucket))
            for bucket in (30, 127, 220)
        ]
        grows.append(flows[0] < flows[1] < flows[2])
    yield "mean flow grows with the bucket (30, 127, 220)", share(grows)
    still = [mean_flow(*subject.frames(picture, ends_only=True, prompt="still")) for picture in subject.pictures]
    yield "“still”: mean flow, median and worst", f"{np.median(still):.2f} px, {max(still):.2f} px"
    picture = subject.pictures[0]
    ways = {max(FLOOR, key=moved(subject, picture, seed)) for seed in range(clips)}
    yield f"without a prompt: kinds of move among {clips} seeds", f"{len(ways)} of 4"


def scenes(subject: Subject, _clips: int) -> Iterator[Row]:
    """Do clouds, water, parallax and the frame rate do what they are called?"""
    rows: dict[str, list[bool]] = {}
    for picture in subject.pictures:
        for prompt, sign in (("the clouds are drifting", 1), ("云朵向左飘", -1)):
            above, below = halves(subject.frames(picture, ends_only=True, prompt=prompt))
            name = f"“{prompt}”: the sky goes that way, and further than the ground"
            rows.setdefault(name, []).append(sign * above[0] > FLOOR["right"] and abs(above[0]) > abs(below[0]))
        latents = subject.latents(picture, prompt="ripples on the lake")
        above, below = halves(subject.decode(latents[[0, len(latents) // 2]]))  # a whole wave later all is as before
        rows.setdefault("“ripples on the lake”: what is low moves more", []).append(below[1] > above[1])
        above, below = halves(subject.frames(picture, ends_only=True, prompt="pan left"))
        rows.setdefault("“pan left”: what is low is near and goes further", []).append(below[0] > above[0])
        flows = [
            mean_flow(*subject.frames(picture, ends_only=True, prompt="pan left", motion_fps=fps)) for fps in (4, 7, 12)
        ]
        rows.setdefault("mean flow falls with the frame rate (4, 7, 12)", []).append(flows[0] > flows[1] > flows[2])
    yield from ((name, share(found)) for name, found in rows.items())


def halves(ends: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    """How far the upper and the lower third go: to the right (median) and at all (mean), in pixels."""
    flow = optical_flow(*ends)[EDGE:-EDGE, EDGE:-EDGE]
    third = len(flow) // 3
    above, below = (
        (float(np.median(part[..., 0])), float(np.linalg.norm(part, axis=-1).mean()))
        for part in (flow[:third], flow[-third:])
    )
    return above, below


def moved(subject: Subject, picture: Image.Image, seed: int) -> Callable[[str], float]:
    """How much a seed's own clip moved along an axis, in half pixels at the edge."""
    move = camera_move(*subject.frames(picture, ends_only=True, seed=seed))
    return lambda axis: abs(move[axis]) / FLOOR[axis]


def looks(subject: Subject, _clips: int) -> Iterator[Row]:
    """Are the frames like the picture, and sharp to the end?"""
    rows = []
    for number, picture in enumerate(subject.pictures):
        truth, alone = np.asarray(picture), subject.round_trip(picture)
        frames = subject.frames(picture, prompt=MOVES[number % len(MOVES)])
        rows.append(
            (
                psnr(alone, truth),
                psnr(frames[0], truth),
                ssim(frames[0], truth),
                warped_back(frames[0], frames[-1]),
                warped_back_by_flow(frames[0], frames[-1]),
                sharpness(frames[-1]) / sharpness(frames[0]),
            )
        )
    names = (
        ("VAE round trip", "dB"),
        ("first frame to picture", "dB"),
        ("first frame to picture, SSIM", ""),
        ("last frame, its camera move undone, to the first, where still visible", "dB"),
        ("last frame, its optical flow undone, to the first, where still visible", "dB"),
        ("sharpness (variance of the Laplacian), last frame over first", ""),
    )
    for (name, unit), values in zip(names, zip(*rows, strict=True), strict=True):
        yield f"{name}: median and worst", f"{np.median(values):.2f}, {min(values):.2f} {unit}".strip()


def solvers(subject: Subject, _clips: int) -> Iterator[Row]:
    """Do fewer steps and the other solver make the same clip?"""
    picture, prompt = subject.pictures[0], "pan left"
    few, many = (subject.frames(picture, ends_only=True, prompt=prompt, steps=steps) for steps in (8, 50))
    yield "8 steps against 50", f"{psnr(few, many):.1f} dB"
    euler, dpm = (
        subject.frames(picture, ends_only=True, prompt=prompt, steps=25, scheduler=name) for name in ("euler", "dpm")
    )
    yield "Euler and EDM DPM-Solver++ at 25 steps", f"{psnr(euler, dpm):.1f} dB"
    began = time.monotonic()
    frames = subject.frames(picture, prompt=prompt, steps=10, guidance_first=1.0, guidance_last=1.0)
    yield f"{len(frames)} frames in 10 steps without guidance, after loading", f"{time.monotonic() - began:.0f} s"


def share(found: list[bool]) -> str:
    """So many of so many, with Wilson's 95 % interval (Wilson 1927)."""
    count, hits, z = len(found), sum(found), 1.96
    middle = (hits + z * z / 2) / (count + z * z)
    half = z / (count + z * z) * math.sqrt(hits * (count - hits) / count + z * z / 4)
    return f"{hits} of {count} ({max(0, middle - half):.2f} to {min(1, middle + half):.2f})"


def draw_sheet(subject: Subject, path: Path) -> None:
    """Draw each photograph with the first and the last frame of its clip, in two columns."""
    rows = []
    for number, picture in enumerate(subject.pictures):
        frames = subject.frames(picture, ends_only=True, prompt=MOVES[number % len(MOVES)])
        rows.append(np.hstack([np.asarray(picture), *frames]))
        move = {axis: round(value, 3) for axis, value in camera_move(frames[0], frames[-1]).items()}
        print(MOVES[number % len(MOVES)], move, f"{sharpness(frames[-1]) / sharpness(frames[0]):.2f}", flush=True)
    rows += [np.full_like(rows[0], 255)] * (len(rows) % 2)
    half = len(rows) // 2
    columns = np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])])
    cv2.imwrite(str(path), cv2.cvtColor(columns, cv2.COLOR_RGB2BGR))


PARTS: dict[str, Callable[[Subject, int], Iterator[Row]]] = {
    "looks": looks,
    "solvers": solvers,
    "amounts": amounts,
    "scenes": scenes,
    "directions": directions,
}


def main() -> None:
    """Measure, look, or both."""
    options = _options()
    subject = Subject(options.checkpoint, options.photographs, options.size, options.steps)
    if options.sheet:
        draw_sheet(subject, options.sheet)
    if options.figures:
        lines = ["| what | found |", "|---|---|"]
        for part in options.parts:
            for row in PARTS[part](subject, options.clips):
                print(*row, flush=True)
                lines.append("| " + " | ".join(row) + " |")
                options.figures.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("photographs", type=Path, help="a folder")
    parser.add_argument("--sheet", type=Path, help="a picture of clips to write")
    parser.add_argument("--figures", type=Path, help="a table to write")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=tuple(PARTS))
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split("x"))), default=(256, 144))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--clips", type=int, default=24, help="for each prompt")
    return parser.parse_args()


if __name__ == "__main__":
    main()
