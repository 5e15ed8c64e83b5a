"""The proof of a headless run that has no output: a short clip of the composite in the data folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.config.scenes import exposed_by
from app.core import paths
from app.core.errors import MattecamError, SinkError, UsageError
from app.core.files import why_not_written
from app.core.settings import Settings
from app.core.types import Outgoing, PictureKind
from app.media.image_file import write_picture

PROOF_S = 10.0


def with_proof(settings: Settings) -> Settings:
    """Return the settings that record the clip.

    Raises UsageError for the background "none", whose clip would show the camera's surroundings, and MattecamError if
    the folder cannot be created.
    """
    if settings.background.kind == "none":
        raise UsageError(
            'With the background "none" a proof would show the unprocessed camera frame; name a file with --record, '
            "or choose another background."
        )
    folder = paths.data_dir() / "proof"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MattecamError(
            f"The proof cannot be written to {folder}: {why_not_written(error)}. Another folder can be named in "
            "MATTECAM_DATA_DIR."
        ) from error
    return settings.replace(output=settings.output.replace(record=folder / "proof.mp4"))


def kept_private(new: Settings, start: Settings) -> Settings:
    """Return `new` without the recording of the clip, if they show more than the settings at its start.

    `ctl background none` during a proof is no request to save what it shows.
    """
    if new.output.record != start.output.record or not exposed_by(new, start):
        return new
    return new.replace(output=new.output.replace(record=None))


def write_before_after(path: Path, picture: Outgoing) -> bool:
    """Write frame and composite side by side and return whether that was done.

    Only a composite of a frame of the demo source is written: a frame of any other source shows the user's
    surroundings. Raises SinkError if the file cannot be written.
    """
    frame = picture.frame
    if frame is None or not frame.synthetic or picture.kind is not PictureKind.COMPOSITE:
        return False
    both = np.hstack([frame.image, np.full((picture.size[1], 8, 3), 255, np.uint8), picture.image])
    try:
        write_picture(path, both)
    except OSError as error:
        raise SinkError(f"The image {path} cannot be written: {why_not_written(error)}.") from error
    return True
