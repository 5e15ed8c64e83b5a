"""Takes and keeps a plate with a source of its own, without the pipeline."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from app.capture import open_source
from app.matting import build_engine
from app.plate_capture import capture_plate, plate_path, refuse_person, save_plate
from app.settings import MattingSettings, Settings
from app.types import BgrImage


def take_plate(settings: Settings, output: Path | None, seconds: float, countdown_s: float = 0.0) -> Path:
    """Open the source, wait for `countdown_s`, collect frames for `seconds`, and write the plate if nobody is in it.

    output: None for the usual place of this camera and size. Raises SourceError, PlateError, or ModelError of the
    network that looks for someone.
    """
    with closing(open_source(settings.capture.replace(lock_exposure=True))) as source:
        plate = capture_plate(source, seconds, after_s=countdown_s)
        camera = source.info.id
    return keep_plate(plate, camera, settings.matting, output)


def keep_plate(plate: BgrImage, camera: str, settings: MattingSettings, output: Path | None = None) -> Path:
    """Write the plate if nobody is in it, and tell where; output: None for the usual place of this camera and size.

    Raises PlateError, or ModelError of the network that looks for someone.
    """
    height, width = plate.shape[:2]
    with closing(build_engine(settings.replace(model="auto", plate=None, weights=None), width, height)) as engine:
        refuse_person(plate, engine)
    path = output or plate_path(camera, width, height)
    save_plate(path, plate, camera)
    return path
