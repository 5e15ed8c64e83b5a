"""Light match: move gain, white balance and contrast of the person towards those of the backdrop.

The statistics are taken of gamma-encoded values in 0..1, where a gain of the illumination is a gain
as well. Each part is followed only partly and within limits, because a person and a scene of the
same light still differ in colour.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from app.core.declaration import Model, look
from app.core.types import UNCHANGED, BgrImage, BlurredBackground, Floats, MatteEdit
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


# Fractions of a difference that a full light match removes. Half of it is the
# best estimate of the light: in photos, persons and their surroundings differ by
# 0.42 in the log of brightness, 0.22 of colour and 0.96 of contrast.
EXPOSURE_PULL = 0.5
CHROMA_PULL = 0.35
CONTRAST_PULL = 0.12
# Largest log gain of the brightness: one f-stop.
MAX_EXPOSURE = 0.3
# Largest log gain of a channel against the brightness; skin keeps its hue.
MAX_CHROMA = 0.12
# Largest log ratio of the contrasts.
MAX_CONTRAST = 0.12
# Mean log ratio of surroundings to person in photos: of brightness and of contrast.
USUAL_EXPOSURE = -0.12
USUAL_CONTRAST = -0.54
# The same for the channels against the brightness, RGB: skin is red.
USUAL_CHROMA = np.array([-0.151, 0.038, 0.071], np.float32)
# Colours are means of this order, to which dark clothes
# and furniture contribute little (shades of grey).
POWER = 6
# Backdrops with less deviation than this in every channel
# are one colour: they carry no light to follow.
FLAT = 0.01


class Tone(NamedTuple):
    """What a full light match does to the person, towards the light of the backdrop.

    red, green and blue are log gains; together they are exposure and white balance.
    """

    red: float
    green: float
    blue: float
    log_contrast: float
    # Mean luminance of the person, around which contrast changes.
    mean: float
    # Luminance that a twentieth of the person exceeds.
    highlight: float

    @property
    def log_gains(self) -> Floats:
        """Return the log gains of the three channels, (3,) RGB."""
        return np.array(self[:3], np.float32)


def light_of(image: Floats, weight: Floats | None) -> Floats:
    """Return the colour (3,) RGB of the light in an image (h, w, 3).

    weight: (h, w), None for all pixels alike. It is a mean of order `POWER`: shades of grey
    (Finlayson and Trezzi 2004).
    """
    squares = (image * image).reshape(-1, 3)
    powers = squares * squares * squares
    if weight is None:
        mean = powers.mean(axis=0)
    else:
        mean = weight.ravel() @ powers / weight.sum()
    light: Floats = np.maximum(mean ** np.float32(1 / POWER), DARKEST).astype(np.float32)
    return light


def measured_tone(image: Floats, alpha: Floats, backdrop: Floats | None) -> Tone | None:
    """Return the tone of a full match; None if too little of a person is visible.

    image: (h, w, 3) RGB, alpha: (h, w), backdrop: (h, w, 3), all in 0..1. backdrop None: one whose
    light the person already has, or that has none; gains and contrast are then neutral.
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
    # The person's brightest parts must not clip.
    limit = float(np.log(max(BRIGHTEST / max(highlight, DARKEST), 1.0)))
    pulled_exposure = EXPOSURE_PULL * (exposure - USUAL_EXPOSURE)
    gain = float(np.clip(pulled_exposure, -MAX_EXPOSURE, min(MAX_EXPOSURE, limit)))
    red, green, blue = map(float, gain + chroma)
    deviation = float(np.sqrt((weight * (luminance - mean) ** 2).sum() / total))
    log_contrast = _log_contrast(luminance_of(backdrop), deviation / max(mean, DARKEST))
    return Tone(red, green, blue, log_contrast, mean, highlight)


def _log_contrast(behind: Floats, of_person: float) -> float:
    """Return the log ratio of contrasts by which the person's contrast changes.

    behind: luminance of the backdrop. of_person: deviation of the person's luminance over its mean.
    """
    of_backdrop = float(behind.std()) / max(float(behind.mean()), DARKEST)
    ratio = of_backdrop / max(of_person, DARKEST)
    pulled = CONTRAST_PULL * (float(np.log(max(ratio, DARKEST))) - USUAL_CONTRAST)
    return float(np.clip(pulled, -MAX_CONTRAST, MAX_CONTRAST))


# Fraction of a change that the light match follows
# per frame: half of it within 0.4 s at 30 fps.
TONE_RATE = 0.06
# Until a person is seen.
UNKNOWN = Tone(0.0, 0.0, 0.0, 0.0, 0.5, 0.5)


class LightMatch(Effect[LightMatchSettings]):
    """Gives the person of one stream the light of the backdrop."""

    section = "light"
    part = LightMatchSettings

    def __init__(self) -> None:
        self._tone: Floats | None = None
        # The last backdrop and its grid: a still one is sampled once.
        self._backdrop: tuple[BgrImage, Floats] | None = None

    def is_on(self, frame: FrameContext) -> bool:
        return self.own(frame).match > 0

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        image, alpha = seen.lighting.coarse()
        height, width = alpha.shape
        behind = None
        # The person already has the light of a blurred room.
        if not isinstance(frame.backdrop, BlurredBackground):
            behind = self._light_behind(frame.backdrop, width, height)
        self._tone = smoothed(self._tone, measured_tone(image, alpha, behind), TONE_RATE)
        tone = UNKNOWN
        if self._tone is not None:
            tone = Tone(*map(float, self._tone))
        strength = self.own(frame).match / 100
        # Contrast changes around the person's mean as the gains show it: gain * (x - mean) + mean.
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
        grid = self._sampled(backdrop, width, height)
        _means, deviations = cv2.meanStdDev(grid)
        if deviations.max() < FLAT:  # such as a green screen
            return None
        return grid

    def _sampled(self, backdrop: BgrImage, width: int, height: int) -> Floats:
        if self._backdrop is not None:
            image, grid = self._backdrop
            if image is backdrop and grid.shape[1] == width:
                return grid
        grid = rgb_on_grid(backdrop, width, height)
        self._backdrop = (backdrop, grid)
        return grid


def rgb_on_grid(image: BgrImage, width: int, height: int) -> Floats:
    """Return an image (H, W, 3) uint8 BGR sampled to (height, width, 3) float32 RGB in 0..1."""
    sampled = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR))
    grid: Floats = np.ascontiguousarray(sampled[..., ::-1]) / np.float32(255)
    return grid
