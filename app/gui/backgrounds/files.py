"""The files in the strip of backgrounds: found, added, renamed and made small. Knows nothing of Qt."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np

from app.compositing import open_background
from app.compositing.library import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from app.config import paths
from app.core.errors import BackgroundError
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage
from app.media.image_file import kind_of_file


def thumbnail(path: Path, width: int, height: int) -> BgrImage:
    """A small picture of a background file, filling (width, height); raises BackgroundError where it is broken."""
    background = open_background(BackgroundSettings(kind=kind_of_file(path), path=path), realtime=False)
    try:
        backdrop = background.backdrop(width, height, 0.0)
    finally:
        background.close()
    if not isinstance(backdrop, np.ndarray):
        raise BackgroundError(f"{path.name} gives no picture; remove it or add it again.")
    return backdrop


def is_video(path: Path) -> bool:
    """Whether a background file moves, by its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def add_background(path: Path) -> Path:
    """Copy a file of the user's into the folder of backgrounds; returns the copy. Raises BackgroundError."""
    if path.suffix.lower() not in VIDEO_SUFFIXES | IMAGE_SUFFIXES:
        raise BackgroundError(f"{path.name} is neither an image nor a video; use a PNG, JPEG, WebP, MP4 or the like.")
    target = _free_name(path.stem, path.suffix.lower())
    part = target.with_name(target.name + ".part")
    try:
        shutil.copyfile(path, part)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BackgroundError(
            f"{path.name} could not be copied ({error.strerror or error}); free space there."
        ) from error
    return target


def add_picture(image: BgrImage, name: str) -> Path:
    """Keep a pasted or dropped picture as a PNG file among the backgrounds. Raises BackgroundError."""
    coded, data = cv2.imencode(".png", image)
    if not coded:
        raise BackgroundError("The pasted picture could not be kept as a file; save it and add the file.")
    target = _free_name(name, ".png")
    try:
        target.write_bytes(data.tobytes())
    except OSError as error:
        raise BackgroundError(
            f"{target} could not be written ({error.strerror or error}); free space there."
        ) from error
    return target


def rename_background(path: Path, name: str) -> Path:
    """Give a file of the user's another name, its kind stays; returns the new path. Raises BackgroundError."""
    cleaned = "".join(
        character for character in name if character.isprintable() and character not in '/\\:*?"<>|'
    ).strip(" .")
    if not cleaned:
        raise BackgroundError("A background needs a name of letters or digits.")
    target = path.with_name(cleaned + path.suffix)
    if target == path:
        return path
    if target.exists():
        raise BackgroundError(f"There is a background {cleaned!r} already; choose another name.")
    try:
        path.rename(target)
    except OSError as error:
        raise BackgroundError(f"{path.name} could not be renamed ({error.strerror or error}).") from error
    return target


def _free_name(stem: str, suffix: str) -> Path:
    folder = paths.backgrounds_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BackgroundError(f"The folder {folder} cannot be made ({error.strerror or error}).") from error
    number, path = 1, folder / f"{stem}{suffix}"
    while path.exists():
        number += 1
        path = folder / f"{stem} {number}{suffix}"
    return path
