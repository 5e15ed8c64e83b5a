"""Kernel that tells whether a block of alpha shows anything."""

from __future__ import annotations

import numpy as np

from app.matting.kernels.jit import Bytes, jit


@jit
def any_visible(alpha: Bytes) -> bool:
    """Return whether any of N values is above 0."""
    seen = np.uint8(0)
    for x in range(alpha.shape[0]):
        seen |= alpha[x]
    return bool(seen)
