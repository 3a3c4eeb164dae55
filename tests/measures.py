"""Figures of merit for frames: likeness, sharpness, motion."""

import cv2
import numpy as np


def grey(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)


def ssim(first: np.ndarray, second: np.ndarray) -> float:
    """Structural similarity of two uint8 frames, on grey, 11 × 11 Gaussian windows (Wang et al. 2004)."""
    x, y = grey(first).astype(np.float64), grey(second).astype(np.float64)

    def blur(image: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(image, (11, 11), 1.5)

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((likeness / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def sharpness(frame: np.ndarray) -> float:
    """Variance of the Laplacian."""
    return float(cv2.Laplacian(grey(frame), cv2.CV_64F).var())


def mean_flow(first: np.ndarray, last: np.ndarray) -> float:
    """Mean length of the DIS optical flow in pixels, away from the edges."""
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(grey(first), grey(last), None)
    height, width = flow.shape[:2]
    inner = flow[height // 8 : -height // 8, width // 8 : -width // 8]
    return float(np.linalg.norm(inner, axis=-1).mean())
