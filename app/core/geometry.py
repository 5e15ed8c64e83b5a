"""Turn images upright, and resize them to an exact size, by cropping or padding in place of distortion.

The functions that resize take (H, W) or (H, W, 3) uint8 images in host memory and return C-contiguous images of
exactly the requested size. An image that has this size already is returned without a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""(H, W) or (H, W, 3) uint8, 0..255."""
Surround = Callable[[Image, int, int], Image]

Rotation = Literal[0, 90, 180, 270]
"""Degrees, clockwise."""
_CODES = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}

_BAR_BLUR = 24
"""Blurred bars are computed at 1/24 of the size, which leaves only soft colours."""
_BAR_DIM = 0.6


def cover_size(width: int, height: int, out_width: int, out_height: int) -> tuple[int, int]:
    """Return the smallest size with aspect ratio `width`:`height` that covers `out_width` x `out_height`."""
    scale = max(out_width / width, out_height / height)
    return max(out_width, round(width * scale)), max(out_height, round(height * scale))


def contain_size(width: int, height: int, out_width: int, out_height: int) -> tuple[int, int]:
    """Return the largest size with aspect ratio `width`:`height` inside `out_width` x `out_height`; at least 1x1."""
    scale = min(out_width / width, out_height / height)
    return min(out_width, max(1, round(width * scale))), min(out_height, max(1, round(height * scale)))


def is_alike(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Return whether two sizes have the same aspect ratio, up to one pixel of `other`."""
    width, height = contain_size(*size, *other)
    return other[0] - width <= 1 and other[1] - height <= 1


def even_size(width: int, height: int) -> tuple[int, int]:
    """Round the size down to even numbers, at least 2x2, as 4:2:0 video requires."""
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


def scale(image: Image, width: int, height: int) -> Image:
    """Resize `image` without keeping its aspect ratio: area averaging to shrink, interpolation to enlarge."""
    if (image.shape[1], image.shape[0]) == (width, height):
        return image
    shrinks = width <= image.shape[1] and height <= image.shape[0]
    return _uint8(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


class Layout(NamedTuple):
    """How an image lies in a frame."""

    fit: Literal["fill", "fit"] = "fill"
    """Whether it covers the frame, or is shown whole on a blurred copy of itself."""
    zoom: float = 1.0
    pan_x: float = 0.0
    """-1 shows its left edge, 1 its right one; moves it to the left as it grows, also where all of it is seen."""
    pan_y: float = 0.0


def lay_out(image: Image, layout: Layout, width: int, height: int, surround: Surround | None = None) -> Image:
    """Scale `image` to the size after its layout, and crop or surround the rest.

    surround: returns what is around it for (image, width, height); None: a dimmed, blurred copy of the image.
    """
    if (image.shape[1], image.shape[0]) == (width, height) and layout[1:] == (1, 0, 0):
        return image
    size = cover_size if layout.fit == "fill" else contain_size
    inner = [side * layout.zoom for side in size(image.shape[1], image.shape[0], width, height)]
    across, canvas_across = _shown(image.shape[1], inner[0], width, layout.pan_x)
    down, canvas_down = _shown(image.shape[0], inner[1], height, layout.pan_y)
    # Crop before scaling, so that a very large image is resampled only once.
    part = scale(image[down, across], canvas_across.stop - canvas_across.start, canvas_down.stop - canvas_down.start)
    if part.shape[:2] == (height, width):
        return np.ascontiguousarray(part)
    canvas = (surround or _blurred)(image, width, height)
    canvas[canvas_down, canvas_across] = part
    return canvas


def fill(image: Image, width: int, height: int) -> Image:
    """Scale `image` to cover the size and crop the rest evenly on both sides."""
    return lay_out(image, Layout("fill"), width, height)


def letterbox(image: Image, width: int, height: int) -> Image:
    """Scale `image` to fit inside the size and centre it on black."""
    return lay_out(image, Layout("fit"), width, height, _black)


def _shown(pixels: int, inner: float, size: int, pan: float) -> tuple[slice, slice]:
    """Return which pixels of an image are shown, and where in the frame, along one axis.

    inner: the length of the whole image in the frame. size: that of the frame.
    """
    start = (size - inner - pan * abs(size - inner)) / 2
    low, high = max(start, 0.0), min(start + inner, float(size))
    first = min(round(low), size - 1)
    begin = min(int((low - start) / inner * pixels), pixels - 1)
    last = min(first + max(round(high - low), 1), size)
    end = min(begin + max(round((high - low) / inner * pixels), 1), pixels)
    return slice(begin, end), slice(first, last)


def _black(image: Image, width: int, height: int) -> Image:
    return np.zeros((height, width, *image.shape[2:]), np.uint8)


def _blurred(image: Image, width: int, height: int) -> Image:
    small = fill(image, max(2, width // _BAR_BLUR), max(2, height // _BAR_BLUR))
    soft = cv2.GaussianBlur(cv2.convertScaleAbs(small, alpha=_BAR_DIM), (0, 0), 1.5)
    return _uint8(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC))


def _uint8(image: NDArray[np.generic]) -> Image:
    # OpenCV's stubs do not express that the dtype of the input is kept.
    return image.astype(np.uint8, copy=False)


@dataclass(frozen=True, slots=True)
class Orientation:
    """The turn that brings the pictures of a camera upright: by `rotate`, then `flip` swaps left and right.

    Positions are (x, y) in fractions of width and height.
    """

    rotate: Rotation = 0
    flip: bool = False

    def __str__(self) -> str:
        """Return words for a sentence or a name, such as `rotated 90 flipped`; empty for no turn."""
        return " ".join(((f"rotated {self.rotate}",) if self.rotate else ()) + (("flipped",) if self.flip else ()))

    @property
    def is_sideways(self) -> bool:
        """Whether width and height are exchanged."""
        return self.rotate in (90, 270)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) of an upright picture. width, height: of the camera's."""
        return (height, width) if self.is_sideways else (width, height)

    def upright(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image of the camera, (H, W) or (H, W, channels), upright; the same one if there is no turn."""
        if self.rotate:
            image = np.asarray(cv2.rotate(image, _CODES[self.rotate]), np.uint8)
        return np.asarray(cv2.flip(image, 1), np.uint8) if self.flip else image

    def to_upright(self, x: float, y: float) -> tuple[float, float]:
        """Return where a position of the camera's picture is in the upright one."""
        for _ in range(self.rotate // 90):
            x, y = 1 - y, x
        return (1 - x, y) if self.flip else (x, y)

    def from_upright(self, x: float, y: float) -> tuple[float, float]:
        """Return where a position of the upright picture is in the camera's; the inverse of `to_upright`."""
        x = 1 - x if self.flip else x
        for _ in range(self.rotate // 90):
            x, y = y, 1 - x
        return x, y


UNTURNED = Orientation()
