"""Coefficients of a part of the frame, which nothing else of the step tells from those of the whole frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.matte_edit import Plane, View, viewed
from app.core.types import BgrImage, Floats
from app.matting.cpu.coefficients import NOTHING, Coefficients, Finish, FullSize
from app.matting.region.roi import Roi, resampled


@dataclass(frozen=True, kw_only=True)
class RegionCoefficients(Coefficients):
    """Slope and offset cover a part of the frame, outside which nobody is shown; small and coarse the whole frame."""

    roi: Roi
    """The part of the frame that slope and offset cover."""
    keep: Floats | None = None
    """(h, w) alpha with which the frame itself is shown; slope and offset contain it already."""
    alpha_outside: Floats | None = None
    """(h, w) the network's alpha of the whole frame, for what is outside the part; None: it did not look there."""

    def network_alpha(self) -> tuple[Floats, NDArray[np.bool_] | None]:
        """See `Coefficients.network_alpha`."""
        alpha, outside = np.clip(self.coarse, 0, 1), self.roi.outside(self.coarse.shape)
        if self.alpha_outside is None:
            return alpha, outside
        alpha[outside] = np.clip(self.alpha_outside[outside], 0, 1)
        return alpha, None

    def at_slope(self, plane: Floats) -> Floats:
        """See `Coefficients.at_slope`."""
        return self.roi.from_frame(plane)

    def edited(self, gain: Plane | None, keep: Plane | None, view: View | None) -> Coefficients:
        """See `Coefficients.edited`."""
        if view is None:
            edited = super().edited(gain, keep, None)
            return replace(self, slope=edited.slope, offset=edited.offset, coarse=edited.coarse, keep=keep)
        # The view first: nothing is outside any more where something is kept.
        sides = view.left, view.top, view.size, view.size
        slope, offset = (
            np.stack([resampled(plane, self.roi.fractions, sides, cv2.BORDER_CONSTANT) for plane in planes])
            for planes in (self.slope, self.offset)
        )
        small = np.stack([viewed(plane, view) for plane in self.small])
        shown = Coefficients(small, slope, offset, viewed(self.coarse, view), hides_person=self.hides_person)
        gain, keep = (None if plane is None else viewed(plane, view) for plane in (gain, keep))
        return shown.edited(gain, keep, None)

    def full_size(self, finish: Finish, frame: BgrImage, backdrop: BgrImage) -> FullSize:
        """See `Coefficients.full_size`."""
        inner = Coefficients(self.small, self.slope, self.offset, self.coarse)
        part = finish(inner, self.roi.cut(frame), self.roi.cut(backdrop))
        whole = self._outside(finish, frame, backdrop, part)
        for image, piece in zip(whole, part, strict=True):
            if image.size:
                self.roi.paste(piece, image)
        return whole

    def _outside(self, finish: Finish, frame: BgrImage, backdrop: BgrImage, part: FullSize) -> FullSize:
        """Return the same for a frame in which nobody is: the background, and what is kept of the frame."""
        if self.keep is not None:
            slope, offset = np.zeros_like(self.slope), np.zeros_like(self.offset)
            offset[3] = self.keep
            return finish(Coefficients(self.small, slope, offset, self.coarse), frame, backdrop)
        height, width = frame.shape[:2]
        composite = backdrop.reshape(height, -1).copy() if part.composite.size else NOTHING
        foreground = np.zeros((height, 3 * width), np.uint8) if part.foreground.size else NOTHING
        return FullSize(composite, np.zeros((height, width), np.uint8), foreground)
