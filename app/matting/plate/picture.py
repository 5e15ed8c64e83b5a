"""The empty-background plate: loading, illumination gain, and whether frames show its room."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.errors import BackgroundError, PlateError, t
from app.core.files import is_special, why_not_read
from app.core.types import AlphaImage, BgrImage, Mask
from app.media.image_file import read_image

LOG = logging.getLogger(__name__)
ASPECT_TOLERANCE = 0.02
FIT_HEIGHT = 90
"""Height in pixels at which light and change are measured."""
DARK, BRIGHT = 16, 240
"""Values outside this range are ignored for the gain: noise or clipping."""
OUTSIDE_ALPHA = 13
PERSON_MARGIN = 5
FEWEST = 0.02
"""Minimum share of usable pixels for measuring the gain."""
MOST_GAIN = 2.0
CHANGED = 30
MOST_CHANGED_OUTSIDE = 0.12
"""Maximum share of changed pixels outside the person.

A camera pan by 2 % of the frame's width changes about a sixth of an office scene; noise and compensated light about a
twentieth.
"""
LEAST_PERSON = 0.02
"""Minimum share of a connected matte region; smaller ones are more likely furniture edges than people."""
HARDLY_OUTSIDE = 0.1
MOST_CHANGED_ALL_OVER = 0.3
"""Maximum changed share of the whole frame where the matte covers nearly all of it: the background may be matted."""


def read_plate(path: Path, width: int, height: int) -> BgrImage:
    """Read the plate and resize it to the frame's size. Raises PlateError."""
    plate = whole_plate(path)
    plate_height, plate_width = plate.shape[:2]
    if (plate_width, plate_height) == (width, height):
        return plate
    check_shape(path, (plate_width, plate_height), width, height)
    LOG.warning("The plate %s is scaled from %dx%d to %dx%d.", path, plate_width, plate_height, width, height)
    method = cv2.INTER_AREA if plate_width > width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plate, (width, height), interpolation=method), np.uint8)


def whole_plate(path: Path) -> BgrImage:
    """Read the plate in its own size. Raises PlateError."""
    try:
        if not is_special(path):  # opening a pipe waits until another program writes to it
            with path.open("rb"):
                pass
        return read_image(path)
    except OSError as error:
        raise PlateError(
            t(
                "The picture of the empty room {file} cannot be read ({reason}); choose another one or take it again.",
                file=path,
                reason=why_not_read(error),
            )
        ) from error
    except (BackgroundError, ValueError) as error:  # ValueError: a name that no file can have
        raise PlateError(
            t("The file {file} is not a readable image; take the picture of the empty room again.", file=path)
        ) from error


def check_shape(path: Path, size: tuple[int, int], width: int, height: int) -> None:
    """Raise PlateError if a plate of this size, (width, height), has another shape than frames of width × height."""
    plate_width, plate_height = size
    if abs(plate_width * height / (plate_height * width) - 1) > ASPECT_TOLERANCE:
        raise PlateError(
            t(
                "The picture of the empty room {file} has {width}×{height} pixels, but the camera delivers "
                "{camera_width}×{camera_height}; take it again with this camera.",
                file=path,
                width=plate_width,
                height=plate_height,
                camera_width=width,
                camera_height=height,
            )
        )


def lit_plate(plate: BgrImage, gain: NDArray[np.float32]) -> BgrImage:
    """Return the plate multiplied by the illumination gain, (3,) BGR."""
    if (gain == 1).all():
        return plate
    table = np.arange(256, dtype=np.float32)[:, None] * gain
    return np.asarray(cv2.LUT(plate, (table + 0.5).clip(0, 255).astype(np.uint8)[None]), np.uint8)


def median_plate(frames: Sequence[BgrImage]) -> BgrImage:
    """Return the per-pixel median of frames of a static view. Raises PlateError."""
    if not frames:
        raise PlateError(
            t("There are no frames for the picture of the empty room; check that the camera delivers frames.")
        )
    middle = (len(frames) - 1) // 2
    plate = np.empty_like(frames[0])
    for row in range(plate.shape[0]):  # row by row, to avoid a second copy of all frames
        plate[row] = np.partition(np.stack([frame[row] for frame in frames]), middle, axis=0)[middle]
    return plate


class PlateFit:
    """Compares frames with the plate."""

    def __init__(self, plate: BgrImage) -> None:
        self._size = max(1, round(plate.shape[1] * FIT_HEIGHT / plate.shape[0])), FIT_HEIGHT
        self._full_plate = plate
        self._plate = self._small(plate)
        self.gain = np.ones(3, np.float32)
        """(3,) BGR: factor from the plate's illumination to that of the last frame examined."""

    @property
    def lit_plate(self) -> BgrImage:
        """The plate in the light of the last frame examined."""
        return lit_plate(self._full_plate, self.gain)

    def fits(self, frame: BgrImage, alpha: AlphaImage) -> bool:
        """Take the gain from a frame and the matte of its people (h, w); return whether the plate shows its room."""
        small, outside = self._small(frame), self._outside(alpha)
        self._align(small, outside)
        if not (self.gain.min() > 1 / MOST_GAIN and self.gain.max() < MOST_GAIN):
            return False
        changed = np.abs(small - self._plate * self.gain).max(2) > CHANGED
        if outside.mean() < HARDLY_OUTSIDE:
            return bool(changed.mean() <= MOST_CHANGED_ALL_OVER)
        return bool(changed[outside].mean() <= MOST_CHANGED_OUTSIDE)

    def _align(self, small: NDArray[np.float32], outside: Mask) -> None:
        """Update the gain: per-channel median over background pixels that are neither dark nor clipped."""
        lowest, highest = np.minimum(small, self._plate).min(2), np.maximum(small, self._plate).max(2)
        usable = outside & (lowest > DARK) & (highest < BRIGHT)
        if usable.mean() < FEWEST:
            return
        self.gain = np.median(small[usable] / self._plate[usable], axis=0).astype(np.float32)

    def _outside(self, alpha: AlphaImage) -> Mask:
        """Return the mask of pixels that certainly show background."""
        small = cv2.resize(alpha, self._size, interpolation=cv2.INTER_AREA)
        _, labels, stats, _ = cv2.connectedComponentsWithStats((np.asarray(small) >= OUTSIDE_ALPHA).astype(np.uint8))
        large = stats[:, cv2.CC_STAT_AREA] >= LEAST_PERSON * labels.size
        large[0] = False  # label 0: outside the matte
        person = cv2.dilate(large[labels].astype(np.uint8), np.ones((PERSON_MARGIN, PERSON_MARGIN), np.uint8))
        return np.asarray(person == 0, np.bool_)

    def _small(self, image: BgrImage) -> NDArray[np.float32]:
        return np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.float32)
