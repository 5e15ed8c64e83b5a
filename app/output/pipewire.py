"""A camera that other programs see through PipeWire and the camera portal (Linux)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from app.core.errors import SinkLostError, SinkOpenError, t
from app.core.process import LINUX
from app.core.settings import Settings
from app.core.types import Picture
from app.output.base import FrameSink, PackedLayout, Packer, SinkContext, sendable
from app.system.pipewire.connection import OWN_NODE
from app.system.pipewire.stream import OUTPUT, Stream, StreamFlags, StreamListener, StreamState
from app.system.pipewire.video_format import Layout, VideoFormat, buffer_parameters, parse_format, write_frame

log = logging.getLogger(__name__)


TITLE = "Mattecam"
"""The name that programs show."""
_ICON = "camera-web"
_OTHERS: dict[Layout, tuple[Layout, ...]] = {"BGRA": ("RGBA",)}
"""Layouts that are offered beside the first one: OBS reads RGBA, but not BGRA."""
SETTLE_S = 0.08
"""PipeWire 1.4 reports streaming, paused and streaming again within a millisecond as a reader starts."""


class PipeWireNode(StreamListener):
    """Offers frames of exactly one size.

    With several sizes on offer, the reader that chooses another size than the first one stalls, or stalls the first.
    """

    def __init__(self, video: VideoFormat, *, name: str = OWN_NODE, title: str = TITLE) -> None:
        """Raises OSError if the library is missing or no daemon answers."""
        self.video = video
        self.layout = video.layout
        """What the reader has chosen."""
        self._state = StreamState.CONNECTING
        self._paused_at_s = -SETTLE_S
        self._negotiated = False
        self._buffers: list[int] = []
        """Addresses, the one that was queued longest ago first."""
        self._sent = 0
        properties = {
            "media.type": "Video",
            "media.category": "Capture",
            "media.class": "Video/Source",
            "media.role": "Camera",
            "node.name": name,
            "node.description": title,
            "node.nick": title,
            "media.icon-name": _ICON,
            "device.icon-name": _ICON,
        }
        self._stream = Stream(properties, self)
        try:
            flags = StreamFlags.DRIVER | StreamFlags.MAP_BUFFERS
            self._stream.connect(OUTPUT, flags, [video.as_offer(*_OTHERS.get(video.layout, ()))])
        except OSError:
            self._stream.close()
            raise

    @property
    def reading(self) -> bool:
        """Whether a program reads, or has stopped less than `SETTLE_S` ago."""
        if self._state is StreamState.STREAMING:
            return True
        return self._state is StreamState.PAUSED and time.monotonic() - self._paused_at_s < SETTLE_S

    @property
    def lost(self) -> bool:
        """Whether the daemon has ended: the node never comes back."""
        return self._state is StreamState.UNCONNECTED

    def send(self, frame: NDArray[np.uint8]) -> None:
        """Send a C-contiguous frame in `layout` and the size of the node; without a reader nothing is done."""
        if self._state is not StreamState.STREAMING:
            return
        with self._stream.locked():
            if self._state is not StreamState.STREAMING or not self._negotiated:
                return
            self._write(frame)
            self._stream.trigger()  # also without a buffer: a cycle returns those that were read

    def close(self) -> None:
        """Remove the node. Idempotent."""
        self._stream.close()

    def state_changed(self, state: StreamState, error: str) -> None:
        """Note the state; after an error the next reader may succeed."""
        if self._state is StreamState.STREAMING and state is not StreamState.STREAMING:
            self._paused_at_s = time.monotonic()
        self._state = state

    def format_changed(self, pod: bytes | None) -> None:
        """Ask for buffers of the negotiated format."""
        found = None if pod is None else parse_format(pod)
        layouts, size = (self.video.layout, *_OTHERS.get(self.video.layout, ())), (self.video.width, self.video.height)
        self._negotiated = found is not None and found.layout in layouts and (found.width, found.height) == size
        if found is not None and self._negotiated:
            self.layout = found.layout
            self._stream.update(buffer_parameters(self.video))

    def add_buffer(self, address: int) -> None:
        """Note a buffer."""
        self._buffers.append(address)

    def remove_buffer(self, address: int) -> None:
        """Forget a buffer."""
        if address in self._buffers:
            self._buffers.remove(address)

    def _write(self, frame: NDArray[np.uint8]) -> None:
        # Before a cycle is triggered, not in `process`: that saves one frame of latency.
        address = self._stream.dequeue()
        if address is None:
            # Readers hold every buffer, or were killed with them, which PipeWire 0.3 does not notice.
            if not self._buffers:
                return
            address = self._buffers[0]
        if address in self._buffers:
            self._buffers.remove(address)
            self._buffers.append(address)
        write_frame(address, frame, self.video.stride, time.monotonic_ns(), self._sent)
        self._sent += 1
        self._stream.queue(address)


_PACKED: dict[Layout, PackedLayout] = {"YUY2": "YUYV", "BGRA": "BGRA", "RGBA": "RGBA"}


@dataclass(frozen=True, slots=True)
class NodeChoice:
    """The PipeWire camera that the settings ask for."""

    required: bool
    """Whether the user has asked for it by name."""
    alpha: bool


class PipeWireCamera(FrameSink):
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
            raise SinkLostError(t("The PipeWire camera is closed; open it again."))
        if self._node.lost:
            raise SinkLostError(t("PipeWire has stopped, and the PipeWire camera with it; start pipewire again."))
        if self._node.reading:
            self._node.send(self._packer.pack(picture, _PACKED[self._node.layout]))
            return
        self._wanted = sendable(*picture.size)
        if self._wanted != self.size:
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
            raise SinkOpenError(
                t(
                    "PipeWire does not answer, so that there is no PipeWire camera; install and start pipewire and "
                    "wireplumber, or switch the PipeWire camera off⟦ with --pipewire off⟧."
                )
            ) from error
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
