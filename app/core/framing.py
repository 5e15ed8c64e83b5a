"""Which part of the camera's frame is shown, and what is done to a matte between the network and the composite."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.settings import MAX_ZOOM, FramingSettings
from app.core.types import BgrImage, Frame

Pixels = TypeVar("Pixels", NDArray[np.uint8], NDArray[np.float32])
Plane = NDArray[np.float32]
"""(h, w) float32 at the size of the network's input, in 0..1."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of the frame with the frame's aspect ratio, in fractions of the frame's width and height."""

    left: float = 0.0
    top: float = 0.0
    size: float = 1.0
    """Of both sides: 1 is the whole frame, 0.5 a zoom of 2."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is cropped."""
        return self.size >= 1

    def to_frame(self, x: float, y: float) -> tuple[float, float]:
        """Convert a position in the view to one in the frame, both in fractions."""
        return self.left + x * self.size, self.top + y * self.size

    def from_frame(self, x: float, y: float) -> tuple[float, float]:
        """Convert a position in the frame to one in the view; the inverse of `to_frame`."""
        return (x - self.left) / self.size, (y - self.top) / self.size


WHOLE_VIEW = View()


@dataclass(frozen=True, slots=True, eq=False)
class MatteEdit:
    """The change of one matte: alpha becomes alpha * gain, and the composite shows `view`."""

    gain: Plane | None = None
    """Factor of alpha; None: 1."""
    view: View | None = None
    """The part of the frame that the composite shows; None: the whole frame."""


def viewed(image: Pixels, view: View) -> Pixels:
    """Return the part of an image (H, W) or (H, W, C), enlarged to the image's size, at a precision below a pixel.

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
    warped = cv2.warpAffine(image, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped).astype(image.dtype, copy=False)


WHOLE = FramingSettings()


def cutout(framing: FramingSettings, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the crop rectangle (left, top, width, height) in pixels, with the aspect ratio of the frame."""
    part_width, part_height = max(1, round(width / framing.zoom)), max(1, round(height / framing.zoom))
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
    return frame if image is frame.image else replace(frame, image=image, whole=frame.image)


def pan_by(framing: FramingSettings, right: float, down: float) -> FramingSettings:
    """Return the framing panned by (right, down), as fractions of the view size."""
    view = view_of(framing)
    return _look_at(framing, framing.zoom, view.left - right * view.size, view.top - down * view.size)


def zoom_at(framing: FramingSettings, factor: float, x: float = 0.5, y: float = 0.5) -> FramingSettings:
    """Return the framing zoomed by `factor` at (x, y), fractions of the view size; the crop stays inside the frame."""
    zoom = min(MAX_ZOOM, max(1.0, framing.zoom * factor))
    view = view_of(framing)
    shrunk = view.size - 1 / zoom
    return _look_at(framing, zoom, view.left + x * shrunk, view.top + y * shrunk)


def to_camera(framing: FramingSettings, view: View, x: float, y: float) -> tuple[float, float]:
    """Convert a position in what is shown to one in the camera's frame, both in fractions of width and height."""
    return view_of(framing).to_frame(*view.to_frame(x, y))


def from_camera(framing: FramingSettings, view: View, x: float, y: float) -> tuple[float, float]:
    """Convert a position in the camera's frame to one in what is shown; the inverse of `to_camera`."""
    return view.from_frame(*view_of(framing).from_frame(x, y))


def view_of(framing: FramingSettings) -> View:
    """Return the part of the camera's frame that is shown."""
    room = 1 - 1 / framing.zoom
    return View(room * (framing.pan_x + 1) / 2, room * (framing.pan_y + 1) / 2, 1 / framing.zoom)


def _look_at(framing: FramingSettings, zoom: float, left: float, top: float) -> FramingSettings:
    room = 1 - 1 / zoom
    if room <= 0:
        return framing.replace(zoom=zoom)
    pans = [min(1.0, max(-1.0, 2 * edge / room - 1)) for edge in (left, top)]
    return framing.replace(zoom=zoom, pan_x=pans[0], pan_y=pans[1])
