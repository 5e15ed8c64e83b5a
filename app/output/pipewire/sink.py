"""The sink that shows frames as a PipeWire camera."""

from __future__ import annotations

import logging
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from app.core import geometry
from app.core.errors import SinkLostError, SinkOpenError
from app.core.messages.output import PipeWireText
from app.core.types import BgrImage, Picture
from app.output.alpha import to_bgra
from app.output.pipewire.node import TITLE, CameraNode
from app.output.pixels import Packer
from app.system.pipewire.video_format import VideoFormat

log = logging.getLogger(__name__)

MAX_SIZE = 7680, 4320


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
        make: Callable[[VideoFormat], CameraNode] = CameraNode,
    ) -> None:
        """width, height: pixels, rounded down to even. alpha: send the person as premultiplied BGRA in place of the
        composite as YUY2. Raises SinkOpenError.
        """
        self._alpha = alpha
        self.name = f"{TITLE} (PipeWire)"
        self.device = "pipewire"
        self._fps = Fraction(max(1.0, fps)).limit_denominator(1001)
        self._make = make
        self._closed = False
        self._wanted = _sendable(width, height)
        self._packed: NDArray[np.uint8] | None = None
        self._shown: BgrImage | None = None
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
        self._packer = Packer("YUYV", *self._wanted)
        self._packed = None

    def _pack(self, picture: Picture) -> NDArray[np.uint8]:
        if self._packed is None or picture.image is not self._shown:  # the clock repeats frames
            if self._alpha:
                self._packed = to_bgra(picture, *self.size)
            else:
                self._packed = self._packer.pack(geometry.letterbox(picture.image, *self.size))
            self._shown = picture.image
        return self._packed


def _sendable(width: int, height: int) -> tuple[int, int]:
    if width > MAX_SIZE[0] or height > MAX_SIZE[1]:
        width, height = geometry.contain_size(width, height, *MAX_SIZE)
    return geometry.even_size(width, height)
