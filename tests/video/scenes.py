"""Synthetic photographs that move by exactly known amounts."""

import cv2
import numpy as np


def photograph(seed: int, side: int = 640) -> np.ndarray:
    """Clouds of 1/f noise, like natural pictures have, with some hard-edged things in front."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij"))
    frequency[0, 0] = 1
    planes = [np.fft.irfft2(np.fft.rfft2(rng.normal(size=(side, side))) / frequency**1.3) for _ in range(3)]
    pixels = np.stack([(plane - plane.mean()) / plane.std() for plane in planes], axis=-1)
    pixels = pixels * 40 + rng.uniform(90, 160, 3)
    for _ in range(30):
        x, y, radius = [*rng.integers(0, side, 2).tolist(), int(rng.integers(8, 40))]
        cv2.circle(pixels, (x, y), radius, rng.uniform(20, 235, 3).tolist(), -1, cv2.LINE_AA)
    return pixels.clip(0, 255).astype(np.uint8)


def view(picture: np.ndarray, time: float, size: tuple[int, int] = (320, 180), amount: float = 1.0) -> np.ndarray:
    """What a camera that pans, zooms and turns a little sees at `time`; amount 1 is 3 % of the width a unit."""
    width, height = size
    middle = picture.shape[1] / 2
    turn = cv2.getRotationMatrix2D((middle, middle), 0.6 * amount * time, 1 + 0.03 * amount * time)
    turn[:, 2] += np.array([width / 2 - middle + 0.03 * width * amount * time, height / 2 - middle + time * amount * 2])
    return cv2.warpAffine(picture, turn, size, flags=cv2.INTER_CUBIC)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))
