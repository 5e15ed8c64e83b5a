"""What the preview shows of a picture, at the very size of the screen's pixels. Knows numpy and OpenCV, not Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import AlphaImage, BgrImage, Picture, PictureKind

BgrxImage = NDArray[np.uint8]
"""(H, W, 4) uint8, blue-green-red and an unused byte, C-contiguous."""

CHECKER_PX, CHECKER_LIGHT, CHECKER_DARK = 12, 70, 52


class ViewMode(Enum):
    """What the preview shows."""

    COMPOSITE = "composite"
    ORIGINAL = "original"
    MATTE = "matte"
    FOREGROUND = "foreground"
    COMPARE = "compare"
    """The original left of the divider, the composite right of it."""


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """What the preview wants to show."""

    width: int
    height: int
    """The room there is, in screen pixels; the picture is fitted into it."""
    mode: ViewMode = ViewMode.COMPOSITE
    mirror: bool = True
    divider: float = 0.5
    """Where the comparison is divided, 0 (left) to 1, as seen on the screen."""


def fitted_size(width: int, height: int, room_width: int, room_height: int) -> tuple[int, int]:
    """The largest (width, height) of the same aspect that fits the room, at least 1 x 1."""
    scale = min(room_width / width, room_height / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def render(picture: Picture, request: ViewRequest) -> BgrxImage:
    """The view asked for, fitted into the room; where a picture has no original or matte, what goes out is shown."""
    width, height = picture.size
    size = fitted_size(width, height, request.width, request.height)
    shown = _select(picture, request, size)
    mirror = request.mirror and picture.kind is not PictureKind.STANDBY  # nobody reads mirrored words
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
    # The comparison writes into what it shows, and a picture of the very size asked for is not a copy.
    return shown.copy() if shown is picture.image and request.mode is ViewMode.COMPARE else shown


def _scaled(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    width, height = size
    if (image.shape[1], image.shape[0]) == size:
        return image
    # Averaging keeps hair smooth where more than two pixels become one; bilinear is several times as fast above that.
    shrinks_much = width * 2 < image.shape[1]
    return np.asarray(
        cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks_much else cv2.INTER_LINEAR), np.uint8
    )


def _over_checkers(person: BgrImage, alpha: AlphaImage) -> BgrImage:
    height, width = alpha.shape
    rows, columns = np.arange(height)[:, None] // CHECKER_PX, np.arange(width)[None, :] // CHECKER_PX
    checkers = np.where((rows + columns) % 2, CHECKER_LIGHT, CHECKER_DARK).astype(np.uint8)
    weight = np.asarray(cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR), np.uint8)
    behind = np.asarray(cv2.cvtColor(checkers, cv2.COLOR_GRAY2BGR), np.uint8)
    front = cv2.multiply(person, weight, scale=1 / 255)
    return np.asarray(cv2.add(front, cv2.multiply(behind, 255 - weight, scale=1 / 255)), np.uint8)
