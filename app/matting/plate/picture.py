"""The empty-background plate: its capture, its files, who is in it, and whether frames fit it."""

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
from app.core.files import free_name, is_special, when_closed, why_not_read, why_not_written
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import AlphaImage, BgrImage, Frame, Mask
from app.core.user_file import BrokenFileError, JsonObject, UserFile
from app.matting.choice.choice import choose
from app.matting.engine import network_engine
from app.matting.interface import StepRequest
from app.media.image_file import read_image, write_picture
from models.table import NETWORKS, bundled

LOG = logging.getLogger(__name__)
MOST_FRAMES = 30
# Limit of the memory for frames: fewer are kept if they are large.
MOST_BYTES = 200_000_000
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
        # The viewpoint that the frames are of; another one begins anew.
        self.camera = ""
        # In the order of their capture, spread over the time of collecting.
        self.frames: list[BgrImage] = []
        self._collect_s = collect_s
        self._most_bytes = most_bytes
        self._now = now
        self._start_s = now() + countdown_s
        # When a new frame arrived last, on the same clock.
        self._advanced_s = self._start_s
        # When the first and the newest frame of this
        # camera were captured; None before the first.
        self._span_s: tuple[float, float] | None = None

    @property
    def countdown_left_s(self) -> float:
        """Seconds until frames are collected, at least 0."""
        return max(0.0, self._start_s - self._now())

    @property
    def progress(self) -> float:
        """Fraction of the time of collecting that has passed, 0..1."""
        if self._span_s is None:
            return 0.0
        first_s, newest_s = self._span_s
        return min(1.0, (newest_s - first_s) / self._collect_s)

    def feed(self, frame: Frame | None) -> bool:
        """Add the newest frame, if there is one, without a copy; return whether there are enough.

        A frame of another camera or size restarts. A plate shows the whole camera frame, so that it
        matches any zoom and pan. Raises PlateError if no new frame has arrived for `START_LIMIT_S`.
        """
        if self.countdown_left_s > 0:
            return False
        if frame is not None:
            self._add(frame)
        if self._now() - self._advanced_s > START_LIMIT_S:
            raise PlateError(
                t("The camera delivers no frames; no picture of the empty room was taken.")
            )
        return self.progress >= 1 and len(self.frames) >= FEWEST_FRAMES

    def _add(self, frame: Frame) -> None:
        image = frame.image if frame.whole is None else frame.whole
        at_s = frame.captured_at_s
        viewpoint = frame.source.viewpoint
        is_other_size = bool(self.frames) and self.frames[0].shape != image.shape
        if viewpoint != self.camera or is_other_size:
            self.frames.clear()
            self._span_s = None
            self.camera = viewpoint
        first_s = at_s
        if self._span_s is not None:
            first_s, newest_s = self._span_s
            if at_s == newest_s:
                return  # the same frame again
        self._span_s = (first_s, at_s)
        self._advanced_s = self._now()
        wanted = max(FEWEST_FRAMES, min(MOST_FRAMES, self._most_bytes // image.nbytes))
        # Frames are taken evenly over the time, so that somebody who passes is in a few alone.
        if len(self.frames) < wanted and self.progress >= len(self.frames) / wanted:
            self.frames.append(image)

    def plate(self) -> BgrImage:
        """Return the median of the frames so far. Raises PlateError if there are none."""
        return median_plate(self.frames)


def median_plate(frames: Sequence[BgrImage]) -> BgrImage:
    """Return the per-pixel median of frames of a static view. Raises PlateError."""
    if not frames:
        raise PlateError(
            t(
                "There are no frames for the picture of the empty room; check that the camera "
                "delivers frames."
            )
        )
    middle = (len(frames) - 1) // 2
    plate = np.empty_like(frames[0])
    # Row by row, to avoid a second copy of all frames.
    for row in range(plate.shape[0]):
        values = np.stack([frame[row] for frame in frames])
        plate[row] = np.partition(values, middle, axis=0)[middle]
    return plate


# Relative difference of the aspect ratios up to which a plate is scaled to the frame.
ASPECT_TOLERANCE = 0.02


class PlateInfo(BaseModel, strict=True, frozen=True):
    """Metadata stored beside a plate."""

    # The camera's stable id, and how it was turned: `SourceInfo.viewpoint`.
    camera: str
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
    """Rename a picture of unknown origin, or of another camera whose id gives the same name.

    Raises OSError.
    """
    if not os.path.lexists(path):
        return
    info = plate_info(path)
    if info is not None and info.camera == camera:
        return
    kept = free_name(path)
    when_closed(partial(path.rename, kept))
    with contextlib.suppress(FileNotFoundError):
        when_closed(partial(record_of(path).rename, record_of(kept)))
    LOG.warning(
        "The picture %s is of another camera, or of unknown origin; it was renamed to %s.",
        path,
        kept,
    )


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
    LOG.warning(
        "The plate %s is scaled from %dx%d to %dx%d.",
        path,
        plate_width,
        plate_height,
        width,
        height,
    )
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
                "The picture of the empty room {file} cannot be read ({reason}); choose another "
                "one or take it again.",
                file=path,
                reason=why_not_read(error),
            )
        ) from error
    except (BackgroundError, ValueError) as error:  # ValueError: a name that no file can have
        raise PlateError(
            t(
                "The file {file} is not a readable image; take the picture of the empty room again.",
                file=path,
            )
        ) from error


def check_shape(path: Path, size: tuple[int, int], width: int, height: int) -> None:
    """Raise PlateError if a plate has another shape than frames.

    size: (width, height) of the plate. width, height: of the frames.
    """
    plate_width, plate_height = size
    if abs(plate_width * height / (plate_height * width) - 1) > ASPECT_TOLERANCE:
        raise PlateError(
            t(
                "The picture of the empty room {file} has {width}×{height} pixels, but the camera "
                "delivers {camera_width}×{camera_height}; take it again with this camera.",
                file=path,
                width=plate_width,
                height=plate_height,
                camera_width=width,
                camera_height=height,
            )
        )


# Short side in pixels at which the plate is
# examined; larger sizes do not change the result.
SHORT_SIDE = 288
# The network is recurrent: its matte is used after so many passes over the same image.
LOOKS = 3
# Alpha (0..255) above which a pixel counts as a person. In
# empty rooms, coats and pillows rarely exceed it.
CERTAIN = 230
# Minimum share of person pixels in an occupied plate.
#
# Measured: 123 empty rooms outside the training set stay below 0.005 and the demo
# plate, with its flag and rocket, at 0.063; all of 80 portraits are above 0.16.
SOMEONE_SHARE = 0.08


class PersonFinder:
    """Looks for people in single images of one size, with the bundled network on the CPU."""

    def __init__(self, width: int, height: int) -> None:
        """Build the network, which takes some tenths of a second.

        width, height: of the images, in pixels.
        """
        part = min(1.0, SHORT_SIDE / min(width, height))
        small_width = max(1, round(width * part))
        small_height = max(1, round(height * part))
        self._size = (small_width, small_height)
        # In float32, so that the thresholds hold on every computer.
        settings = MattingSettings(model=bundled().name, device="cpu", precision="float32")
        self._engine = network_engine(settings, choose(settings), small_width, small_height)

    def alpha(self, image: BgrImage) -> AlphaImage:
        """Return alpha of the people in an image (H, W, 3); its short side is at most 288."""
        resized = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        small: BgrImage = np.ascontiguousarray(resized, np.uint8)
        request = StepRequest(small, np.zeros_like(small), EdgeSettings(), strict="off")
        self._engine.reset()
        for _ in range(LOOKS):
            alpha = self._engine.step(request).alpha
        return alpha

    def finds_someone(self, plate: BgrImage) -> bool:
        """Return whether somebody is in a plate (H, W, 3)."""
        # They would become a hole or a second person in every matte.
        share = float((self.alpha(plate) > CERTAIN).mean())
        return share > SOMEONE_SHARE

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

    wanted: asked after the check, which takes a moment. Raises PlateError, also if the plate is no
    longer wanted.
    """
    if shows_someone(plate):
        raise PlateError(t("Someone is still in view; step out of the picture and take it again."))
    if not wanted():
        raise PlateError(t("Mattecam stops; no picture of the empty room was taken."))
    height, width = plate.shape[:2]
    path = plate_path(camera, width, height)
    save_plate(path, plate, camera)
    return path


# Height in pixels at which light and change are measured.
FIT_HEIGHT = 90
# Values outside this range are ignored for the gain: noise or clipping.
DARK = 16
BRIGHT = 240
# Alpha (0..255) below which a pixel may count as background, and the
# side of the square by which people are widened, in pixels of the small frame.
OUTSIDE_ALPHA = 13
PERSON_MARGIN = 5
# Minimum share of usable pixels for measuring the gain.
FEWEST = 0.02
# A plate is refused for light that differs by a larger factor, up or down.
MOST_GAIN = 2.0
# Difference of a value (0..255) from the lit plate from which a pixel has changed.
CHANGED = 30
# Maximum share of changed pixels outside the person.
#
# A camera pan by 2 % of the frame's width changes about a sixth of an
# office scene; noise and compensated light about a twentieth.
MOST_CHANGED_OUTSIDE = 0.12
# Minimum share of a connected matte region; smaller
# ones are more likely furniture edges than people.
LEAST_PERSON = 0.02
# Where the matte leaves less of the frame than HARDLY_OUTSIDE, the background may be
# matted as well: this is then the maximum share of changed pixels of the whole frame.
HARDLY_OUTSIDE = 0.1
MOST_CHANGED_ALL_OVER = 0.3


def lit_plate(plate: BgrImage, gain: NDArray[np.float32]) -> BgrImage:
    """Return the plate multiplied by the illumination gain, (3,) BGR."""
    if (gain == 1).all():
        return plate
    values = np.arange(256, dtype=np.float32)[:, None] * gain
    table = (values + 0.5).clip(0, 255).astype(np.uint8)[None]
    return np.asarray(cv2.LUT(plate, table), np.uint8)


class PlateFit:
    """Compares frames with the plate."""

    def __init__(self, plate: BgrImage) -> None:
        height, width = plate.shape[:2]
        self._size = (max(1, round(width * FIT_HEIGHT / height)), FIT_HEIGHT)
        self.plate = plate
        self._small_plate = self._small(plate)
        self.gain = np.ones(3, np.float32)
        """(3,) BGR: factor from the plate's illumination to that of the last frame examined."""

    @property
    def lit_plate(self) -> BgrImage:
        """The plate in the light of the last frame examined."""
        return lit_plate(self.plate, self.gain)

    def fits(self, frame: BgrImage, alpha: AlphaImage) -> bool:
        """Take the gain from a frame; return whether the plate shows its room.

        alpha: (h, w) of the people in the frame.
        """
        small = self._small(frame)
        outside = self._outside(alpha)
        # The gain: per-channel median over background pixels that are neither dark nor clipped.
        lowest = np.minimum(small, self._small_plate).min(2)
        highest = np.maximum(small, self._small_plate).max(2)
        usable = outside & (lowest > DARK) & (highest < BRIGHT)
        if usable.mean() >= FEWEST:
            ratios = small[usable] / self._small_plate[usable]
            self.gain = np.median(ratios, axis=0).astype(np.float32)
        # Not the other way round: a gain that is no number is refused as well.
        if not (self.gain.min() > 1 / MOST_GAIN and self.gain.max() < MOST_GAIN):
            return False
        changed = np.abs(small - self._small_plate * self.gain).max(2) > CHANGED
        if outside.mean() < HARDLY_OUTSIDE:
            return bool(changed.mean() <= MOST_CHANGED_ALL_OVER)
        return bool(changed[outside].mean() <= MOST_CHANGED_OUTSIDE)

    def _outside(self, alpha: AlphaImage) -> Mask:
        """Return the mask of pixels that certainly show background."""
        small = cv2.resize(alpha, self._size, interpolation=cv2.INTER_AREA)
        matte = (np.asarray(small) >= OUTSIDE_ALPHA).astype(np.uint8)
        _count, labels, stats, _centres = cv2.connectedComponentsWithStats(matte)
        is_large = stats[:, cv2.CC_STAT_AREA] >= LEAST_PERSON * labels.size
        is_large[0] = False  # label 0: outside the matte
        margin = np.ones((PERSON_MARGIN, PERSON_MARGIN), np.uint8)
        person = cv2.dilate(is_large[labels].astype(np.uint8), margin)
        return np.asarray(person == 0, np.bool_)

    def _small(self, image: BgrImage) -> NDArray[np.float32]:
        return np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.float32)
