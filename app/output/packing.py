"""Pictures as cameras take them: of one size, in a layout of their own, which may carry alpha for other scenes."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core import geometry
from app.core.types import AlphaImage, BgrImage, Picture
from app.media.frame_filters import premultiplied
from app.media.yuv import Layout, YuvConverter

MAX_SIZE = 7680, 4320
"""Larger frames are downscaled: drivers do not reject them, but fail in other ways."""
PackedLayout = Layout | Literal["BGR", "BGRA", "RGBA"]


def sendable(width: int, height: int) -> tuple[int, int]:
    """Return the even size, at most `MAX_SIZE`, in which pictures of this size are sent."""
    if width > MAX_SIZE[0] or height > MAX_SIZE[1]:
        width, height = geometry.contain_size(width, height, *MAX_SIZE)
    return geometry.even_size(width, height)


class Packer:
    """Packs pictures for a camera of one size: letterboxed, once for all repetitions by the clock."""

    def __init__(self, size: tuple[int, int]) -> None:
        """size: (width, height) in pixels, even."""
        self.size = size
        self._converter: YuvConverter | None = None
        self._last: tuple[BgrImage, PackedLayout, NDArray[np.uint8]] | None = None

    def pack(self, picture: Picture, layout: PackedLayout) -> NDArray[np.uint8]:
        """Return the picture in this layout; valid until the next call."""
        if self._last is None or self._last[0] is not picture.image or self._last[1] != layout:
            self._last = picture.image, layout, self._packed(picture, layout)
        return self._last[2]

    def _packed(self, picture: Picture, layout: PackedLayout) -> NDArray[np.uint8]:
        if layout == "BGRA" or layout == "RGBA":
            person = to_bgra(picture, *self.size)
            return person if layout == "BGRA" else np.asarray(cv2.cvtColor(person, cv2.COLOR_BGRA2RGBA), np.uint8)
        fitted = geometry.letterbox(picture.image, *self.size)
        if layout == "BGR":
            return fitted
        if self._converter is None or self._converter.layout != layout:
            self._converter = YuvConverter(layout, *self.size)
        return self._converter.convert(fitted)


def person_on_black(picture: Picture) -> tuple[BgrImage, AlphaImage]:
    """Return the person's colours times alpha, and alpha. A picture without alpha, such as the card, is opaque.

    Colours are premultiplied, so that nothing of the room shows where alpha is 0.
    """
    if picture.alpha is None:
        return picture.image, np.full(picture.image.shape[:2], 255, np.uint8)
    colours = picture.image if picture.foreground is None else picture.foreground
    return premultiplied(colours, picture.alpha), picture.alpha


def to_bgra(picture: Picture, width: int, height: int) -> NDArray[np.uint8]:
    """Return (height, width, 4) uint8: blue, green, red and alpha. Bars of other shapes are clear.

    Colours are not premultiplied, because PipeWire cannot say so and readers such as OBS multiply them by alpha. They
    are derived from the premultiplied ones: clear pixels are black, and a reader that ignores alpha finds no more of
    the room in faint pixels than a composite would show.
    """
    person, alpha = person_on_black(picture)
    if picture.size != (width, height):
        person, alpha = geometry.letterbox(person, width, height), geometry.letterbox(alpha, width, height)
    colours = np.asarray(cv2.divide(person, cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR), scale=255), np.uint8)
    return np.dstack([colours, alpha])
