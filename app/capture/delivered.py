"""What a camera delivers, made into whole frames of the size that was asked for.

And whether it shows anything.
"""

from __future__ import annotations

import cv2
import numpy as np

from app.capture.interlaced import Deinterlacer
from app.core import geometry
from app.core.settings import CaptureSettings
from app.core.types import BgrImage

# No video has 1088 rows: encoders need a multiple of 16, and fill the last 8 with anything.
CODED_HD_ROWS = 1088
HD_ROWS = 1080
# Encoders work in blocks of 8 or 16 pixels, so that the last row and column of blocks may hold no
# image.
CODED_STEP = 8
LARGEST_PADDING = 16
# A camera may deliver up to so many times the pixels that were asked for: those of 4:3 in place of
# 16:9.
TOLERATED_PIXELS = 4 / 3

# Distances in pixels of those that are looked at: few of them tell that most frames are not blank.
STEPS = (64, 8)
# Mean of a closed shutter at most: automatic gain amplifies the noise of the sensor.
DARK_LEVEL = 16
# Columns and rows of blocks: their means hold hardly any noise, but the shapes of a dim room.
BLOCKS = (16, 9)
# Difference between blocks of a closed shutter at
# most. In a dim room one sees shapes from about 5 on.
EVEN_LEVELS = 3


class FrameShaper:
    """Shapes the frames of one camera. Used on one thread."""

    def __init__(self, settings: CaptureSettings, *, is_interlaced: bool = False) -> None:
        """is_interlaced: the driver says so."""
        self._wanted_size = (settings.width, settings.height)
        self._deinterlacer = Deinterlacer(settings.deinterlace, is_announced=is_interlaced)

    def shape(self, image: BgrImage, asked: tuple[int, int] | None = None) -> BgrImage:
        """Return a frame without padding and combs, and not far larger than the settings want it.

        image: (height, width, 3) uint8 BGR. asked: (width, height) that the camera was asked for;
        None: that of the settings.
        """
        # Combs after the padding, which may hold anything; the size last, as scaling blends fields.
        whole = without_padding(image, asked or self._wanted_size)
        return fitted(self._deinterlacer.image(whole), self._wanted_size)

    def skip(self) -> None:
        """Take note that a frame was left out."""
        self._deinterlacer.skip()


def without_padding(image: BgrImage, asked: tuple[int, int]) -> BgrImage:
    """Return a frame without the rows and columns that only fill the blocks of an encoder.

    image: (height, width, 3) uint8 BGR. asked: (width, height) that the camera was asked for.
    """
    height, width = image.shape[:2]
    rows = HD_ROWS if height == CODED_HD_ROWS else _image_length(height, asked[1])
    columns = _image_length(width, asked[0])
    if (columns, rows) == (width, height):
        return image
    return np.ascontiguousarray(image[:rows, :columns])


def _image_length(coded: int, asked: int) -> int:
    is_padded = coded % CODED_STEP == 0 and 0 < coded - asked < LARGEST_PADDING
    return asked if is_padded else coded


def fitted(image: BgrImage, wanted: tuple[int, int]) -> BgrImage:
    """Return a frame that is far larger than wanted in the wanted size.

    With other proportions, within it.

    Some cameras ignore the size that they are asked for: everything after them would compute with
    its pixels. image: (height, width, 3) uint8 BGR. wanted: (width, height).
    """
    height, width = image.shape[:2]
    wanted_width, wanted_height = wanted
    if width * height <= TOLERATED_PIXELS * wanted_width * wanted_height:
        return image
    if (width < height) != (wanted_width < wanted_height):  # a camera that stands upright
        wanted_width, wanted_height = wanted_height, wanted_width
    scale = min(wanted_width / width, wanted_height / height)
    return geometry.scale(image, _even(width * scale), _even(height * scale))


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))


def is_blank(image: BgrImage) -> bool:
    """Return whether a frame shows nothing.

    It is black or green, or the dark noise of a closed shutter.

    A driver makes green of planes that are all zero. A dim room is not blank. image: (height,
    width, 3) uint8 BGR.
    """
    coarse = image[:: STEPS[0], :: STEPS[0]]
    if coarse.mean() <= DARK_LEVEL and _has_no_shapes(image):
        return True
    return _is_one_colour(image) and _is_green(coarse[0, 0])


def _has_no_shapes(image: BgrImage) -> bool:
    blocks = cv2.resize(image, BLOCKS, interpolation=cv2.INTER_AREA).reshape(-1, 3)
    differences = blocks.max(axis=0).astype(int) - blocks.min(axis=0)
    return bool(blocks.mean() <= DARK_LEVEL and differences.max() <= EVEN_LEVELS)


def _is_one_colour(image: BgrImage) -> bool:
    for step in STEPS:
        sample = image[::step, ::step]
        differences = sample.max(axis=(0, 1)).astype(int) - sample.min(axis=(0, 1))
        if differences.max() > 2:
            return False
    return True


def _is_green(pixel: BgrImage) -> bool:
    # Planes of zeros are (0, 154, 0), or other greens by other matrices.
    blue, green, red = (int(value) for value in pixel)
    return max(blue, red) <= 8 and 100 <= green <= 170
