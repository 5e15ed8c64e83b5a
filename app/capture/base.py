"""Interface of frame sources: cameras, video files and the demo."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.core.types import Frame, SourceInfo


class FrameSource(Protocol):
    """Delivers frames in order, at its own rate.

    The constructor opens it and raises SourceOpenError. It is opened, read and closed on one thread. `read` blocks for
    about a second at most, so that its thread can be stopped.
    """

    @property
    def info(self) -> SourceInfo:
        """The negotiated format. Frames have this size until `info` changes."""
        ...

    def read(self) -> Frame | None:
        """Return the next frame, or None if none arrives within about a second.

        Nothing writes to its image afterwards: while it is matted, further frames are read. Raises SourceLostError if
        no further frame will arrive.
        """
        ...

    def close(self) -> None:
        """Release the device or file. Idempotent."""
        ...


@runtime_checkable
class SkipsFrames(Protocol):
    """Optional interface of a source that can take a frame without decoding it, which costs nearly nothing."""

    def skip(self) -> bool:
        """Discard the next frame, so that the one after it is recent; return False if none arrives within a second.

        Raises SourceLostError like `read`.
        """
        ...


@runtime_checkable
class HoldsExposure(Protocol):
    """Optional interface of a source that can lock exposure and white balance, so that the plate keeps matching."""

    def hold_exposure(self, wanted: bool) -> None:
        """Lock exposure and white balance once they have settled, or restore automatic control. Cheap if unchanged."""
        ...
