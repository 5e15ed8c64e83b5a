"""The images of a folder, read as a video."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from app.core.errors import BackgroundError, ModelError
from app.core.files import is_file, is_folder
from app.core.types import BgrImage
from app.media.alpha import BgraImage
from app.media.image_file import READ_SUFFIXES, first_frame_alone, is_picture, read_cut_out
from app.media.video_input import VideoError
from app.media.video_reader import Timing
from app.media.video_times import Grid

log = logging.getLogger(__name__)

NAMED = 20
"""Files that a sentence names."""
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
        self.path, self.is_image = path, not is_folder(path)
        self.time_base, self.timecode, self.is_cut = 1 / fps, None, False
        self.end_s: Fraction | None = None
        """None: the last frame lasts as long as the others."""
        self.damaged: list[str] = []
        """Names of the images skipped so far: unreadable, or of an unsuitable size."""
        self._check_size = check_size
        self._names = {path: path.stem} if self.is_image else picture_names(path)
        if not self._names:
            raise VideoError(
                f"The folder {path} contains no images ({', '.join(READ_SUFFIXES)}), and folders in it are not "
                "searched for images or videos; name the folder that holds them."
            )
        self.frame_estimate: int | None = len(self._names)
        self.timing = Timing(fps, Grid(fps), len(self._names), Fraction(0), (), is_constant=True)

    def named_frames(self) -> Generator[tuple[Fraction, str, BgrImage | BgraImage], None, None]:
        """Yield (time in seconds, name, image as of `read_cut_out`) of every usable image; see `picture_names`.

        Raises BackgroundError or ModelError if a single image cannot be used; such an image of a folder is left out.
        """
        for number, (file, name) in enumerate(self._names.items()):
            image = self._read(file)
            if image is not None:
                yield number / self.timing.rate, name, image

    def left_out(self, *, is_film: bool) -> Iterator[str]:
        """Yield what was not converted."""
        if self.damaged:
            yield (
                f"Unreadable or unsuitable images in {self.path} were left out: {len(self.damaged)} "
                f"({', '.join(first_names(self.damaged))})."
            )
        if not self.is_image and (others := [file.name for file in others_in(self.path)]):
            yield others_left_out(self.path, others)
        if self.is_image and (told := first_frame_alone(self.path)):
            yield told

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


def others_left_out(folder: Path | str, names: Sequence[str]) -> str:
    """Return the sentence on the other files of a folder that are left out."""
    return (
        f"Files in {folder} that are neither images nor videos were left out: {len(names)} "
        f"({', '.join(first_names(names))})."
    )


def first_names(names: Sequence[str], most: int = NAMED) -> list[str]:
    """Return the names that a sentence shows, with an ellipsis in place of those beyond `most`."""
    return [*names[:most], *(["…"] if len(names) > most else [])]


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
