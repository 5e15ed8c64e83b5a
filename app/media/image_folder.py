"""Reading a folder of images as a video."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

from app.core.errors import BackgroundError
from app.core.messages.media import VideoText
from app.core.types import BgrImage
from app.media.image_file import read_image
from app.media.video_input import VideoError

log = logging.getLogger(__name__)

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
MAX_SIDE = 16_384
"""Larger images are downscaled to this."""


class ImageFolderReader:
    """The images of a folder in natural order of their names, 9 before 10; or a single image."""

    fps = Fraction(30)
    """Frame rate of the video."""

    def __init__(self, path: Path) -> None:
        """Raise VideoError if there is no image."""
        self.path = path
        self.time_base: Fraction | None = None
        self.damaged = 0
        """Unreadable images skipped so far."""
        self._names = picture_names(path) if path.is_dir() else {path: path.stem}
        if not self._names:
            raise VideoError(VideoText.EMPTY_FOLDER(folder=path, formats=PICTURES))
        self.frame_estimate: int | None = len(self._names)

    def frames(self) -> Generator[tuple[Fraction, str, BgrImage], None, None]:
        """Yield (time in seconds, name, (height, width, 3) uint8 BGR) of every readable image; see `picture_names`.

        Raises BackgroundError if a single image cannot be read; such an image of a folder is left out.
        """
        for number, (file, name) in enumerate(self._names.items()):
            image = self._read(file)
            if image is not None:
                yield number / self.fps, name, image

    def _read(self, file: Path) -> BgrImage | None:
        try:
            return read_image(file, max_side=MAX_SIDE)
        except BackgroundError as error:
            if file == self.path:
                raise
            self.damaged += 1
            log.warning("%s", error)
            return None


def pictures_in(folder: Path) -> list[Path]:
    """Return the images of a folder in natural order of their names. Raises OSError."""
    return sorted((file for file in folder.iterdir() if file.suffix.lower() in PICTURES), key=_natural)


def picture_names(folder: Path) -> dict[Path, str]:
    """Return a name for each image of a folder: without its suffix, unless two images would have the same name.

    Names differ in more than case. Raises OSError.
    """
    names = {file: file.stem for file in pictures_in(folder)}
    while True:
        count = Counter(name.casefold() for name in names.values())
        same = [file for file, name in names.items() if count[name.casefold()] > 1 and name != file.name]
        if not same:
            return names
        names.update((file, file.name) for file in same)


def _natural(file: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", file.name.lower())]
