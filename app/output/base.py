"""Interfaces of outputs: virtual cameras and recordings."""

from __future__ import annotations

from collections.abc import Sized
from typing import Protocol, runtime_checkable

from app.core.types import Outgoing


class FrameSink(Protocol):
    """Receives frames at the constant rate of the output clock.

    The constructor opens it and raises SinkOpenError. It is opened, used and closed on one thread.
    """

    @property
    def name(self) -> str:
        """Display name: the device, its label or the file."""
        ...

    def send(self, picture: Outgoing) -> None:
        """Show or write one frame of any size; a sink of fixed size letterboxes it. Raises SinkLostError."""
        ...

    def close(self) -> None:
        """Finish the file or release the device. Idempotent. Raises SinkLostError if a file cannot be finished."""
        ...


@runtime_checkable
class CameraSink(FrameSink, Protocol):
    """A sink that other programs see as a camera, whose readers are those of its device."""

    @property
    def device(self) -> str:
        """The device file, or the camera's name if the system has no device files."""
        ...


@runtime_checkable
class CountedSink(FrameSink, Protocol):
    """A sink that knows its own readers."""

    @property
    def readers(self) -> int:
        """The number of programs that read it, as far as it can tell them apart. Readable on any thread."""
        ...


class ReaderCounter(Protocol):
    """Finds the processes that read a virtual camera. Opened, used and closed on one thread."""

    def readers(self) -> Sized | None:
        """Return the current readers; None if the system cannot tell."""
        ...

    def close(self) -> None:
        """Stop watching. Idempotent."""
        ...
