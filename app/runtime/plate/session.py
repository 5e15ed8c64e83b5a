"""Capturing and storing a plate with its own source, without the pipeline."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from app.capture import open_source
from app.core.errors import PlateError
from app.core.messages.matting import PlateText
from app.core.settings import Settings
from app.core.types import BgrImage
from app.matting.selection.occupancy import shows_someone
from app.runtime.plate.capture import capture_plate, plate_path, save_plate


def take_plate(settings: Settings, output: Path | None, seconds: float, countdown_s: float = 0.0) -> Path:
    """Open the source, wait for `countdown_s`, collect frames for `seconds`, and store the plate if nobody is in it.

    output: None for the default file of this camera and size. Raises SourceError or PlateError.
    """
    with closing(open_source(settings.capture.replace(lock_exposure=True))) as source:
        plate = capture_plate(source, seconds, after_s=countdown_s)
        camera = source.info.id
    return keep_plate(plate, camera, output)


def keep_plate(plate: BgrImage, camera: str, output: Path | None = None) -> Path:
    """Store the plate if nobody is in it and return its file. output: None for the default file.

    Raises PlateError.
    """
    if shows_someone(plate):
        raise PlateError(PlateText.SOMEONE_IN_VIEW())
    height, width = plate.shape[:2]
    path = output or plate_path(camera, width, height)
    save_plate(path, plate, camera)
    return path
