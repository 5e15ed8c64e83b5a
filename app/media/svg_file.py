"""SVG files, rendered by Qt in a child process: the program without a window does not load Qt."""

from __future__ import annotations

import logging
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.core.errors import BackgroundError
from app.core.files import paths
from app.core.messages.media import ImageText
from app.media.image_file import named_file_errors

log = logging.getLogger(__name__)

MAX_BYTES = 8 << 20
TIMEOUT_S = 20.0
RENDERER = paths.module("app.gui.render_svg")
"""Module of the child: reads an SVG from standard input, writes its size and pixels to standard output."""
HEADER = struct.Struct("<II")


def is_svg(path: Path) -> bool:
    """Return whether a file is to be read as SVG: by its suffix."""
    return path.suffix.lower() == ".svg"


def render_svg(path: Path, scale: float, most: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an SVG file as (H, W, 4) uint8 BGRA, premultiplied.

    scale: of the size that the file names. most: (width, height) into which it is shrunk. Raises BackgroundError for a
    file that is missing, not an SVG or too large. The child may take this long: TIMEOUT_S.
    """
    data = _read(path)
    arguments = [sys.executable, "-m", RENDERER, repr(scale), str(most[0]), str(most[1])]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    try:
        child = subprocess.run(
            arguments,
            input=data,
            capture_output=True,
            cwd=paths.IMPORT_ROOT,
            env=environment,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.info("%s was not rendered: %s", path, error)
        raise BackgroundError(ImageText.DAMAGED(file=path)) from None
    if child.returncode or len(child.stdout) < HEADER.size:
        log.info("%s was not rendered: %s", path, child.stderr[-500:].decode(errors="replace"))
        raise BackgroundError(ImageText.DAMAGED(file=path))
    width, height = HEADER.unpack_from(child.stdout)
    pixels = np.frombuffer(child.stdout, np.uint8, offset=HEADER.size)
    if pixels.size != width * height * 4 or width > most[0] or height > most[1]:
        raise BackgroundError(ImageText.DAMAGED(file=path))
    return pixels.reshape(height, width, 4)


def _read(path: Path) -> bytes:
    try:
        with named_file_errors(path), path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        raise BackgroundError(ImageText.DAMAGED(file=path)) from None
    if len(data) > MAX_BYTES:
        raise BackgroundError(ImageText.TOO_LARGE(file=path))
    return data
