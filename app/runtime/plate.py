"""Capturing an empty-background plate: the median of the frames of a few seconds, stored per camera and size."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile

from app.capture import open_source
from app.capture.base import FrameSource
from app.core.errors import PlateError, SettingsError, UsageError
from app.core.files import json_file, paths
from app.core.files.disk_errors import why_not_written
from app.core.files.names import check_outputs, exists, is_file, is_folder, is_taken
from app.core.files.private_file import WRITTEN, write_picture
from app.core.messages.command_line import UsageText
from app.core.messages.matting import PlateText
from app.core.orientation import UNTURNED, Orientation
from app.core.plate_times import COLLECT_S
from app.core.settings import EngineSettings, Settings
from app.core.types import BgrImage, Frame
from app.matting import choose_model
from app.matting.plate.plate import median_plate
from app.matting.selection.registry import shows_someone
from models.table import needs_plate

MOST_FRAMES = 30
MOST_BYTES = 200_000_000
"""Limit of the memory for frames: fewer are kept if they are large."""
FEWEST_FRAMES = 3
START_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class PlateInfo:
    """Metadata stored beside a plate."""

    camera: str
    """The camera's stable id, and how it was turned: `SourceInfo.viewpoint`."""
    width: int
    height: int
    taken_at_s: float
    """time.time() of the capture."""


class PlateCapture:
    """Collects frames of one camera for some seconds, in bounded memory."""

    def __init__(self, seconds: float = COLLECT_S) -> None:
        self.camera = ""
        """The viewpoint of the camera that the frames are of."""
        self._seconds = seconds
        self.frames: list[BgrImage] = []
        """The frames kept so far."""
        self._started_s: float | None = None
        self._advanced_s = time.monotonic()
        self._last_s = 0.0
        self._index = -1

    @property
    def progress(self) -> float:
        """Fraction of the time that has passed, 0..1."""
        if self._started_s is None:
            return 0.0
        return min(1.0, (self._last_s - self._started_s) / self._seconds)

    @property
    def silent(self) -> bool:
        """Whether no new frame has arrived for `START_LIMIT_S`."""
        return time.monotonic() - self._advanced_s > START_LIMIT_S

    def feed(self, frame: Frame, camera: str) -> bool:
        """Add a frame without copying it; return True once there are enough.

        A frame of another camera or size restarts. A plate shows the whole camera frame, so that it matches any zoom
        and pan.
        """
        image = frame.image if frame.whole is None else frame.whole
        if camera != self.camera or (self.frames and self.frames[0].shape != image.shape):
            self.frames.clear()
            self._started_s = None
        if self._started_s is None or frame.captured_at_s != self._last_s:
            self._advanced_s = time.monotonic()
        self.camera = camera
        if self._started_s is None:
            self._started_s = frame.captured_at_s
        self._last_s = frame.captured_at_s
        wanted = max(FEWEST_FRAMES, min(MOST_FRAMES, MOST_BYTES // image.nbytes))
        if len(self.frames) < wanted and self.progress >= len(self.frames) / wanted and frame.index != self._index:
            self.frames.append(image)
            self._index = frame.index
        return self.progress >= 1 and len(self.frames) >= FEWEST_FRAMES

    def plate(self) -> BgrImage:
        """Return the median of the frames so far. Raises PlateError if there are none."""
        return median_plate(self.frames)


def capture_plate(
    source: FrameSource, seconds: float, *, after_s: float = 0.0, orientation: Orientation = UNTURNED
) -> BgrImage:
    """Capture a plate from `source`, starting after `after_s` seconds, and turn it.

    Raises SourceLostError, or PlateError if no frames arrive.
    """
    capture = PlateCapture(seconds)
    begun_s = time.monotonic()
    while True:
        frame = source.read()
        if time.monotonic() - begun_s < after_s:
            continue
        if frame is not None and capture.feed(frame.of(source.info, orientation), source.info.id):
            return capture.plate()
        if capture.silent:
            raise PlateError(PlateText.SILENT(camera=source.info.name))


def plate_path(camera: str, width: int, height: int) -> Path:
    """Return the file of the plate of a camera in a size."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", camera)[:160].strip(".") or "camera"
    return paths.data_dir() / "plates" / f"{name}-{width}x{height}.png"


def save_plate(path: Path, plate: BgrImage, camera: str) -> PlateInfo:
    """Write the plate as PNG, atomically, and its metadata beside it. Raises PlateError."""
    height, width = plate.shape[:2]
    info = PlateInfo(camera, width, height, time.time())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, plate)
        json_file.write_object(_sidecar(path), asdict(info))
    except SettingsError as error:
        raise PlateError(error.text) from error
    except OSError as error:
        raise PlateError(PlateText.NOT_WRITTEN(file=path, reason=why_not_written(error))) from error
    return info


def plate_info(path: Path) -> PlateInfo | None:
    """Return the metadata of a plate; None for an image of unknown origin."""
    try:
        fields = json_file.read_object(_sidecar(path))
    except (OSError, json_file.BrokenFileError):
        return None
    if fields is None:
        return None
    match fields:
        case {
            "camera": str(camera),
            "width": int(width),
            "height": int(height),
            "taken_at_s": int() | float() as taken,
        }:
            with suppress(OverflowError):
                return PlateInfo(camera, width, height, float(taken))
    return None


def model_without_plate(settings: EngineSettings) -> str | None:
    """Return the name of the model that these settings choose, unless it compares frames with a plate."""
    model = choose_model(settings)
    return None if needs_plate(model) else model


def _sidecar(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def check_output(output: Path, source: str) -> None:
    """Raise UsageError unless `output` names an image that does not exist, or a plate taken before.

    source: as in the settings, a file or a camera. Raises PlateError if nothing can be written there.
    """
    check_outputs([output], Path(source) if is_file(Path(source)) else None)
    if output.suffix.lower() not in WRITTEN:
        raise UsageError(UsageText.NO_PLATE_NAME(file=output))
    taken = [file for file in (output, _sidecar(output)) if is_taken(file) or is_folder(file)]
    if taken and plate_info(output) is None:
        raise UsageError(UsageText.NO_PLATE_FILE(file=taken[0]))
    try:
        with TemporaryFile(dir=next(filter(exists, output.absolute().parents))):  # before the user leaves the frame
            pass
    except OSError as error:
        raise PlateError(PlateText.NOT_WRITTEN(file=output, reason=why_not_written(error))) from error


def take_plate(settings: Settings, output: Path | None, seconds: float, countdown_s: float = 0.0) -> Path:
    """Open the source, wait for `countdown_s`, collect frames for `seconds`, and store the plate if nobody is in it.

    output: None for the default file of this camera and size. Raises SourceError or PlateError.
    """
    with closing(open_source(settings.capture.replace(lock_exposure=True))) as source:
        orientation = settings.capture.orientation
        plate = capture_plate(source, seconds, after_s=countdown_s, orientation=orientation)
        camera = source.info.turned(orientation).viewpoint
    return keep_plate(plate, camera, output)


def keep_plate(
    plate: BgrImage, camera: str, output: Path | None = None, *, wanted: Callable[[], bool] = lambda: True
) -> Path:
    """Store the plate if nobody is in it and return its file. output: None for the default file.

    wanted: asked after the check, which takes a moment. Raises PlateError, also if the plate is no longer wanted.
    """
    if shows_someone(plate):
        raise PlateError(PlateText.SOMEONE_IN_VIEW())
    if not wanted():
        raise PlateError(PlateText.CANCELLED())
    height, width = plate.shape[:2]
    path = output or plate_path(camera, width, height)
    save_plate(path, plate, camera)
    return path
