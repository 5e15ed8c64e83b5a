"""The seam to cameras, files and the demo view."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.core.types import Frame, SourceInfo


class FrameSource(Protocol):
    """Gives frames, one after another, at its own rate.

    It is opened by its constructor (which raises SourceOpenError), read and closed on one thread. `read` blocks until
    the next frame is there, at most about a second, so that its thread can be asked to stop.
    """

    @property
    def info(self) -> SourceInfo:
        """What was negotiated; the size is that of every frame until `info` changes."""
        ...

    def read(self) -> Frame | None:
        """The next frame; None where none came within about a second (ask again).

        Raises SourceLostError when no further frame will come.
        """
        ...

    def close(self) -> None:
        """Release the device or file; a second call does nothing."""
        ...


@runtime_checkable
class HoldsExposure(Protocol):
    """What a source may do besides: hold exposure and white balance, so that the room stays as its plate shows it."""

    def hold_exposure(self, wanted: bool) -> None:
        """Hold them from when they have settled on, or give the automatic back; costs nothing where that is so."""
        ...
