"""How frames move, by optical flow: how much, and as the move of a camera."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from svd_studio.quality.likeness import Frame, grey, psnr

EDGE = 4
"""Pixels next to a border that are not judged: flow and interpolation guess there."""


def optical_flow(first: Frame, last: Frame) -> np.ndarray:
    """DIS optical flow (Kroeger et al. 2016) in pixels, (height, width, 2) as x, y."""
    calculator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow: np.ndarray = calculator.calc(grey(first), grey(last), None)
    return flow


def mean_flow(first: Frame, last: Frame) -> float:
    """Mean length of the DIS optical flow in pixels, away from the edges, weighed by what there is to follow.

    The weight is the smaller eigenvalue of the first frame's structure tensor (Shi & Tomasi 1994): in a plain sky flow
    follows the noise, and a mean over all pixels told up to 3 px of motion between two copies of one picture.
    """
    length = np.linalg.norm(optical_flow(first, last), axis=-1)
    weight = np.maximum(cv2.cornerMinEigenVal(grey(first).astype(np.float32), 9), 1e-9)
    height, width = length.shape
    inner = np.s_[height // 8 : -height // 8, width // 8 : -width // 8]
    return float(np.average(length[inner], weights=weight[inner]))


def camera_matrix(first: Frame, last: Frame, fit: Callable[..., Any] = cv2.estimateAffinePartial2D) -> np.ndarray:
    """The transform [2, 3], by default a similarity, that takes the first frame's content to where the last one has it.

    Fitted to the DIS optical flow by RANSAC; the identity where nothing fits.
    """
    flow = optical_flow(first, last)
    height, width = flow.shape[:2]
    y, x = np.mgrid[EDGE : height - EDGE : 4, EDGE : width - EDGE : 4]
    before = np.stack([x, y], -1).reshape(-1, 2).astype(np.float32)
    after = before + flow[y, x].reshape(-1, 2)
    matrix, _ = fit(before, after, ransacReprojThreshold=1.5)
    return np.eye(2, 3) if matrix is None else np.asarray(matrix)


def camera_move(first: Frame, last: Frame) -> dict[str, float]:
    """How the camera went: pan right and down in pixels, zoom in as a share, turn right in radians.

    What is seen goes the other way than the camera.
    """
    height, width = first.shape[:2]
    matrix = camera_matrix(first, last)
    (a, _, _), (b, _, _) = matrix
    middle = np.array([width / 2, height / 2, 1])
    right, down = matrix @ middle - middle[:2]
    return {"right": -right, "down": -down, "zoom": float(np.hypot(a, b)) - 1, "turn": -float(np.arctan2(b, a))}


def warped_back(first: Frame, last: Frame) -> float:
    """How like the first frame the last one is once its motion is undone, in dB, where still visible.

    Motion is a fitted affine one, so also what parallax between near and far does to a pan; not the flow's own, which
    would undo mistakes too.
    """
    matrix = camera_matrix(first, last, cv2.estimateAffine2D)
    height, width = first.shape[:2]
    undone = cv2.warpAffine(last, matrix, (width, height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    seen = cv2.warpAffine(np.ones((height, width), np.uint8), matrix, (width, height), flags=cv2.WARP_INVERSE_MAP)
    return _where_seen(first, undone, seen)


def warped_back_by_flow(first: Frame, last: Frame) -> float:
    """How like the first frame the last one is once its optical flow is undone, in dB, where still visible.

    Kinder than `warped_back`: what wobbles a little is undone with the rest.
    """
    across, down = cv2.split(optical_flow(first, last))
    rows, columns = np.indices(across.shape, dtype=np.float32)
    places = columns + across, rows + down
    undone = cv2.remap(last, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.remap(np.ones(across.shape, np.uint8), *places, cv2.INTER_NEAREST)
    return _where_seen(first, undone, seen)


def _where_seen(first: Frame, undone: Frame, seen: np.ndarray) -> float:
    around = np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8)
    inner = cv2.erode(seen, around, borderType=cv2.BORDER_CONSTANT, borderValue=0).astype(bool)
    return psnr(first[inner], undone[inner])
