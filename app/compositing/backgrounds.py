"""Backgrounds: their interface, and opening the one that the settings name."""

from __future__ import annotations

from typing import Protocol

from app.compositing.still import BlurBackground, ColourBackground, layout_of, open_image, parse_colour
from app.compositing.video import VideoBackground
from app.core.errors import BackgroundError
from app.core.settings import BackgroundSettings
from app.core.text import t
from app.core.types import Backdrop


class Background(Protocol):
    """Provides the image behind the person, for frames of any size.

    `open_background` opens it on any thread and raises BackgroundError; it is used and closed on one thread.
    """

    @property
    def problem(self) -> BackgroundError | None:
        """Why the backdrop no longer changes; None while it works (any thread)."""
        ...

    def backdrop(self, width: int, height: int, time_s: float) -> Backdrop:
        """Return the backdrop in this size for this time, without waiting for a file.

        time_s: seconds of any monotonic clock; only videos use it. The image must not be written to. The same object is
        returned while the image is unchanged.
        """
        ...

    def follow(self, settings: BackgroundSettings) -> None:
        """Take over the settings of `FOLLOWED` from the next backdrop on; the others are those it was opened with."""
        ...

    def close(self) -> None:
        """Release the file. Idempotent."""
        ...


def open_background(settings: BackgroundSettings, *, realtime: bool = True) -> Background:
    """Open the background of these settings.

    realtime: False for conversions: a video then waits for the exact frame of each time. May block for a moment while a
    large image is decoded. Raises BackgroundError if the file cannot be used, and ValueError for the kind "none", which
    has no backdrop.
    """
    if settings.kind == "blur":
        return BlurBackground(settings.blur_strength, bokeh=settings.bokeh)
    if settings.kind == "colour":
        return ColourBackground(settings.colour)
    if settings.kind == "none":
        raise ValueError('the kind "none" has no backdrop')
    if settings.path is None:
        raise BackgroundError(
            t("No video is chosen for the background; choose a file.")
            if settings.kind == "video"
            else t("No image is chosen for the background; choose a file.")
        )
    if settings.kind == "video":
        return VideoBackground(
            settings.path, layout_of(settings), colour=parse_colour(settings.colour), realtime=realtime
        )
    return open_image(settings.path, settings)
