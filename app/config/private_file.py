"""Files that show the user: written in one step, and readable by their owner alone."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def write_private(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Make or replace the file, mode 0600; a crash or a full disk leaves the old one whole. Raises OSError.

    durable: waits until it is on the disk, for what must survive a loss of power.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:64]}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def write_picture(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a PNG as `write_private` does. Raises OSError.

    image: (height, width, 3) BGR or (height, width) grey, uint8.
    """
    write_private(path, cv2.imencode(".png", image)[1].tobytes())
