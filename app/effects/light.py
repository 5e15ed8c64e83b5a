"""What the effects on the light share: the grid they measure on, and their changes of a frame.

Images are (h, w, 3) RGB, alphas (h, w), both in 0..1.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
# Smallest share of the frame that the person must fill.
MIN_SHARE = 0.005
# Level up to which the brightest twentieth of the person may be raised.
BRIGHTEST = 0.98
DARKEST = 0.02
# Values from here on are clipped by the camera and carry no colour.
CLIPPED = 0.985
# Short side of the grid, in cells.
GRID_SHORT_SIDE = 48
# Short side of the grid of the brightness, in cells.
FINE_SHORT_SIDE = 135


class Lighting:
    """What becomes of the light of the person in one frame. Each effect on the light adds its part.

    The brightness comes first. What follows is measured on the person as the brightness shows it,
    and is added to it, so that engines apply one map however many effects there are.
    """

    def __init__(self, small: Floats, alpha: Floats) -> None:
        """small: (3, h, w) RGB in 0..1. alpha: (h, w) in 0..1."""
        self._small = small
        self._coarse: tuple[Floats, Floats] | None = None
        # Of the brightness, on the fine grid.
        self._gains: Floats | None = None
        # Gains and biases of the other effects, on the coarse grid.
        self._maps: Floats | None = None
        # Replaced after each effect that hides a part of the matte.
        self.alpha = alpha
        # Luminance that a twentieth of the person exceeds in
        # this light; None while nothing has measured it.
        self.highlight: float | None = None

    def fine(self) -> tuple[Floats, Floats]:
        """Return image and alpha on the grid of the brightness."""
        return self._on_grid(FINE_SHORT_SIDE)

    def coarse(self) -> tuple[Floats, Floats]:
        """Return image and alpha on the coarse grid, in the light that the brightness gives."""
        if self._coarse is None:
            self._coarse = self._lit_coarse()
        return self._coarse

    def _lit_coarse(self) -> tuple[Floats, Floats]:
        if self._gains is None:
            return self._on_grid(GRID_SHORT_SIDE)
        image, alpha = self.fine()
        width, height = grid_size(alpha.shape[1], alpha.shape[0])
        lit = image * self._gains[..., None]
        return resized(lit, width, height), resized(alpha, width, height)

    def _on_grid(self, short_side: int) -> tuple[Floats, Floats]:
        width, height = grid_size(self.alpha.shape[1], self.alpha.shape[0], short_side)
        image = np.dstack([resized(plane, width, height) for plane in self._small])
        return image, resized(self.alpha, width, height)

    def brighten(self, gains: Floats) -> None:
        """Multiply the colours by `gains`, (h, w) on the fine grid."""
        self._gains = gains

    def match(self, maps: Floats, highlight: float) -> None:
        """Add gains (3) and biases (3), RGB, (6, h, w) on the coarse grid.

        highlight: luminance that a twentieth of the person then exceeds.
        """
        self._maps = maps
        self.highlight = highlight

    def multiply(self, factor: NDArray[np.floating]) -> None:
        """Multiply the colours by a factor, (h, w) on the coarse grid."""
        if self._maps is None:
            self._maps = without_change(*factor.shape)
        self._maps *= factor

    def maps(self) -> tuple[Floats, ...]:
        """Return what engines apply: gains (3) and biases (3), RGB, (6, h, w).

        It is empty where no effect added a part.
        """
        gains = self._gains
        coarse = self._maps
        if gains is None and coarse is None:
            return ()
        if gains is None:
            assert coarse is not None
            return (coarse,)
        height, width = gains.shape
        if coarse is None:
            maps = without_change(height, width)
        else:
            maps = np.stack([resized(plane, width, height) for plane in coarse])
        maps[:3] *= gains
        return (maps,)


def without_change(height: int, width: int) -> Floats:
    """Return gains of 1 and biases of 0, (6, h, w)."""
    maps = np.zeros((6, height, width), np.float32)
    maps[:3] = 1
    return maps


def luminance_of(image: Floats) -> Floats:
    """Return the luminance (h, w) of an image (h, w, 3) RGB."""
    luminance: Floats = (image.reshape(-1, 3) @ LUMINANCE).reshape(image.shape[:2])
    return luminance


def exceeded_by(share: float, values: NDArray[np.floating]) -> float:
    """Return the value that this share of the values exceeds."""
    index = int((1 - share) * (len(values) - 1))
    return float(np.partition(values, index)[index])


def person_weight(image: Floats, alpha: Floats) -> Floats | None:
    """Return how much each cell tells of the person's colours.

    None if too little of a person is visible.
    """
    weight: Floats = np.clip(2 * alpha - 1, 0, 1) * (image.max(axis=2) < CLIPPED)
    if float(weight.sum()) < MIN_SHARE * weight.size:
        return None
    return weight


def highlight_of(image: Floats, alpha: Floats) -> float:
    """Return the luminance that a twentieth of the person exceeds."""
    return exceeded_by(0.05, luminance_of(image)[alpha > 0.5])


def grid_size(width: int, height: int, short_side: int = GRID_SHORT_SIDE) -> tuple[int, int]:
    """Return (width, height) of the grid for frames of this size.

    short_side: cells on its short side at most.
    """
    scale = min(1.0, short_side / min(width, height))
    return max(2, round(width * scale)), max(2, round(height * scale))


def resized(plane: Floats, width: int, height: int) -> Floats:
    """Return an image or a plane, interpolated to this size."""
    interpolated = cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(interpolated, np.float32)


def smoothed(last: Floats | None, found: tuple[float, ...] | None, rate: float) -> Floats | None:
    """Return a measurement smoothed over the frames of a stream.

    last: until now; found: in this frame, None: nothing.

    rate: share of the difference by which it moves; the first one counts in full.
    """
    if found is None:
        return last
    values = np.array(found, np.float32)
    if last is None:
        return values
    moved: Floats = last + np.float32(rate) * (values - last)
    return moved
