"""Slides: the pages of a PDF file, or the images of a folder, which are also read as a video.

Qt draws PDF files in child processes: a broken file ends the child, not the program.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Generator
from fractions import Fraction
from pathlib import Path

from app.core.errors import BackgroundError, ModelError
from app.core.files import paths
from app.core.files.disk_errors import why_not_read
from app.core.files.names import is_file, is_folder, is_special
from app.core.messages.command_line import ConvertText
from app.core.messages.media import SlidesText
from app.core.types import BgrImage
from app.media.alpha import BgraImage
from app.media.image_file import READ_SUFFIXES, drawn, is_picture, read_cut_out, read_image
from app.media.video_input import VideoError

log = logging.getLogger(__name__)

DEFAULT_FPS = Fraction(30)
"""Frame rate of a video of images."""
LEFT_THERE = ("thumbs.db", "desktop.ini")
MAX_SIDE = 16_384
"""Larger images are downscaled to this."""


class ImageFolderReader:
    """The images of a folder in natural order of their names, 9 before 10; or a single image."""

    def __init__(
        self,
        path: Path,
        check_size: Callable[[int, int], object] = lambda width, height: None,
        fps: Fraction = DEFAULT_FPS,
    ) -> None:
        """check_size: raises ModelError for images that cannot be matted. fps: frame rate of a video of them.

        Raise VideoError if there is no image.
        """
        self.path, self.fps = path, fps
        self.end_s: Fraction | None = None
        """None: the last frame lasts as long as the others."""
        self.damaged: list[str] = []
        """Names of the images skipped so far: unreadable, or of an unsuitable size."""
        self._check_size = check_size
        self._names = picture_names(path) if is_folder(path) else {path: path.stem}
        if not self._names:
            raise VideoError(ConvertText.EMPTY_FOLDER(folder=path, formats=READ_SUFFIXES))
        self.frame_estimate: int | None = len(self._names)

    def frames(self) -> Generator[tuple[Fraction, str, BgrImage | BgraImage], None, None]:
        """Yield (time in seconds, name, image as of `read_cut_out`) of every usable image; see `picture_names`.

        Raises BackgroundError or ModelError if a single image cannot be used; such an image of a folder is left out.
        """
        for number, (file, name) in enumerate(self._names.items()):
            image = self._read(file)
            if image is not None:
                yield number / self.fps, name, image

    def _read(self, file: Path) -> BgrImage | BgraImage | None:
        try:
            image = read_cut_out(file, MAX_SIDE)
            self._check_size(image.shape[1], image.shape[0])
        except (BackgroundError, ModelError) as error:
            if file == self.path:
                raise
            self.damaged.append(file.name)
            log.warning("%s", error if isinstance(error, BackgroundError) else f"{file}: {error}")
            return None
        return image


def pictures_in(folder: Path) -> list[Path]:
    """Return the images of a folder, by their content, in natural order of their names. Raises OSError."""
    return sorted((file for file in _visible(folder) if is_picture(file)), key=_natural)


def others_in(folder: Path) -> list[Path]:
    """Return the files of a folder that are no images, in natural order of their names. Raises OSError."""
    return sorted((file for file in _visible(folder) if is_file(file) and not is_picture(file)), key=_natural)


def _visible(folder: Path) -> list[Path]:
    """Return what lies in a folder, but for what systems leave there."""
    return [file for file in folder.iterdir() if not file.name.startswith(".") and file.name.lower() not in LEFT_THERE]


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


MAX_BYTES = 256 << 20
MAX_PAGES = 5000


class PdfPages:
    """The pages of a PDF file."""

    def __init__(self, path: Path, most: tuple[int, int]) -> None:
        """most: (width, height) of a page in pixels. Raises BackgroundError."""
        self._path, self._most = path, most
        self._data = self._content()
        self.count, self._first = self._drawn(0)  # a child starts for each page: the first one is kept
        if not 0 < self.count <= MAX_PAGES:
            raise self._damaged(f"{self.count} pages")

    def read(self, index: int) -> BgrImage:
        """Return a page, from 0; (H, W, 3). Raises BackgroundError."""
        return self._drawn(index)[1] if index else self._first

    def _drawn(self, index: int) -> tuple[int, BgrImage]:
        try:
            return drawn(paths.module("app.gui.render_pdf"), self._data, self._most, index)
        except ValueError as error:
            raise self._damaged(str(error)) from None

    def _content(self) -> bytes:
        try:
            if is_special(self._path):
                raise self._damaged("no file")
            with self._path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
            raise BackgroundError(SlidesText.ABSENT(file=self._path)) from None
        except OSError as error:
            raise BackgroundError(SlidesText.UNREADABLE(file=self._path, reason=why_not_read(error))) from None
        if len(data) > MAX_BYTES:
            raise BackgroundError(SlidesText.TOO_LARGE(file=self._path))
        if b"%PDF-" not in data[:1024]:
            raise self._damaged("no signature")
        return data

    def _damaged(self, reason: str) -> BackgroundError:
        log.info("%s was not rendered: %s", self._path, reason)
        return BackgroundError(SlidesText.DAMAGED(file=self._path))


SLIDE_SIDE = 2560
"""Slides are read at this size: enough for a zoom of 2 at 720p."""


class FolderSlides:
    """The images of a folder. Used as `PdfPages`."""

    def __init__(self, folder: Path) -> None:
        """Raise BackgroundError for a folder that cannot be read or has no images."""
        try:
            self._files = pictures_in(folder)
        except OSError as error:
            raise BackgroundError(SlidesText.UNREADABLE(file=folder, reason=why_not_read(error))) from None
        if not self._files:
            raise BackgroundError(SlidesText.EMPTY(folder=folder, formats=READ_SUFFIXES))

    @property
    def count(self) -> int:
        """Return the number of slides, at least 1."""
        return len(self._files)

    def read(self, index: int) -> BgrImage:
        """Return a slide, from 0. Raises BackgroundError."""
        return read_image(self._files[index], (255, 255, 255), SLIDE_SIDE)


Slides = PdfPages | FolderSlides


def open_slides(path: Path) -> Slides:
    """Open a folder, or a PDF file. Raises BackgroundError."""
    return FolderSlides(path) if is_folder(path) else PdfPages(path, (SLIDE_SIDE, SLIDE_SIDE))


def are_slides(path: Path) -> bool:
    """Return whether a path is to be used as slides: a folder, or by its suffix a PDF file."""
    return path.suffix.lower() == ".pdf" or is_folder(path)
