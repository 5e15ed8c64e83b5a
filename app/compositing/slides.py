"""Slides as background."""

from __future__ import annotations

import logging
from pathlib import Path

from app.compositing.screen_use import ReadingThread
from app.compositing.still import ImageBackground, layout_of
from app.core.errors import BackgroundError
from app.core.messages.media import SlidesText
from app.core.messages.system import ProgramText
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage
from app.media.slides import Slides, open_slides

log = logging.getLogger(__name__)

LIMIT_S = 25.0
"""For the end of the thread: longer than a page may take."""


class SlidesBackground:
    """Shows one slide, and the one before until it is read.

    A thread reads slides ahead; `backdrop` returns what is ready.
    """

    problem = None

    def __init__(self, path: Path, settings: BackgroundSettings, *, realtime: bool = True) -> None:
        """realtime: False makes `backdrop` wait for the slide. Raises BackgroundError if the slide cannot be read."""
        self._realtime = realtime
        self._reader = ReadingThread(self._read_ahead, "slides", f"reader of the slides {path.name}", LIMIT_S)
        self._condition = self._reader.condition
        self._layout, self._wanted = layout_of(settings), settings.slide - 1
        self._file: Slides = open_slides(path)
        self.slides = self._file.count
        """Number of slides."""
        if settings.slide > self.slides:
            log.warning("%s", SlidesText.PAST_END(file=path, number=settings.slide, count=self.slides))
        self._read: dict[int, ImageBackground | BackgroundError] = {
            self._index: ImageBackground(self._file.read(self._index))
        }
        self._shown = self._read[self._index]
        self._reader.start()

    @property
    def _index(self) -> int:
        """The slide that is asked for, from 0; past the end it is the last one."""
        return min(self._wanted, self.slides - 1)

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """Return the slide in this size. Raises BackgroundError if it cannot be read."""
        with self._condition:
            while not self._realtime and self._index not in self._read and not self._reader.closing:
                self._condition.wait()
            self._shown = self._read.get(self._index, self._shown)
            if isinstance(self._shown, BackgroundError):
                raise self._shown
            self._shown.layout = self._layout
            return self._shown.backdrop(width, height, time_s)

    def follow(self, settings: BackgroundSettings) -> None:
        """Take over the slide, fit, zoom and pan."""
        with self._condition:
            self._layout, self._wanted = layout_of(settings), settings.slide - 1
            self._condition.notify_all()

    def close(self) -> None:
        """End the thread. Idempotent."""
        self._reader.close()

    def _missing(self) -> int | None:
        """Return the next slide to read: the one that is asked for, then its neighbours. Drop the others."""
        near = [index for index in (self._index, self._index + 1, self._index - 1) if 0 <= index < self.slides]
        self._read = {index: each for index, each in self._read.items() if index in near}
        return next((index for index in near if index not in self._read), None)

    def _read_ahead(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._reader.closing or self._missing() is not None)
                index = self._missing()
                if self._reader.closing or index is None:
                    return
            slide = self._slide(index)
            with self._condition:
                self._read[index] = slide
                self._condition.notify_all()

    def _slide(self, index: int) -> ImageBackground | BackgroundError:
        try:
            return ImageBackground(self._file.read(index))
        except BackgroundError as error:
            log.warning("%s", error)
            return error
        except Exception as error:  # the thread goes on to the other slides
            log.warning("Slide %d cannot be shown.", index + 1, exc_info=error)
            return BackgroundError(ProgramText.UNEXPECTED())
