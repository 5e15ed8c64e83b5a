"""Parameters of the frame step, the same for all executors: edge controls, background blur, exposure of dark frames.

Edge controls are look-up tables and radii, so that all executors process 8-bit alpha identically. Their order:
contrast, temporal smoothing, grow or shrink, feather. Despill is part of the compositing. Where feathering adds alpha,
the person's colours are extended outward, so that no rim of the original background shows. The estimated foreground
is weighted there by the square of its alpha share, because it is least accurate where alpha was small.

The background is blurred at reduced size by normalized convolution (Knutsson and Westin 1993). Each pixel is weighted
by 1 - alpha, so the person's colours do not bleed into the background and there is no halo. Where no weight remains
behind the person, a wide blur of the surroundings fills the hole.

Networks were trained on well-lit people and lose parts of dark ones: they see a dark small frame times a gain. Their
coefficients are then made those of the frame as it is.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.settings import EdgeSettings, StrictLevel

SHARPEST = 1e-3
MOTION = 30.0
"""Changes of alpha (0..255) well above this are treated as motion and pass unchanged; those well below as flicker."""

SPREAD_FACTOR = 4
"""Downsampling factor per axis at which the extended colours are computed."""
SPREAD_FLOOR = 1e-4
SPREAD_ALPHA = 128
"""Minimum alpha of the pixels whose colours are extended."""


@dataclass(frozen=True, slots=True)
class EdgePlan:
    """The operations to apply to alpha and foreground; None or 0 where a control is off."""

    contrast: NDArray[np.uint8] | None
    """(256,) look-up table from alpha to new alpha."""
    temporal_smoothing: NDArray[np.int16] | None
    """(511,) step to take for each difference -255..255 from the previous alpha."""
    grow_px: int
    feather_px: int
    despill: float
    strict: StrictLevel
    """How strict mode filters the matte before the edge controls; see `app.matting.strict`."""
    touches_alpha: bool
    """Whether any control changes alpha."""
    active: bool
    """Whether any edge control changes alpha or the foreground."""


@functools.lru_cache(maxsize=8)
def plan(edges: EdgeSettings) -> EdgePlan:
    """Return the plan for these settings."""
    touches_alpha = any((edges.contrast > 0, edges.temporal_smoothing > 0, edges.grow_px, edges.feather_px))
    return EdgePlan(
        contrast=_contrast(edges.contrast, edges.threshold) if edges.contrast > 0 else None,
        temporal_smoothing=_smoothing_steps(edges.temporal_smoothing) if edges.temporal_smoothing > 0 else None,
        grow_px=edges.grow_px,
        feather_px=edges.feather_px,
        despill=edges.despill,
        strict=edges.strict,
        touches_alpha=touches_alpha,
        active=touches_alpha or edges.despill > 0,
    )


def octagon(radius: int) -> tuple[int, int]:
    """Return (square, diamond) radii; dilation by both in sequence approximates a disc of `radius`."""
    square = round(0.41 * radius)
    return square, radius - square


def box_radii(feather_px: int) -> tuple[int, int]:
    """Return the radii of the two box blurs that together feather over `feather_px` pixels."""
    reach = -(-feather_px // 2)
    return reach // 2, reach - reach // 2


def spread_radius(feather_px: int) -> int:
    """Return the radius of the two box blurs that extend the person's colours, in downsampled pixels.

    The radius covers the width of the feather.
    """
    return -(-feather_px // SPREAD_FACTOR)


def _contrast(contrast: float, threshold: float) -> NDArray[np.uint8]:
    alpha = np.arange(256) / 255
    raised = (alpha - threshold) / max(1 - contrast, SHARPEST) + threshold
    return np.rint(np.clip(raised, 0, 1) * 255).astype(np.uint8)


def _smoothing_steps(temporal_smoothing: float) -> NDArray[np.int16]:
    """Return a table whose nonzero differences take a step of at least 1, so that alpha always converges."""
    difference = np.arange(-255, 256)
    follow = 1 - temporal_smoothing * np.exp(-((difference / MOTION) ** 2))
    size = np.maximum(np.rint(np.abs(difference) * follow), 1)
    return (np.sign(difference) * size).astype(np.int16)


WEAKEST, STRONGEST = 0.008, 0.1
"""Gaussian sigma at strength 0 and 100, as a fraction of the short side of the camera's frame."""
WIDEST = 0.2
"""Largest sigma, as a fraction of the short side of a magnified part of that frame."""
REACH = 4
"""Sigmas to which a Gaussian goes. One of 3 lets a tenth of a level of small text pass, which could be recovered."""

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


@functools.lru_cache(maxsize=8)
def strength_taps(strength: float, short_side: int, zoom: float = 1.0) -> NDArray[np.float32]:
    """Return the taps for a strength. Their number is constant, so that a compiled step works for any of them."""
    sigma = strength_sigma(strength, short_side, zoom)
    radius, most = (int(np.ceil(REACH * each)) for each in (sigma, WIDEST * short_side))
    return np.pad(gaussian(sigma, radius), most - radius)


DISC_RADIUS = 3.0
"""Radius of a bokeh disc, in Gaussian sigmas of the same strength."""
DISC_EDGE = 0.28
"""Sigma of a disc's soft edge, in radii. A hard disc lets detail through that could be recovered: with this edge,
less than 0.1 of 255 levels is left of stripes like text 60 px high at the least strength of strict mode."""
HIGHLIGHT, HIGHLIGHT_POWER = 8.0, 3
"""A white pixel weighs this much more than a black one; weights grow with this power of the squared brightness."""


FILL_TAPS = gaussian(FILL_SIGMA, round(3 * FILL_SIGMA))


DARK, DARKER = 0.3, 0.2
"""Mean of the small frame, of 0..1, below which it gets a gain, and the full one."""
TARGET = 0.4
"""Mean to which the full gain leads."""
MOST_GAIN = 4.0


def network_gain(mean: float) -> float:
    """Return the gain of the network's input for a small frame with this mean, 1 where it is not dark."""
    share = min(max((DARK - mean) / (DARK - DARKER), 0.0), 1.0)
    return min(1 + (TARGET / max(mean, 1e-3) - 1) * share, MOST_GAIN)
