"""What a network computes for a frame on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.core.matte_edit import Plane, View, viewed
from app.core.types import AlphaImage, BgrImage, Floats
from app.matting.kernels.network_arrays import all_finite

Bytes = NDArray[np.uint8]
NOTHING: Bytes = np.empty((0, 0), np.uint8)


class RefinedCells(NamedTuple):
    """Refined cells of 4x4 pixels, which replace what the coefficients give there."""

    indices: NDArray[np.int64]
    """(N,) row-major in the grid of cells."""
    matte: Floats
    """(N, 4, 4, 4): alpha and foreground residual, RGB."""


class FullSize(NamedTuple):
    """What coefficients give at the size of the frame; empty what is not wanted."""

    composite: Bytes
    """(H, 3 * W)"""
    alpha: AlphaImage
    """(H, W)"""
    foreground: Bytes
    """(H, 3 * W)"""


@dataclass(frozen=True)
class Coefficients:
    """Coefficients of the whole frame; see `app.matting.torch.core`."""

    small: Floats
    """(3, h, w) downsampled frame, RGB in 0..1."""
    slope: Floats
    """(4, h, w)"""
    offset: Floats
    """(4, h, w)"""
    coarse: Floats
    """(h, w) alpha in 0..1."""
    cells: RefinedCells | None = None
    hides_person: bool = False
    """See `Matte`."""

    def copied(self) -> Coefficients:
        """Return the same with copies of the arrays that the next step overwrites."""
        arrays = {name: getattr(self, name).copy() for name in ("small", "slope", "offset", "coarse")}
        return replace(self, **arrays)

    @property
    def finite(self) -> bool:
        """Whether there is neither NaN nor infinity."""
        refined = self.cells is None or bool(np.isfinite(self.cells.matte).all())
        return refined and all_finite(self.slope, self.offset)

    def network_alpha(self) -> tuple[Floats, NDArray[np.bool_] | None]:
        """Return the network's alpha of the frame, (h, w) in 0..1, and where it did not look; None: nowhere."""
        return np.clip(self.coarse, 0, 1), None

    def at_slope(self, plane: Floats) -> Floats:
        """Return the values of a plane (h, w) over the frame at the pixels of slope and offset."""
        return plane

    def edited(self, gain: Plane | None, keep: Plane | None, view: View | None) -> Coefficients:
        """Return the coefficients with a `MatteEdit`'s gain, keep and view (h, w), in new arrays where they change."""
        slope, offset, coarse = self.slope, self.offset, self.coarse
        if gain is not None or keep is not None:
            slope, offset = slope.copy(), offset.copy()
        if gain is not None:
            factor = self.at_slope(gain)
            slope[3] *= factor
            offset[3] *= factor
            coarse = coarse * gain
        if keep is not None:
            kept = self.at_slope(keep)
            slope[:3] *= 1 - kept
            offset[:3] *= 1 - kept  # where the frame is kept, its own colours are shown
            offset[3] += kept
            coarse = coarse + keep
        if view is None:
            return replace(self, slope=slope, offset=offset, coarse=coarse)
        small, slope, offset, alpha = (
            np.stack([viewed(plane, view) for plane in planes]) for planes in (self.small, slope, offset, coarse[None])
        )
        return replace(self, small=small, slope=slope, offset=offset, coarse=alpha[0])

    def full_size(self, finish: Finish, frame: BgrImage, backdrop: BgrImage) -> FullSize:
        """Return what `finish` makes of the frame, (H, W, 3), and the backdrop of the same shape."""
        return finish(self, frame, backdrop)


Finish = Callable[[Coefficients, BgrImage, BgrImage], FullSize]
