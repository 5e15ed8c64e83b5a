"""Portrait light: a soft lamp on one side of the face, which follows the head."""

from __future__ import annotations

import numpy as np

from app.core.declaration import Model, look
from app.core.types import UNCHANGED, Floats, MatteEdit
from app.effects.base import Effect, FrameContext, SeenFrame
from app.effects.light import BRIGHTEST, DARKEST, highlight_of, person_weight, smoothed
from app.effects.light_match import TONE_RATE, UNKNOWN


class PortraitLightSettings(Model):
    """Whether a lamp lights the face."""

    portrait: float = look(
        0.0,
        "Light your face like a soft lamp.",
        0,
        100,
        title="Portrait light",
        option="--portrait-light",
        unit="percent",
    )


# Log gain in the centre of the portrait light.
KEY_LIGHT = 0.3
# Log attenuation far from it, which models the face.
KEY_SHADE = 0.05
# Radius of the key light and its distance from the head,
# in units of the square root of the person's area.
KEY_RADIUS = 0.7


def found_head(alpha: Floats) -> tuple[float, float, float] | None:
    """Return centre and top of the head in alpha (h, w), and the root of the person's area.

    All are in cells; None if nobody is visible.
    """
    solid = alpha > 0.5
    area = int(solid.sum())
    rows = np.flatnonzero(solid.sum(axis=1) >= 2)
    if area < 8 or not len(rows):
        return None
    top = int(rows[0])
    bottom = int(rows[-1])
    upper = solid[top : top + max(1, (bottom - top) // 4) + 1].sum(axis=0)
    centre = float((upper * np.arange(len(upper))).sum() / max(upper.sum(), 1))
    return centre, float(top), float(np.sqrt(area))


def key_light(head: Floats, width: int, height: int) -> Floats:
    """Return the log gain (h, w) of a full portrait light: a soft lobe on one side of the face.

    head: `found_head`.
    """
    x = np.arange(width, dtype=np.float32)
    y = np.arange(height, dtype=np.float32)[:, None]
    head_x, top, size = map(float, head)
    radius = max(KEY_RADIUS * size, 1.0)
    # The lamp stands left of the head and a little below its top.
    squared_distance = (x - head_x + 0.4 * size) ** 2 + (y - top - 0.35 * size) ** 2
    lobe = np.exp(-squared_distance / (2 * radius**2))
    light: Floats = ((KEY_LIGHT + KEY_SHADE) * lobe - KEY_SHADE).astype(np.float32)
    return light


# Fraction of a movement of the head that the lamp follows per frame.
HEAD_RATE = 0.15


class PortraitLight(Effect[PortraitLightSettings]):
    """Lights the face of the person of one stream."""

    section = "light"
    part = PortraitLightSettings

    def __init__(self) -> None:
        self._head: Floats | None = None
        self._highlight: Floats | None = None

    def is_on(self, frame: FrameContext) -> bool:
        return self.own(frame).portrait > 0

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        image, alpha = seen.lighting.coarse()
        # Light match has measured it in the light that it gives; without it, it is measured here.
        highlight = seen.lighting.highlight
        if highlight is None:
            highlight = self._smoothed_highlight(image, alpha)
        self._head = smoothed(self._head, found_head(alpha), HEAD_RATE)
        if self._head is not None:
            strength = self.own(frame).portrait / 100
            lamp = strength * key_light(self._head, alpha.shape[1], alpha.shape[0])
            # The person's brightest parts must not clip.
            limit = np.log(max(BRIGHTEST / max(highlight, DARKEST), 1.0))
            seen.lighting.multiply(np.exp(np.minimum(lamp, limit)))
        return UNCHANGED

    def _smoothed_highlight(self, image: Floats, alpha: Floats) -> float:
        if person_weight(image, alpha) is not None:
            measured = (highlight_of(image, alpha),)
            self._highlight = smoothed(self._highlight, measured, TONE_RATE)
        if self._highlight is None:
            return UNKNOWN.highlight
        return float(self._highlight[0])

    def reset(self) -> None:
        self._head = None
        self._highlight = None

    def start_scene(self) -> None:
        self.reset()
