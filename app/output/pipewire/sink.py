"""The sink that shows frames as a PipeWire camera."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core import geometry
from app.core.errors import SinkLostError, SinkOpenError
from app.core.messages.output import PipeWireText
from app.core.settings import Settings
from app.core.types import BgrImage, Picture
from app.media.yuv import YuvConverter
from app.output.alpha import to_bgra
from app.output.pipewire.node import TITLE, PipeWireNode
from app.output.spec import SinkContext
from app.system.device_holders import LINUX
from app.system.pipewire.video_format import Layout, VideoFormat

log = logging.getLogger(__name__)

MAX_SIZE = 7680, 4320


@dataclass(frozen=True, slots=True)
class NodeChoice:
    """The PipeWire camera that the settings ask for."""

    required: bool
    """Whether the user has asked for it by name."""
    alpha: bool


class PipeWireCamera:
    """Presents frames to programs that look for cameras in PipeWire, such as browsers and Flatpak programs.

    The size does not change while a program reads: frames of other sizes are letterboxed. Without readers the node is
    replaced by one of the new size.
    """

    def __init__(
        self,
        width: int,
        height: int,
        fps: float,
        alpha: bool = False,
        *,
        make: Callable[[VideoFormat], PipeWireNode] = PipeWireNode,
    ) -> None:
        """width, height: pixels, rounded down to even. alpha: send the person as BGRA or RGBA, as the reader
        chooses, not premultiplied, in place of the composite as YUY2. Raises SinkOpenError.
        """
        self._alpha = alpha
        self.name = f"{TITLE} (PipeWire)"
        self._fps = Fraction(max(1.0, fps)).limit_denominator(1001)
        self._make = make
        self._closed = False
        self._wanted = _sendable(width, height)
        self._packed: NDArray[np.uint8] | None = None
        self._shown: tuple[BgrImage, Layout] | None = None
        self._open()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, as readers see it."""
        return self._node.video.width, self._node.video.height

    @property
    def readers(self) -> int:
        """1 while any program reads, otherwise 0."""
        return int(self._node.reading)

    def send(self, picture: Picture) -> None:
        """Send a frame. Raises SinkLostError."""
        if self._closed:
            raise SinkLostError(PipeWireText.CLOSED())
        if self._node.lost:
            raise SinkLostError(PipeWireText.LOST())
        self._wanted = _sendable(*picture.size)
        if self._node.reading:
            self._node.send(self._pack(picture))
        elif self._wanted != self.size:
            self._node.close()
            try:
                self._open()
            except SinkOpenError as error:
                raise SinkLostError(error.text) from error

    def close(self) -> None:
        """Remove the camera. Idempotent."""
        self._closed = True
        self._node.close()

    def _open(self) -> None:
        video = VideoFormat("BGRA" if self._alpha else "YUY2", *self._wanted, self._fps)
        try:
            self._node = self._make(video)
        except OSError as error:
            log.info("PipeWire: %s", error)
            raise SinkOpenError(PipeWireText.ABSENT()) from error
        self._converter = YuvConverter("YUYV", *self._wanted)
        self._packed = None

    def _pack(self, picture: Picture) -> NDArray[np.uint8]:
        wanted = picture.image, self._node.layout
        if self._packed is None or self._shown is None or not _same(self._shown, wanted):  # the clock repeats frames
            self._packed, self._shown = self._packed_anew(picture, self._node.layout), wanted
        return self._packed

    def _packed_anew(self, picture: Picture, layout: Layout) -> NDArray[np.uint8]:
        if not self._alpha:
            return self._converter.convert(geometry.letterbox(picture.image, *self.size))
        person = to_bgra(picture, *self.size)
        return person if layout == "BGRA" else np.asarray(cv2.cvtColor(person, cv2.COLOR_BGRA2RGBA), np.uint8)


def wanted_camera(settings: Settings) -> NodeChoice | None:
    """Return the PipeWire camera that the settings ask for."""
    output = settings.output
    if not output.offers_pipewire or (output.pipewire == "auto" and not LINUX):
        return None
    return NodeChoice(output.pipewire == "on", output.alpha_output == "bgra")


def open_camera(choice: NodeChoice, width: int, height: int, context: SinkContext) -> PipeWireCamera:
    """Open the PipeWire camera that is asked for. Raises SinkOpenError."""
    return PipeWireCamera(width, height, context.fps, choice.alpha)


def _same(shown: tuple[BgrImage, Layout], wanted: tuple[BgrImage, Layout]) -> bool:
    return shown[0] is wanted[0] and shown[1] == wanted[1]


def _sendable(width: int, height: int) -> tuple[int, int]:
    if width > MAX_SIZE[0] or height > MAX_SIZE[1]:
        width, height = geometry.contain_size(width, height, *MAX_SIZE)
    return geometry.even_size(width, height)
