"""Maps of gain and bias over the frame, by which the foreground is relit: person * gain + bias.

All maps lie on a coarse grid: each control changes slowly across the frame.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from app.core.types import Floats
from app.matting.light.tone import BRIGHTEST, DARKEST, Tone

GRID_SHORT_SIDE = 48
"""Short side of the grid, in cells."""
RIM_SIGMA = 0.035
"""Width of the light wrap's rim, as a fraction of the frame's short side."""
WRAP_BLUR = 0.05
"""Blur of the backdrop whose light wraps around the person, as a fraction of the frame's short side."""
MAX_WRAP = 0.5
"""Share of the backdrop's light at the rim with a full light wrap."""
KEY_LIGHT = 0.3
"""Log gain in the centre of the portrait light."""
KEY_SHADE = 0.05
"""Log attenuation far from it, which models the face."""
KEY_RADIUS = 0.7
"""Radius of the key light and its distance from the head, in units of the square root of the person's area."""


class Head(NamedTuple):
    """Where the portrait light finds the person, in cells of the grid."""

    x: float
    """Horizontal centre of the top of the person."""
    top: float
    size: float
    """Square root of the person's area."""

    def array(self) -> Floats:
        """Return the values as (3,)."""
        return np.array(self, np.float32)


def grid_size(width: int, height: int) -> tuple[int, int]:
    """Return (width, height) of the grid for frames of this size."""
    scale = min(1.0, GRID_SHORT_SIDE / min(width, height))
    return max(2, round(width * scale)), max(2, round(height * scale))


def found_head(alpha: Floats) -> Head | None:
    """Return where the head is in alpha (h, w); None if nobody is visible."""
    solid = alpha > 0.5
    area = int(solid.sum())
    rows = np.flatnonzero(solid.sum(axis=1) >= 2)
    if area < 8 or not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1])
    upper = solid[top : top + max(1, (bottom - top) // 4) + 1].sum(axis=0)
    centre = float((upper * np.arange(len(upper))).sum() / max(upper.sum(), 1))
    return Head(centre, float(top), float(np.sqrt(area)))


def key_light(head: Head, width: int, height: int) -> Floats:
    """Return the log gain (h, w) of a full portrait light: a soft lobe on one side of the face."""
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    radius = max(KEY_RADIUS * head.size, 1.0)
    lobe = np.exp(-((x - head.x + 0.4 * head.size) ** 2 + (y - head.top - 0.35 * head.size) ** 2) / (2 * radius**2))
    light: Floats = ((KEY_LIGHT + KEY_SHADE) * lobe - KEY_SHADE).astype(np.float32)
    return light


def rim(alpha: Floats) -> Floats:
    """Return the weight (h, w) of the light wrap: 1 at the person's outline and beyond, 0 well inside."""
    sigma = max(RIM_SIGMA * min(alpha.shape), 0.5)
    inside = cv2.GaussianBlur(alpha, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    weight: Floats = np.clip(2 * (1 - np.asarray(inside, np.float32)), 0, 1)
    return weight


def wrapping_light(backdrop: Floats) -> Floats:
    """Return the blurred backdrop (h, w, 3)."""
    sigma = max(WRAP_BLUR * min(backdrop.shape[:2]), 0.5)
    return np.asarray(cv2.GaussianBlur(backdrop, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def relighting(
    tone: Tone, match: float, key: Floats | None, portrait: float, wrap: Floats | None, shape: tuple[int, int]
) -> Floats:
    """Return gains (3) and biases (3), RGB, as (6, h, w).

    match, portrait: strengths in 0..1. key: log gain (h, w). wrap: light (h, w, 3) in 0..1, added like a projection on
    the person (screen), so that it only brightens. shape: (h, w).
    """
    maps = np.empty((6, *shape), np.float32)
    contrast = float(np.exp(match * tone.log_contrast))
    gains = np.exp(match * tone.log_gains) * contrast
    pivot = float(np.exp(match * float(tone.log_gains.mean()))) * tone.mean
    maps[:3], maps[3:] = gains[:, None, None], (1 - contrast) * pivot
    if key is not None:
        limit = np.log(max(BRIGHTEST / max(tone.highlight * float(gains.mean()), DARKEST), 1.0))
        maps *= np.exp(np.minimum(portrait * key, limit))
    if wrap is not None:
        light = wrap.transpose(2, 0, 1)
        both = maps.reshape(2, *light.shape)
        both *= 1 - light
        both[1] += light
    return maps
