"""What outputs have in common: their interfaces, what the program knows of a kind, and how
cameras take pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core import geometry
from app.core.errors import Stage, Text, t
from app.core.files import why_not_written, write_error
from app.core.types import BgrImage, Outgoing, Picture
from app.media import yuv
from app.media.frame_filters import premultiplied, straight
from app.media.image_file import write_picture
from app.output.sound import Microphone
from app.settings import Settings


class FrameSink(Protocol):
    """Receives frames at the constant rate of the output clock.

    The constructor opens it and raises SinkOpenError. It is opened, used and closed on one thread.
    """

    # Display name: the device, its label or the file.
    name: str
    # Of a camera whose readers are those of its device: the device file, or the camera's name if
    # there is none.
    device: str | None = None
    # What the user should know of it while it goes on.
    notice: Text | None = None

    @property
    def readers(self) -> int | None:
        """The number of programs that read it, of a sink that can tell; readable on any thread."""
        return None

    def send(self, picture: Outgoing) -> None:
        """Show or write one frame of any size; a sink of fixed size letterboxes it.

        Raises SinkLostError.
        """
        ...

    def close(self) -> None:
        """Finish the file or release the device.

        Idempotent. Raises SinkLostError if a file cannot be finished.
        """
        ...


class ReaderCounter(Protocol):
    """Finds the processes that read a virtual camera. Opened, used and closed on one thread."""

    def readers(self) -> Sized | None:
        """Return the current readers; None if the system cannot tell."""
        ...

    def close(self) -> None:
        """Stop watching. Idempotent."""
        ...


@dataclass(slots=True)
class RecordingProgress:
    """What became of one recording so far. Each value is set on one thread."""

    encoded: int = 0
    dropped: int = 0  # frames for which the encoder was too slow
    file: str = ""  # once it can be played


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What the sinks of one run share."""

    settings: Callable[[], Settings]  # those in force
    open_microphone: Callable[[], Microphone]
    # Returns the device files of the camera that is the source, to which nothing may be sent.
    source_devices: Callable[[], Collection[str]] = tuple
    # Returns once no frame step runs, or after so many seconds: frames of recordings are encoded
    # between the steps.
    wait_for_gap: Callable[[float], object] = lambda timeout_s: None
    recordings: list[RecordingProgress] = field(default_factory=list)

    @property
    def fps(self) -> float:
        """The nominal frame rate."""
        return self.settings().capture.fps


K = TypeVar("K")
# (what is wanted, width and height in pixels, context); raises SinkOpenError.
OpenSink: TypeAlias = Callable[[Any, int, int, SinkContext], FrameSink]


@dataclass(frozen=True, slots=True)
class SinkSpec(Generic[K]):
    """A row of `app/output/table.py`."""

    # In the status and its JSON; with hyphens the name of the sink's thread.
    name: str
    # The sink that the settings ask for; None for no such sink.
    wanted: Callable[[Settings], K | None]
    open: Callable[[K, int, int, SinkContext], FrameSink]
    # Loads, once it is open, what its first picture needs: the seconds that this takes are no fault
    # of a device.
    load: Callable[[K], object] = lambda wanted: None
    stage: Stage = Stage.OUTPUT
    # Wait before a sink that failed is opened again; None: not until the settings change (a
    # recording would overwrite what is already on disk).
    retry_s: float | None = 2.0
    # Returns settings that ask for no such sink: those after one failed that is not opened again.
    unset: Callable[[Settings], Settings] | None = None
    # Whether a failure to open it is no problem to report.
    optional: Callable[[K], bool] = lambda wanted: False
    # Whether it needs frames only while a program reads it; another sink needs them while it is
    # wanted.
    waits_for_readers: bool = False
    # Whether opening what is wanted may take the device of the sink in use, which must be closed
    # first then.
    takes_device_of: Callable[[K, FrameSink], bool] = lambda wanted, in_use: False
    # Whether the stand-by cards of the program's start are left out.
    from_first_matte: bool = False


# Larger frames are downscaled: drivers do not reject them, but fail in other ways.
MAX_SIZE = 7680, 4320
PackedLayout = yuv.YuvLayout | Literal["BGR", "BGRA", "RGBA"]


def sendable(width: int, height: int) -> tuple[int, int]:
    """Return the even size, at most `MAX_SIZE`, in which pictures of this size are sent."""
    if width > MAX_SIZE[0] or height > MAX_SIZE[1]:
        width, height = geometry.contain_size(width, height, *MAX_SIZE)
    return geometry.even_size(width, height)


@dataclass(frozen=True, slots=True)
class _Packed:
    """What a packer made last, and of what."""

    image: BgrImage
    layout: PackedLayout
    packed: NDArray[np.uint8]


class Packer:
    """Packs pictures for a camera of one size: letterboxed, once for all repetitions."""

    def __init__(self, size: tuple[int, int]) -> None:
        """size: (width, height) in pixels, even."""
        self.size = size
        self._last: _Packed | None = None

    def pack(self, picture: Picture, layout: PackedLayout) -> NDArray[np.uint8]:
        """Return the picture in this layout, until the next call, which may write to the same
        array.
        """
        written_again = None
        if self._last is not None and self._last.layout == layout:
            if self._last.image is picture.image:
                return self._last.packed
            written_again = self._last.packed
        # A conversion that fails may have written to its array.
        self._last = None
        packed = self._converted(picture, layout, written_again)
        self._last = _Packed(picture.image, layout, packed)
        return packed

    def _converted(
        self,
        picture: Picture,
        layout: PackedLayout,
        written_again: NDArray[np.uint8] | None,
    ) -> NDArray[np.uint8]:
        """written_again: what is no longer needed, in this layout; see `yuv.to_yuv`."""
        if layout == "BGRA" or layout == "RGBA":
            with_alpha = to_bgra(picture, *self.size)
            if layout == "RGBA":
                return np.asarray(cv2.cvtColor(with_alpha, cv2.COLOR_BGRA2RGBA), np.uint8)
            return with_alpha
        letterboxed = geometry.letterbox(picture.image, *self.size)
        if layout == "BGR":
            return letterboxed
        return yuv.to_yuv(letterboxed, layout, target=written_again)


def to_bgra(picture: Picture, width: int, height: int) -> NDArray[np.uint8]:
    """Return (height, width, 4) uint8: blue, green, red and alpha.

    A picture without alpha, such as the card, is opaque.
    Colours are not premultiplied, because PipeWire cannot say so and readers such as OBS multiply
    them by alpha. They are derived from the premultiplied ones: clear pixels are black, and a
    reader that ignores alpha finds no more of the room in faint pixels than a composite would show.
    Bars of other shapes are clear.
    """
    if picture.alpha is None:
        person = picture.image
        alpha = np.full(picture.image.shape[:2], 255, np.uint8)
    else:
        alpha = picture.alpha
        if picture.foreground is None:
            person = premultiplied(picture.image, alpha)
        else:
            person = premultiplied(picture.foreground, alpha)
    if picture.size != (width, height):
        person = geometry.letterbox(person, width, height)
        alpha = geometry.letterbox(alpha, width, height)
    return np.dstack([straight(person, alpha), alpha])


def write_snapshot(path: Path, image: BgrImage) -> None:
    """Write an image of what the gate has released, in the format of the name's suffix.

    Raises SinkError.
    """
    try:
        write_picture(path, image)
    except OSError as error:
        reason = why_not_written(error)
        text = t("{file} could not be written: {reason}.", file=path, reason=reason)
        raise write_error(error)(text) from error
