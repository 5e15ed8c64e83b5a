"""Interlaced frames of grabbers: found in the image, and shown without combs.

The even and the odd rows of such a frame, its two fields, were taken at different times, so that
moving edges look like combs. Few drivers say so, and those of USB grabbers for HDMI never do.
"""

from __future__ import annotations

import logging
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage

log = logging.getLogger(__name__)

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
SURE = 6
LARGEST = 8
# Rows and columns by which a comb is widened: its ends are less visible than its middle.
MASK = np.ones((3, 9), np.uint8)
NOISE_LEVELS = 8
"""A pixel that differs less from that of the frame before has not moved."""
# Smaller frames have no fields.
SMALLEST_HEIGHT = 16

Field = NDArray[np.uint8]
"""(rows, columns): every second row of a channel."""


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
        self._score = max(0, min(LARGEST, self._score + vote))
        if self._score >= SURE and not self._found:
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
    mask = cv2.dilate(is_comb, MASK)
    if previous is not None and previous.shape == image.shape[:2]:
        change = cv2.absdiff(cv2.extractChannel(image, GREEN), previous)
        of_fields = cv2.max(change[0:height:2], change[1:height:2])
        is_moving = cv2.threshold(of_fields, NOISE_LEVELS, 255, cv2.THRESH_BINARY)[1]
        mask = cv2.bitwise_and(mask, cv2.dilate(is_moving, MASK))
    cv2.copyTo(cv2.addWeighted(even, 0.5, below, 0.5, 0), mask, odd)
    result = image.copy()
    result[1:height:2] = odd
    return result
