"""Files of the background strip: thumbnails, adding, renaming, removing. Uses no widgets."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from os.path import lexists
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PyQt6.QtCore import QFile, QStandardPaths

from app.compositing import open_background
from app.compositing.backgrounds import BACKGROUND_SUFFIXES
from app.core import geometry
from app.core.errors import BackgroundError
from app.core.files import paths
from app.core.files.disk_errors import why_not_written
from app.core.files.names import new_file, new_file_held
from app.core.settings import BackgroundSettings
from app.core.text import Text, t
from app.core.types import BgrImage
from app.media.image_file import MAX_SIDE, kind_of_file

CHECK_SIZE = (160, 90)
"""(width, height) at which a new file is decoded once."""
LONGEST_NAME = 60
"""Characters of a name from the web, of four bytes at most each: file systems take 255 bytes."""
USER_DATA = QStandardPaths.StandardLocation.GenericDataLocation


@contextmanager
def _named_errors(message: Callable[..., Text], file: str | Path) -> Iterator[None]:
    """Raise BackgroundError with a message about a file in place of an OSError."""
    try:
        yield
    except OSError as error:
        raise BackgroundError(message(file=file, reason=why_not_written(error))) from error


def thumbnail(path: Path, width: int, height: int) -> BgrImage:
    """Return a thumbnail of a background file, filling (width, height). Raises BackgroundError for a damaged file."""
    background = open_background(BackgroundSettings(kind=kind_of_file(path), path=path), realtime=False)
    try:
        backdrop = background.backdrop(width, height, 0.0)
    finally:
        background.close()
    if not isinstance(backdrop, np.ndarray):
        raise BackgroundError(t("{file} contains no readable frame; remove it or add it again.", file=path.name))
    return backdrop


def add_background(path: Path) -> Path:
    """Check a file and copy it to the backgrounds folder; return the copy. Raises MattecamError."""
    if path.suffix.lower() not in BACKGROUND_SUFFIXES:
        raise BackgroundError(
            t("{file} is neither an image nor a video; use a PNG, JPEG, WebP or MP4 file.", file=path.name)
        )
    thumbnail(path, *CHECK_SIZE)  # a damaged file must not enter the library
    folder = paths.backgrounds_dir()
    with _named_errors(partial(t, "{file} could not be copied: {reason}."), path.name):
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".", dir=folder) as own:  # others may add a file of the same name now
            part = Path(own) / "part"
            shutil.copyfile(path, part)
            with new_file_held(folder, path.stem, path.suffix.lower()) as target:
                part.replace(target)
    return target


def add_picture(image: BgrImage, name: str) -> Path:
    """Save a pasted or dropped image as a PNG file in the backgrounds folder. Raises MattecamError.

    A larger one than any output needs, which might not be read again, is scaled down.
    """
    height, width = image.shape[:2]
    if max(height, width) > MAX_SIDE:
        image = geometry.scale(image, *geometry.contain_size(width, height, MAX_SIDE, MAX_SIDE))
    coded, data = cv2.imencode(".png", image)
    if not coded:
        raise BackgroundError(t("The pasted image could not be encoded; save it as a file and add that file."))
    with (
        new_file_held(paths.backgrounds_dir(), name, ".png") as target,
        _named_errors(partial(t, "{file} could not be written: {reason}."), target),
    ):
        target.write_bytes(data.tobytes())
    return target


def clean_name(name: str) -> str:
    """Return what a file name may have of a name; it may be empty."""
    allowed = (each for each in name if each.isprintable() and each not in '/\\:*?"<>|')
    return "".join(allowed).strip(" .")


def rename_background(path: Path, name: str) -> Path:
    """Rename a file, keeping its suffix; return the new path. Raises BackgroundError."""
    cleaned = clean_name(name)
    if not cleaned:
        raise BackgroundError(t("The name of a background must contain letters or digits."))
    target = path.with_name(cleaned + path.suffix)
    if target == path:
        return path
    if lexists(target):
        raise BackgroundError(t("A background “{name}” already exists; choose another name.", name=cleaned))
    with _named_errors(partial(t, "{file} could not be renamed: {reason}."), path.name):
        path.rename(target)
    return target


def remove_background(path: Path) -> Path | None:
    """Move a file to the trash; return its path there, None if the system does not tell it.

    Raises FileExistsError if the system has no trash for it; the file is then kept.
    """
    with suppress(OSError):  # Qt does not make the folder that the trash of a new account is in
        Path(QStandardPaths.writableLocation(USER_DATA)).mkdir(parents=True, exist_ok=True)
    moved, trash = QFile.moveToTrash(str(path))
    if moved:
        return Path(trash) if trash else None
    if path.exists():
        raise FileExistsError(path)
    return None


def delete_background(path: Path) -> None:
    """Delete a file for good. Raises BackgroundError."""
    with _named_errors(partial(t, "{file} could not be removed: {reason}."), path.name):
        path.unlink(missing_ok=True)


def restore_background(trash: Path, original: Path) -> Path:
    """Move a file from the trash back to its original path, which may have been taken; return the path.

    Raises MattecamError.
    """
    target = new_file(paths.backgrounds_dir(), original.stem, original.suffix) if lexists(original) else original
    with _named_errors(partial(t, "{file} could not be restored from the trash: {reason}."), original.name):
        shutil.move(trash, target)
        # The FreeDesktop trash keeps a record of each file in a folder beside it.
        (trash.parent.parent / "info" / f"{trash.name}.trashinfo").unlink(missing_ok=True)
    return target
