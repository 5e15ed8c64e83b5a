"""Sizes and pixels of the preview."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]
"""(width, height) in physical pixels."""


BgrxImage = NDArray[np.uint8]
"""(H, W, 4) uint8, blue, green, red and an unused byte, C-contiguous."""


def bgrx(image: NDArray[np.uint8]) -> BgrxImage:
    """Return a BGR image in a new array with a fourth byte per pixel."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2BGRA), np.uint8)


def fitted_size(width: int, height: int, max_width: int, max_height: int) -> Size:
    """Return the largest (width, height) of the same aspect ratio within the maximum, at least (1, 1)."""
    scale = min(max_width / width, max_height / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def scaled(image: NDArray[np.uint8], size: Size, *, mirror: bool = False) -> NDArray[np.uint8]:
    """Return the image, mirrored or not, at this (width, height); the image itself where nothing changes."""
    given, (width, height) = image, size
    # Bilinear interpolation aliases below half size. Area averaging is fast for exact halves only.
    while 2 * width <= image.shape[1] and 2 * height <= image.shape[0]:
        half = image.shape[1] // 2, image.shape[0] // 2
        even = image[: 2 * half[1], : 2 * half[0]]
        image = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
    if (image.shape[1], image.shape[0]) != size:
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    if not mirror:
        return image
    return np.asarray(cv2.flip(image, 1, None if image is given else image), np.uint8)
