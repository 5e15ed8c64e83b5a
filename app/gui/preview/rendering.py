"""Renders the preview at the resolution of the screen, with numpy and OpenCV. Imports no Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import AlphaImage, BgrImage, Picture, PictureKind

BgrxImage = NDArray[np.uint8]
"""(H, W, 4) uint8, blue, green, red and an unused byte, C-contiguous."""

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
    divider: float = 0.5
    """Position of the divider in the comparison, 0 (left) to 1, in screen direction."""


def fitted_size(width: int, height: int, max_width: int, max_height: int) -> tuple[int, int]:
    """Return the largest (width, height) of the same aspect ratio within the maximum, at least (1, 1)."""
    scale = min(max_width / width, max_height / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def shows_room(picture: Picture, request: ViewRequest) -> bool:
    """Return whether this view shows pixels of the camera's frame that are not in a composite."""
    if picture.kind is PictureKind.UNMATTED:
        return True
    if picture.frame is None:
        return False
    # Without the network's foreground, the frame takes its place: that of a moved person lies elsewhere in it.
    unmatted = ViewMode.FOREGROUND if picture.foreground is None else None
    return request.mode in (ViewMode.ORIGINAL, ViewMode.COMPARE, unmatted)


def matted(picture: Picture, request: ViewRequest) -> ViewRequest:
    """Return the request for the composite instead of a view that shows the room."""
    return replace(request, mode=ViewMode.COMPOSITE) if shows_room(picture, request) else request


def render(picture: Picture, request: ViewRequest) -> BgrxImage:
    """Render a view of a picture. Without a source frame or matte, show the output in every mode."""
    width, height = picture.size
    size = fitted_size(width, height, request.width, request.height)
    shown = _select(picture, request, size)
    mirror = request.mirror and picture.kind is not PictureKind.STANDBY  # the card holds text
    if mirror:
        shown = np.asarray(cv2.flip(shown, 1), np.uint8)
    if request.mode is ViewMode.COMPARE and picture.frame is not None:
        original = _scaled(picture.frame.image, size)
        if mirror:
            original = np.asarray(cv2.flip(original, 1), np.uint8)
        split = round(request.divider * size[0])
        shown[:, :split] = original[:, :split]
    return np.asarray(cv2.cvtColor(shown, cv2.COLOR_BGR2BGRA), np.uint8)


def _select(picture: Picture, request: ViewRequest, size: tuple[int, int]) -> BgrImage:
    if request.mode is ViewMode.ORIGINAL and picture.frame is not None:
        return _scaled(picture.frame.image, size)
    if picture.alpha is not None:
        if request.mode is ViewMode.MATTE:
            return np.asarray(cv2.cvtColor(_scaled(picture.alpha, size), cv2.COLOR_GRAY2BGR), np.uint8)
        person = picture.foreground
        if person is None and picture.frame is not None:
            person = picture.frame.image
        if request.mode is ViewMode.FOREGROUND and person is not None:
            return _over_checkers(_scaled(person, size), _scaled(picture.alpha, size))
    shown = _scaled(picture.image, size)
    # The comparison writes into the image; at the original size `_scaled` returns the picture itself.
    return shown.copy() if shown is picture.image and request.mode is ViewMode.COMPARE else shown


def _scaled(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the image at this (width, height); the image itself if it has that size."""
    width, height = size
    # Bilinear interpolation aliases below half size. Area averaging is fast for exact halves only.
    while 2 * width <= image.shape[1] and 2 * height <= image.shape[0]:
        half = image.shape[1] // 2, image.shape[0] // 2
        even = image[: 2 * half[1], : 2 * half[0]]
        image = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _over_checkers(person: BgrImage, alpha: AlphaImage) -> BgrImage:
    height, width = alpha.shape
    rows, columns = np.arange(height)[:, None] // CHECKER_PX, np.arange(width)[None, :] // CHECKER_PX
    checkers = np.where((rows + columns) % 2, CHECKER_LIGHT, CHECKER_DARK).astype(np.uint8)
    weight = np.asarray(cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR), np.uint8)
    behind = np.asarray(cv2.cvtColor(checkers, cv2.COLOR_GRAY2BGR), np.uint8)
    front = cv2.multiply(person, weight, scale=1 / 255)
    return np.asarray(cv2.add(front, cv2.multiply(behind, 255 - weight, scale=1 / 255)), np.uint8)
