"""Renders the views of the preview, and hands arrays over to Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage
from PyQt6.sip import voidptr

from app.core.types import AlphaImage, BgrImage, Picture, PictureKind
from app.gui.widgets.qt import existing


def to_qimage(image: NDArray[np.uint8]) -> QImage:
    """Return a QImage over the pixels of an array, which must not change from now on.

    image: (H, W, 3) BGR or (H, W, 4) BGRX, uint8; copied unless C-contiguous.
    """
    height, width, channels = image.shape
    pixels = np.ascontiguousarray(image)
    memory, line = voidptr(pixels.ctypes.data), channels * width
    layout = {3: QImage.Format.Format_BGR888, 4: QImage.Format.Format_RGB32}[channels]
    # Qt holds the array for `_release`, which it calls once nothing uses the pixels.
    made: QImage = QImage(memory, width, height, line, layout, _release, pixels)  # type: ignore[call-overload]
    return made


def from_qimage(image: QImage) -> BgrImage:
    """Copy a QImage to a BgrImage; alpha is dropped."""
    converted = image.convertToFormat(QImage.Format.Format_BGR888)
    bits = existing(converted.bits())
    bits.setsize(converted.sizeInBytes())
    memory: NDArray[np.uint8] = np.frombuffer(bits, np.uint8)  # type: ignore[call-overload]  # it is a buffer
    lines = memory.reshape(image.height(), converted.bytesPerLine())  # with padding
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def _release(_pixels: object) -> None:
    """Drop the last reference to an array."""


CHECKER_PX, CHECKER_LIGHT, CHECKER_DARK = 12, 70, 52


class ViewMode(Enum):
    """View modes of the preview."""

    COMPOSITE = "composite"
    ORIGINAL = "original"
    MATTE = "matte"
    FOREGROUND = "foreground"
    COMPARE = "compare"
    """The original left of the divider, the composite right of it."""


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """A view that the preview requests."""

    width: int
    height: int
    """Available height; both in physical pixels. The view is fitted into it with its aspect ratio."""
    mode: ViewMode = ViewMode.COMPOSITE
    mirror: bool = True
    """Mirror everything but the stand-by card."""
    divider: float = 0.5
    """Position of the divider in the comparison, 0 (left) to 1, in screen direction."""


Size = tuple[int, int]
"""(width, height) in physical pixels."""
BgrxImage = NDArray[np.uint8]
"""(H, W, 4) uint8, blue, green, red and an unused byte, C-contiguous."""


def render(picture: Picture, request: ViewRequest) -> BgrxImage:
    """Return a view of a picture in a new array. Without a source frame or matte, show the output in every mode."""
    size = fitted_size(*picture.size, request.width, request.height)
    mirror = request.mirror and picture.kind is not PictureKind.STANDBY  # the card holds text
    camera = _camera_view(picture, request, size)
    if camera is None:
        return _bgrx(scaled(picture.image, size, mirror=mirror))
    shown = _bgrx(camera)
    if request.mode is ViewMode.COMPARE:
        split = round(request.divider * size[0])
        shown[:, split:] = _bgrx(scaled(picture.image, size, mirror=mirror))[:, split:]
    return shown


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


def _bgrx(image: BgrImage) -> BgrxImage:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2BGRA), np.uint8)


def _camera_view(picture: Picture, request: ViewRequest, size: Size) -> BgrImage | None:
    """Return what a mode shows of the camera in place of the output; None if nothing."""
    mode, mirror = request.mode, request.mirror
    if mode in (ViewMode.ORIGINAL, ViewMode.COMPARE) and picture.frame is not None:
        return scaled(picture.frame.image, size, mirror=mirror)
    if picture.alpha is None:
        return None
    if mode is ViewMode.MATTE:
        return np.asarray(cv2.cvtColor(scaled(picture.alpha, size, mirror=mirror), cv2.COLOR_GRAY2BGR), np.uint8)
    person = picture.foreground
    if person is None and picture.frame is not None:
        person = picture.frame.image
    if mode is ViewMode.FOREGROUND and person is not None:
        return _over_checkers(*(scaled(image, size, mirror=mirror) for image in (person, picture.alpha)))
    return None


def _over_checkers(person: BgrImage, alpha: AlphaImage) -> BgrImage:
    height, width = alpha.shape
    rows, columns = np.arange(height)[:, None] // CHECKER_PX, np.arange(width)[None, :] // CHECKER_PX
    checkers = np.where((rows + columns) % 2, CHECKER_LIGHT, CHECKER_DARK).astype(np.uint8)
    weight = np.asarray(cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR), np.uint8)
    behind = np.asarray(cv2.cvtColor(checkers, cv2.COLOR_GRAY2BGR), np.uint8)
    front = cv2.multiply(person, weight, scale=1 / 255)
    return np.asarray(cv2.add(front, cv2.multiply(behind, 255 - weight, scale=1 / 255)), np.uint8)
