"""Parameters of a network's decision stage as plain numbers, for execution without torch.

A network that is unsure of a region gives it an intermediate alpha, so that the background shows through a whole chair
or bystander. The decision stage makes such a region background or foreground as a whole; only a band along the contour,
where hair, motion blur and fabric are translucent, keeps the alpha of the network:

    mean = means of alpha over 3x3 pixels
    foreground = clamp((mean - 1/2 + hysteresis * last) / width + 1/2, 0, 1)
    alpha = clamp(alpha, box(erode(foreground)), box(dilate(foreground)))

`last` is 2 * foreground - 1 of the previous frame, 0 before the first. Borders are replicated.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """Lengths are in pixels of the small frame."""

    band: int = 3
    """Radius of erosion and dilation: how far from the contour alpha is unchanged."""
    ramp: int = 2
    """Radius of the box: over which the limits fade in."""
    hysteresis: float = 0.15
    """Difference between a mean alpha and 0.5 below which the previous decision weighs more."""
    width: float = 0.3
    """Range of mean alpha over which the decision goes from background to foreground; it damps flicker."""
