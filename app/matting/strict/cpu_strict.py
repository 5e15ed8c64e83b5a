"""The strict levels on a CPU; `app.matting.strict.rules` explains them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.settings import StrictLevel
from app.core.types import Floats
from app.matting.base.interface import StateArrays
from app.matting.strict import rules
from app.matting.strict.cells import BackgroundModel, Mask, kept_cells, pooled


class StrictFilter:
    """Decides per frame which part of the matte is kept; holds the state of one stream."""

    def __init__(self) -> None:
        self.hides_person = False
        """Whether the network is certain of a person in the last frame who is not shown, after the first frames."""
        self._model: BackgroundModel | None = None
        self._seen: NDArray[np.uint8] | None = None

    def reset(self, seen: NDArray[np.uint8] | None = None) -> None:
        """Forget the stream. seen: alpha (H, W) of people who are shown at once, as if they had moved before."""
        self._model, self._seen, self.hides_person = None, seen, False

    def state(self) -> StateArrays:
        """Return copies of the model."""
        arrays = {} if self._model is None else dict(self._model.arrays())
        return arrays if self._seen is None else arrays | {"seen": self._seen.copy()}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the model."""
        self._seen = arrays["seen"].copy() if "seen" in arrays else None
        self._model = BackgroundModel.of(arrays) if "frames" in arrays else None

    def gain(self, level: StrictLevel, small: Floats, alpha: Floats, unseen: Mask | None = None) -> Floats:
        """Return the factor for alpha (h, w), in 0..1, and update the state. alpha: (h, w) in 0..1.

        unseen: (h, w) where the network did not look; alpha is not read there.
        """
        height, width = alpha.shape
        cell = rules.cell_size(width, height)
        image, cells = pooled(small, cell), pooled(alpha[None], cell)[0]
        model = self._model
        if model is None or model.moved.shape != cells.shape:
            model = self._model = BackgroundModel.begun(image, self._seen)
        if unseen is not None:
            unseen = pooled(unseen[None].astype(np.float32), cell)[0] > 0
            cells[unseen] = rules.UNSEEN_ALPHA
        kept, self.hides_person = kept_cells(model, image, cells, level == "strict", unseen)
        return soft_gain(kept, alpha, cell)


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
