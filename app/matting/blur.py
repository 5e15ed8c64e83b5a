"""The blurred background, the same for all executors: its numbers, and its arithmetic in numpy.

It is blurred at reduced size by normalized convolution (Knutsson and Westin 1993). Each pixel is
weighted by 1 - alpha, so the person's colours do not bleed into the background and there is no
halo. Where no weight remains behind the person, a wide blur of the surroundings fills the hole.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage, Floats

# Gaussian sigma at strength 0 and 100, as a
# fraction of the short side of the camera's frame.
WEAKEST = 0.008
STRONGEST = 0.1
# Largest sigma, as a fraction of the short side of a magnified part of that frame.
WIDEST = 0.2
# Sigmas to which a Gaussian goes. One of 3 lets a tenth of a
# level of small text pass, which could be recovered.
REACH = 4

# Width in background pixels of the margin around the person that gets zero weight.
PERSON_MARGIN = 2
# The fill is computed at the background's size divided by FILL_FACTOR, with a Gaussian of
# FILL_SIGMA there. It weighs so little that it shows only where nothing else has weight.
FILL_FACTOR = 8
FILL_SIGMA = 3.0
FILL_WEIGHT = 0.02
# Weight of the mean colour in the fill: a hole that no colour reaches is not black.
FLOOR = 1e-4


def gaussian(sigma: float, radius: int) -> NDArray[np.float32]:
    """Return normalized Gaussian taps, float32 (2 * radius + 1,), with sum 1."""
    x = np.arange(-radius, radius + 1)
    taps = np.exp(-0.5 * (x / sigma) ** 2)
    normalised: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return normalised


def strength_sigma(strength: float, short_side: int, zoom: float = 1.0) -> float:
    """Return the Gaussian sigma in pixels for a background whose short side is `short_side`.

    Sigma grows exponentially with the strength, so equal steps look equally large. zoom: see
    `BlurredBackground`.
    """
    share = min(max(strength, 0.0), 100.0) / 100
    part: float = WEAKEST * (STRONGEST / WEAKEST) ** share
    return short_side * min(part * zoom, WIDEST)


@functools.lru_cache(maxsize=8)
def strength_taps(strength: float, short_side: int, zoom: float = 1.0) -> NDArray[np.float32]:
    """Return the taps for a strength.

    Their number is constant, so that a compiled step works for any of them.
    """
    sigma = strength_sigma(strength, short_side, zoom)
    radius = int(np.ceil(REACH * sigma))
    largest_radius = int(np.ceil(REACH * (WIDEST * short_side)))
    return np.pad(gaussian(sigma, radius), largest_radius - radius)


# Radius of a bokeh disc, in Gaussian sigmas of the same strength.
DISC_RADIUS = 3.0
# Sigma of a disc's soft edge, in radii. A hard disc lets detail through that
# could be recovered: with this edge, less than 0.1 of 255 levels is left of
# stripes like text 60 px high at the least strength of strict mode.
DISC_EDGE = 0.28
# A white pixel weighs this much more than a black one;
# weights grow with this power of the squared brightness.
HIGHLIGHT = 8.0
HIGHLIGHT_POWER = 3


FILL_TAPS = gaussian(FILL_SIGMA, round(3 * FILL_SIGMA))


# The blur of a magnified room is computed on images so
# coarse that its Gaussians have at least this sigma.
COARSE_SIGMA = 2.5
# Discs of more pixels than this in radius are computed on a coarser image.
LARGEST_DISC = 4.0
# Supersampling of a disc's edge.
FINER = 8


def blurred_background(
    small: Floats,
    alpha: Floats,
    strength: float,
    factor: int,
    width: int,
    height: int,
    *,
    bokeh: bool = False,
    zoom: float = 1.0,
) -> BgrImage:
    """Return the blurred background without the person, (height, width, 3) uint8 BGR.

    small: (3, h, w) RGB and alpha: (h, w), both in 0..1. factor: downsampling factor from the small
    frame to the background. bokeh: blur with soft-edged discs in which highlights prevail. zoom:
    see `BlurredBackground`.
    """
    weighted = _weighted(small, alpha, factor, highlights=bokeh)
    sigma = strength_sigma(strength, min(weighted.shape[:2]), zoom)
    if bokeh:
        picture = _with_discs(weighted, sigma)
    else:
        coarser = 1 if zoom == 1 else max(1, int(sigma / COARSE_SIGMA))
        picture = _with_gaussian(weighted, sigma, coarser)
    enlarged = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, np.uint8)


def _with_gaussian(weighted: Floats, sigma: float, coarser: int) -> BgrImage:
    """Blur on an image that is so many times coarser."""
    height, width = weighted.shape[:2]
    size = (width // coarser, height // coarser)
    coarse = _array(cv2.resize(weighted, size, interpolation=cv2.INTER_AREA))
    taps = gaussian(sigma / coarser, int(np.ceil(REACH * sigma / coarser)))
    return _coloured(_smooth(coarse, taps), coarse)


def _with_discs(weighted: Floats, sigma: float) -> BgrImage:
    """Blur with discs, on an image so coarse that they are small."""
    height, width = weighted.shape[:2]
    radius = DISC_RADIUS * sigma
    coarser = max(1, int(radius / LARGEST_DISC))
    size = (max(1, width // coarser), max(1, height // coarser))
    coarse = _array(cv2.resize(weighted, size, interpolation=cv2.INTER_AREA))
    radius /= coarser
    edge = max(DISC_EDGE * radius, 0.3)
    soft = _smooth(coarse, gaussian(edge, int(np.ceil(3 * edge))))
    near = _array(cv2.filter2D(soft, -1, disc(radius), borderType=cv2.BORDER_CONSTANT))
    picture = _coloured(near, coarse)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


@functools.lru_cache(maxsize=8)
def disc(radius: float) -> Floats:
    """Return a disc (2n + 1, 2n + 1) of this radius in pixels; its edge is smooth, its sum is 1."""
    reach = int(np.ceil(radius - 0.5))
    side = 2 * reach + 1
    fine = (np.arange(side * FINER) + 0.5) / FINER - reach - 0.5
    inside = (np.hypot(fine[:, None], fine[None]) <= max(radius, 0.5)).astype(np.float32)
    shares = inside.reshape(side, FINER, side, FINER).mean(axis=(1, 3))
    weights: Floats = (shares / shares.sum()).astype(np.float32)
    return weights


def _weighted(small: Floats, alpha: Floats, factor: int, *, highlights: bool) -> Floats:
    """Return colours times weights, BGR, and weights, (h, w, 4); the person has no weight."""
    person = _pool(alpha, factor)
    margin = 2 * PERSON_MARGIN + 1
    weight = _array(1 - cv2.dilate(person, np.ones((margin, margin), np.uint8)))
    # Plane by plane and in OpenCV: numpy takes several times as long for interleaved colours.
    planes = [_pool(plane, factor) for plane in small[::-1]]
    if highlights:
        brightness = cv2.max(cv2.max(planes[0], planes[1]), planes[2])
        emphasis = np.float32(HIGHLIGHT) * (brightness * brightness) ** HIGHLIGHT_POWER
        weight = weight * (1 + emphasis)
    colours = [_array(cv2.multiply(plane, weight)) for plane in planes]
    return _array(cv2.merge([*colours, weight]))


def _coloured(near: Floats, weighted: Floats) -> BgrImage:
    """Return the colours (h, w, 3) uint8 of a blurred image, filled where it has no weight."""
    total = _array(cv2.addWeighted(near, 1, _fill(weighted), FILL_WEIGHT, 0))
    *colours, weights = cv2.split(total)
    planes = [cv2.divide(colour, weights, scale=255, dtype=cv2.CV_8U) for colour in colours]
    return np.asarray(cv2.merge(planes), np.uint8)


def _fill(weighted: Floats) -> Floats:
    """Return fill colours with a weight of 1, (h, w, 4).

    weighted: (h, w, 4), colours times weights, and weights.
    """
    height, width = weighted.shape[:2]
    below = -height % FILL_FACTOR
    beside = -width % FILL_FACTOR
    padded = _array(cv2.copyMakeBorder(weighted, 0, below, 0, beside, cv2.BORDER_CONSTANT))
    far = _smooth(_pool(padded, FILL_FACTOR), FILL_TAPS)
    *mean, share = cv2.mean(weighted)
    colour = np.array([*mean, share + FLOOR], np.float32) / (share + FLOOR)
    fill = far + np.float32(FLOOR) * colour
    fill /= fill[..., 3:].copy()
    size = padded.shape[1], padded.shape[0]
    return _array(cv2.resize(fill, size, interpolation=cv2.INTER_LINEAR))[:height, :width]


def _pool(image: Floats, factor: int) -> Floats:
    """Return means of squares of `factor` pixels; incomplete squares are dropped."""
    if factor == 1:
        return image
    height = image.shape[0] // factor
    width = image.shape[1] // factor
    cropped = image[: height * factor, : width * factor]
    return _array(cv2.resize(cropped, (width, height), interpolation=cv2.INTER_AREA))


def _smooth(image: Floats, taps: Floats) -> Floats:
    """Apply a separable convolution with zero padding."""
    return _array(cv2.sepFilter2D(image, -1, taps, taps, borderType=cv2.BORDER_CONSTANT))


def _array(image: object) -> Floats:
    return np.asarray(image, np.float32)
