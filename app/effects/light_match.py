"""Light match: move gain, white balance and contrast of the person towards those of the backdrop.

The statistics are taken of gamma-encoded values in 0..1, where a gain of the illumination is a gain as well. Each part
is followed only partly and within limits, because a person and a scene of the same light still differ in colour.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from app.core.declaration import Model, look
from app.core.edits import UNCHANGED, MatteEdit
from app.core.types import BgrImage, BlurredBackground, Floats
from app.effects.base import Effect, FrameContext, SeenFrame
from app.effects.light import (
    BRIGHTEST,
    DARKEST,
    LUMINANCE,
    exceeded_by,
    luminance_of,
    person_weight,
    smoothed,
)


class LightMatchSettings(Model):
    """Whether the person takes on the light of the background."""

    match: float = look(
        0.0,
        "Adapt your light and colours to the background.",
        0,
        100,
        title="Light match",
        option="--light-match",
        unit="percent",
    )


EXPOSURE_PULL, CHROMA_PULL, CONTRAST_PULL = 0.5, 0.35, 0.12
"""Fractions of a difference that a full light match removes. Half of it is the best estimate of the light: in photos,
persons and their surroundings differ by 0.42 in the log of brightness, 0.22 of colour and 0.96 of contrast."""
MAX_EXPOSURE = 0.3
"""Largest log gain of the brightness: one f-stop."""
MAX_CHROMA = 0.12
"""Largest log gain of a channel against the brightness; skin keeps its hue."""
MAX_CONTRAST = 0.12
"""Largest log ratio of the contrasts."""
USUAL_EXPOSURE, USUAL_CONTRAST = -0.12, -0.54
"""Mean log ratio of surroundings to person in photos: of brightness and of contrast."""
USUAL_CHROMA = np.array([-0.151, 0.038, 0.071], np.float32)
"""The same for the channels against the brightness, RGB: skin is red."""
POWER = 6
"""Colours are means of this order, to which dark clothes and furniture contribute little (shades of grey)."""
FLAT = 0.01
"""Backdrops with less deviation than this in every channel are one colour: they carry no light to follow."""


class Tone(NamedTuple):
    """What a full light match does to the person: gain, white balance and contrast, towards those of the backdrop."""

    red: float
    """Log gain, as of the other two."""
    green: float
    blue: float
    log_contrast: float
    mean: float
    """Mean luminance of the person, around which contrast changes."""
    highlight: float
    """Luminance that a twentieth of the person exceeds."""

    @property
    def log_gains(self) -> Floats:
        """Of the three channels, (3,) RGB."""
        return np.array(self[:3], np.float32)


def light_of(image: Floats, weight: Floats | None) -> Floats:
    """Return the colour (3,) RGB of the light in an image (h, w, 3); weight: (h, w), None for all pixels alike."""
    squares = (image * image).reshape(-1, 3)
    powers = squares * squares * squares
    mean = powers.mean(axis=0) if weight is None else weight.ravel() @ powers / weight.sum()
    light: Floats = np.maximum(mean ** np.float32(1 / POWER), DARKEST).astype(np.float32)
    return light


def measured_tone(image: Floats, alpha: Floats, backdrop: Floats | None) -> Tone | None:
    """Return the tone of a full match; None if too little of a person is visible.

    image: (h, w, 3) RGB, alpha: (h, w), backdrop: (h, w, 3), all in 0..1. backdrop None: one whose light the person
    already has, or that has none; gains and contrast are then neutral.
    """
    weight = person_weight(image, alpha)
    if weight is None:
        return None
    total = float(weight.sum())
    luminance = luminance_of(image)
    mean = float((weight * luminance).sum() / total)
    highlight = exceeded_by(0.05, luminance[alpha > 0.5])
    if backdrop is None:
        return Tone(0.0, 0.0, 0.0, 0.0, mean, highlight)
    difference = np.log(light_of(backdrop, None) / light_of(image, weight))
    exposure = float(difference @ LUMINANCE)
    chroma = np.clip(CHROMA_PULL * (difference - exposure - USUAL_CHROMA), -MAX_CHROMA, MAX_CHROMA)
    deviation = float(np.sqrt((weight * (luminance - mean) ** 2).sum() / total))
    behind = luminance_of(backdrop)
    contrast = (float(behind.std()) / max(float(behind.mean()), DARKEST)) / max(deviation / max(mean, DARKEST), DARKEST)
    log_contrast = CONTRAST_PULL * (float(np.log(max(contrast, DARKEST))) - USUAL_CONTRAST)
    log_contrast = float(np.clip(log_contrast, -MAX_CONTRAST, MAX_CONTRAST))
    limit = float(np.log(max(BRIGHTEST / max(highlight, DARKEST), 1.0)))
    exposure = float(np.clip(EXPOSURE_PULL * (exposure - USUAL_EXPOSURE), -MAX_EXPOSURE, min(MAX_EXPOSURE, limit)))
    red, green, blue = map(float, exposure + chroma)
    return Tone(red, green, blue, log_contrast, mean, highlight)


TONE_RATE = 0.06
"""Fraction of a change that the light match follows per frame: half of it within 0.4 s at 30 fps."""
UNKNOWN = Tone(0.0, 0.0, 0.0, 0.0, 0.5, 0.5)
"""Until a person is seen."""


class LightMatch(Effect[LightMatchSettings]):
    """Gives the person of one stream the light of the backdrop."""

    section = "light"
    part = LightMatchSettings

    def __init__(self) -> None:
        self._tone: Floats | None = None
        self._backdrop: tuple[BgrImage, Floats] | None = None
        """The last backdrop and its grid."""

    def begin_frame(self, frame: FrameContext, last: FrameContext | None) -> bool:
        return self.own(frame).match > 0

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        image, alpha = seen.lighting.coarse()
        height, width = alpha.shape
        behind = None
        if not isinstance(frame.backdrop, BlurredBackground):  # of a blurred room the person already has the light
            behind = self._light_behind(frame.backdrop, width, height)
        self._tone = smoothed(self._tone, measured_tone(image, alpha, behind), TONE_RATE)
        tone = UNKNOWN if self._tone is None else Tone(*map(float, self._tone))
        strength = self.own(frame).match / 100
        contrast = float(np.exp(strength * tone.log_contrast))
        gains = np.exp(strength * tone.log_gains) * contrast
        pivot = float(np.exp(strength * float(tone.log_gains.mean()))) * tone.mean
        maps = np.empty((6, height, width), np.float32)
        maps[:3] = gains[:, None, None]
        maps[3:] = (1 - contrast) * pivot
        seen.lighting.match(maps, tone.highlight * float(gains.mean()))
        return UNCHANGED

    def reset(self) -> None:
        self._tone = None
        self._backdrop = None

    def start_scene(self) -> None:
        self.reset()

    def _light_behind(self, backdrop: BgrImage, width: int, height: int) -> Floats | None:
        """Return the backdrop on the grid (h, w, 3), RGB in 0..1; None if it is one colour."""
        if self._backdrop is None or self._backdrop[0] is not backdrop or self._backdrop[1].shape[1] != width:
            self._backdrop = backdrop, rgb_on_grid(backdrop, width, height)
        is_flat = cv2.meanStdDev(self._backdrop[1])[1].max() < FLAT  # such as a green screen
        return None if is_flat else self._backdrop[1]


def rgb_on_grid(image: BgrImage, width: int, height: int) -> Floats:
    """Return an image (H, W, 3) uint8 BGR sampled to (height, width, 3) float32 RGB in 0..1."""
    sampled = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR))
    grid: Floats = np.ascontiguousarray(sampled[..., ::-1]) / np.float32(255)
    return grid
