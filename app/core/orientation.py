"""How the frames of a camera or a film are turned, before anything else sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Rotation = Literal[0, 90, 180, 270]
"""Degrees, clockwise."""
_CODES = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class Orientation:
    """The turn that brings the pictures of a camera upright: by `rotate`, then `flip` swaps left and right.

    Positions are (x, y) in fractions of width and height.
    """

    rotate: Rotation = 0
    flip: bool = False

    def __str__(self) -> str:
        """Return words for a sentence or a name, such as `rotated 90 flipped`; empty for no turn."""
        return " ".join(((f"rotated {self.rotate}",) if self.rotate else ()) + (("flipped",) if self.flip else ()))

    @property
    def is_sideways(self) -> bool:
        """Whether width and height are exchanged."""
        return self.rotate in (90, 270)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) of an upright picture. width, height: of the camera's."""
        return (height, width) if self.is_sideways else (width, height)

    def upright(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image of the camera, (H, W) or (H, W, channels), upright; the same one if there is no turn."""
        if self.rotate:
            image = np.asarray(cv2.rotate(image, _CODES[self.rotate]), np.uint8)
        return np.asarray(cv2.flip(image, 1), np.uint8) if self.flip else image

    def to_upright(self, x: float, y: float) -> tuple[float, float]:
        """Return where a position of the camera's picture is in the upright one."""
        for _ in range(self.rotate // 90):
            x, y = 1 - y, x
        return (1 - x, y) if self.flip else (x, y)

    def from_upright(self, x: float, y: float) -> tuple[float, float]:
        """Return where a position of the upright picture is in the camera's; the inverse of `to_upright`."""
        x = 1 - x if self.flip else x
        for _ in range(self.rotate // 90):
            x, y = y, 1 - x
        return x, y


UNTURNED = Orientation()
