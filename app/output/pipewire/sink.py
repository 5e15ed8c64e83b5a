"""The sink that shows frames as a PipeWire camera."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from app.core.errors import SinkLostError, SinkOpenError
from app.core.messages.output import PipeWireText
from app.core.settings import Settings
from app.core.types import Picture
from app.output.base import SinkContext
from app.output.packing import PackedLayout, Packer, sendable
from app.output.pipewire.node import TITLE, PipeWireNode
from app.system.device_holders import LINUX
from app.system.pipewire.video_format import Layout, VideoFormat

log = logging.getLogger(__name__)

_PACKED: dict[Layout, PackedLayout] = {"YUY2": "YUYV", "BGRA": "BGRA", "RGBA": "RGBA"}


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
        self._wanted = sendable(width, height)
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
        self._wanted = sendable(*picture.size)
        if self._node.reading:
            self._node.send(self._packer.pack(picture, _PACKED[self._node.layout]))
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
        self._packer = Packer(self._wanted)


def wanted_camera(settings: Settings) -> NodeChoice | None:
    """Return the PipeWire camera that the settings ask for."""
    output = settings.output
    if not output.offers_pipewire or (output.pipewire == "auto" and not LINUX):
        return None
    return NodeChoice(output.pipewire == "on", output.alpha_output == "bgra")


def open_camera(choice: NodeChoice, width: int, height: int, context: SinkContext) -> PipeWireCamera:
    """Open the PipeWire camera that is asked for. Raises SinkOpenError."""
    return PipeWireCamera(width, height, context.fps, choice.alpha)
