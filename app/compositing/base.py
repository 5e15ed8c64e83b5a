"""Interface of backgrounds."""

from __future__ import annotations

from typing import Protocol

from app.core.settings import BackgroundSettings
from app.core.types import Backdrop


class Background(Protocol):
    """Provides the image behind the person, for frames of any size.

    `open_background` opens it on any thread and raises BackgroundError; it is used and closed on one thread.
    """

    @property
    def name(self) -> str:
        """Display name: the file's name, the colour or `blur`."""
        ...

    @property
    def slides(self) -> int:
        """Number of slides; 0 for a background that has none."""
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
