"""What is done to a matte between the network and the composite, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = TypeVar("Pixels", NDArray[np.uint8], NDArray[np.float32])
Plane = NDArray[np.float32]
"""(h, w) float32 at the size of the network's input, in 0..1."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of the frame with the frame's aspect ratio, in fractions of the frame's width and height."""

    left: float = 0.0
    top: float = 0.0
    size: float = 1.0
    """Of both sides: 1 is the whole frame, 0.5 a zoom of 2."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is cropped."""
        return self.size >= 1

    def to_frame(self, x: float, y: float) -> tuple[float, float]:
        """Convert a position in the view to one in the frame, both in fractions."""
        return self.left + x * self.size, self.top + y * self.size

    def from_frame(self, x: float, y: float) -> tuple[float, float]:
        """Convert a position in the frame to one in the view; the inverse of `to_frame`."""
        return (x - self.left) / self.size, (y - self.top) / self.size


WHOLE_VIEW = View()


@dataclass(frozen=True, slots=True, eq=False)
class MatteEdit:
    """The change of one matte: alpha becomes alpha * gain, and the composite shows `view`."""

    gain: Plane | None = None
    """Factor of alpha; None: 1."""
    view: View | None = None
    """The part of the frame that the composite shows; None: the whole frame."""


def viewed(image: Pixels, view: View) -> Pixels:
    """Return the part of an image (H, W) or (H, W, C), enlarged to the image's size, at a precision below a pixel.

    A crop of whole pixels would shake while the view moves slowly.
    """
    height, width = image.shape[:2]
    matrix = np.array(
        [
            [view.size, 0, view.left * width + (view.size - 1) / 2],
            [0, view.size, view.top * height + (view.size - 1) / 2],
        ],
        np.float64,
    )  # from pixels of the view to pixels of the image; pixel centres are at whole numbers
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(image, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped).astype(image.dtype, copy=False)
