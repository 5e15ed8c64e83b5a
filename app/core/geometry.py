"""Resize images to an exact size without distortion, and choose the part of a frame that is shown.

The functions that resize take (H, W) or (H, W, 3) uint8 images in host memory and return
C-contiguous images of exactly the requested size. An image that has this size already is returned
without a copy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.settings import MAX_ZOOM, FramingSettings
from app.core.types import BgrImage, Frame, View

Pixels = TypeVar("Pixels", NDArray[np.uint8], NDArray[np.float32])
Image = NDArray[np.uint8]
"""(H, W) or (H, W, 3) uint8, 0..255."""

# Blurred bars are computed at 1/24 of the size, which leaves only soft colours.
_BAR_BLUR = 24
_BAR_DIM = 0.6


def cover_size(width: int, height: int, out_width: int, out_height: int) -> tuple[int, int]:
    """Return the smallest size with aspect ratio `width`:`height` that covers `out_width` x
    `out_height`.
    """
    scale = max(out_width / width, out_height / height)
    return max(out_width, round(width * scale)), max(out_height, round(height * scale))


def contain_size(width: int, height: int, out_width: int, out_height: int) -> tuple[int, int]:
    """Return the largest size with aspect ratio `width`:`height` inside `out_width` x `out_height`.

    At least 1x1.
    """
    scale = min(out_width / width, out_height / height)
    inner_width = max(1, round(width * scale))
    inner_height = max(1, round(height * scale))
    return min(out_width, inner_width), min(out_height, inner_height)


def is_alike(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Return whether two sizes have the same aspect ratio, up to one pixel of `other`."""
    width, height = contain_size(*size, *other)
    return other[0] - width <= 1 and other[1] - height <= 1


def even_size(width: int, height: int) -> tuple[int, int]:
    """Round the size down to even numbers, at least 2x2, as 4:2:0 video requires."""
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


def scale(image: Image, width: int, height: int) -> Image:
    """Resize `image` without keeping its aspect ratio.

    Area averaging to a half or less, else interpolation.

    Down to a half, interpolation skips no pixel. Area averaging at other ratios than whole ones has
    no fast path in OpenCV: 1280x720 to 1024x576 takes 8.5 ms in place of 1.6.
    """
    if (image.shape[1], image.shape[0]) == (width, height):
        return image
    is_half_or_less = 2 * width <= image.shape[1] and 2 * height <= image.shape[0]
    interpolation = cv2.INTER_AREA if is_half_or_less else cv2.INTER_LINEAR
    return _uint8(cv2.resize(image, (width, height), interpolation=interpolation))


class Layout(NamedTuple):
    """How an image lies in a frame."""

    # Whether it covers the frame, or is shown whole on a blurred copy of itself.
    fit: Literal["fill", "fit"] = "fill"
    zoom: float = 1.0
    # -1 shows its left edge, 1 its right one; moves it to
    # the left as it grows, also where all of it is seen.
    pan_x: float = 0.0
    pan_y: float = 0.0


def lay_out(
    image: Image,
    layout: Layout,
    width: int,
    height: int,
    *,
    on_black: bool = False,
) -> Image:
    """Scale `image` to the size after its layout, and crop or surround the rest.

    on_black: fill the rest with black, not with a dimmed, blurred copy of the image.
    """
    if (image.shape[1], image.shape[0]) == (width, height) and layout[1:] == (1, 0, 0):
        return image
    size_of = cover_size if layout.fit == "fill" else contain_size
    inner_width, inner_height = size_of(image.shape[1], image.shape[0], width, height)
    across, canvas_across = _shown(image.shape[1], inner_width * layout.zoom, width, layout.pan_x)
    down, canvas_down = _shown(image.shape[0], inner_height * layout.zoom, height, layout.pan_y)
    # Crop before scaling, so that a very large image is resampled only once.
    part = scale(
        image[down, across],
        canvas_across.stop - canvas_across.start,
        canvas_down.stop - canvas_down.start,
    )
    if part.shape[:2] == (height, width):
        return np.ascontiguousarray(part)
    if on_black:
        canvas: Image = np.zeros((height, width, *image.shape[2:]), np.uint8)
    else:
        canvas = _blurred(image, width, height)
    canvas[canvas_down, canvas_across] = part
    return canvas


def fill(image: Image, width: int, height: int) -> Image:
    """Scale `image` to cover the size and crop the rest evenly on both sides."""
    return lay_out(image, Layout("fill"), width, height)


def letterbox(image: Image, width: int, height: int) -> Image:
    """Scale `image` to fit inside the size and centre it on black."""
    return lay_out(image, Layout("fit"), width, height, on_black=True)


def _shown(pixels: int, inner: float, size: int, pan: float) -> tuple[slice, slice]:
    """Return which pixels of an image are shown, and where in the frame, along one axis.

    inner: the length of the whole image in the frame. size: that of the frame.
    """
    start = (size - inner - pan * abs(size - inner)) / 2
    low = max(start, 0.0)
    high = min(start + inner, float(size))
    first = min(round(low), size - 1)
    begin = min(int((low - start) / inner * pixels), pixels - 1)
    last = min(first + max(round(high - low), 1), size)
    end = min(begin + max(round((high - low) / inner * pixels), 1), pixels)
    return slice(begin, end), slice(first, last)


def _blurred(image: Image, width: int, height: int) -> Image:
    small = fill(image, max(2, width // _BAR_BLUR), max(2, height // _BAR_BLUR))
    soft = cv2.GaussianBlur(cv2.convertScaleAbs(small, alpha=_BAR_DIM), (0, 0), 1.5)
    return _uint8(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC))


def _uint8(image: NDArray[np.generic]) -> Image:
    # OpenCV's stubs do not express that the dtype of the input is kept.
    return image.astype(np.uint8, copy=False)


def viewed(image: Pixels, view: View) -> Pixels:
    """Return the part of an image (H, W) or (H, W, C), enlarged to the image's size, at a
    precision below a pixel.

    A crop of whole pixels would shake while the view moves slowly.
    """
    height, width = image.shape[:2]
    matrix = np.array(
        [
            [view.size, 0, view.left * width + (view.size - 1) / 2],
            [0, view.size, view.top * height + (view.size - 1) / 2],
        ],
        np.float64,
    )  # from pixels of the view to pixels of the image; pixel centres are at whole numbers
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        image,
        matrix,
        (width, height),
        flags=flags,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped).astype(image.dtype, copy=False)


WHOLE = FramingSettings()


def cutout(framing: FramingSettings, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the crop rectangle (left, top, width, height) in pixels, with the aspect ratio of
    the frame.
    """
    part_width = max(1, round(width / framing.zoom))
    part_height = max(1, round(height / framing.zoom))
    left = round((width - part_width) * (framing.pan_x + 1) / 2)
    top = round((height - part_height) * (framing.pan_y + 1) / 2)
    return left, top, part_width, part_height


def framed(image: BgrImage, framing: FramingSettings) -> BgrImage:
    """Return the crop, resized to the size of `image`; without a zoom return `image` itself."""
    height, width = image.shape[:2]
    left, top, part_width, part_height = cutout(framing, width, height)
    if (part_width, part_height) == (width, height):
        return image
    part = image[top : top + part_height, left : left + part_width]
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def cropped(frame: Frame, framing: FramingSettings) -> Frame:
    """Return the frame with the crop as its image; without a zoom return `frame` itself."""
    image = framed(frame.image, framing)
    if image is frame.image:
        return frame
    return replace(frame, image=image, whole=frame.image)


def pan_by(framing: FramingSettings, right: float, down: float) -> FramingSettings:
    """Return the framing panned by (right, down), as fractions of the view size."""
    view = view_of(framing)
    return _look_at(
        framing,
        framing.zoom,
        view.left - right * view.size,
        view.top - down * view.size,
    )


def zoom_at(
    framing: FramingSettings,
    factor: float,
    x: float = 0.5,
    y: float = 0.5,
) -> FramingSettings:
    """Return the framing zoomed by `factor` at (x, y), fractions of the view size.

    The crop stays inside the frame.
    """
    zoom = min(MAX_ZOOM, max(1.0, framing.zoom * factor))
    view = view_of(framing)
    shrunk = view.size - 1 / zoom
    return _look_at(framing, zoom, view.left + x * shrunk, view.top + y * shrunk)


def to_camera(framing: FramingSettings, view: View, x: float, y: float) -> tuple[float, float]:
    """Convert a position in what is shown to one in the camera's frame, both in fractions of
    width and height.
    """
    return view_of(framing).to_frame(*view.to_frame(x, y))


def from_camera(framing: FramingSettings, view: View, x: float, y: float) -> tuple[float, float]:
    """Convert a position in the camera's frame to one in what is shown.

    The inverse of `to_camera`.
    """
    return view.from_frame(*view_of(framing).from_frame(x, y))


def view_of(framing: FramingSettings) -> View:
    """Return the part of the camera's frame that is shown."""
    room = 1 - 1 / framing.zoom
    return View(room * (framing.pan_x + 1) / 2, room * (framing.pan_y + 1) / 2, 1 / framing.zoom)


def _look_at(framing: FramingSettings, zoom: float, left: float, top: float) -> FramingSettings:
    room = 1 - 1 / zoom
    if room <= 0:
        return framing.replace(zoom=zoom)
    pan_x = min(1.0, max(-1.0, 2 * left / room - 1))
    pan_y = min(1.0, max(-1.0, 2 * top / room - 1))
    return framing.replace(zoom=zoom, pan_x=pan_x, pan_y=pan_y)
