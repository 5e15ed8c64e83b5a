"""Colours of a person as a histogram: enough to tell two people apart, not to recognise anybody."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.shaping import Plane

Mask = NDArray[np.bool_]
Codes = NDArray[np.intp]
Histogram = NDArray[np.float64]
"""(BINS,) with the sum 1."""

FLOOR = 1e-3
"""Share of a colour that nobody was seen with."""
LEVELS = 6
BINS = LEVELS**3


def colour_codes(image: Plane) -> Codes:
    """Return the bin of each cell's colour, (rows, columns), of an image (3, rows, columns) in 0..1."""
    levels = np.clip(image * LEVELS, 0, LEVELS - 1).astype(np.intp)
    codes: Codes = (levels[0] * LEVELS + levels[1]) * LEVELS + levels[2]
    return codes


def histogram(codes: Codes, mask: Mask) -> Histogram:
    """Return the colours under the mask; neighbouring bins share, since light and noise shift colours."""
    counts = np.bincount(codes[mask], minlength=BINS).astype(np.float64).reshape((LEVELS,) * 3)
    for axis in range(3):
        padded = np.pad(counts, [(1, 1) if each == axis else (0, 0) for each in range(3)], mode="edge")
        before, after = (np.take(padded, np.arange(start, start + LEVELS), axis) for start in (0, 2))
        counts = 0.6 * counts + 0.2 * (before + after)
    total = counts.sum()
    flat: Histogram = counts.ravel() / total if total > 0 else np.full(BINS, 1 / BINS)
    return flat


def similarity(one: Histogram, other: Histogram) -> float:
    """Return the Bhattacharyya coefficient: 1 for equal colours, 0 for none in common."""
    return float(np.sqrt(one * other).sum())


def divergence(one: Histogram, other: Histogram) -> float:
    """Return the Jeffreys divergence: 0 for equal colours; above 3 for filmed people in different clothes.

    Colours that everybody has, such as skin and hair, count for nothing, unlike in `similarity`.
    """
    return float(((one - other) * _log_ratio(one, other)).sum())


def leaning(seen: Histogram, own: Histogram, others: Histogram) -> float:
    """Return whose colours are seen, by likelihood: about 1 for `own`, 0 for `others`. These two must differ."""
    ratio = _log_ratio(own, others)
    return float(((seen - others) * ratio).sum() / ((own - others) * ratio).sum())


def advantage(codes: Codes, own: Histogram, others: Histogram) -> Plane:
    """Return for each cell how much more its colours are those of `own` than of `others`, as a log ratio in -3..3."""
    ratio = _log_ratio(own, others)
    return np.asarray(cv2.blur(ratio[codes].astype(np.float32), (3, 3)), np.float32).clip(-3, 3)


def _log_ratio(own: Histogram, others: Histogram) -> Histogram:
    ratio: Histogram = np.log((own + FLOOR) / (others + FLOOR))
    return ratio
