"""How like two frames are, and how sharp one is."""

import cv2
import numpy as np

Frame = np.ndarray
"""uint8 RGB, (height, width, 3)."""


def grey(frame: Frame) -> np.ndarray:
    """Luma of a frame, uint8 (height, width)."""
    values: np.ndarray = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
    return values


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    """Peak signal to noise of uint8 pixels, in dB."""
    noise = np.mean((first.astype(float) - second) ** 2)
    return float(10 * np.log10(255**2 / max(noise, 1e-9)))


def ssim(first: np.ndarray, second: np.ndarray) -> float:
    """Structural similarity of two uint8 frames, on grey, 11 × 11 Gaussian windows (Wang et al. 2004)."""
    x, y = grey(first).astype(np.float64), grey(second).astype(np.float64)

    def blur(image: np.ndarray) -> np.ndarray:
        blurred: np.ndarray = cv2.GaussianBlur(image, (11, 11), 1.5)
        return blurred

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((likeness / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def sharpness(frame: np.ndarray) -> float:
    """Variance of the Laplacian."""
    return float(cv2.Laplacian(grey(frame), cv2.CV_64F).var())
