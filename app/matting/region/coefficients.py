"""Coefficients of a part of the frame, and planes carried between it and the frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from app.core.matte_edit import Plane, View, viewed
from app.core.types import BgrImage, Floats, Mask
from app.matting.cpu.compositor import NOTHING, Coefficients, Finish, FullSize
from app.matting.region.tracker import Roi, Sides

WHOLE: Sides = (0, 0, 1, 1)


def on_frame(plane: Floats, roi: Roi) -> Floats:
    """Return a plane (h, w) that covers a rectangle as one of the same size that covers the frame; 0 outside."""
    _, _, across, down = roi.fractions
    # Several pixels of the plane fall into one of the result. An even kernel would shift it.
    kernel = tuple(2 * round((1 / side - 1) / 2) + 1 for side in (across, down))
    means = cv2.blur(plane, kernel, borderType=cv2.BORDER_REPLICATE)
    return resampled(np.asarray(means, np.float32), roi.fractions, WHOLE, cv2.BORDER_CONSTANT)


def resampled(plane: Floats, covered: Sides, wanted: Sides, border: int) -> Floats:
    """Return a plane (h, w), which covers one part of the frame, as one of the same size that covers another.

    border: of OpenCV, for what lies outside.
    """
    height, width = plane.shape
    rows = []
    for axis, count in enumerate((width, height)):
        scale = wanted[axis + 2] / covered[axis + 2]
        shift = (wanted[axis] - covered[axis]) / covered[axis + 2] * count
        rows.append((scale, shift + (scale - 1) / 2))
    (across, left), (down, top) = rows
    matrix = np.array([[across, 0, left], [0, down, top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(plane, matrix, (width, height), flags=flags, borderMode=border, borderValue=0)
    return np.asarray(moved, np.float32)


@dataclass(frozen=True, kw_only=True)
class RegionCoefficients(Coefficients):
    """Slope and offset cover a part of the frame, outside which nobody is shown; small and coarse the whole frame."""

    roi: Roi
    """The part of the frame that slope and offset cover."""
    alpha_outside: Floats | None = None
    """(h, w) the network's alpha of the whole frame, for what is outside the part; None: it did not look there."""

    def network_alpha(self) -> tuple[Floats, Mask | None]:
        """See `Coefficients.network_alpha`."""
        alpha, outside = np.clip(self.coarse, 0, 1), self._outside_of(self.coarse.shape)
        if self.alpha_outside is None:
            return alpha, outside
        alpha[outside] = np.clip(self.alpha_outside[outside], 0, 1)
        return alpha, None

    def at_slope(self, plane: Floats) -> Floats:
        """See `Coefficients.at_slope`."""
        return resampled(plane, WHOLE, self.roi.fractions, cv2.BORDER_REPLICATE)

    def edited(self, gain: Plane | None, view: View | None) -> Coefficients:
        """See `Coefficients.edited`."""
        if view is None:
            edited = super().edited(gain, None)
            return replace(self, slope=edited.slope, offset=edited.offset, coarse=edited.coarse)
        sides = view.left, view.top, view.size, view.size
        slope, offset = (
            np.stack([resampled(plane, self.roi.fractions, sides, cv2.BORDER_CONSTANT) for plane in planes])
            for planes in (self.slope, self.offset)
        )
        small = np.stack([viewed(plane, view) for plane in self.small])
        shown = Coefficients(small, slope, offset, viewed(self.coarse, view))
        return shown.edited(None if gain is None else viewed(gain, view), None)

    def full_size(self, finish: Finish, frame: BgrImage, backdrop: BgrImage) -> FullSize:
        """See `Coefficients.full_size`."""
        inner = Coefficients(self.small, self.slope, self.offset, self.coarse)
        part = finish(inner, self.roi.cut(frame), self.roi.cut(backdrop))
        whole = self._outside(frame, backdrop, part)
        roi = self.roi
        for image, piece in zip(whole, part, strict=True):
            if image.size:
                channels = image.shape[1] // roi.frame_width
                columns = slice(channels * roi.left, channels * (roi.left + roi.width))
                image[roi.top : roi.top + roi.height, columns] = piece
        return whole

    def _outside(self, frame: BgrImage, backdrop: BgrImage, part: FullSize) -> FullSize:
        """Return the same for a frame in which nobody is: the background."""
        height, width = frame.shape[:2]
        composite = backdrop.reshape(height, -1).copy() if part.composite.size else NOTHING
        foreground = np.zeros((height, 3 * width), np.uint8) if part.foreground.size else NOTHING
        return FullSize(composite, np.zeros((height, width), np.uint8), foreground)

    def _outside_of(self, shape: tuple[int, ...]) -> Mask:
        """Return which pixels of a plane over the frame, (h, w), are not wholly inside the part."""
        (rows, columns), roi = shape, self.roi
        outside = np.ones(shape, np.bool_)
        first_row, first_column = -(-roi.top * rows // roi.frame_height), -(-roi.left * columns // roi.frame_width)
        last_row = (roi.top + roi.height) * rows // roi.frame_height
        last_column = (roi.left + roi.width) * columns // roi.frame_width
        outside[first_row:last_row, first_column:last_column] = False
        return outside
