"""Brightness: measure the exposure of the person, and move it towards that of a well-lit face.

Exposure is the mean luminance of head and shoulders in linear light. From LOW to HIGH it stays as
it is, so that skin of every tone keeps its tone. Below, a face is backlit and is raised towards
MIDDLE; a frame whose own white is dark is raised as a whole, which every skin needs alike. The
person's highlights and the camera's noise limit both. A gain G acts on a gamma-encoded value x as G
x / (1 + (G - 1) x²): dark and middle tones get G, and 1 stays 1, so that nothing clips that did
not.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from app.core.declaration import Model, look
from app.core.types import UNCHANGED, Floats, MatteEdit
from app.effects.base import Effect, FrameContext, SeenFrame
from app.effects.light import MIN_SHARE, exceeded_by, luminance_of


class BrightnessSettings(Model):
    """Whether the person is exposed anew."""

    brightness: float = look(
        0.0,
        "Brighten a dark face, darken an overexposed one.",
        0,
        100,
        title="Brightness",
        option="--brightness",
        unit="percent",
    )


# Values are decoded with this power: near enough to sRGB for a mean.
GAMMA = 2.2
# Mean linear luminances of head and shoulders between which
# nothing changes: those of nine of ten portraits.
LOW = 0.11
HIGH = 0.42
# Darker faces are raised towards MIDDLE, by PULL times their distance
# from LOW: a face that is hardly too dark hardly changes.
MIDDLE = 0.22
PULL = 1.8
# Linear luminance that a hundredth of a well-exposed frame exceeds.
WHITE = 0.7
LEAST_EV = -1.0
MOST_EV = 2.0
# Linear luminance up to which the brightest twentieth of the
# person is raised: dark skin has highlights like these.
HIGHLIGHT = 0.5
# Standard deviation (of gamma-encoded values) up to which noise is amplified.
NOISE = 0.025
# Weight of what is below head and shoulders, the upper third of the person.
BODY_WEIGHT = 0.25
# Largest change a frame, at rest and after a change of the
# light: 0.1 and 1 EV a second at 60 fps, half at 30.
REST_EV = 0.1 / 60
FAST_EV = 1.0 / 60
# Smaller differences change nothing.
DEAD_BAND_EV = 0.08
# The light has changed once the difference is larger than this for so many frames.
FAR_EV = 0.4
FAR_FRAMES = 8
# Responds to noise, not to edges or slopes (Immerkær 1996, Fast noise variance estimation).
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
# Median of the absolute response to noise of deviation 1.
_NOISE_SCALE = 6 * 0.6745
_SQUARE = np.ones((3, 3), np.uint8)


class Exposure(NamedTuple):
    """What is measured of one frame; luminances are linear, in 0..1."""

    # Of the person; head and shoulders count most.
    mean: float
    # A twentieth of head and shoulders exceeds it.
    highlight: float
    # A hundredth of the frame exceeds it.
    white: float
    # Standard deviation of the noise, of gamma-encoded values.
    noise: float


def measured_exposure(image: Floats, alpha: Floats) -> Exposure | None:
    """Return the exposure of a frame, None where too little of a person is visible.

    image: (h, w, 3) RGB, alpha: (h, w), in 0..1.
    """
    green = np.ascontiguousarray(image[..., 1])
    response = cv2.filter2D(green, -1, _NOISE_KERNEL)[::2, ::2]
    # Every fourth cell is enough for means and shares.
    image = image[::2, ::2]
    alpha = alpha[::2, ::2]
    opaque = np.clip(2 * alpha - 1, 0, 1)
    solid = alpha > 0.5
    rows = np.flatnonzero(solid.any(axis=1))
    if float(opaque.sum()) < MIN_SHARE * opaque.size or not len(rows):
        return None
    top = int(rows[0])
    bottom = int(rows[-1]) + 1
    shoulders = top + max(1, (bottom - top) // 3)
    opaque[shoulders:] *= BODY_WEIGHT
    luminance = luminance_of(image ** np.float32(GAMMA))
    return Exposure(
        float((opaque * luminance).sum() / opaque.sum()),
        exceeded_by(0.05, luminance[:shoulders][solid[:shoulders]]),
        exceeded_by(0.01, luminance.ravel()),
        exceeded_by(0.5, np.abs(response[solid])) / _NOISE_SCALE,
    )


def wanted_ev(exposure: Exposure) -> float:
    """Return the gain in EV that leads to a well-exposed person, within all limits."""
    mean = max(exposure.mean, 1e-4)
    white = max(exposure.white, 1e-4)
    if mean > HIGH:
        return max(LEAST_EV, float(np.log2(HIGH / mean)))
    backlit_ev = min(PULL * float(np.log2(LOW / mean)), float(np.log2(MIDDLE / mean)))
    underexposed_ev = float(np.log2(WHITE / white))
    highlight_ev = float(np.log2(HIGHLIGHT / max(exposure.highlight, 1e-4)))
    # The noise is measured in encoded values: a factor there is GAMMA as many EV of linear light.
    noise_ev = GAMMA * float(np.log2(NOISE / max(exposure.noise, 1e-5)))
    ev = min(max(backlit_ev, underexposed_ev), highlight_ev, noise_ev, MOST_EV)
    return max(0.0, ev)


class Gain(NamedTuple):
    """The gain in use in a stream of frames."""

    ev: float
    # For so many frames in a row another gain by more than `FAR_EV` has been wanted.
    far_frames: int


def next_gain(last: Gain | None, exposure: Exposure | None) -> Gain | None:
    """Return the gain for the next frame, which moves slowly towards the wanted one.

    In the first frame it is the wanted one. exposure: measured in the frame; None: nobody is
    visible.
    """
    if exposure is None:
        return last
    wanted = wanted_ev(exposure)
    if last is None:
        return Gain(wanted, 0)
    difference = wanted - last.ev
    far_frames = 0
    if abs(difference) > FAR_EV:
        far_frames = last.far_frames + 1
    if abs(difference) <= DEAD_BAND_EV:
        return Gain(last.ev, far_frames)
    step = FAST_EV if far_frames > FAR_FRAMES else REST_EV
    return Gain(last.ev + float(np.clip(difference, -step, step)), far_frames)


def gains_of(image: Floats, ev: float) -> Floats:
    """Return the factor (h, w) of gamma-encoded values for a gain in EV, with a soft shoulder.

    image: (h, w, 3) in 0..1. The brightest value near a cell counts, so that a highlight in it does
    not clip.
    """
    gain = np.float32(2 ** (ev / GAMMA))
    # Channel by channel: `max` over an axis of three is slow.
    brightest_channel = np.maximum(np.maximum(image[..., 0], image[..., 1]), image[..., 2])
    brightest = cv2.blur(cv2.dilate(brightest_channel, _SQUARE), (3, 3))
    gains: Floats = gain / (1 + (gain - 1) * brightest * brightest)
    return gains


class Brightness(Effect[BrightnessSettings]):
    """Moves the exposure of the person of one stream."""

    section = "light"
    part = BrightnessSettings

    def __init__(self) -> None:
        self._gain: Gain | None = None

    def is_on(self, frame: FrameContext) -> bool:
        return self.own(frame).brightness > 0

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        image, alpha = seen.lighting.fine()
        self._gain = next_gain(self._gain, measured_exposure(image, alpha))
        ev = 0.0
        if self._gain is not None:
            ev = self._gain.ev
        strength = self.own(frame).brightness / 100
        seen.lighting.brighten(gains_of(image, strength * ev))
        return UNCHANGED

    def reset(self) -> None:
        self._gain = None

    def start_scene(self) -> None:
        self.reset()
