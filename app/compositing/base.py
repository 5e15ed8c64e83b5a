"""Interface of backgrounds."""

from __future__ import annotations

from typing import Protocol

from app.core.types import Backdrop


class Background(Protocol):
    """Provides the image behind the person, for frames of any size.

    `open_background` opens it on any thread and raises BackgroundError; it is used and closed on one thread.
    """

    @property
    def name(self) -> str:
        """Display name: the file's name, the colour or `blur`."""
        ...

    def backdrop(self, width: int, height: int, time_s: float) -> Backdrop:
        """Return the backdrop in this size for this time, without waiting for a file.

        time_s: seconds of any monotonic clock; only videos use it. The image must not be written to. The same object is
        returned while the image is unchanged.
        """
        ...

    def close(self) -> None:
        """Release the file. Idempotent."""
        ...
