"""Files that may contain images of the user or secrets: written with mode 0600 and moved to their names atomically."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.errors import t
from app.core.files.disk_errors import ExplainedOSError
from app.core.files.names import holds_something, is_special

WRITTEN = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
"""Suffixes of the formats in which images are written."""


def write_private(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Create or replace the file atomically, with mode 0600. Raises OSError and keeps the old file on failure.

    durable: flush the file to disk before returning, so that it survives a power failure.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:48]}.", dir=path.parent)  # mode 0600
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


def is_private(path: Path) -> bool:
    """Return whether no other user has rights to a file: mode 0600, of this user or root. Raises OSError.

    Always True on Windows.
    """
    if sys.platform == "win32":
        private = True
    else:
        found = path.stat()
        private = not stat.S_IMODE(found.st_mode) & 0o077 and found.st_uid in (0, os.geteuid())
    return private


def write_picture(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an image in the format of its suffix, PNG if it is unknown, with `write_private`. Raises OSError.

    image: (height, width, 3) BGR or (height, width) greyscale, uint8.
    """
    suffix = path.suffix.lower() if path.suffix.lower() in WRITTEN else ".png"
    encoded, data = cv2.imencode(suffix, image)
    if not encoded:  # such as WebP with more than 16,383 pixels in a row
        raise OSError(errno.EINVAL, f"an image of {image.shape[1]}x{image.shape[0]} cannot be {suffix}", str(path))
    write_private(path, data.tobytes())


def move(source: Path, target: Path, *, overwrite: bool) -> None:
    """Move a file to another name in the same file system at once.

    overwrite: replace a file there, but no pipe or device; otherwise only an empty one is replaced. Raises OSError.
    """
    if overwrite and not is_special(target):
        source.replace(target)
        return
    if target.is_file() and not holds_something(target):
        target.unlink()
    try:
        os.link(source, target)
    except OSError:
        if os.path.lexists(target):
            raise ExplainedOSError(
                errno.EEXIST, t("another file has got this name in the meantime; rename one of them"), target
            ) from None
        source.rename(target)  # a file system without hard links
    else:
        source.unlink()
