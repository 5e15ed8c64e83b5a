"""The strict levels on a CPU; `app.matting.strict.rules` explains them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.settings import StrictLevel
from app.core.types import Floats
from app.matting.base.state import StateArrays
from app.matting.strict import rules
from app.matting.strict.background_model import BackgroundModel, Mask
from app.matting.strict.cells import kept_cells, pooled
from app.matting.strict.soft_edge import soft_gain


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
