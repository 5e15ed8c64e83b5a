"""The factor for alpha at the pixels of the small frame, from the kept cells."""

from __future__ import annotations

import cv2
import numpy as np

from app.matting.strict import rules
from app.matting.strict.memory import Floats, Mask


def soft_gain(kept: Mask, alpha: Floats, cell: int) -> Floats:
    """Return the factor (h, w) in 0..1: the share of the matte around each pixel that is kept, a little steeper.

    alpha: (h, w) in 0..1. It weighs the pixels, so that the factor falls where the matte is faint, if it is so near
    the edge of the kept cells, and does not fall at the soft edge of a person.
    """
    height, width = alpha.shape
    rows, columns = kept.shape
    mask = cv2.resize(kept.astype(np.float32), (columns * cell, rows * cell), interpolation=cv2.INTER_NEAREST)
    if mask.shape != alpha.shape:
        mask = np.pad(mask, ((0, height - rows * cell), (0, width - columns * cell)), mode="edge")
    weights = alpha + np.float32(rules.FAINT_ALPHA)
    around, shown = _sums(weights, cell), _sums(np.multiply(mask, weights), cell)
    share = shown / around
    share -= np.float32(rules.EDGE_SHARE)
    share *= np.float32(1 / (1 - 2 * rules.EDGE_SHARE))
    return np.clip(share, 0, 1, out=share)


def _sums(plane: Floats, reach: int) -> Floats:
    """Return the sums over squares that reach so many pixels to each side."""
    ones = np.ones(2 * reach + 1, np.float32)
    return np.asarray(cv2.sepFilter2D(plane, -1, ones, ones, borderType=cv2.BORDER_CONSTANT))
