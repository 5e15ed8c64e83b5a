"""The seam to virtual cameras and recordings."""

from __future__ import annotations

from collections.abc import Sized
from typing import Protocol

from app.core.types import Outgoing


class FrameSink(Protocol):
    """Takes pictures at the steady rate of the output clock.

    Opened by its constructor (which raises SinkOpenError), used and closed on one thread.
    """

    @property
    def name(self) -> str:
        """For the user: the device, its label or the file."""
        ...

    def send(self, picture: Outgoing) -> None:
        """Show or write one picture. Any size: a sink that must keep its size letterboxes. Raises SinkLostError."""
        ...

    def close(self) -> None:
        """Finish the file or release the device; a second call does nothing. Raises SinkLostError when a file
        could not be finished.
        """
        ...


class CameraSink(FrameSink, Protocol):
    """A sink that other programs see as a camera."""

    @property
    def device(self) -> str:
        """The device file, or the camera's name where the system has no such file."""
        ...


class ReaderCounter(Protocol):
    """Tells who reads a virtual camera; made, used and closed on one thread."""

    def readers(self) -> Sized | None:
        """Those who read now; None where the system offers no way to know."""
        ...

    def close(self) -> None:
        """Stop watching; a second call does nothing."""
        ...
