"""Capturing an empty-background plate: the median of the frames of a few seconds, stored per camera and size."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, FiniteFloat, ValidationError

from app.core import files, paths
from app.core.errors import PlateError, SettingsError, t
from app.core.files import why_not_written
from app.core.types import BgrImage, Frame
from app.matting.plate.engine import shows_someone
from app.matting.plate.picture import median_plate
from app.media.image_file import write_picture

MOST_FRAMES = 30
MOST_BYTES = 200_000_000
"""Limit of the memory for frames: fewer are kept if they are large."""
FEWEST_FRAMES = 3
START_LIMIT_S = 10.0


class PlateInfo(BaseModel, strict=True, frozen=True):
    """Metadata stored beside a plate."""

    camera: str
    """The camera's stable id, and how it was turned: `SourceInfo.viewpoint`."""
    width: int
    height: int
    taken_at_s: FiniteFloat
    """time.time() of the capture."""


class PlateCapture:
    """Counts down, then collects frames of one camera for some seconds, in bounded memory."""

    def __init__(self, countdown_s: float, collect_s: float) -> None:
        self.camera = ""
        """The viewpoint of the camera that the frames are of."""
        self.frames: list[BgrImage] = []
        """The frames kept so far."""
        self._collect_s = collect_s
        self._begin_s = self._advanced_s = time.monotonic() + countdown_s
        self._first_s: float | None = None
        """When the first of these frames was captured; None before it. The next is that of the last one."""
        self._last_s = 0.0
        self._index = -1

    @property
    def countdown_left_s(self) -> float:
        """Seconds until frames are collected, at least 0."""
        return max(0.0, self._begin_s - time.monotonic())

    @property
    def progress(self) -> float:
        """Fraction of the time of collecting that has passed, 0..1."""
        return 0.0 if self._first_s is None else min(1.0, (self._last_s - self._first_s) / self._collect_s)

    def feed(self, frame: Frame | None) -> bool:
        """Add the newest frame, if there is one, without copying it; return True once there are enough.

        A frame of another camera or size restarts. A plate shows the whole camera frame, so that it matches any zoom
        and pan. Raises PlateError if no new frame has arrived for `START_LIMIT_S`.
        """
        if self.countdown_left_s > 0:
            return False
        if frame is not None:
            self._add(frame)
        if time.monotonic() - self._advanced_s > START_LIMIT_S:
            raise PlateError(t("The camera delivers no frames; no picture of the empty room was taken."))
        return self.progress >= 1 and len(self.frames) >= FEWEST_FRAMES

    def _add(self, frame: Frame) -> None:
        image = frame.image if frame.whole is None else frame.whole
        if frame.viewpoint != self.camera or (self.frames and self.frames[0].shape != image.shape):
            self.frames.clear()
            self._first_s, self.camera = None, frame.viewpoint
        if self._first_s is None or frame.captured_at_s != self._last_s:
            self._advanced_s = time.monotonic()
        if self._first_s is None:
            self._first_s = frame.captured_at_s
        self._last_s = frame.captured_at_s
        wanted = max(FEWEST_FRAMES, min(MOST_FRAMES, MOST_BYTES // image.nbytes))
        if len(self.frames) < wanted and self.progress >= len(self.frames) / wanted and frame.index != self._index:
            self.frames.append(image)
            self._index = frame.index

    def plate(self) -> BgrImage:
        """Return the median of the frames so far. Raises PlateError if there are none."""
        return median_plate(self.frames)


def plate_path(camera: str, width: int, height: int) -> Path:
    """Return the file of the plate of a camera in a size."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", camera)[:160].strip(".") or "camera"
    return paths.data_dir() / "plates" / f"{name}-{width}x{height}.png"


def save_plate(path: Path, plate: BgrImage, camera: str) -> PlateInfo:
    """Write the plate as PNG, atomically, and its metadata beside it. Raises PlateError."""
    height, width = plate.shape[:2]
    info = PlateInfo(camera=camera, width=width, height=height, taken_at_s=time.time())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, plate)
        files.write_object(record_of(path), info.model_dump())
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


def plate_info(path: Path) -> PlateInfo | None:
    """Return the metadata of a plate; None for an image of unknown origin."""
    try:
        return PlateInfo.model_validate(files.read_object(record_of(path)))
    except (OSError, files.BrokenFileError, ValidationError):
        return None


def record_of(path: Path) -> Path:
    """Return the file beside a plate that holds its metadata."""
    return path.with_name(f"{path.name}.json")


def keep_plate(
    plate: BgrImage, camera: str, output: Path | None = None, *, wanted: Callable[[], bool] = lambda: True
) -> Path:
    """Store the plate if nobody is in it and return its file. output: None for the default file.

    wanted: asked after the check, which takes a moment. Raises PlateError, also if the plate is no longer wanted.
    """
    if shows_someone(plate):
        raise PlateError(t("Someone is still in view; step out of the picture and take it again."))
    if not wanted():
        raise PlateError(t("Mattecam stops; no picture of the empty room was taken."))
    height, width = plate.shape[:2]
    path = output or plate_path(camera, width, height)
    save_plate(path, plate, camera)
    return path
