"""Edge controls, view and placement at the frame's size, in OpenCV; see `app.matting.base.edges`."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.framing import Area, area_of
from app.core.matte_edit import View
from app.core.settings import PlacementSettings
from app.core.threads import Strips
from app.core.types import AlphaImage, BgrImage, Matte
from app.matting.base.edges import (
    SPREAD_ALPHA,
    SPREAD_FACTOR,
    SPREAD_FLOOR,
    EdgePlan,
    box_radii,
    octagon,
    spread_radius,
)
from app.matting.kernels.full_size import place_rows, view_rows

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def grow(alpha: AlphaImage, plan: EdgePlan) -> AlphaImage:
    """Grow or shrink alpha (H, W)."""
    if plan.grow_px > 0:
        return _dilate(alpha, plan.grow_px)
    if plan.grow_px < 0:
        return 255 - _dilate(255 - alpha, -plan.grow_px)
    return alpha


def feather(alpha: AlphaImage, feather_px: int) -> AlphaImage:
    """Feather alpha (H, W) outward; alpha never decreases."""
    return np.maximum(alpha, _soften(_dilate(alpha, -(-feather_px // 2)), feather_px))


def beyond(foreground: NDArray[np.uint8], alpha: AlphaImage, feather_px: int) -> NDArray[np.uint8]:
    """Return the foreground with colours extended past the feather; foreground and result are (H, 3 * W)."""
    height, width = alpha.shape
    samples = slice(SPREAD_FACTOR // 2, None, SPREAD_FACTOR)
    surely = (alpha[samples, samples, None] >= SPREAD_ALPHA).astype(np.float32)
    colours = np.dstack([foreground.reshape(height, width, 3)[samples, samples] * surely, surely])
    window = 2 * spread_radius(feather_px) + 1
    for _ in range(2):
        colours = cv2.blur(colours, (window, window), borderType=cv2.BORDER_CONSTANT)
    continued = colours[..., :3] / (colours[..., 3:] + np.float32(SPREAD_FLOOR)) + np.float32(0.5)
    picture = np.clip(continued, 0, 255).astype(np.uint8)
    full = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full, np.uint8).reshape(height, -1)


def _dilate(alpha: AlphaImage, radius: int) -> AlphaImage:
    square, diamond = octagon(radius)
    if square:
        alpha = cv2.dilate(alpha, np.ones((2 * square + 1, 2 * square + 1), np.uint8))  # type: ignore[assignment]
    if diamond:
        alpha = cv2.dilate(alpha, _CROSS, iterations=diamond)  # type: ignore[assignment]
    return alpha


def _soften(alpha: AlphaImage, feather_px: int) -> AlphaImage:
    for radius in box_radii(feather_px):
        if radius:
            alpha = cv2.blur(alpha, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return alpha


def enlarged(frame: BgrImage, view: View, strips: Strips) -> BgrImage:
    """Return the part of the frame (H, W, 3), enlarged to the frame's size."""
    shown = np.empty_like(frame)
    pixels, sides = (frame.reshape(len(frame), -1), shown.reshape(len(frame), -1)), (view.left, view.top, view.size)
    strips.run(len(frame), lambda top, bottom: view_rows(*pixels, *sides, top, bottom))
    return shown


MARGIN = 2
"""Pixels around the person that are resized as well: interpolation reads them."""
ALIGNED = 1 / 16
"""Largest distance, in pixels of the output, between an edge of a resized part and a whole pixel."""


class PixelBox(NamedTuple):
    """A rectangle in pixels; may exceed the image."""

    left: int
    top: int
    right: int
    bottom: int


def placed(matte: Matte, backdrop: BgrImage, placement: PlacementSettings, strips: Strips) -> Matte:
    """Return the matte with the person moved over `backdrop`, in new arrays.

    matte: its composite is over black, which is the foreground times alpha. Beside the moved frame, and at its borders,
    there is only the backdrop.
    """
    height, width = matte.alpha.shape
    area = area_of(placement, width, height)
    left, top, across, down = cv2.boundingRect(matte.alpha)
    box = PixelBox(left - MARGIN, top - MARGIN, left + across + MARGIN, top + down + MARGIN)
    person, first_column, first_row = _moved(matte.composite, area, box)
    alpha = np.ascontiguousarray(_moved(matte.alpha, area, box)[0])
    composite, placed_alpha = np.empty_like(backdrop).reshape(height, -1), np.empty_like(matte.alpha)
    person_rows = np.ascontiguousarray(person).reshape(person.shape[0], -1)
    arrays = person_rows, alpha, backdrop.reshape(height, -1), composite, placed_alpha, first_column, first_row
    strips.run(height, lambda first, last: place_rows(*arrays, first, last))
    foreground = None if matte.foreground is None else _on_black(matte.foreground, area)
    image = composite.reshape(height, width, 3)
    return Matte(image, placed_alpha, foreground)


def _moved(image: NDArray[np.uint8], area: Area, box: PixelBox | None = None) -> tuple[NDArray[np.uint8], int, int]:
    """Return the image in its new size with its left and top edge.

    box: the part that may be visible; what lies beyond it may be left out. None: the whole image.
    """
    height, width = image.shape[:2]
    if (area.width, area.height) == (width, height):
        return image, area.left, area.top
    box = box or PixelBox(0, 0, width, height)
    if 2 * area.width < width:  # halves are exact for the whole image only
        left, top, right, bottom = 0, 0, width, height
    else:
        left, right = _part(area.left, area.width, width, box.left, box.right)
        top, bottom = _part(area.top, area.height, height, box.top, box.bottom)
    part = image[top:bottom, left:right]
    across, down = area.width / width, area.height / height
    size = max(1, round((right - left) * across)), max(1, round((bottom - top) * down))
    while 2 * size[0] < part.shape[1] and 2 * size[1] < part.shape[0]:
        # Averages 2x2 pixels, which is several times as fast as averaging any area.
        part = np.asarray(cv2.resize(part, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    moved = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return moved, area.left + round(left * across), area.top + round(top * down)


def _part(edge: int, moved: int, size: int, low: int, high: int) -> tuple[int, int]:
    """Return the columns (or rows) of an image to resize: between `low` and `high` and visible, at least one.

    edge: where the image begins in an output of `size` pixels. moved: its size there. The part is widened until its
    ends fall on whole pixels of the output: the person would shake as the part changes.
    """
    scale = moved / size
    first = min(max(math.floor(-edge / scale), low, 0), size - 1)
    last = max(min(math.ceil((size - edge) / scale), high, size), first + 1)
    while first > 0 and abs(first * scale - round(first * scale)) > ALIGNED:
        first -= 1
    while last < size and abs(last * scale - round(last * scale)) > ALIGNED:
        last += 1
    return first, last


def _on_black(image: BgrImage, area: Area) -> BgrImage:
    """Return the moved image on black, in its own size."""
    canvas = np.zeros_like(image)
    moved, left, top = _moved(image, area)
    right, bottom = min(left + moved.shape[1], image.shape[1]), min(top + moved.shape[0], image.shape[0])
    first, upper = max(left, 0), max(top, 0)
    if right > first and bottom > upper:
        canvas[upper:bottom, first:right] = moved[upper - top : bottom - top, first - left : right - left]
    return canvas
