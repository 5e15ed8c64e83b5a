"""Background blur in numpy and OpenCV; see `app.matting.step.blur`."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage
from app.matting.step import blur

Floats = NDArray[np.float32]


def blurred_background(small: Floats, alpha: Floats, strength: float, factor: int, width: int, height: int) -> BgrImage:
    """Return the blurred background without the person, (height, width, 3) uint8 BGR.

    small: (3, h, w) RGB and alpha: (h, w), both in 0..1. factor: downsampling factor from the small frame to the
    background.
    """
    room, person = _pool(small[::-1].transpose(1, 2, 0), factor), _pool(alpha, factor)
    margin = 2 * blur.PERSON_MARGIN + 1
    weight = 1 - _array(cv2.dilate(person, np.ones((margin, margin), np.uint8)))
    weighted = np.dstack([room * weight[..., None], weight])
    short_side = min(weight.shape)
    near = _smooth(weighted, _trimmed(blur.strength_taps(strength, short_side)))
    colours = (near[..., :3] + blur.FILL_WEIGHT * _fill(weighted)) / (near[..., 3:] + blur.FILL_WEIGHT)
    picture = np.clip(colours * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _fill(weighted: Floats) -> Floats:
    """Return fill colours (h, w, 3) from premultiplied colours and weights (h, w, 4)."""
    height, width = weighted.shape[:2]
    step = blur.FILL_FACTOR
    padded = np.pad(weighted, ((0, -height % step), (0, -width % step), (0, 0)))
    far = _smooth(_pool(padded, step), blur.FILL_TAPS)
    mean = weighted.mean((0, 1))
    colour = mean[:3] / (mean[3] + blur.FLOOR)
    fill = (far[..., :3] + blur.FLOOR * colour) / (far[..., 3:] + blur.FLOOR)
    size = padded.shape[1], padded.shape[0]
    return _array(cv2.resize(fill, size, interpolation=cv2.INTER_LINEAR))[:height, :width]


def _pool(image: Floats, factor: int) -> Floats:
    """Return means of squares of `factor` pixels; incomplete squares at the right and bottom are dropped."""
    if factor == 1:
        return image
    height, width = image.shape[0] // factor, image.shape[1] // factor
    cropped = image[: height * factor, : width * factor]
    return _array(cv2.resize(cropped, (width, height), interpolation=cv2.INTER_AREA))


def _smooth(image: Floats, taps: Floats) -> Floats:
    """Apply a separable convolution with zero padding."""
    return _array(cv2.sepFilter2D(image, -1, taps, taps, borderType=cv2.BORDER_CONSTANT))


def _trimmed(taps: Floats) -> Floats:
    """Return the taps without the outer ones that are negligible."""
    seen = np.flatnonzero(taps > 1e-5)
    return taps[seen[0] : seen[-1] + 1]


def _array(image: object) -> Floats:
    return np.asarray(image, np.float32)
