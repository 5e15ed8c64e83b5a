"""The seam to backgrounds."""

from __future__ import annotations

from typing import Protocol

from app.core.types import Backdrop


class Background(Protocol):
    """What stands behind the person, for frames of any size.

    Opened by `open_background` (which raises BackgroundError), on any thread; then used and closed on one thread.
    """

    @property
    def name(self) -> str:
        """For the user: the file's name, the colour or `blur`."""
        ...

    def backdrop(self, width: int, height: int, time_s: float) -> Backdrop:
        """The backdrop of exactly this size at this moment, at once: it never waits for a file.

        time_s: seconds on any clock that never goes back; only videos look at it. The image is never written to by
        anybody, and the same object comes again as long as the picture is the same.
        """
        ...

    def close(self) -> None:
        """Release the file; a second call does nothing."""
        ...
