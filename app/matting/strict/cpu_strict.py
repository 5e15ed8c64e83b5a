"""Strict mode on a CPU; `app.matting.strict.rules` explains it."""

from __future__ import annotations

from types import ModuleType

import cv2
import numpy as np
from numpy.typing import NDArray

from app.matting.kernels import numpy_composite
from app.matting.kernels.dispatch import compiled
from app.matting.region.place import Place
from app.matting.state import StateArrays
from app.matting.strict import numpy_cells, rules
from app.matting.strict.memory import Floats, Mask, Memory, Planes


class StrictFilter:
    """Decides per frame which part of the matte is kept; holds the state of one stream."""

    def __init__(self, kernels: ModuleType | None = None) -> None:
        """kernels: see `app.matting.openvino_backend.strips.Strips`."""
        # The compiled kernels are imported here only: numba may be missing.
        if (kernels or compiled.wait()) is numpy_composite:
            self._pooled, self._kept_cells = numpy_cells.pooled, numpy_cells.kept_cells
        else:
            from app.matting.strict import compiled_cells

            self._pooled, self._kept_cells = compiled_cells.pooled, compiled_cells.kept_cells
        self._memory: Memory | None = None
        self._seen: NDArray[np.uint8] | None = None

    def reset(self, seen: NDArray[np.uint8] | None = None) -> None:
        """Forget the stream. seen: alpha (H, W) of people who are shown at once, as if they had moved before."""
        self._memory = None
        self._seen = seen

    def state(self) -> StateArrays:
        """Return copies of the memory."""
        arrays = {} if self._memory is None else dict(self._memory.arrays())
        return arrays if self._seen is None else arrays | {"seen": self._seen.copy()}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the memory."""
        self._seen = arrays["seen"].copy() if "seen" in arrays else None
        self._memory = Memory.of(arrays) if "frames" in arrays else None

    def apply(
        self,
        small: Floats,
        slope: Floats,
        offset: Floats,
        coarse: Floats,
        place: Place | None = None,
        beside: Floats | None = None,
    ) -> None:
        """Change the coefficients of alpha (last plane of slope and offset, (4, h, w)) and coarse (h, w) in place.

        small: (3, h, w), RGB in 0..1. place: the part of the frame that slope and offset cover; None: all of it.
        beside: (h, w) alpha of the whole frame, read outside the place; None: the network did not look there.
        """
        alpha, unseen = np.clip(coarse, 0, 1), None
        if place is not None:
            outside = place.outside(alpha.shape)
            if beside is None:
                unseen = outside
            else:
                alpha[outside] = np.clip(beside[outside], 0, 1)
        gain = self.gain(small, alpha, unseen)
        coarse *= gain
        if place is not None:
            gain = place.from_frame(gain)
        gain *= np.float32(1 / (1 - rules.FLOOR))
        slope[3] *= gain
        offset[3] -= np.float32(rules.FLOOR)
        offset[3] *= gain

    def gain(self, small: Floats, alpha: Floats, unseen: Mask | None = None) -> Floats:
        """Return the factor for alpha (h, w), in 0..1, and update the state. alpha: (h, w) in 0..1.

        unseen: (h, w) where the network did not look; alpha is not read there.
        """
        height, width = alpha.shape
        cell = rules.cell_size(width, height)
        image, cells = self._pooled(small, cell), self._pooled(alpha[None], cell)[0]
        memory = self._memory
        if memory is None or memory.moved.shape != cells.shape:
            memory = self._memory = Memory.begun(image, self._seen)
        if unseen is None:
            kept = self._kept_cells(memory, image, cells)
        else:
            kept = self._kept_beside(memory, image, cells, self._pooled(unseen[None].astype(np.float32), cell)[0] > 0)
        memory.grow_older()
        rows, columns = kept.shape
        inner = np.asarray(cv2.resize(kept, (columns * cell, rows * cell), interpolation=cv2.INTER_LINEAR), np.float32)
        if inner.shape == alpha.shape:
            return inner
        return np.pad(inner, ((0, height - rows * cell), (0, width - columns * cell)), mode="edge")

    def _kept_beside(self, memory: Memory, image: Planes, cells: Floats, unseen: Mask) -> Floats:
        """Return the cells that are kept; the unseen ones (h, w) remember motion, and learn no background."""
        cells[unseen] = rules.UNSEEN_ALPHA
        spared = np.asarray(cv2.dilate(unseen.view(np.uint8), np.ones((3, 3), np.uint8))).view(np.bool_)
        background, frames, doubtful = memory.background[:, spared], memory.frames[spared], memory.doubtful[spared]
        kept = self._kept_cells(memory, image, cells)
        if memory.age > 0:  # otherwise the scene was cut
            memory.background[:, spared] = background
            memory.frames[spared], memory.doubtful[spared] = frames, doubtful
        return kept
