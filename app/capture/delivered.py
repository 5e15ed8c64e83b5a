"""What a camera delivers, made into whole frames of the size that was asked for.

And whether it shows anything.

Grabbers also deliver interlaced frames, which are found in the image and shown without combs: the
even and the odd rows of such a frame, its two fields, were taken at different times, so that moving
edges look like combs. Few drivers say so, and those of USB grabbers for HDMI never do.
"""

from __future__ import annotations

import logging
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.capture.colours import (
    BT601,
    JPEG,
    RawConverter,
    YuvColours,
    declared,
    reinterpreted,
    takes_raw,
)
from app.core import geometry
from app.core.settings import CaptureSettings
from app.core.types import BgrImage
from app.media.jpeg import MjpgDecoder
from app.system.v4l2 import CapturedKind

log = logging.getLogger(__name__)

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

Mode = Literal["auto", "on", "off"]
# The channel that the fields are compared in: it holds most of the brightness.
GREEN = 1
# Columns that are averaged for the search: noise is lower, and combs are far wider.
COLUMN_STEP = 8
# A row that differs less from both of its neighbours is no visible comb.
VISIBLE_LEVELS = 4
# Mean comb of two frames that are woven together, from which on something moves.
MOVING_LEVELS = 0.05
LOOK_INTERVAL = 4
"""One pair of frames in so many is compared, which takes about two milliseconds."""
# The same while nothing speaks for interlaced frames: most cameras never send any.
RARE_LOOK_INTERVAL = 32
# Pairs that must speak for interlaced frames, more than against them; and how many are remembered.
SURE_VOTES = 6
MOST_VOTES = 8
# Rows and columns by which a comb is widened: its ends are less visible than its middle.
COMB_MASK = np.ones((3, 9), np.uint8)
NOISE_LEVELS = 8
"""A pixel that differs less from that of the frame before has not moved."""
# Smaller frames have no fields.
SMALLEST_HEIGHT = 16

Field = NDArray[np.uint8]
"""(rows, columns): every second row of a channel."""


class FrameDecoder:
    """Makes pictures of what the driver delivers, whatever format it has accepted."""

    def __init__(self, colours: YuvColours | None, *, takes_undecoded: bool) -> None:
        """colours: of the settings; None where the driver is asked.

        takes_undecoded: whether the driver gives undecoded frames; elsewhere the system decodes.
        """
        self._colours = colours
        self._takes_undecoded = takes_undecoded
        self._mjpg = MjpgDecoder()
        # The driver delivers undecoded JPEG frames.
        self.is_raw_mjpg = False
        # Converts undecoded frames, where OpenCV would show wrong colours.
        self._raw: RawConverter | None = None

    @property
    def last_damage(self) -> str:
        """Of the last JPEG frame, if it was dropped."""
        return self._mjpg.last_damage

    def take_over_jpeg(self, capture: cv2.VideoCapture) -> None:
        """Ask the driver for undecoded frames, if they are JPEG."""
        # OpenCV's own decoder fills the gaps of damaged frames.
        self.is_raw_mjpg = self._takes_undecoded and accepted_format(capture) == "MJPG"
        if self.is_raw_mjpg:
            self.is_raw_mjpg = bool(capture.set(cv2.CAP_PROP_CONVERT_RGB, 0))

    def take_over_colours(self, capture: cv2.VideoCapture, kind: CapturedKind) -> None:
        """Ask the driver for undecoded frames, if OpenCV would show wrong colours of this kind."""
        colours = self._colours or declared(kind)
        pixel_format = accepted_format(capture)
        self._raw = None
        if self._takes_undecoded and colours != BT601 and takes_raw(pixel_format):
            # OpenCV would clip what is darker or brighter than the limited range.
            capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
            self._raw = RawConverter(pixel_format, colours)

    def decode(self, raw: NDArray[np.uint8]) -> BgrImage | None:
        """Return a frame from what the driver delivers; None if it is damaged."""
        if self.is_raw_mjpg and (raw.ndim == 1 or raw.shape[-1] != 3):
            decoded = self._mjpg.decode(raw.reshape(-1))
            if decoded is None:
                return None
            return self._recoloured(decoded, JPEG)
        if self._raw is not None:
            converted = self._raw.to_bgr(raw)
            if converted is not None:
                return converted
        # The driver may deliver decoded frames all the same.
        image = _as_bgr(raw)
        if image is None:
            return None
        return self._recoloured(image, BT601)

    def _recoloured(self, image: BgrImage, assumed: YuvColours) -> BgrImage:
        """Return a frame in the colours of the settings, which was converted as `assumed`."""
        return reinterpreted(image, assumed, self._colours or assumed)


class FrameShaper:
    """Shapes the frames of one camera. Used on one thread."""

    def __init__(
        self,
        settings: CaptureSettings,
        asked: tuple[int, int] | None = None,
        *,
        is_interlaced: bool = False,
    ) -> None:
        """asked: (width, height) that the camera was asked for; None: that of the settings.

        is_interlaced: the driver says so.
        """
        self._wanted_size = (settings.width, settings.height)
        self._asked_size = asked or self._wanted_size
        self._deinterlacer = Deinterlacer(settings.deinterlace, is_announced=is_interlaced)

    def shape(self, image: BgrImage) -> BgrImage:
        """Return a frame without padding and combs, and not far larger than the settings want it.

        image: (height, width, 3) uint8 BGR.
        """
        # Combs after the padding, which may hold anything; the size last, as scaling blends fields.
        whole = without_padding(image, self._asked_size)
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


class Deinterlacer:
    """Finds out whether the frames of a camera are interlaced, and removes the combs.

    Used on one thread.
    """

    def __init__(self, mode: Mode = "auto", *, is_announced: bool = False) -> None:
        """is_announced: the driver says that frames are interlaced."""
        self._mode = mode
        self._is_announced = is_announced
        # Pairs of frames that looked interlaced, less those that did not.
        self._score = 0
        self._found = False
        self._looks_rarely = False
        self._number = 0
        # The channel GREEN of the last frame that was deinterlaced.
        self._last: Field | None = None
        self._previous: tuple[Field, Field] | None = None

    @property
    def is_active(self) -> bool:
        """Whether frames are deinterlaced now."""
        if self._mode == "auto":
            return self._found or self._is_announced
        return self._mode == "on"

    def image(self, image: BgrImage) -> BgrImage:
        """Return a frame without combs; the same object where there are none.

        (height, width, 3) uint8 BGR.
        """
        if image.shape[0] < SMALLEST_HEIGHT:
            return image
        if self._mode == "auto":
            self._look(image)
        if not self.is_active:
            self._last = None
            return image
        shown = without_combs(image, self._last)
        self._last = np.asarray(cv2.extractChannel(image, GREEN), np.uint8)
        return shown

    def skip(self) -> None:
        """Take note that a frame was left out: the next one does not follow the last one."""
        self._previous = None

    def _look(self, image: BgrImage) -> None:
        """Compare some of the frames with the one before them."""
        self._number += 1
        interval = RARE_LOOK_INTERVAL if self._looks_rarely else LOOK_INTERVAL
        place = self._number % interval
        if place == 0 and self._previous is not None:
            current = fields(image)
            if current[0].shape == self._previous[0].shape:
                self._take_vote(compare(self._previous, current))
        # Only the frame before one that is compared is kept.
        self._previous = None
        if place == interval - 1:
            self._previous = fields(image)

    def _take_vote(self, vote: int) -> None:
        if vote > 0:
            self._looks_rarely = False
        elif vote < 0 and self._score == 0:
            self._looks_rarely = True
        self._score = max(0, min(MOST_VOTES, self._score + vote))
        if self._score >= SURE_VOTES and not self._found:
            self._found = True
            log.info("The camera sends interlaced frames; they are deinterlaced.")
        elif self._score == 0 and self._found:
            self._found = False
            log.info("The camera sends whole frames again.")


def fields(image: BgrImage) -> tuple[Field, Field]:
    """Return the even and the odd rows of a frame for the search."""
    height, width = image.shape[:2]
    green = cv2.extractChannel(image[: height - height % 2], GREEN)
    narrow = cv2.resize(
        green,
        (max(1, width // COLUMN_STEP), len(green)),
        interpolation=cv2.INTER_AREA,
    )
    rows = np.asarray(narrow, np.uint8)
    return rows[0::2], rows[1::2]


def compare(previous: tuple[Field, Field], current: tuple[Field, Field]) -> int:
    """Return 1 if two frames in a row look interlaced, -1 if progressive, 0 if they do not tell.

    A field of one frame and one of the next, woven together, are as near in time as the fields of a
    frame if it is interlaced, and three times as far if the other two are taken. Of progressive
    video, both pairs are a whole frame apart, and the fields of a frame not at all. Fine patterns,
    such as the stripes of a shirt, look like combs in all of them, and decide nothing.
    """
    own = comb(*current)
    near, far = sorted((comb(current[0], previous[1]), comb(previous[0], current[1])))
    if far < MOVING_LEVELS:
        return 0
    if own < 0.5 * near:
        return -1
    if own > 0.6 * near and far > 1.3 * near:
        return 1
    return 0


def comb(even: Field, odd: Field) -> float:
    """Return by how many levels odd rows stand out from both of their neighbours, on average."""
    outstanding = _outstanding(even[:-1], odd[:-1], even[1:])
    return float((np.maximum(outstanding, VISIBLE_LEVELS) - VISIBLE_LEVELS).mean())


def _outstanding(above: Field, rows: Field, below: Field) -> Field:
    """Return by how much rows are brighter, or darker, than both of their neighbours."""
    brighter = cv2.subtract(rows, cv2.max(above, below))
    darker = cv2.subtract(cv2.min(above, below), rows)
    return np.asarray(cv2.max(brighter, darker), np.uint8)


def _green(rows: BgrImage) -> Field:
    return np.asarray(cv2.extractChannel(rows, GREEN), np.uint8)


def without_combs(image: BgrImage, previous: Field | None = None) -> BgrImage:
    """Return a frame whose odd rows are interpolated from the even ones where they are combed and
    something moved.

    What does not move keeps all rows. image: (height, width, 3) uint8 BGR. previous: the channel
    GREEN of the frame before, (height, width) uint8; None: everything may have moved.
    """
    height = image.shape[0] - image.shape[0] % 2
    even = np.ascontiguousarray(image[0:height:2])
    below = np.concatenate([even[1:], even[-1:]])
    odd = np.ascontiguousarray(image[1:height:2])
    outstanding = _outstanding(_green(even), _green(odd), _green(below))
    is_comb = cv2.threshold(outstanding, VISIBLE_LEVELS, 255, cv2.THRESH_BINARY)[1]
    mask = cv2.dilate(is_comb, COMB_MASK)
    if previous is not None and previous.shape == image.shape[:2]:
        change = cv2.absdiff(cv2.extractChannel(image, GREEN), previous)
        of_fields = cv2.max(change[0:height:2], change[1:height:2])
        is_moving = cv2.threshold(of_fields, NOISE_LEVELS, 255, cv2.THRESH_BINARY)[1]
        mask = cv2.bitwise_and(mask, cv2.dilate(is_moving, COMB_MASK))
    cv2.copyTo(cv2.addWeighted(even, 0.5, below, 0.5, 0), mask, odd)
    result = image.copy()
    result[1:height:2] = odd
    return result


def accepted_format(capture: cv2.VideoCapture) -> str:
    """Return the pixel format that the driver has accepted; empty if unknown."""
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    if code <= 0:
        return ""
    return code.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")


def _as_bgr(image: NDArray[np.uint8]) -> BgrImage | None:
    """Return what OpenCV delivers as contiguous (height, width, 3) BGR.

    It is not copied where it is BGR already: OpenCV does not use the memory of a frame again. None
    for two channels, which are video that OpenCV has not decoded.
    """
    if image.ndim == 2 or image.shape[2] == 1:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    if image.shape[2] < 3:
        return None
    return np.ascontiguousarray(image[:, :, :3])
