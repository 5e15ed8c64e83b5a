"""The edge controls as look-up tables and radii, so that every executor treats the 8-bit alpha alike.

The order is: contrast, steadiness, grow or shrink, feather; despill belongs to the composite. Where the feather adds
alpha, the person's own colours are continued outward, so that no rim of the old room shows; the estimated foreground
counts there by the square of its share, because it is worst where alpha was small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.settings import EdgeSettings

SHARPEST = 1e-3
MOTION = 30.0
"""Changes of alpha (0..255) well above this are motion and pass at once; those well below are flicker."""

SPREAD_FACTOR = 4
"""The continued colours are found from one pixel in so many, each way."""
SPREAD_FLOOR = 1e-4
SPREAD_ALPHA = 128
"""Colours are continued from where alpha is at least this."""


@dataclass(frozen=True, slots=True)
class EdgePlan:
    """What has to be done to an alpha; None or 0 where a control is off."""

    contrast: NDArray[np.uint8] | None
    """(256,) the new alpha of each alpha."""
    steadiness: NDArray[np.int16] | None
    """(511,) the step to take for a difference of -255..255 from the last alpha."""
    grow_px: int
    feather_px: int
    despill: float
    strict: bool
    """Whether strict mode filters the matte before these controls; see `app.matting.strict`."""

    @property
    def touches_alpha(self) -> bool:
        """Whether the alpha is changed at all."""
        return self.contrast is not None or self.steadiness is not None or self.grow_px != 0 or self.feather_px != 0

    @property
    def active(self) -> bool:
        """Whether any control changes the matte or the foreground."""
        return self.touches_alpha or self.despill > 0


def plan(edges: EdgeSettings) -> EdgePlan:
    """The plan for these settings."""
    return EdgePlan(
        contrast=_contrast(edges.contrast, edges.threshold) if edges.contrast > 0 else None,
        steadiness=_steadiness(edges.steadiness) if edges.steadiness > 0 else None,
        grow_px=edges.grow_px,
        feather_px=edges.feather_px,
        despill=edges.despill,
        strict=edges.strict,
    )


def octagon(radius: int) -> tuple[int, int]:
    """(square, diamond) radii whose one-after-the-other dilation is nearly a disc of `radius`."""
    square = round(0.41 * radius)
    return square, radius - square


def box_radii(feather_px: int) -> tuple[int, int]:
    """Radii of the two box blurs that soften over `feather_px` pixels in all."""
    reach = -(-feather_px // 2)
    return reach // 2, reach - reach // 2


def spread_radius(feather_px: int) -> int:
    """Radius of the two box blurs, at small size, that continue the person's colours beyond the feather's reach."""
    return -(-feather_px // SPREAD_FACTOR)


def _contrast(contrast: float, threshold: float) -> NDArray[np.uint8]:
    alpha = np.arange(256) / 255
    raised = (alpha - threshold) / max(1 - contrast, SHARPEST) + threshold
    return np.rint(np.clip(raised, 0, 1) * 255).astype(np.uint8)


def _steadiness(steadiness: float) -> NDArray[np.int16]:
    """At least one step of 1, so that a held alpha still arrives."""
    difference = np.arange(-255, 256)
    follow = 1 - steadiness * np.exp(-((difference / MOTION) ** 2))
    size = np.maximum(np.rint(np.abs(difference) * follow), 1)
    return (np.sign(difference) * size).astype(np.int16)
