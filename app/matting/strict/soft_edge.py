"""The factor for alpha at the pixels of the small frame, from the kept cells."""

from __future__ import annotations

import cv2
import numpy as np

from app.core.types import Floats
from app.matting.strict import rules
from app.matting.strict.background_model import Mask


def soft_gain(kept: Mask, alpha: Floats, cell: int) -> Floats:
    """Return the factor (h, w) in 0..1: the share of the matte around each pixel that is kept, a little steeper.

    alpha: (h, w) in 0..1. It weighs the pixels, so that the factor falls where the matte is faint, if it is so near
    the edge of the kept cells, and does not fall at the soft edge of a person.
    """
    gain = np.zeros_like(alpha)
    if not kept.any():
        return gain
    height, width = alpha.shape
    rows, columns = kept.shape
    mask = cv2.resize(kept.astype(np.float32), (columns * cell, rows * cell), interpolation=cv2.INTER_NEAREST)
    if mask.shape != alpha.shape:
        mask = np.pad(mask, ((0, height - rows * cell), (0, width - columns * cell)), mode="edge")
    left, top, across, down = cv2.boundingRect(kept.view(np.uint8))
    part = _span(top, down, rows, height, cell), _span(left, across, columns, width, cell)
    weights = alpha[part] + np.float32(rules.FAINT_ALPHA)
    around, shown = _sums(weights, cell), _sums(mask[part] * weights, cell)
    shown /= around
    shown -= np.float32(rules.EDGE_SHARE)
    shown *= np.float32(1 / (1 - 2 * rules.EDGE_SHARE))
    gain[part] = np.minimum(np.maximum(shown, 0, out=shown), 1, out=shown)
    return gain


def _span(first: int, count: int, cells: int, pixels: int, cell: int) -> slice:
    """Return the pixels of these cells, and those around them that the kept ones reach twice."""
    last = first + count + 2
    return slice(max(0, first - 2) * cell, pixels if last >= cells else last * cell)


def _sums(plane: Floats, reach: int) -> Floats:
    """Return the sums over squares that reach so many pixels to each side."""
    ones = np.ones(2 * reach + 1, np.float32)
    return np.asarray(cv2.sepFilter2D(plane, -1, ones, ones, borderType=cv2.BORDER_CONSTANT))
