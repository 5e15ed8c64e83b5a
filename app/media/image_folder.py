"""A folder of pictures as a film."""

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
"""Pictures are taken as they are; only beyond this they are made smaller."""


class ImageFolderReader:
    """The pictures of a folder in the order of their names, numbers in them counted as numbers: 9 comes before 10."""

    def __init__(self, path: Path, fps: Fraction = Fraction(30)) -> None:
        """fps: the rate of a video made of them. Raises VideoError where there is no picture."""
        self.path = path
        self.fps = fps
        self.time_base: Fraction | None = None
        self.damaged = 0
        """Pictures left out so far because they cannot be read."""
        self._files = sorted((f for f in path.iterdir() if f.suffix.lower() in PICTURES), key=_natural)
        if not self._files:
            raise VideoError(VideoText.EMPTY_FOLDER(folder=path, formats=PICTURES))
        self.frame_estimate: int | None = len(self._files)
        self._stems = Counter(file.stem for file in self._files)

    def frames(self) -> Generator[tuple[Fraction, str, BgrImage], None, None]:
        """(time in seconds, name, (height, width, 3) uint8 BGR) of every picture that can be read.

        The name has no suffix, unless two pictures differ in nothing else.
        """
        for number, file in enumerate(self._files):
            image = self._read(file)
            if image is not None:
                yield number / self.fps, file.stem if self._stems[file.stem] == 1 else file.name, image

    def _read(self, file: Path) -> BgrImage | None:
        try:
            return read_image(file, max_side=MAX_SIDE)
        except BackgroundError as error:
            self.damaged += 1
            log.warning("%s", error)
            return None


def _natural(file: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", file.name.lower())]
