"""What outputs have in common: their interfaces, what the program knows of a kind, and how cameras take pictures."""

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

    name: str
    """Display name: the device, its label or the file."""
    device: str | None = None
    """Of a camera whose readers are those of its device: the device file, or the camera's name if there are none."""
    notice: Text | None = None
    """What the user should know of it while it goes on."""

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


@dataclass(slots=True)
class Recording:
    """What became of one recording so far. Each value is set on one thread."""

    encoded: int = 0
    """Frames that were encoded."""
    dropped: int = 0
    """Frames that were left out because the encoder was too slow."""
    file: str = ""
    """Its file, once that can be played."""


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
    recordings: list[Recording] = field(default_factory=list)
    """Those of the run."""

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
    load: Callable[[K], object] = lambda wanted: None
    """Loads, once it is open, what its first picture needs: the seconds that this takes are no fault of a device."""
    stage: Stage = Stage.OUTPUT
    """Where failures are reported."""
    retry_s: float | None = 2.0
    """Wait before a sink that failed is opened again; None: not until the settings change (a recording would
    overwrite what is already on disk)."""
    unset: Callable[[Settings], Settings] | None = None
    """Returns settings that ask for no such sink: those after it failed, of a sink that is not opened again."""
    optional: Callable[[K], bool] = lambda wanted: False
    """Whether a failure to open it is no problem to report."""
    waits_for_readers: bool = False
    """Whether it needs frames only while a program reads it; another sink needs them while it is wanted."""
    takes_device_of: Callable[[K, FrameSink], bool] = lambda wanted, in_use: False
    """Whether opening what is wanted may take the device of the sink in use, which must be closed first then."""
    from_first_matte: bool = False
    """Whether the stand-by cards of the program's start are left out."""


MAX_SIZE = 7680, 4320
"""Larger frames are downscaled: drivers do not reject them, but fail in other ways."""
PackedLayout = yuv.Layout | Literal["BGR", "BGRA", "RGBA"]


def sendable(width: int, height: int) -> tuple[int, int]:
    """Return the even size, at most `MAX_SIZE`, in which pictures of this size are sent."""
    if width > MAX_SIZE[0] or height > MAX_SIZE[1]:
        width, height = geometry.contain_size(width, height, *MAX_SIZE)
    return geometry.even_size(width, height)


class Packer:
    """Packs pictures for a camera of one size: letterboxed, once for all repetitions by the clock."""

    def __init__(self, size: tuple[int, int]) -> None:
        """size: (width, height) in pixels, even."""
        self.size = size
        self._last: tuple[BgrImage, PackedLayout, NDArray[np.uint8]] | None = None

    def pack(self, picture: Picture, layout: PackedLayout) -> NDArray[np.uint8]:
        """Return the picture in this layout, until the next call, which may write to the same array."""
        last = self._last if self._last is not None and self._last[1] == layout else None
        if last is not None and last[0] is picture.image:
            return last[2]
        self._last = None  # a conversion that fails may have written to its array
        if layout == "BGRA" or layout == "RGBA":
            packed = to_bgra(picture, *self.size)
            packed = packed if layout == "BGRA" else np.asarray(cv2.cvtColor(packed, cv2.COLOR_BGRA2RGBA), np.uint8)
        else:
            packed = geometry.letterbox(picture.image, *self.size)
            if layout != "BGR":
                packed = yuv.to_yuv(packed, layout, target=None if last is None else last[2])
        self._last = picture.image, layout, packed
        return packed


def to_bgra(picture: Picture, width: int, height: int) -> NDArray[np.uint8]:
    """Return (height, width, 4) uint8: blue, green, red and alpha; one without alpha, such as the card, is opaque.

    Colours are not premultiplied, because PipeWire cannot say so and readers such as OBS multiply them by alpha. They
    are derived from the premultiplied ones: clear pixels are black, and a reader that ignores alpha finds no more of
    the room in faint pixels than a composite would show. Bars of other shapes are clear.
    """
    if picture.alpha is None:
        person, alpha = picture.image, np.full(picture.image.shape[:2], 255, np.uint8)
    else:
        colours = picture.image if picture.foreground is None else picture.foreground
        person, alpha = premultiplied(colours, picture.alpha), picture.alpha
    if picture.size != (width, height):
        person, alpha = geometry.letterbox(person, width, height), geometry.letterbox(alpha, width, height)
    return np.dstack([straight(person, alpha), alpha])


def write_snapshot(path: Path, image: BgrImage) -> None:
    """Write an image of what the gate has released, in the format of the name's suffix. Raises SinkError."""
    try:
        write_picture(path, image)
    except OSError as error:
        reason = why_not_written(error)
        raise write_error(error)(t("{file} could not be written: {reason}.", file=path, reason=reason)) from error
