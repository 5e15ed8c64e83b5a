"""A head and shoulders."""

from __future__ import annotations

import numpy as np

from app.core.types import AlphaImage


def person(x: float, width: int = 640, height: int = 360) -> AlphaImage:
    """Return a head and shoulders with the head's centre at `x` of the width."""
    alpha = np.zeros((height, width), np.uint8)
    middle = round(x * width)
    alpha[height // 4 : height // 2, max(0, middle - 40) : middle + 40] = 255
    alpha[height // 2 :, max(0, middle - 120) : middle + 120] = 255
    return alpha
