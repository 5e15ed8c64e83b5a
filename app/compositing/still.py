"""Static backgrounds: an image, a colour, the blurred camera background."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np

from app.core import geometry
from app.core.geometry import Layout
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage, BlurredBackground
from app.media.image_file import first_frame_alone, read_image

log = logging.getLogger(__name__)

LEAST_SIDE = 540
"""Short side from which smaller copies of an image are kept."""


def parse_colour(text: str) -> tuple[int, int, int]:
    """Convert `#RRGGBB` to (blue, green, red), each 0..255."""
    value = int(text.removeprefix("#"), 16)
    return value & 255, value >> 8 & 255, value >> 16


def layout_of(settings: BackgroundSettings) -> Layout:
    """Return how these settings lay out an image."""
    return Layout(settings.fit, settings.zoom, settings.pan_x, settings.pan_y)


class _Still:
    """What backgrounds have in common that neither follow settings nor hold a file."""

    problem = None

    def follow(self, settings: BackgroundSettings) -> None:
        """Do nothing: nothing of the background is followed."""

    def close(self) -> None:
        """Do nothing: no file is open."""


class ImageBackground(_Still):
    """An image that fills the frame (`fill`), or fits into it over a blur of itself (`fit`).

    Smaller copies make a change of the layout cheap.
    """

    def __init__(self, image: BgrImage, layout: Layout = Layout()) -> None:
        self.layout = layout
        """How the next backdrop shows the image."""
        self._sizes = [image]
        while min(self._sizes[-1].shape[:2]) > LEAST_SIDE:
            half = cv2.resize(self._sizes[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            self._sizes.append(np.asarray(half, np.uint8))
        self._shown: tuple[object, BgrImage] | None = None

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """Return the image in this size; the same object while size and layout are unchanged."""
        key = self.layout, width, height
        if self._shown is None or self._shown[0] != key:
            full_height, full_width = self._sizes[0].shape[:2]
            size = geometry.cover_size(full_width, full_height, width, height)[0] * self.layout.zoom
            image = next((each for each in reversed(self._sizes) if each.shape[1] >= size), self._sizes[0])
            self._shown = key, geometry.lay_out(image, *key)
        return self._shown[1]

    def follow(self, settings: BackgroundSettings) -> None:
        """Take over fit, zoom and pan."""
        self.layout = layout_of(settings)


def open_image(path: Path, settings: BackgroundSettings) -> ImageBackground:
    """Open an image, with the colour of the settings behind transparent parts. Raises BackgroundError."""
    background = ImageBackground(read_image(path, parse_colour(settings.colour)), layout_of(settings))
    if told := first_frame_alone(path):
        log.warning("%s", told)
    return background


class ColourBackground(_Still):
    """A uniform colour."""

    def __init__(self, colour: str) -> None:
        """colour: `#RRGGBB`."""
        self._colour = parse_colour(colour)
        self._shown = np.full((1, 1, 3), self._colour, np.uint8)

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """Return the colour in this size; the same object while the size is unchanged."""
        if self._shown.shape[:2] != (height, width):
            self._shown = np.full((height, width, 3), self._colour, np.uint8)
        return self._shown


class BlurBackground(_Still):
    """The camera's own background, blurred by the frame step."""

    def __init__(self, strength: float, *, bokeh: bool = False) -> None:
        """strength: 0..100. bokeh: see `BlurredBackground`."""
        self._backdrop = BlurredBackground(strength, bokeh)

    def backdrop(self, width: int, height: int, time_s: float) -> BlurredBackground:
        """Return the same value for every size."""
        return self._backdrop
