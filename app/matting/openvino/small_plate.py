"""Comparison of small frames with the plate; `models.mattecam.plate` explains it."""

from __future__ import annotations

import cv2
import numpy as np

from app.core.types import Floats
from models.mattecam.plate_rule import NEAR, OTHER, REACH, SAME


class SmallPlate:
    """The plate at the size of the small frame. What depends on the plate alone is computed once."""

    def __init__(self, plate: Floats, maps: Floats) -> None:
        """plate: (3, h, w), RGB in 0..1. maps: (5, h, w), see `models.names`; the plate is copied into it."""
        self._plate, self._maps = plate, maps
        maps[:3] = plate
        blurred = [_blurred(channel) for channel in plate]
        around = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
        self._highest = np.stack([cv2.dilate(channel, around) for channel in blurred])
        self._lowest = np.stack([cv2.erode(channel, around) for channel in blurred])
        self._near = np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)
        self._changed = np.ones(plate.shape[1:], np.float32)

    def compare(self, small: Floats) -> None:
        """Fill the differences in `maps` for a small frame (3, h, w)."""
        smooth = np.stack([_blurred(channel) for channel in small])
        away = np.maximum(smooth - self._highest, self._lowest - smooth).max(0)
        np.maximum(away, 0, out=away)
        self._maps[3] = away
        np.mean(np.abs(small - self._plate), axis=0, out=self._maps[4])
        near = np.asarray(cv2.dilate(away, self._near), np.float32)
        np.clip((near - SAME) / (OTHER - SAME), 0, 1, out=self._changed)

    def limit(self, alpha: Floats) -> None:
        """Set alpha (h, w) to 0 where the compared frame is the plate all around."""
        alpha *= self._changed


def _blurred(channel: Floats) -> Floats:
    return np.asarray(cv2.blur(channel, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)
