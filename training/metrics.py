"""Metrics of the RVM paper (arXiv 2108.11515, section 5), at its scales; smaller is better.

Alphas are float32 (H, W) in 0..1: prediction first, reference second.
"""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np
import numpy.typing as npt

Alpha = npt.NDArray[np.float32]

_SIGMA = 1.4
_CONN_LEVELS = np.arange(11) * 0.1
"""Thresholds in double precision: a float32 alpha of 0.7 lies below 7 * 0.1."""

_CONN_TOLERANCE = 0.15


def mad(pred: Alpha, true: Alpha) -> float:
    """Return the mean absolute difference, times 1e3."""
    return float(np.abs(pred - true).mean()) * 1e3


def mse(pred: Alpha, true: Alpha) -> float:
    """Return the mean squared difference, times 1e3."""
    return float(np.square(pred - true).mean()) * 1e3


def grad(pred: Alpha, true: Alpha) -> float:
    """Return the sum of squared differences of gradient magnitudes, over 1000 (min-max normalized
    alphas).
    """
    return float(np.square(_gradient(pred) - _gradient(true)).sum()) / 1000


def conn(pred: Alpha, true: Alpha) -> float:
    """Return the summed difference of connectivity to the largest region that both alphas share,
    over 1000.
    """
    level = np.ones_like(true)
    known = np.zeros(true.shape, bool)
    for previous, threshold in itertools.pairwise(_CONN_LEVELS):
        both = ((true >= threshold) & (pred >= threshold)).astype(np.uint8)
        fallen = ~_largest_component(both) & ~known
        level[fallen] = previous
        known |= fallen
    return float(np.abs(_connectivity(true, level) - _connectivity(pred, level)).sum()) / 1000


def dtssd(pred: Alpha, pred_before: Alpha, true: Alpha, true_before: Alpha) -> float:
    """Return the root mean squared difference of the temporal derivatives, times 1e2."""
    change = (pred - pred_before).astype(np.float64) - (true - true_before)
    return math.sqrt(float(np.square(change).mean())) * 1e2


def _largest_component(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, bool)
    largest: npt.NDArray[np.bool_] = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return largest


def _connectivity(alpha: Alpha, level: Alpha) -> Alpha:
    distance = alpha - level
    return 1 - distance * (distance >= _CONN_TOLERANCE)


def _gradient(alpha: Alpha) -> npt.NDArray[np.float64]:
    """Return the magnitude of the Gaussian-derivative gradient."""
    low, high = float(alpha.min()), float(alpha.max())
    normal = (
        (alpha.astype(np.float64) - low) / (high - low) if high > low else np.zeros(alpha.shape)
    )
    along, across = _gaussian_derivative()
    gx = cv2.sepFilter2D(normal, cv2.CV_64F, along, across, borderType=cv2.BORDER_REPLICATE)
    gy = cv2.sepFilter2D(normal, cv2.CV_64F, across, along, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(gx, gy)


def _gaussian_derivative() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the 1-D derivative of a Gaussian and the Gaussian; their outer product has unit norm."""
    reach = math.ceil(_SIGMA * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * _SIGMA * 0.01)))
    x = np.arange(-reach, reach + 1, dtype=np.float64)
    gaussian = np.exp(-(x**2) / (2 * _SIGMA**2)) / (_SIGMA * math.sqrt(2 * math.pi))
    derivative = -x * gaussian / _SIGMA**2
    return derivative / np.linalg.norm(derivative), gaussian / np.linalg.norm(gaussian)
