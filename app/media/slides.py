"""Slides: the pages of a PDF file, or the images of a folder in natural order of their names."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from app.core.errors import BackgroundError
from app.core.messages.media import SlidesText
from app.core.types import BgrImage
from app.media.image_file import read_image
from app.media.image_folder import PICTURES, pictures_in
from app.media.pdf_file import PdfPages

MAX_SIDE = 2560
"""Slides are read at this size: enough for a zoom of 2 at 720p."""


class Slides(Protocol):
    """An open set of slides. Used and closed on one thread."""

    @property
    def count(self) -> int:
        """Return the number of slides, at least 1."""
        ...

    def read(self, index: int) -> BgrImage:
        """Return a slide, from 0. Raises BackgroundError."""
        ...

    def close(self) -> None:
        """Release the file. Idempotent."""
        ...


class FolderSlides:
    """The images of a folder."""

    def __init__(self, folder: Path) -> None:
        """Raise BackgroundError for a folder that cannot be read or has no images."""
        try:
            self._files = pictures_in(folder)
        except OSError:
            raise BackgroundError(SlidesText.UNREADABLE(file=folder)) from None
        if not self._files:
            raise BackgroundError(SlidesText.EMPTY(folder=folder, formats=PICTURES))

    @property
    def count(self) -> int:
        """See `Slides`."""
        return len(self._files)

    def read(self, index: int) -> BgrImage:
        """See `Slides`."""
        return read_image(self._files[index], (255, 255, 255), MAX_SIDE)

    def close(self) -> None:
        """Do nothing."""


def open_slides(path: Path) -> Slides:
    """Open a folder, or a PDF file. Raises BackgroundError."""
    return FolderSlides(path) if path.is_dir() else PdfPages(path, (MAX_SIDE, MAX_SIDE))


def are_slides(path: Path) -> bool:
    """Return whether a path is to be used as slides: a folder, or by its suffix a PDF file."""
    return path.suffix.lower() == ".pdf" or path.is_dir()
