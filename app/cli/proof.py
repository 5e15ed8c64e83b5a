"""Where nothing can show the result, a short clip and a before/after picture are the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.config import paths
from app.config.private_file import write_picture
from app.core.errors import MattecamError
from app.core.settings import Settings
from app.core.types import Picture, PictureKind
from app.media.disk_errors import why_not_written

PROOF_S = 10.0


@dataclass(frozen=True, slots=True)
class Proof:
    """The files of one proof."""

    clip: Path
    picture: Path


def plan_proof(settings: Settings) -> tuple[Proof, Settings]:
    """The proof's files, and the settings that record the clip; raises MattecamError."""
    folder = paths.data_dir() / "proof"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MattecamError(
            f"The proof could not be written to {folder} ({error.strerror}); set MATTECAM_DATA_DIR."
        ) from error
    proof = Proof(folder / "proof.mp4", folder / "before-after.png")
    return proof, settings.replace(output=settings.output.replace(record=proof.clip))


def write_before_after(path: Path, picture: Picture) -> None:
    """Write frame and composite side by side; nothing for a picture that is not a composite. Raises MattecamError."""
    if picture.frame is None or picture.kind is not PictureKind.COMPOSITE:
        return
    both = np.hstack([picture.frame.image, np.full((picture.size[1], 8, 3), 255, np.uint8), picture.image])
    try:
        write_picture(path, both)
    except OSError as error:
        raise MattecamError(f"The picture {path} cannot be written: {why_not_written(error)}.") from error
