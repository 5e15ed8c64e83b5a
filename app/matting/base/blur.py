"""Parameters of the background blur: Gaussian taps for a strength of 0 to 100.

The background is blurred at reduced size by normalized convolution (Knutsson and Westin 1993). Each pixel is weighted
by 1 - alpha, so the person's colours do not bleed into the background and there is no halo. Where no weight remains
behind the person, a wide blur of the surroundings fills the hole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WEAKEST, STRONGEST = 0.008, 0.1
"""Gaussian sigma at strength 0 and 100, as a fraction of the short side of the camera's frame."""
WIDEST = 0.2
"""Largest sigma, as a fraction of the short side of a magnified part of that frame."""

PERSON_MARGIN = 2
"""Width in background pixels of the margin around the person that gets zero weight."""
FILL_FACTOR = 8
"""The fill is computed at the background's size divided by this."""
FILL_SIGMA = 3.0
FILL_WEIGHT = 0.02
FLOOR = 1e-4


def gaussian(sigma: float, radius: int) -> NDArray[np.float32]:
    """Return normalized Gaussian taps, float32 (2 * radius + 1,), with sum 1."""
    x = np.arange(-radius, radius + 1)
    taps = np.exp(-0.5 * (x / sigma) ** 2)
    normalised: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return normalised


def strength_sigma(strength: float, short_side: int, zoom: float = 1.0) -> float:
    """Return the Gaussian sigma in pixels for a background whose short side is `short_side`.

    Sigma grows exponentially with the strength, so equal steps look equally large. zoom: see `BlurredBackground`.
    """
    part: float = WEAKEST * (STRONGEST / WEAKEST) ** (min(max(strength, 0.0), 100.0) / 100)
    return short_side * min(part * zoom, WIDEST)


def strength_taps(strength: float, short_side: int, zoom: float = 1.0) -> NDArray[np.float32]:
    """Return the taps for a strength. Their number is constant, so that a compiled step works for any of them."""
    sigma = strength_sigma(strength, short_side, zoom)
    most = int(np.ceil(3 * WIDEST * short_side))
    radius = int(np.ceil(3 * max(sigma, STRONGEST * short_side)))
    return np.pad(gaussian(sigma, radius), most - radius)


DISC_RADIUS = 3.0
"""Radius of a bokeh disc, in Gaussian sigmas of the same strength."""
DISC_EDGE = 0.28
"""Sigma of a disc's soft edge, in radii. A hard disc lets detail through that could be recovered: with this edge,
less than 0.1 of 255 levels is left of stripes like text 60 px high at the least strength of strict mode."""
HIGHLIGHT, HIGHLIGHT_POWER = 8.0, 3
"""A white pixel weighs this much more than a black one; weights grow with this power of the squared brightness."""


FILL_TAPS = gaussian(FILL_SIGMA, round(3 * FILL_SIGMA))
