"""The plate, a picture of the empty room: read from a file, aligned to the light of the moment, watched for drift."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.errors import PlateError
from app.core.messages.matting import PlateText
from app.core.types import AlphaImage, BgrImage
from app.media.disk_errors import why_not_read

LOG = logging.getLogger(__name__)
ASPECT_TOLERANCE = 0.02
WATCH_HEIGHT = 90
"""Light and drift are measured on pictures this high."""
DARK, BRIGHT = 16, 240
"""Colours outside say nothing about the light: noise, or clipped."""
OUTSIDE_ALPHA = 13
PERSON_MARGIN = 5
FEWEST = 0.02
"""Of the picture, to measure the light on."""
FOLLOW = 0.5
MOST_GAIN = 2.0
CHANGED = 30
MOST_CHANGED_OUTSIDE = 0.12
"""A camera that moved by a fiftieth of the picture's width changes about a sixth of an office; light that is followed
and noise a twentieth."""
LEAST_PERSON = 0.02
"""Of the picture: what is smaller in a matte is rather an edge of the furniture than somebody."""
MOST_CHANGED = 0.8
HARDLY_OUTSIDE = 0.1
MOST_CHANGED_ALL_OVER = 0.3
"""Where the matte leaves hardly anything outside, it may be that it takes a changed room for the person."""
PATIENCE = 3
"""So many checks in a row must see a change."""


def read_plate(path: Path, width: int, height: int) -> BgrImage:
    """The plate at the frame's size. Raises PlateError."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise PlateError(PlateText.UNREADABLE(file=path, reason=why_not_read(error))) from error
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:  # a head that promises more pixels than OpenCV accepts
        image = None
    if image is None:
        raise PlateError(PlateText.NOT_AN_IMAGE(file=path))
    plate = np.asarray(image, np.uint8)
    plate_height, plate_width = plate.shape[:2]
    if (plate_width, plate_height) == (width, height):
        return plate
    if abs(plate_width * height / (plate_height * width) - 1) > ASPECT_TOLERANCE:
        raise PlateError(
            PlateText.OTHER_SHAPE(
                file=path, width=plate_width, height=plate_height, camera_width=width, camera_height=height
            )
        )
    LOG.warning("The plate %s is scaled from %dx%d to %dx%d.", path, plate_width, plate_height, width, height)
    method = cv2.INTER_AREA if plate_width > width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plate, (width, height), interpolation=method), np.uint8)


def lit_plate(plate: BgrImage, gain: NDArray[np.float32]) -> BgrImage:
    """The plate as a camera would give it in another light: times `gain`, (3,) BGR."""
    if (gain == 1).all():
        return plate
    table = np.arange(256, dtype=np.float32)[:, None] * gain
    return np.asarray(cv2.LUT(plate, (table + 0.5).clip(0, 255).astype(np.uint8)[None]), np.uint8)


def median_plate(frames: Sequence[BgrImage]) -> BgrImage:
    """The plate from many frames of the same view: what each pixel shows most of the time. Raises PlateError."""
    if not frames:
        raise PlateError(PlateText.NO_FRAMES())
    middle = (len(frames) - 1) // 2
    plate = np.empty_like(frames[0])
    for row in range(plate.shape[0]):  # one at a time, so as to need no second copy of all frames
        plate[row] = np.partition(np.stack([frame[row] for frame in frames]), middle, axis=0)[middle]
    return plate


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at a frame says about the plate."""

    gain: NDArray[np.float32]
    """(3,) BGR: the plate times this has the frame's light."""
    drifted: bool
    """The plate does not show this room any more."""


class PlateWatch:
    """Compares frames with the plate, again and again."""

    def __init__(self, plate: BgrImage) -> None:
        self._size = max(1, round(plate.shape[1] * WATCH_HEIGHT / plate.shape[0])), WATCH_HEIGHT
        self._plate = self._small(plate)
        self._gain = np.ones(3, np.float32)
        self._strikes = 0
        self._looked = False

    @property
    def suspicious(self) -> bool:
        """The last look saw a change."""
        return self._strikes > 0

    def look(self, frame: BgrImage, alpha: AlphaImage | None, *, at_once: bool = False) -> Verdict:
        """The verdict on this frame; alpha: the last matte, None before the first. at_once: without patience."""
        small = self._small(frame)
        outside = self._outside(alpha)
        self._align(small, outside)
        self._looked = True
        changed = np.abs(small - self._plate * self._gain).max(2) > CHANGED
        odd = (
            changed.mean() > MOST_CHANGED
            or (alpha is not None and self._differs(changed, outside))
            or not (self._gain.min() > 1 / MOST_GAIN and self._gain.max() < MOST_GAIN)
        )
        self._strikes = self._strikes + 1 if odd else 0
        return Verdict(self._gain.copy(), self._strikes >= (1 if at_once else PATIENCE))

    @staticmethod
    def _differs(changed: NDArray[np.bool_], outside: NDArray[np.bool_]) -> bool:
        share = float(outside.mean())
        if share < HARDLY_OUTSIDE and float(changed.mean()) > MOST_CHANGED_ALL_OVER:
            return True
        return share > FEWEST and float(changed[outside].mean()) > MOST_CHANGED_OUTSIDE

    def _align(self, small: NDArray[np.float32], outside: NDArray[np.bool_]) -> None:
        """Follow the light: gain per colour, the median over what is no person and neither dark nor clipped."""
        lowest, highest = np.minimum(small, self._plate).min(2), np.maximum(small, self._plate).max(2)
        usable = outside & (lowest > DARK) & (highest < BRIGHT)
        if usable.mean() < FEWEST:
            return
        gain = np.median(small[usable] / self._plate[usable], axis=0).astype(np.float32)
        self._gain += (gain - self._gain) * np.float32(FOLLOW if self._looked else 1.0)

    def _outside(self, alpha: AlphaImage | None) -> NDArray[np.bool_]:
        """Where surely no person is."""
        if alpha is None:
            return np.ones(self._size[::-1], np.bool_)
        small = cv2.resize(alpha, self._size, interpolation=cv2.INTER_AREA)
        _, labels, stats, _ = cv2.connectedComponentsWithStats((np.asarray(small) >= OUTSIDE_ALPHA).astype(np.uint8))
        large = stats[:, cv2.CC_STAT_AREA] >= LEAST_PERSON * labels.size
        large[0] = False  # what is no matte
        person = cv2.dilate(large[labels].astype(np.uint8), np.ones((PERSON_MARGIN, PERSON_MARGIN), np.uint8))
        return np.asarray(person == 0, np.bool_)

    def _small(self, image: BgrImage) -> NDArray[np.float32]:
        return np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.float32)
