"""The empty-background plate: its capture, its files, who is in it, its light, and whether frames show its room."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, FiniteFloat

from app.core import paths
from app.core.errors import BackgroundError, PlateError, SettingsError, t
from app.core.files import (
    BrokenFileError,
    JsonObject,
    free_name,
    is_special,
    when_closed,
    why_not_read,
    why_not_written,
)
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import AlphaImage, BgrImage, Frame, Mask
from app.core.user_file import UserFile
from app.matting.choice.choice import choose
from app.matting.engine import network_engine
from app.matting.interface import StepRequest
from app.media.image_file import read_image, write_picture
from models.table import NETWORKS, bundled

LOG = logging.getLogger(__name__)
MOST_FRAMES = 30
MOST_BYTES = 200_000_000
"""Limit of the memory for frames: fewer are kept if they are large."""
FEWEST_FRAMES = 3
START_LIMIT_S = 10.0


def needs_plate(name: str) -> bool:
    """Return whether the network of this name needs an empty-background plate; False for `auto`."""
    return name in NETWORKS and NETWORKS[name].needs_plate


class PlateCapture:
    """Counts down, then collects frames of one camera for some seconds, in bounded memory."""

    def __init__(
        self,
        countdown_s: float,
        collect_s: float,
        most_bytes: int = MOST_BYTES,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """most_bytes: of all frames. now: the time in seconds, replaced in tests."""
        self.camera = ""
        """The viewpoint of the camera that the frames are of."""
        self.frames: list[BgrImage] = []
        """The frames collected so far."""
        self._collect_s, self._most_bytes, self._now = collect_s, most_bytes, now
        self._start_s = self._advanced_s = now() + countdown_s
        self._span_s: tuple[float, float] | None = None
        """When the first and the newest frame of this camera were captured; None before the first."""

    @property
    def countdown_left_s(self) -> float:
        """Seconds until frames are collected, at least 0."""
        return max(0.0, self._start_s - self._now())

    @property
    def progress(self) -> float:
        """Fraction of the time of collecting that has passed, 0..1."""
        return 0.0 if self._span_s is None else min(1.0, (self._span_s[1] - self._span_s[0]) / self._collect_s)

    def feed(self, frame: Frame | None) -> bool:
        """Add the newest frame, if there is one, without copying it; return True once there are enough.

        A frame of another camera or size restarts. A plate shows the whole camera frame, so that it matches any zoom
        and pan. Raises PlateError if no new frame has arrived for `START_LIMIT_S`.
        """
        if self.countdown_left_s > 0:
            return False
        if frame is not None:
            self._add(frame)
        if self._now() - self._advanced_s > START_LIMIT_S:
            raise PlateError(t("The camera delivers no frames; no picture of the empty room was taken."))
        return self.progress >= 1 and len(self.frames) >= FEWEST_FRAMES

    def _add(self, frame: Frame) -> None:
        image, at_s = frame.image if frame.whole is None else frame.whole, frame.captured_at_s
        if frame.source.viewpoint != self.camera or (self.frames and self.frames[0].shape != image.shape):
            self.frames.clear()
            self._span_s, self.camera = None, frame.source.viewpoint
        if self._span_s is not None and at_s == self._span_s[1]:
            return  # the same frame again
        self._span_s = at_s if self._span_s is None else self._span_s[0], at_s
        self._advanced_s = self._now()
        wanted = max(FEWEST_FRAMES, min(MOST_FRAMES, self._most_bytes // image.nbytes))
        if len(self.frames) < wanted and self.progress >= len(self.frames) / wanted:
            self.frames.append(image)

    def plate(self) -> BgrImage:
        """Return the median of the frames so far. Raises PlateError if there are none."""
        return median_plate(self.frames)


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


ASPECT_TOLERANCE = 0.02


class PlateInfo(BaseModel, strict=True, frozen=True):
    """Metadata stored beside a plate."""

    camera: str
    """The camera's stable id, and how it was turned: `SourceInfo.viewpoint`."""
    width: int
    height: int
    taken_at_s: FiniteFloat
    """time.time() of the capture."""


def plate_path(camera: str, width: int, height: int) -> Path:
    """Return the file of the plate of a camera in a size."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", camera)[:160].strip(".") or "camera"
    return paths.data_dir() / "plates" / f"{name}-{width}x{height}.png"


def save_plate(path: Path, plate: BgrImage, camera: str) -> PlateInfo:
    """Write the plate as PNG, atomically, and its metadata beside it. Raises PlateError.

    An earlier plate of the same camera is replaced; any other picture of the name gets another one.
    """
    height, width = plate.shape[:2]
    info = PlateInfo(camera=camera, width=width, height=height, taken_at_s=time.time())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _keep_other(path, camera)
        write_picture(path, plate)
        _record(path).change(lambda _earlier: info.model_dump())
    except SettingsError as error:
        raise PlateError(error.text) from error
    except OSError as error:
        raise PlateError(
            t(
                "The picture of the empty room {file} cannot be written: {reason}.",
                file=path,
                reason=why_not_written(error),
            )
        ) from error
    return info


def _keep_other(path: Path, camera: str) -> None:
    """Rename a picture of unknown origin, or of another camera whose id gives the same name. Raises OSError."""
    info = plate_info(path)
    if not os.path.lexists(path) or (info is not None and info.camera == camera):
        return
    kept = free_name(path)
    when_closed(partial(path.rename, kept))
    with contextlib.suppress(FileNotFoundError):
        when_closed(partial(record_of(path).rename, record_of(kept)))
    LOG.warning("The picture %s is of another camera, or of unknown origin; it was renamed to %s.", path, kept)


def plate_info(path: Path) -> PlateInfo | None:
    """Return the metadata of a plate; None for an image of unknown origin."""
    try:
        return _record(path).read()
    except (OSError, BrokenFileError, ValueError):  # ValueError: a path without a name
        return None


def _record(path: Path) -> UserFile[PlateInfo]:
    return UserFile(record_of(path), _checked)


def _checked(data: JsonObject) -> PlateInfo:
    try:
        return PlateInfo.model_validate(data)
    except ValueError as error:
        raise BrokenFileError(t("it does not describe a picture of the empty room")) from error


def record_of(path: Path) -> Path:
    """Return the file beside a plate that holds its metadata."""
    return path.with_name(f"{path.name}.json")


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


SHORT_SIDE = 288
"""Short side in pixels at which the plate is examined; larger sizes do not change the result."""
LOOKS = 3
"""Number of passes over the same image before the recurrent network's matte is used."""
CERTAIN = 230
"""Alpha (0..255) above which a pixel counts as a person. In empty rooms, coats and pillows rarely exceed it."""
SOMEONE_SHARE = 0.08
"""Minimum share of person pixels in an occupied plate.

Measured: 123 empty rooms outside the training set stay below 0.005 and the demo plate, with its flag and rocket, at
0.063; all of 80 portraits are above 0.16.
"""


class PersonFinder:
    """Looks for people in single images of one size, with the bundled network, in float32 on the CPU."""

    def __init__(self, width: int, height: int) -> None:
        """Build the network, which takes some tenths of a second. width, height: of the images, in pixels."""
        part = min(1.0, SHORT_SIDE / min(width, height))
        self._size = max(1, round(width * part)), max(1, round(height * part))
        settings = MattingSettings(model=bundled().name, device="cpu", precision="float32")
        self._engine = network_engine(settings, choose(settings), *self._size)

    def alpha(self, image: BgrImage) -> AlphaImage:
        """Return alpha of the people in an image (H, W, 3); its short side is at most 288."""
        small: BgrImage = np.ascontiguousarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        self._engine.reset()
        for _ in range(LOOKS):
            request = StepRequest(small, np.zeros_like(small), EdgeSettings(), strict="off")
            alpha = self._engine.step(request).alpha
        return alpha

    def finds_someone(self, plate: BgrImage) -> bool:
        """Return whether somebody is in a plate (H, W, 3), who would become a hole or a second person in the matte."""
        return float((self.alpha(plate) > CERTAIN).mean()) > SOMEONE_SHARE

    def close(self) -> None:
        """Release the network. Idempotent."""
        self._engine.close()


def shows_someone(plate: BgrImage) -> bool:
    """Return whether somebody is in a plate (H, W, 3); takes some tenths of a second."""
    height, width = plate.shape[:2]
    with contextlib.closing(PersonFinder(width, height)) as people:
        return people.finds_someone(plate)


def store_plate(plate: BgrImage, camera: str, *, wanted: Callable[[], bool] = lambda: True) -> Path:
    """Store the plate if nobody is in it and return its file.

    wanted: asked after the check, which takes a moment. Raises PlateError, also if the plate is no longer wanted.
    """
    if shows_someone(plate):
        raise PlateError(t("Someone is still in view; step out of the picture and take it again."))
    if not wanted():
        raise PlateError(t("Mattecam stops; no picture of the empty room was taken."))
    height, width = plate.shape[:2]
    path = plate_path(camera, width, height)
    save_plate(path, plate, camera)
    return path


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


def lit_plate(plate: BgrImage, gain: NDArray[np.float32]) -> BgrImage:
    """Return the plate multiplied by the illumination gain, (3,) BGR."""
    if (gain == 1).all():
        return plate
    table = np.arange(256, dtype=np.float32)[:, None] * gain
    return np.asarray(cv2.LUT(plate, (table + 0.5).clip(0, 255).astype(np.uint8)[None]), np.uint8)


class PlateFit:
    """Compares frames with the plate."""

    def __init__(self, plate: BgrImage) -> None:
        self._size = max(1, round(plate.shape[1] * FIT_HEIGHT / plate.shape[0])), FIT_HEIGHT
        self.plate = plate
        self._small_plate = self._small(plate)
        self.gain = np.ones(3, np.float32)
        """(3,) BGR: factor from the plate's illumination to that of the last frame examined."""

    @property
    def lit_plate(self) -> BgrImage:
        """The plate in the light of the last frame examined."""
        return lit_plate(self.plate, self.gain)

    def fits(self, frame: BgrImage, alpha: AlphaImage) -> bool:
        """Take the gain from a frame and the matte of its people (h, w); return whether the plate shows its room."""
        small, outside = self._small(frame), self._outside(alpha)
        # The gain: per-channel median over background pixels that are neither dark nor clipped.
        lowest, highest = np.minimum(small, self._small_plate).min(2), np.maximum(small, self._small_plate).max(2)
        usable = outside & (lowest > DARK) & (highest < BRIGHT)
        if usable.mean() >= FEWEST:
            self.gain = np.median(small[usable] / self._small_plate[usable], axis=0).astype(np.float32)
        if not (self.gain.min() > 1 / MOST_GAIN and self.gain.max() < MOST_GAIN):
            return False
        changed = np.abs(small - self._small_plate * self.gain).max(2) > CHANGED
        if outside.mean() < HARDLY_OUTSIDE:
            return bool(changed.mean() <= MOST_CHANGED_ALL_OVER)
        return bool(changed[outside].mean() <= MOST_CHANGED_OUTSIDE)

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
