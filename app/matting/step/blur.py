"""The numbers behind the blurred room: Gaussian taps for a strength of 0 to 100.

The room is blurred at a small size. Each pixel is weighted by how little of the person it shows (normalised
convolution, Knutsson and Westin 1993), so nothing of the person bleeds out: there is no halo. Behind the person, where
no weight is left, a wide blur of the surroundings fills in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WEAKEST, STRONGEST = 0.008, 0.1
"""The Gaussian's sigma at strength 0 and 100, as a part of the picture's short side."""

STRICT_STRENGTH = 70.0
"""The least strength in strict mode: text of 60 px at 720p is not readable after deconvolution."""

PERSON_MARGIN = 2
"""How many pixels of the small room around the person do not count as room."""
FILL_FACTOR = 8
"""The wide fill is found at this much less than the small room's size."""
FILL_SIGMA = 3.0
FILL_WEIGHT = 0.02
FLOOR = 1e-4


def gaussian(sigma: float, radius: int) -> NDArray[np.float32]:
    """Taps (2 * radius + 1,) float32 that sum to 1."""
    x = np.arange(-radius, radius + 1)
    taps = np.exp(-0.5 * (x / sigma) ** 2)
    normalised: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return normalised


def strength_sigma(strength: float, short_side: int) -> float:
    """The Gaussian's sigma in pixels of a room whose short side is `short_side`; each step looks equally large."""
    part: float = WEAKEST * (STRONGEST / WEAKEST) ** (min(max(strength, 0.0), 100.0) / 100)
    return short_side * part


def strength_radius(short_side: int) -> int:
    """The taps' radius that holds every strength: three sigmas of the strongest."""
    return int(np.ceil(3 * STRONGEST * short_side))


def strength_taps(strength: float, short_side: int) -> NDArray[np.float32]:
    """Taps for a strength, always of the same number, so that a captured graph can take any strength."""
    return gaussian(strength_sigma(strength, short_side), strength_radius(short_side))


FILL_TAPS = gaussian(FILL_SIGMA, round(3 * FILL_SIGMA))
