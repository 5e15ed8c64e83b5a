"""Static backgrounds: an image, a colour, the blurred camera background."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from app.core import geometry
from app.core.types import BgrImage, BlurredBackground
from app.media.image_file import read_image


def parse_colour(text: str) -> tuple[int, int, int]:
    """Convert `#RRGGBB` to (blue, green, red), each 0..255."""
    value = int(text.removeprefix("#"), 16)
    return value & 255, value >> 8 & 255, value >> 16


class ImageBackground:
    """An image that fills the frame (`fill`), or fits into it over a blur of itself (`fit`)."""

    def __init__(
        self, path: Path, fit: Literal["fill", "fit"] = "fill", over: tuple[int, int, int] = (0, 0, 0)
    ) -> None:
        """over: colour (blue, green, red) behind transparent parts. Raises BackgroundError."""
        self.name = path.name
        self._shape = geometry.fill if fit == "fill" else geometry.fit
        self._image = read_image(path, over)
        self._shown = self._image

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """Return the image in this size; the same object while the size is unchanged."""
        if self._shown.shape[:2] != (height, width):
            self._shown = self._shape(self._image, width, height)
        return self._shown

    def close(self) -> None:
        """Do nothing."""


class ColourBackground:
    """A uniform colour."""

    def __init__(self, colour: str) -> None:
        """colour: `#RRGGBB`."""
        self.name = colour
        self._colour = parse_colour(colour)
        self._shown = np.full((1, 1, 3), self._colour, np.uint8)

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """Return the colour in this size; the same object while the size is unchanged."""
        if self._shown.shape[:2] != (height, width):
            self._shown = np.full((height, width, 3), self._colour, np.uint8)
        return self._shown

    def close(self) -> None:
        """Do nothing."""


class BlurBackground:
    """The camera's own background, blurred by the frame step."""

    def __init__(self, strength: float, *, bokeh: bool = False, distance: bool = False) -> None:
        """strength: 0..100. bokeh, distance: see `BlurredBackground`."""
        self.name = "bokeh" if bokeh else "blur"
        self._backdrop = BlurredBackground(strength, bokeh, distance)

    def backdrop(self, width: int, height: int, time_s: float) -> BlurredBackground:
        """Return the same value for every size."""
        return self._backdrop

    def close(self) -> None:
        """Do nothing."""
