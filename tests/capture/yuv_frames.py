"""Frames of YUV formats, encoded by the formulas of ITU-T H.273."""

from __future__ import annotations

import numpy as np
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from app.capture.colours import YuvColours
from app.core.types import BgrImage

WEIGHTS: dict[int, tuple[float, float]] = {
    Colorspace.ITU601: (0.299, 0.114),
    Colorspace.ITU709: (0.2126, 0.0722),
}


def yuv_of(image: BgrImage, colours: YuvColours) -> NDArray[np.uint8]:
    """Return (height, width, 3) uint8 with Y, U and V of an image."""
    red_weight, blue_weight = WEIGHTS[colours.matrix]
    blue, green, red = np.moveaxis(image.astype(np.float64) / 255, 2, 0)
    y = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    u = (blue - y) / (2 * (1 - blue_weight))
    v = (red - y) / (2 * (1 - red_weight))
    if colours.is_full_range:
        values = [255 * y, 255 * u + 128, 255 * v + 128]
    else:
        values = [219 * y + 16, 224 * u + 128, 224 * v + 128]
    rounded = np.rint(np.stack(values, axis=2))
    return np.asarray(rounded.clip(0, 255), np.uint8)


def yuyv(image: BgrImage, colours: YuvColours) -> NDArray[np.uint8]:
    yuv = yuv_of(image, colours)
    packed = yuv[..., :2].copy()
    packed[:, 1::2, 1] = yuv[:, 1::2, 2]
    return packed


def uyvy(image: BgrImage, colours: YuvColours) -> NDArray[np.uint8]:
    return np.ascontiguousarray(yuyv(image, colours)[..., ::-1])


def yu12(image: BgrImage, colours: YuvColours) -> NDArray[np.uint8]:
    yuv = yuv_of(image, colours)
    width = image.shape[1]
    return np.vstack(
        [yuv[..., 0], *(yuv[::2, ::2, channel].reshape(-1, width) for channel in (1, 2))]
    )


def nv12(image: BgrImage, colours: YuvColours) -> NDArray[np.uint8]:
    yuv = yuv_of(image, colours)
    return np.vstack([yuv[..., 0], yuv[::2, ::2, 1:].reshape(-1, image.shape[1])])
