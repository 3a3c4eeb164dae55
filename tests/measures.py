"""Figures of merit for frames: likeness, sharpness, motion."""

import cv2
import numpy as np


def grey(frame: np.ndarray) -> np.ndarray:
    values: np.ndarray = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
    return values


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


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    """Peak signal to noise of uint8 pixels, in dB."""
    noise = np.mean((first.astype(float) - second) ** 2)
    return float(10 * np.log10(255**2 / max(noise, 1e-9)))


def warped_back(first: np.ndarray, last: np.ndarray) -> float:
    """How like the first frame the last one is once its motion is undone, in dB, where still visible.

    Motion is the fitted camera move's, not the flow's, which would also undo mistakes.
    """
    matrix = camera_matrix(first, last)
    height, width = first.shape[:2]
    undone = cv2.warpAffine(last, matrix, (width, height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    seen = cv2.warpAffine(
        np.ones((height, width), np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    )
    inner = seen.astype(bool)
    inner[:4], inner[-4:], inner[:, :4], inner[:, -4:] = False, False, False, False
    return psnr(first[inner], undone[inner])


def sharpness(frame: np.ndarray) -> float:
    """Variance of the Laplacian."""
    return float(cv2.Laplacian(grey(frame), cv2.CV_64F).var())


def mean_flow(first: np.ndarray, last: np.ndarray) -> float:
    """Mean length of the DIS optical flow in pixels, away from the edges."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(grey(first), grey(last), None)
    height, width = flow.shape[:2]
    inner = flow[height // 8 : -height // 8, width // 8 : -width // 8]
    return float(np.linalg.norm(inner, axis=-1).mean())


def camera_matrix(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The similarity transform [2, 3] that takes the first frame's content to where the last one has it.

    Fitted to the DIS optical flow by RANSAC.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(grey(first), grey(last), None)
    height, width = flow.shape[:2]
    y, x = np.mgrid[4 : height - 4 : 4, 4 : width - 4 : 4]
    before = np.stack([x, y], -1).reshape(-1, 2).astype(np.float32)
    after = before + flow[y, x].reshape(-1, 2)
    matrix: np.ndarray = cv2.estimateAffinePartial2D(before, after, ransacReprojThreshold=1.5)[0]
    return matrix


def camera_move(first: np.ndarray, last: np.ndarray) -> dict[str, float]:
    """How the camera went: pan right and down in pixels, zoom in as a share, turn right in radians.

    What is seen goes the other way than the camera.
    """
    height, width = first.shape[:2]
    matrix = camera_matrix(first, last)
    (a, _, _), (b, _, _) = matrix
    middle = np.array([width / 2, height / 2, 1])
    right, down = matrix @ middle - middle[:2]
    return {"right": -right, "down": -down, "zoom": float(np.hypot(a, b)) - 1, "turn": -float(np.arctan2(b, a))}
