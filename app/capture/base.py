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
class LiveSource(FrameSource, Protocol):
    """A source that goes on while nobody reads it, such as a camera."""

    def skip(self) -> bool:
        """Discard the next frame without decoding it, which costs nearly nothing, so that the one after it is recent.

        Return False if none arrives within a second. Raises SourceLostError like `read`.
        """
        ...

    def hold_exposure(self, wanted: bool) -> None:
        """Lock exposure and white balance once they have settled, or restore automatic control, where it can.

        A plate then keeps matching. Cheap if unchanged.
        """
        ...
