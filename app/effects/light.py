"""Brightness, light match and portrait light: measure the light of a stream, smooth it over time, relight the person.

Brightness moves the exposure of head and shoulders towards that of a well-lit face. Exposure is the mean luminance of
the person in linear light. From LOW to HIGH it stays as it is, so that skin of every tone keeps its tone. Below, a face
is backlit and is raised towards MIDDLE; a frame whose own white is dark is raised as a whole, which every skin needs
alike. The person's highlights and the camera's noise limit both. A gain G acts on a gamma-encoded value x as
G x / (1 + (G - 1) x²): dark and middle tones get G, and 1 stays 1, so that nothing clips that did not.

Light match moves the person's statistics towards those of the backdrop: gain, white balance and contrast. They are
taken of gamma-encoded values in 0..1, where a gain of the illumination is a gain as well. Each part is followed only
partly and within limits, because a person and a scene of the same light still differ in colour.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.edits import MatteEdit
from app.core.settings import EdgeSettings
from app.core.types import BgrImage, BlurredBackground, Floats
from app.effects.base import Effect, FrameContext

GAMMA = 2.2
"""Of the transfer function by which values are decoded, near enough to that of sRGB for a mean."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
LOW, HIGH = 0.11, 0.42
"""Mean linear luminance of head and shoulders that needs no change: nine of ten portraits lie between."""
MIDDLE, PULL = 0.22, 1.8
"""What darker ones are raised towards, and by how many times their distance from LOW."""
WHITE = 0.7
"""Linear luminance that a hundredth of a well-exposed frame exceeds."""
LEAST_EV, MOST_EV = -1.0, 2.0
HIGHLIGHT = 0.5
"""Linear luminance up to which the brightest twentieth of the person is raised: dark skin has highlights like these."""
NOISE = 0.025
"""Deviation of the noise, of gamma-encoded values, up to which it is amplified."""
BODY_WEIGHT = 0.25
"""Weight of what is below head and shoulders, the upper third of the person."""
MIN_SHARE = 0.005
"""Smallest share of the frame that the person must fill."""
REST_EV, FAST_EV = 0.1 / 60, 1.0 / 60
"""Largest change a frame, at rest and after a change of the light: 0.1 and 1 EV a second at 60 fps, half at 30."""
DEAD_BAND_EV = 0.08
"""Smaller differences change nothing."""
FAR_EV, FAR_FRAMES = 0.4, 8
"""The light has changed once the difference is larger than this for so many frames."""
FINE_SHORT_SIDE = 135
"""Short side of the grid on which gains are computed, in cells."""
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Sees neither edges nor slopes, only noise (Immerkær, 1996, Fast noise variance estimation)."""
_NOISE_SCALE = 6 * 0.6745
"""Median of the absolute response to noise of deviation 1."""
_SQUARE = np.ones((3, 3), np.uint8)


class Exposure(NamedTuple):
    """What is measured of one frame; luminances are linear, in 0..1."""

    mean: float
    """Of the person, weighted."""
    highlight: float
    """That a twentieth of head and shoulders exceeds."""
    white: float
    """That a hundredth of the frame exceeds."""
    noise: float
    """Deviation of gamma-encoded values."""


def measured_exposure(image: Floats, alpha: Floats) -> Exposure | None:
    """Return the exposure of a frame, None where too little of a person is visible.

    image: (h, w, 3) RGB, alpha: (h, w), in 0..1.
    """
    response = cv2.filter2D(np.ascontiguousarray(image[..., 1]), -1, _NOISE_KERNEL)[::2, ::2]
    image, alpha = image[::2, ::2], alpha[::2, ::2]  # enough of them for means and shares
    opaque = np.clip(2 * alpha - 1, 0, 1)
    solid = alpha > 0.5
    rows = np.flatnonzero(solid.any(axis=1))
    if float(opaque.sum()) < MIN_SHARE * opaque.size or not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    shoulders = top + max(1, (bottom - top) // 3)
    opaque[shoulders:] *= BODY_WEIGHT
    luminance = luminance_of(image ** np.float32(GAMMA))
    return Exposure(
        float((opaque * luminance).sum() / opaque.sum()),
        exceeded_by(0.05, luminance[:shoulders][solid[:shoulders]]),
        exceeded_by(0.01, luminance.ravel()),
        exceeded_by(0.5, np.abs(response[solid])) / _NOISE_SCALE,
    )


def luminance_of(image: Floats) -> Floats:
    """Return the luminance (h, w) of an image (h, w, 3) RGB."""
    luminance: Floats = (image.reshape(-1, 3) @ LUMINANCE).reshape(image.shape[:2])
    return luminance


def exceeded_by(share: float, values: NDArray[np.floating]) -> float:
    """Return the value that this share of the values exceeds."""
    index = int((1 - share) * (len(values) - 1))
    return float(np.partition(values, index)[index])


def wanted_ev(exposure: Exposure) -> float:
    """Return the gain in EV that leads to a well-exposed person, within all limits."""
    mean, white = max(exposure.mean, 1e-4), max(exposure.white, 1e-4)
    if mean > HIGH:
        return max(LEAST_EV, float(np.log2(HIGH / mean)))
    backlit = min(PULL * float(np.log2(LOW / mean)), float(np.log2(MIDDLE / mean)))
    limits = (
        max(backlit, float(np.log2(WHITE / white))),
        float(np.log2(HIGHLIGHT / max(exposure.highlight, 1e-4))),
        GAMMA * float(np.log2(NOISE / max(exposure.noise, 1e-5))),
        MOST_EV,
    )
    return max(0.0, min(limits))


class Gain(NamedTuple):
    """The gain in use in a stream of frames."""

    ev: float
    far_frames: int
    """For so many frames in a row another gain by more than `FAR_EV` has been wanted."""


def next_gain(last: Gain | None, exposure: Exposure | None) -> Gain | None:
    """Return the gain for the next frame: the wanted one in the first frame, then one that moves towards it slowly.

    exposure: measured in the frame; None: nobody is visible.
    """
    if exposure is None:
        return last
    wanted = wanted_ev(exposure)
    if last is None:
        return Gain(wanted, 0)
    difference = wanted - last.ev
    far_frames = last.far_frames + 1 if abs(difference) > FAR_EV else 0
    if abs(difference) <= DEAD_BAND_EV:
        return Gain(last.ev, far_frames)
    step = FAST_EV if far_frames > FAR_FRAMES else REST_EV
    return Gain(last.ev + float(np.clip(difference, -step, step)), far_frames)


def gains_of(image: Floats, ev: float) -> Floats:
    """Return the factor (h, w) of gamma-encoded values for a gain in EV, with a soft shoulder.

    image: (h, w, 3) in 0..1. The brightest value near a cell counts, so that a highlight in it does not clip.
    """
    gain = np.float32(2 ** (ev / GAMMA))
    red, green, blue = (image[..., channel] for channel in range(3))  # `max` over an axis of three is slow
    brightest = cv2.blur(cv2.dilate(np.maximum(np.maximum(red, green), blue), _SQUARE), (3, 3))
    gains: Floats = gain / (1 + (gain - 1) * brightest * brightest)
    return gains


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
BRIGHTEST = 0.98
"""Level up to which the brightest twentieth of the person may be raised."""
CLIPPED = 0.985
"""Values from here on are clipped by the camera and carry no colour."""
FLAT = 0.01
"""Backdrops with less deviation than this in every channel are one colour: they carry no light to follow."""
DARKEST = 0.02


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
    weight: Floats = np.clip(2 * alpha - 1, 0, 1) * (image.max(axis=2) < CLIPPED)
    total = float(weight.sum())
    if total < MIN_SHARE * weight.size:
        return None
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


GRID_SHORT_SIDE = 48
"""Short side of the grid, in cells."""
KEY_LIGHT = 0.3
"""Log gain in the centre of the portrait light."""
KEY_SHADE = 0.05
"""Log attenuation far from it, which models the face."""
KEY_RADIUS = 0.7
"""Radius of the key light and its distance from the head, in units of the square root of the person's area."""


def grid_size(width: int, height: int, short_side: int = GRID_SHORT_SIDE) -> tuple[int, int]:
    """Return (width, height) of the grid for frames of this size. short_side: cells on its short side at most."""
    scale = min(1.0, short_side / min(width, height))
    return max(2, round(width * scale)), max(2, round(height * scale))


def found_head(alpha: Floats) -> tuple[float, float, float] | None:
    """Return where the person is in alpha (h, w): centre and top of the head, and the root of the area, in cells.

    None if nobody is visible.
    """
    solid = alpha > 0.5
    area = int(solid.sum())
    rows = np.flatnonzero(solid.sum(axis=1) >= 2)
    if area < 8 or not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1])
    upper = solid[top : top + max(1, (bottom - top) // 4) + 1].sum(axis=0)
    centre = float((upper * np.arange(len(upper))).sum() / max(upper.sum(), 1))
    return centre, float(top), float(np.sqrt(area))


def key_light(head: Floats, width: int, height: int) -> Floats:
    """Return the log gain (h, w) of a full portrait light: a soft lobe on one side of the face. head: `found_head`."""
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    head_x, top, size = map(float, head)
    radius = max(KEY_RADIUS * size, 1.0)
    lobe = np.exp(-((x - head_x + 0.4 * size) ** 2 + (y - top - 0.35 * size) ** 2) / (2 * radius**2))
    light: Floats = ((KEY_LIGHT + KEY_SHADE) * lobe - KEY_SHADE).astype(np.float32)
    return light


def relighting(tone: Tone, match: float, key: Floats | None, portrait: float, shape: tuple[int, int]) -> Floats:
    """Return gains (3) and biases (3), RGB, as (6, h, w).

    match, portrait: strengths in 0..1. key: log gain (h, w). shape: (h, w).
    """
    maps = np.empty((6, *shape), np.float32)
    contrast = float(np.exp(match * tone.log_contrast))
    gains = np.exp(match * tone.log_gains) * contrast
    pivot = float(np.exp(match * float(tone.log_gains.mean()))) * tone.mean
    maps[:3], maps[3:] = gains[:, None, None], (1 - contrast) * pivot
    if key is not None:
        limit = np.log(max(BRIGHTEST / max(tone.highlight * float(gains.mean()), DARKEST), 1.0))
        maps *= np.exp(np.minimum(portrait * key, limit))
    return maps


TONE_RATE = 0.06
"""Fraction of a change that the light match follows per frame: half of it within 0.4 s at 30 fps."""
HEAD_RATE = 0.15


class Light(Effect):
    """Relights the person of one stream."""

    settings = ("edges.light_match", "edges.portrait_light", "edges.brightness")

    def __init__(self) -> None:
        self._tone: Floats | None = None
        self._head: Floats | None = None
        self._backdrop: tuple[BgrImage, Floats] | None = None
        """The last backdrop and its grid."""
        self._gain: Gain | None = None
        """Of the brightness."""

    def prepare(self, frame: FrameContext, last: FrameContext | None) -> bool:
        edges = frame.settings.matting.edges
        return max(edges.light_match, edges.portrait_light, edges.brightness) > 0

    def edit(self, frame: FrameContext, small: Floats, alpha: Floats, step_s: float) -> MatteEdit:
        edges, backdrop = frame.settings.matting.edges, frame.backdrop
        cells = FINE_SHORT_SIDE if edges.brightness > 0 else GRID_SHORT_SIDE
        size = grid_size(alpha.shape[1], alpha.shape[0], cells)
        image = np.dstack([_resized(plane, *size) for plane in small])
        behind = None if isinstance(backdrop, BlurredBackground) else backdrop
        return MatteEdit(lights=(self.maps(image, _resized(alpha, *size), behind, edges),))

    def reset(self) -> None:
        self._tone = self._head = self._backdrop = self._gain = None

    def start_scene(self) -> None:
        self.reset()

    def maps(self, image: Floats, alpha: Floats, backdrop: BgrImage | None, edges: EdgeSettings) -> Floats:
        """Return gains (3) and biases (3), RGB, (6, h, w), for the next frame.

        image: (h, w, 3) RGB and alpha: (h, w), in 0..1, on the grid. backdrop: what is shown behind the person, of any
        size; None: the person's own background, whose light the person already has.
        """
        if edges.brightness == 0:
            return self._maps_of_light(image, alpha, backdrop, edges)
        self._gain = next_gain(self._gain, measured_exposure(image, alpha))
        gains = gains_of(image, edges.brightness / 100 * (self._gain.ev if self._gain is not None else 0.0))
        if max(edges.light_match, edges.portrait_light) == 0:
            return np.concatenate([np.broadcast_to(gains, (3, *gains.shape)), np.zeros((3, *gains.shape), np.float32)])
        size = grid_size(alpha.shape[1], alpha.shape[0])
        lit = _resized(image * gains[..., None], *size)
        coarse = self._maps_of_light(lit, _resized(alpha, *size), backdrop, edges)
        maps = np.stack([_resized(plane, alpha.shape[1], alpha.shape[0]) for plane in coarse])
        maps[:3] *= gains
        return maps

    def _maps_of_light(self, image: Floats, alpha: Floats, backdrop: BgrImage | None, edges: EdgeSettings) -> Floats:
        height, width = alpha.shape
        found = measured_tone(image, alpha, None if backdrop is None else self._light_of(backdrop, width, height))
        self._tone = smoothed(self._tone, found, TONE_RATE)
        tone = Tone(0.0, 0.0, 0.0, 0.0, 0.5, 0.5) if self._tone is None else Tone(*map(float, self._tone))
        key = None
        if edges.portrait_light > 0:
            self._head = smoothed(self._head, found_head(alpha), HEAD_RATE)
            if self._head is not None:
                key = key_light(self._head, width, height)
        return relighting(tone, edges.light_match / 100, key, edges.portrait_light / 100, (height, width))

    def _light_of(self, backdrop: BgrImage, width: int, height: int) -> Floats | None:
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


def _resized(plane: Floats, width: int, height: int) -> Floats:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def smoothed(last: Floats | None, found: tuple[float, ...] | None, rate: float) -> Floats | None:
    """Return a measurement smoothed over the frames of a stream. last: until now; found: in this frame, None: nothing.

    rate: share of the difference by which it moves; the first one counts in full.
    """
    if found is None:
        return last
    values = np.array(found, np.float32)
    moved: Floats = values if last is None else last + np.float32(rate) * (values - last)
    return moved
