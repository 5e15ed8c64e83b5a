"""Interfaces of outputs: virtual cameras and recordings, and what the program knows of a kind of sink."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from app.core.errors import Stage
from app.core.settings import Settings
from app.core.types import Outgoing
from app.output.sound import Microphone


class FrameSink(Protocol):
    """Receives frames at the constant rate of the output clock.

    The constructor opens it and raises SinkOpenError. It is opened, used and closed on one thread.
    """

    name: str
    """Display name: the device, its label or the file."""
    device: str | None = None
    """Of a camera whose readers are those of its device: the device file, or the camera's name if there are none."""

    @property
    def readers(self) -> int | None:
        """The number of programs that read it, of a sink that can tell; readable on any thread."""
        return None

    def send(self, picture: Outgoing) -> None:
        """Show or write one frame of any size; a sink of fixed size letterboxes it. Raises SinkLostError."""
        ...

    def close(self) -> None:
        """Finish the file or release the device. Idempotent. Raises SinkLostError if a file cannot be finished."""
        ...


class ReaderCounter(Protocol):
    """Finds the processes that read a virtual camera. Opened, used and closed on one thread."""

    def readers(self) -> Sized | None:
        """Return the current readers; None if the system cannot tell."""
        ...

    def close(self) -> None:
        """Stop watching. Idempotent."""
        ...


class RecordingCounts:
    """Counts the frames of all recordings of a run, and knows the finished files. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.encoded = 0
        """Frames that were encoded."""
        self.dropped = 0
        """Frames that were left out because the encoder was too slow."""
        self.files: tuple[str, ...] = ()
        """Files of the recordings that ended, in their order."""

    def add(self, *, encoded: int = 0, dropped: int = 0) -> None:
        """Count frames."""
        with self._lock:
            self.encoded += encoded
            self.dropped += dropped

    def finish(self, file: Path) -> None:
        """Note a file that can be played now."""
        with self._lock:
            self.files += (str(file),)


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What the sinks of one run share."""

    settings: Callable[[], Settings]
    """The settings in force."""
    open_microphone: Callable[[], Microphone]
    """Opens the microphone of the settings."""
    source_devices: Callable[[], Collection[str]] = tuple
    """Returns the device files of the camera that is the source, to which nothing may be sent."""
    wait_for_gap: Callable[[float], object] = lambda timeout_s: None
    """Returns once no frame step runs, or after so many seconds: frames of recordings are encoded between the steps."""
    counts: RecordingCounts = field(default_factory=RecordingCounts)

    @property
    def fps(self) -> float:
        """The nominal frame rate."""
        return self.settings().capture.fps


K = TypeVar("K")
OpenSink: TypeAlias = Callable[[Any, int, int, SinkContext], FrameSink]
"""(what is wanted, width and height in pixels, context); raises SinkOpenError."""


@dataclass(frozen=True, slots=True)
class SinkSpec(Generic[K]):
    """A row of `app/output/table.py`."""

    name: str
    """In the status and its JSON; with hyphens the name of the sink's thread."""
    wanted: Callable[[Settings], K | None]
    """The sink that the settings ask for; None for no such sink."""
    open: Callable[[K, int, int, SinkContext], FrameSink]
    """As `OpenSink`."""
    stage: Stage = Stage.OUTPUT
    """Where failures are reported."""
    retry_s: float | None = 2.0
    """Wait before a sink that failed is opened again; None: not until the settings change (a recording would
    overwrite what is already on disk)."""
    optional: Callable[[K], bool] = lambda wanted: False
    """Whether a failure to open it is no problem to report."""
    waits_for_readers: bool = False
    """Whether it needs frames only while a program reads it; another sink needs them while it is wanted."""
    from_first_matte: bool = False
    """Whether the stand-by cards of the program's start are left out."""
