"""Measures an SVD-Nano checkpoint on pictures that it has not seen, and draws contact sheets."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from diffusers import EDMDPMSolverMultistepScheduler, StableVideoDiffusionPipeline
from PIL import Image

# Content goes the other way than the camera: what the mean flow (x, y) must look like for each pan.
PANS = {"pan left": (1, 0), "pan right": (-1, 0), "pan up": (0, 1), "pan down": (0, -1)}


def main() -> None:
    """Measure every picture in the folder with one move each, then one picture more closely."""
    options = _options()
    pipeline = StableVideoDiffusionPipeline.from_pretrained(options.checkpoint, variant="fp16", dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    moves = json.loads((options.checkpoint / "moves.json").read_text())
    names = options.moves.split(",") if options.moves else list(moves)
    pictures = [
        open_picture(path, options.size)
        for path in sorted(options.pictures.iterdir())
        if path.suffix in (".jpg", ".png")
    ]
    rows = []
    for index, picture in enumerate(pictures[: options.count]):
        name = names[index % len(names)]
        began = time.monotonic()
        frames = animate(pipeline, picture, moves[name], options)
        print(f"{index} {name:10s} {describe(picture, frames)} {time.monotonic() - began:.1f} s", flush=True)
        rows.append(np.hstack([np.asarray(picture), frames[0], frames[len(frames) // 2], frames[-1]]))
        cv2.imwrite(str(options.sheet), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
    if options.close:
        look_closer(pipeline, pictures[0], moves[names[0]], options)


def look_closer(pipeline: Any, picture: Image.Image, move: list[float], options: argparse.Namespace) -> None:
    """Check that motion grows with the bucket, and what another seed, guidance and solver do."""
    for bucket in (30, 127, 220):
        frames = animate(pipeline, picture, move, options, bucket=bucket)
        print(f"bucket {bucket}: {describe(picture, frames)}", flush=True)
    first = animate(pipeline, picture, move, options)
    other = animate(pipeline, picture, move, options, seed=2)
    print(f"another seed differs by {np.abs(first.astype(float) - other).mean():.2f} grey levels", flush=True)
    guided = animate(pipeline, picture, move, options, guidance=2.5)
    print(f"guidance 1 to 2.5: {describe(picture, guided)}", flush=True)
    euler = pipeline.scheduler
    pipeline.scheduler = EDMDPMSolverMultistepScheduler(
        sigma_min=euler.config.sigma_min,
        sigma_max=euler.config.sigma_max,
        sigma_data=1.0,
        prediction_type="v_prediction",
        sigma_schedule="karras",
        rho=7.0,
    )
    print(f"EDM DPM-Solver++: {describe(picture, animate(pipeline, picture, move, options))}", flush=True)
    pipeline.scheduler = euler


def open_picture(path: Path, size: tuple[int, int]) -> Image.Image:
    """Load a picture and crop it around its middle to the wanted size."""
    picture, (width, height) = Image.open(path).convert("RGB"), size
    scale = max(width / picture.width, height / picture.height)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def animate(
    pipeline: Any,
    picture: Image.Image,
    move: list[float],
    options: argparse.Namespace,
    bucket: int = 127,
    seed: int = 1,
    guidance: float = 1.0,
) -> np.ndarray:
    """Run the stock pipeline with a move added to the picture's embedding; return uint8 frames."""
    stock = pipeline._encode_image

    def steered(image: Any, device: Any, count: int, guided: bool) -> torch.Tensor:
        embedding = stock(image, device, count, guided)
        plain, norm = embedding[-1:], embedding[-1:].norm()
        turned = plain + options.strength * norm * torch.tensor(move)
        return torch.cat([embedding[:-1], turned * norm / turned.norm()])

    pipeline._encode_image = steered
    try:
        frames = pipeline(
            picture,
            width=picture.width,
            height=picture.height,
            num_frames=14,
            fps=7,
            num_inference_steps=options.steps,
            min_guidance_scale=1.0,
            max_guidance_scale=guidance,
            motion_bucket_id=bucket,
            decode_chunk_size=4,
            output_type="np",
            generator=torch.Generator().manual_seed(seed),
        ).frames[0]
    finally:
        pipeline._encode_image = stock
    shown: np.ndarray = np.round(frames * 255).clip(0, 255).astype(np.uint8)
    return shown


def describe(picture: Image.Image, frames: np.ndarray) -> str:
    """Measure likeness of the first frame, sharpness of the last, and the mean motion between them."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    truth = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2GRAY)
    sharp = [cv2.Laplacian(frame, cv2.CV_64F).var() for frame in (truth, grey[0], grey[-1])]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(grey[0], grey[-1], None)
    x, y = np.median(flow.reshape(-1, 2), axis=0)
    noise = np.mean((frames[0].astype(float) - np.asarray(picture)) ** 2)
    return (
        f"ssim {ssim(truth, grey[0]):.3f} psnr {10 * np.log10(255**2 / noise):.1f} "
        f"sharp first/picture {sharp[1] / sharp[0]:.2f} last/first {sharp[2] / sharp[1]:.2f} "
        f"flow ({x:+.1f}, {y:+.1f}) mean {np.linalg.norm(flow, axis=2).mean():.1f}"
    )


def ssim(one: np.ndarray, two: np.ndarray) -> float:
    """Compute structural similarity (Wang et al. 2004) of two grey pictures."""
    a, b = one.astype(np.float64), two.astype(np.float64)

    def blur(values: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5))

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b, both = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2, blur(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + 6.5025) * (2 * both + 58.5225)
    return float((top / ((mean_a**2 + mean_b**2 + 6.5025) * (var_a + var_b + 58.5225))).mean())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("pictures", type=Path, help="a folder of pictures")
    parser.add_argument("--sheet", type=Path, default=Path("sheet.png"))
    parser.add_argument("--moves", help="names separated by commas; all of the checkpoint's by default")
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split("x"))), default=(256, 144))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--strength", type=float, default=0.4)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--close", action="store_true", help="also buckets, seeds, guidance and the other solver")
    return parser.parse_args()


if __name__ == "__main__":
    main()
