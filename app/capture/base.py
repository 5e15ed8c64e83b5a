"""Interface of frame sources, with what most of them share."""

from __future__ import annotations

from typing import Protocol

from app.core.errors import SourceOpenError, Text, t
from app.core.types import Frame, SourceInfo


class FrameSource(Protocol):
    """Delivers frames in order, at its own rate.

    The constructor opens it and raises SourceOpenError. It is opened, read and closed on one
    thread. `read` waits until the next frame is due, and for about a second at most, so that its
    thread can be stopped.
    """

    # The negotiated format. Frames have this size until `info` changes.
    info: SourceInfo
    # Whether it goes on while nobody reads it, such as a camera, and can skip frames.
    is_live: bool = False
    # What is wrong although frames arrive, such as the noise of an input without a signal; None
    # once it is over.
    warning: Text | None = None

    def read(self) -> Frame | None:
        """Return the next frame; None if none arrives within about a second, and after `close`.

        Nothing writes to its image afterwards: while it is matted, further frames are read. Raises
        SourceLostError if no further frame will arrive.
        """
        ...

    def skip(self) -> bool:
        """Discard the next frame of a live source without decoding it, so that the one after it is
        recent.

        Return False if none arrives within a second. Raises SourceLostError like `read`.
        """
        return self.read() is not None

    def hold_exposure(self, wanted: bool) -> None:
        """Lock exposure and white balance once they have settled, or restore automatic control,
        where it can.

        A plate then keeps matching. Cheap if unchanged.
        """
        return

    def close(self) -> None:
        """Release the device or file. Idempotent."""
        ...


# Prefix of the ids of cameras that only PipeWire offers.
PIPEWIRE = "portal:"


def several_cameras(name: str, sources: list[str]) -> SourceOpenError:
    """Return the error that more than one camera has this name."""
    return SourceOpenError(
        t(
            "There are several cameras {name}; choose one of {sources}.",
            name=name,
            sources=sources,
        )
    )
