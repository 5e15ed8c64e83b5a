"""Moves and scales a person over the backdrop: alpha and foreground together, never the frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.placement import Area, area_of
from app.core.settings import PlacementSettings
from app.core.types import BgrImage, Matte
from app.matting.openvino_backend.strips import Strips


def placed(matte: Matte, behind: BgrImage, placement: PlacementSettings, strips: Strips) -> Matte:
    """Return the matte with the person moved over `behind`, in new arrays.

    matte: its composite is over black, which is the foreground times alpha. Beside the moved frame, and at its borders,
    there is only the backdrop.
    """
    height, width = matte.alpha.shape
    area = area_of(placement, width, height)
    person, left, top = _moved(matte.composite, area)
    alpha = np.ascontiguousarray(_moved(matte.alpha, area)[0])
    composite, placed_alpha = np.empty_like(behind).reshape(height, -1), np.empty_like(matte.alpha)
    person_rows = np.ascontiguousarray(person).reshape(person.shape[0], -1)
    arrays = person_rows, alpha, behind.reshape(height, -1), composite, placed_alpha, left, top
    place_rows = strips.kernels.place_rows
    strips.run(height, lambda first, last: place_rows(*arrays, first, last))
    foreground = None if matte.foreground is None else _on_black(matte.foreground, area)
    return Matte(composite.reshape(height, width, 3), placed_alpha, foreground)


def _moved(image: NDArray[np.uint8], area: Area) -> tuple[NDArray[np.uint8], int, int]:
    """Return the image in its new size with its left and top edge; of an enlarged one only what is visible."""
    height, width = image.shape[:2]
    if (area.width, area.height) == (width, height):
        return image, area.left, area.top
    (left, right), (top, bottom) = (
        _visible(area.left, area.width, width),
        _visible(area.top, area.height, height),
    )
    part = image[top:bottom, left:right]
    across, down = area.width / width, area.height / height
    size = max(1, round((right - left) * across)), max(1, round((bottom - top) * down))
    while size[0] < part.shape[1] / 2 and size[1] < part.shape[0] / 2:
        # Averages 2x2 pixels, which is several times as fast as averaging any area.
        part = np.asarray(cv2.resize(part, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    moved = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return moved, area.left + round(left * across), area.top + round(top * down)


def _visible(edge: int, moved: int, size: int) -> tuple[int, int]:
    """Return the first and last column (or row) of an image that is visible, at least one.

    edge: where it begins in an output of `size` pixels. moved: its size there.
    """
    first = min(max(int(-edge * size / moved), 0), size - 1)
    last = max(min(-int((edge - size) * size // moved), size), first + 1)
    return (first, last) if moved > size else (0, size)


def _on_black(image: BgrImage, area: Area) -> BgrImage:
    """Return the moved image on black, in its own size."""
    canvas = np.zeros_like(image)
    moved, left, top = _moved(image, area)
    right, bottom = min(left + moved.shape[1], image.shape[1]), min(top + moved.shape[0], image.shape[0])
    first, upper = max(left, 0), max(top, 0)
    if right > first and bottom > upper:
        canvas[upper:bottom, first:right] = moved[upper - top : bottom - top, first - left : right - left]
    return canvas
