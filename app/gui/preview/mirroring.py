"""The preview as a mirror: the camera's image is mirrored, background and overlay are as others see them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.settings import Settings
from app.core.types import AlphaImage, BgrImage, Layers, Picture
from app.gui.preview.scaling import Size, scaled

CAMERA_KINDS = ("blur", "none")
"""Kinds of background that are the camera's image, and mirrored with it."""
MARGIN = 4
"""Pixels around the person that are scaled as well: interpolation reads them."""
ALIGNED = 1 / 16
"""Largest distance between the edge of a scaled part and a whole pixel."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Where left and right of the output are in the preview. Positions are fractions of the width."""

    mirror: bool = False
    """Whether the camera's image is mirrored."""
    mirrors_backdrop: bool = False
    """Whether the background is mirrored, and where the person is placed over it."""
    shift: float = 0.0
    """As in `Layers`; 0 where the whole output is mirrored, or nothing."""

    @staticmethod
    def of(settings: Settings, mirror: bool) -> Sides:
        """Return the sides of a preview. mirror: whether it mirrors the camera's image."""
        others = settings.output.mirror
        whole = mirror == others or settings.background.kind in CAMERA_KINDS
        return Sides(mirror, mirror) if whole else Sides(mirror, others, settings.placement.x)

    def to_output(self, x: float) -> float:
        """Convert a position on the camera's image in the preview to one in the output."""
        return (1 - x if self.mirror else x) + 2 * self.shift

    def from_output(self, x: float) -> float:
        """Convert the other way round."""
        x -= 2 * self.shift
        return 1 - x if self.mirror else x

    def over_backdrop(self, x: float) -> float:
        """Convert a position of the placed person in the preview to one in the output, or the other way round."""
        return 1 - x if self.mirrors_backdrop else x

    @property
    def backdrop_sign(self) -> int:
        """Sign of a movement over the background to the right."""
        return -1 if self.mirrors_backdrop else 1


class MirroredOutput:
    """Renders outputs for one preview; keeps what is scaled while it does not change."""

    def __init__(self) -> None:
        self._backdrop: tuple[BgrImage, BgrImage] | None = None
        self._overlay: tuple[Layers, Size, tuple[slice, slice], BgrImage, BgrImage] | None = None

    def render(self, picture: Picture, size: Size, *, mirror: bool, others: bool) -> BgrImage:
        """Return the output at a size, (H, W, 3) BGR, in an array that may be the picture's.

        mirror: mirror the camera's image. others: the outputs are mirrored as a whole.
        """
        if mirror == others:
            return _flipped(scaled(picture.image, size), mirror)
        layers = picture.layers
        if layers.backdrop is None or picture.alpha is None:
            shown = _flipped(scaled(_uncovered(picture), size), mirror)
        else:
            backdrop = _flipped(self._scaled_backdrop(layers.backdrop, size), others)
            shown = _person_flipped(_uncovered(picture), picture.alpha, backdrop, layers.shift, others=others)
        return self._overlaid(shown, picture, size, others) if layers.patches else shown

    def _scaled_backdrop(self, backdrop: BgrImage, size: Size) -> BgrImage:
        if self._backdrop is None or self._backdrop[0] is not backdrop or self._backdrop[1].shape[1::-1] != size:
            self._backdrop = backdrop, scaled(backdrop, size)
        return self._backdrop[1]

    def _overlaid(self, shown: BgrImage, picture: Picture, size: Size, others: bool) -> BgrImage:
        last, layers = self._overlay, picture.layers
        if last is None or last[0].patches is not layers.patches or last[1] != size:
            self._overlay = last = (layers, size, *_scaled_overlay(layers, picture.size, size))
        part, colours, remaining = last[2:]
        made = _flipped(shown, others).copy()
        made[part] = cv2.add(cv2.multiply(made[part], remaining, scale=1 / 255), colours)
        return _flipped(made, others)


def _flipped(image: NDArray[np.uint8], flip: bool) -> NDArray[np.uint8]:
    return np.asarray(cv2.flip(image, 1), np.uint8) if flip else image


def _uncovered(picture: Picture) -> BgrImage:
    """Return the picture without its overlay."""
    layers = picture.layers
    if not layers.patches:
        return picture.image
    image = picture.image.copy()
    for patch, pixels in zip(reversed(layers.patches), reversed(layers.covered), strict=True):
        image[patch.top : patch.top + pixels.shape[0], patch.left : patch.left + pixels.shape[1]] = pixels
    return image


def _scaled_overlay(layers: Layers, whole: Size, size: Size) -> tuple[tuple[slice, slice], BgrImage, BgrImage]:
    """Return the part of the preview with the overlay, what is added there, and how much remains."""
    colours = np.zeros((whole[1], whole[0], 3), np.uint8)
    remaining = np.full_like(colours, 255)
    for patch in layers.patches:
        height, width = patch.colours.shape[:2]
        place = slice(patch.top, patch.top + height), slice(patch.left, patch.left + width)
        colours[place] = cv2.add(cv2.multiply(colours[place], patch.remaining, scale=1 / 255), patch.colours)
        remaining[place] = cv2.multiply(remaining[place], patch.remaining, scale=1 / 255)
    colours, remaining = scaled(colours, size), scaled(remaining, size)
    left, top, width, height = cv2.boundingRect(255 - remaining.min(axis=2))
    part = slice(top, top + height), slice(left, left + width)
    return part, colours[part], remaining[part]


def _person_flipped(
    composite: BgrImage, alpha: AlphaImage, backdrop: BgrImage, shift: float, *, others: bool
) -> BgrImage:
    """Return the person mirrored where it is, over a backdrop in the size of the preview.

    composite, alpha: in full size, mirrored if `others`. backdrop: as others see it. Exact but for rounding: the
    composite differs from its backdrop by the person alone.
    """
    height, width = backdrop.shape[:2]
    left, top, across, down = cv2.boundingRect(alpha)
    if not across:
        return backdrop
    source_columns, columns = _aligned(left, left + across, alpha.shape[1], width)
    source_rows, rows = _aligned(top, top + down, alpha.shape[0], height)
    size = columns.stop - columns.start, rows.stop - rows.start
    over, opacity = (_flipped(scaled(image[source_rows, source_columns], size), others) for image in (composite, alpha))
    if others:
        columns, shift = slice(width - columns.stop, width - columns.start), -shift
    target = round((1 + 2 * shift) * width) - columns.stop
    first, last = max(0, -target), min(size[0], width - target)
    if first >= last:
        return backdrop
    seen = slice(size[0] - last, size[0] - first)
    over, opacity = _flipped(over[:, seen], True), _flipped(opacity[:, seen], True)
    behind = _flipped(backdrop[rows, columns][:, seen], True)
    most = cv2.cvtColor(opacity, cv2.COLOR_GRAY2BGR)
    remaining = cv2.bitwise_not(most)
    # Where the part ends it was scaled otherwise than the backdrop, but nobody adds more than alpha.
    person = cv2.min(cv2.subtract(over, cv2.multiply(behind, remaining, scale=1 / 255)), most)
    shown = backdrop.copy()
    region = shown[rows, target + first : target + last]
    region[:] = cv2.add(person, cv2.multiply(region, remaining, scale=1 / 255))
    return shown


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
