"""The preview as a mirror: the camera's image is mirrored, background and overlay are as others see them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.settings import Settings
from app.core.types import AlphaImage, BgrImage, Patch, Picture

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


CAMERA_KINDS = ("blur", "none")
"""Kinds of background that are the camera's image, and mirrored with it."""
MARGIN = 4
"""Pixels around the person that are scaled as well: interpolation reads them."""
STRIPS = 8
"""Into which the person is cut, so that little is computed where it is opaque."""
ALIGNED = 1 / 16
"""Largest distance between the edge of a scaled part and a whole pixel."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Where left and right of the output are in the preview. Positions are fractions of the width."""

    mirror: bool = False
    """Whether the camera's image is mirrored."""
    mirrors_backdrop: bool = False
    """Whether the background is mirrored."""

    @staticmethod
    def of(settings: Settings, mirror: bool) -> Sides:
        """Return the sides of a preview. mirror: whether it mirrors the camera's image."""
        others = settings.output.mirror
        whole = mirror == others or settings.background.kind in CAMERA_KINDS
        return Sides(mirror, mirror if whole else others)

    def to_output(self, x: float) -> float:
        """Convert a position on the camera's image in the preview to one in the output."""
        return 1 - x if self.mirror else x

    def from_output(self, x: float) -> float:
        """Convert the other way round."""
        return self.to_output(x)

    @property
    def backdrop_sign(self) -> int:
        """Sign of a movement over the background to the right."""
        return -1 if self.mirrors_backdrop else 1


@dataclass(frozen=True, slots=True)
class _Backdrop:
    """A background in the size of the preview, as others see it."""

    source: BgrImage
    image: BgrImage
    canvas: BgrxImage


@dataclass(frozen=True, slots=True)
class _ScaledOverlay:
    """The part of the preview with the overlay, what is added there, and how much of the preview remains."""

    source: tuple[Patch, ...]
    size: Size
    part: tuple[slice, slice]
    colours: BgrxImage
    remaining: BgrxImage


class MirroredOutput:
    """Renders outputs for one preview; keeps what is scaled while it does not change."""

    def __init__(self) -> None:
        self._others = False
        self._backdrop: _Backdrop | None = None
        self._overlay: _ScaledOverlay | None = None

    def render(self, picture: Picture, size: Size, *, mirror: bool, others: bool) -> BgrxImage:
        """Return the output at a size in a new array.

        mirror: mirror the camera's image. others: the outputs are mirrored as a whole.
        """
        if mirror == others:
            return bgrx(scaled(picture.image, size, mirror=mirror))
        if others != self._others:
            self._others, self._backdrop, self._overlay = others, None, None
        layers = picture.layers
        if layers.backdrop is None or picture.alpha is None:
            shown = bgrx(scaled(_uncovered(picture), size, mirror=mirror))
        else:
            shown = _person_flipped(picture, picture.alpha, self._scaled_backdrop(layers.backdrop, size), others=others)
        if layers.patches:
            self._draw_overlay(shown, picture)
        return shown

    def _scaled_backdrop(self, source: BgrImage, size: Size) -> _Backdrop:
        last = self._backdrop
        if last is None or last.source is not source or last.image.shape[1::-1] != size:
            image = scaled(source, size, mirror=self._others)
            self._backdrop = last = _Backdrop(source, image, bgrx(image))
        return last

    def _draw_overlay(self, shown: BgrxImage, picture: Picture) -> None:
        last, size = self._overlay, (shown.shape[1], shown.shape[0])
        if last is None or last.source is not picture.layers.patches or last.size != size:
            self._overlay = last = _scaled_overlay(picture.layers.patches, picture.size, size, self._others)
        under = shown[last.part]
        under[:] = cv2.add(cv2.multiply(under, last.remaining, scale=1 / 255), last.colours)


def _flipped(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.flip(image, 1), np.uint8)


def _uncovered(picture: Picture, rows: slice | None = None, columns: slice | None = None) -> BgrImage:
    """Return a part of the picture without its overlay."""
    whole, layers = picture.image, picture.layers
    top, bottom, _step = (rows or slice(None)).indices(whole.shape[0])
    left, right, _step = (columns or slice(None)).indices(whole.shape[1])
    image = whole[top:bottom, left:right]
    for patch, pixels in zip(reversed(layers.patches), reversed(layers.covered), strict=True):
        first_row, last_row = max(top, patch.top), min(bottom, patch.top + pixels.shape[0])
        first, last = max(left, patch.left), min(right, patch.left + pixels.shape[1])
        if first_row < last_row and first < last:
            if image.base is not None:
                image = image.copy()
            image[first_row - top : last_row - top, first - left : last - left] = pixels[
                first_row - patch.top : last_row - patch.top, first - patch.left : last - patch.left
            ]
    return image


def _scaled_overlay(patches: tuple[Patch, ...], whole: Size, size: Size, others: bool) -> _ScaledOverlay:
    colours = np.zeros((whole[1], whole[0], 3), np.uint8)
    remaining = np.full_like(colours, 255)
    for patch in patches:
        height, width = patch.colours.shape[:2]
        place = slice(patch.top, patch.top + height), slice(patch.left, patch.left + width)
        colours[place] = cv2.add(cv2.multiply(colours[place], patch.remaining, scale=1 / 255), patch.colours)
        remaining[place] = cv2.multiply(remaining[place], patch.remaining, scale=1 / 255)
    colours, remaining = (scaled(image, size, mirror=others) for image in (colours, remaining))
    left, top, width, height = cv2.boundingRect(255 - remaining.min(axis=2))
    part = slice(top, top + height), slice(left, left + width)
    return _ScaledOverlay(patches, size, part, bgrx(colours[part]), bgrx(remaining[part]))


def _person_flipped(picture: Picture, alpha: AlphaImage, behind: _Backdrop, *, others: bool) -> BgrxImage:
    """Return the person mirrored where it is, over a background.

    The picture is mirrored if `others`. Exact but for rounding: it differs from its background by the person alone.
    """
    backdrop, shown = behind.image, behind.canvas.copy()
    height, width = backdrop.shape[:2]
    left, top, across, down = cv2.boundingRect(alpha)
    if not across:
        return shown
    source_columns, columns = _aligned(left, left + across, alpha.shape[1], width)
    source_rows, rows = _aligned(top, top + down, alpha.shape[0], height)
    size = columns.stop - columns.start, rows.stop - rows.start
    parts = _uncovered(picture, source_rows, source_columns), alpha[source_rows, source_columns]
    over, opacity = (scaled(image, size, mirror=others) for image in parts)
    if others:
        columns = slice(width - columns.stop, width - columns.start)
    target = width - columns.stop
    first, last = max(0, -target), min(size[0], width - target)
    if first >= last:
        return shown
    seen = slice(size[0] - last, size[0] - first)
    over, opacity = _flipped(over[:, seen]), _flipped(opacity[:, seen])
    before = backdrop[rows, columns][:, seen]
    place = rows, slice(target + first, target + last)
    region = shown[place]
    cv2.copyTo(bgrx(over), opacity, region)
    for soft in _soft_parts(opacity):
        under = _flipped(before[soft[0], before.shape[1] - soft[1].stop : before.shape[1] - soft[1].start])
        region[soft] = bgrx(_exchanged(over[soft], opacity[soft], under, backdrop[place][soft]))
    return shown


def _soft_parts(opacity: AlphaImage) -> Iterator[tuple[slice, slice]]:
    """Yield parts that contain every pixel that is neither opaque nor transparent, in columns of some width.

    Of a person before a camera, most columns have them at the outline of head and shoulders only.
    """
    soft = cv2.inRange(opacity, 1, 254)
    step = max(MARGIN, -(-soft.shape[1] // STRIPS))
    for left in range(0, soft.shape[1], step):
        _left, top, across, down = cv2.boundingRect(soft[:, left : left + step])
        if across:
            yield slice(top, top + down), slice(left, min(left + step, soft.shape[1]))


def _exchanged(over: BgrImage, opacity: AlphaImage, before: BgrImage, after: BgrImage) -> BgrImage:
    """Return a composite over another background."""
    most = cv2.cvtColor(opacity, cv2.COLOR_GRAY2BGR)
    remaining = cv2.bitwise_not(most)
    # Where the part ends it was scaled otherwise than the backdrop, but nobody adds more than alpha.
    person = cv2.min(cv2.subtract(over, cv2.multiply(before, remaining, scale=1 / 255)), most)
    return np.asarray(cv2.add(person, cv2.multiply(after, remaining, scale=1 / 255)), np.uint8)


def _aligned(low: int, high: int, pixels: int, seen: int) -> tuple[slice, slice]:
    """Return the columns (or rows) of an image to scale, which contain `low` to `high`, and where they are then.

    pixels, seen: of the image before and after. The part is widened until its ends fall on whole pixels of both: the
    person would shake as the part changes.
    """
    ratio = pixels / seen
    unit = 2 ** int(math.log2(ratio)) if ratio >= 1 else 1  # halves are exact for pairs of pixels
    first = max(0, math.floor((low - MARGIN) / ratio))
    last = min(seen, math.ceil((high + MARGIN) / ratio))
    while first > 0 and abs(first * ratio / unit - round(first * ratio / unit)) > ALIGNED:
        first -= 1
    while last < seen and abs(last * ratio / unit - round(last * ratio / unit)) > ALIGNED:
        last += 1
    end = pixels if last == seen else round(last * ratio / unit) * unit
    return slice(round(first * ratio / unit) * unit, end), slice(first, last)
