"""A camera that other programs see through PipeWire and the camera portal (Linux)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from app.core.errors import SinkLostError, SinkOpenError, t
from app.core.process import LINUX
from app.core.types import Picture
from app.output.base import FrameSink, PackedLayout, Packer, SinkContext, sendable
from app.settings import Settings
from app.system.pipewire.connection import OWN_NODE
from app.system.pipewire.stream import Stream, StreamState, to_send, write_frame
from app.system.pipewire.video_format import PixelLayout, VideoFormat

log = logging.getLogger(__name__)


# The name that programs show.
TITLE = "Mattecam"
_ICON = "camera-web"
# Layouts that are offered beside the first one: OBS reads RGBA, but not BGRA.
_OTHERS: dict[PixelLayout, tuple[PixelLayout, ...]] = {"BGRA": ("RGBA",)}
# PipeWire 1.4 reports streaming, paused and streaming again within a millisecond as a reader
# starts.
SETTLE_S = 0.08


class PipeWireNode(Stream):
    """Offers frames of exactly one size.

    With several sizes on offer, the reader that chooses another size than the first one stalls, or
    stalls the first.
    Where the size changed, browsers that had read before got nothing until they were started again.
    """

    def __init__(self, video: VideoFormat, *, name: str = OWN_NODE, title: str = TITLE) -> None:
        """Raises OSError if the library is missing or no daemon answers."""
        self.video = video  # what the reader has agreed to, or the next one finds: layouts differ
        self._layouts = (video.layout, *_OTHERS.get(video.layout, ()))
        self._paused_at_s = -SETTLE_S
        self._negotiated = False
        self._frames_sent = 0
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
        super().__init__(properties, [self._as_parameter(video)], sends=True)

    @property
    def reading(self) -> bool:
        """Whether a program reads, or has stopped less than `SETTLE_S` ago."""
        if self.state is StreamState.STREAMING:
            return True
        return self.state is StreamState.PAUSED and time.monotonic() - self._paused_at_s < SETTLE_S

    def send(self, frame: NDArray[np.uint8], video: VideoFormat | None = None) -> None:
        """Send a C-contiguous frame.

        Nothing is done without a reader, or with one of another format.
        video: the format of the frame; None: that of the node, whose size is never changed.
        """
        if self.state is not StreamState.STREAMING:
            return
        with self.locked():
            is_agreed = video is None or video == self.video
            if self.state is StreamState.STREAMING and self._negotiated and is_agreed:
                self._write(frame)
                self.trigger()  # also without a buffer: a cycle returns those that were read

    def state_changed(self, state: StreamState) -> None:
        """Note the state; after an error the next reader may succeed."""
        if self.state is StreamState.STREAMING and state is not StreamState.STREAMING:
            self._paused_at_s = time.monotonic()
        self.state = state

    def format_changed(self, video: VideoFormat | None) -> None:
        """Ask for buffers of the negotiated format."""
        self._negotiated = video is not None and video.layout in self._layouts
        if video is not None and self._negotiated:
            self.video = replace(self.video, layout=video.layout)
            self.update(to_send(self.video))

    def _as_parameter(self, video: VideoFormat) -> bytes:
        return video.as_offer(*self._layouts[1:])

    def _write(self, frame: NDArray[np.uint8]) -> None:
        # Before a cycle is triggered, not in `process`: that saves one frame of latency.
        address = self.dequeue()
        if address is None:
            # Readers hold every buffer, or were killed with them, which PipeWire 0.3 does not
            # notice.
            if not self.buffers:
                return
            address = self.buffers[0]
        if address in self.buffers:
            # The one that was queued longest ago stays the first.
            self.buffers.remove(address)
            self.buffers.append(address)
        write_frame(address, frame, self.video.stride, time.monotonic_ns(), self._frames_sent)
        self._frames_sent += 1
        self.queue(address)


_PACKED: dict[PixelLayout, PackedLayout] = {"YUY2": "YUYV", "BGRA": "BGRA", "RGBA": "RGBA"}


@dataclass(frozen=True, slots=True)
class NodeChoice:
    """The PipeWire camera that the settings ask for."""

    required: bool  # the user has asked for it by name
    alpha: bool


class PipeWireCamera(FrameSink):
    """Presents frames to programs that look for cameras in PipeWire, such as browsers.

    Its size stays: pictures of other sizes are letterboxed. Only a picture that it would have to
    make smaller gets another node, once nobody reads.
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
        """width, height: pixels, rounded down to even.

        alpha: send the person as BGRA or RGBA, as the reader chooses, not premultiplied, in place
        of the composite as YUY2. Raises SinkOpenError.
        """
        self.name = f"{TITLE} (PipeWire)"
        self._closed = False
        self._make = make
        rate = Fraction(max(1.0, fps)).limit_denominator(1001)
        video = VideoFormat("BGRA" if alpha else "YUY2", *sendable(width, height), rate)
        try:
            self._node = make(video)
        except OSError as error:
            log.info("PipeWire: %s", error)
            raise SinkOpenError(
                t(
                    "PipeWire does not answer, so that there is no PipeWire camera; install and "
                    "start pipewire and wireplumber, or switch the PipeWire camera off⟦ with "
                    "--pipewire off⟧."
                )
            ) from error
        self._packer = Packer((video.width, video.height))

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
        if self._node.state is StreamState.UNCONNECTED:
            # The daemon has ended: the node never comes back.
            raise _lost()
        if self._node.reading:
            self._send(picture, self._node.video)
            return
        width, height = sendable(*picture.size)
        if width > self.size[0] or height > self.size[1]:
            self._replace_node(width, height)

    def close(self) -> None:
        """Remove the camera. Idempotent."""
        self._closed = True
        self._node.close()

    def _replace_node(self, width: int, height: int) -> None:
        self._node.close()
        try:
            self._node = self._make(replace(self._node.video, width=width, height=height))
        except OSError as error:
            raise _lost() from error

    def _send(self, picture: Picture, video: VideoFormat) -> None:
        size = video.width, video.height
        if self._packer.size != size:
            self._packer = Packer(size)
        self._node.send(self._packer.pack(picture, _PACKED[video.layout]), video)


def _lost() -> SinkLostError:
    return SinkLostError(
        t("PipeWire has stopped, and the PipeWire camera with it; start pipewire again."),
    )


def wanted_camera(settings: Settings) -> NodeChoice | None:
    """Return the PipeWire camera that the settings ask for."""
    output = settings.output
    if not output.offers_pipewire or (output.pipewire == "auto" and not LINUX):
        return None
    return NodeChoice(output.pipewire == "on", output.alpha_output == "bgra")


def open_camera(
    choice: NodeChoice,
    width: int,
    height: int,
    context: SinkContext,
) -> PipeWireCamera:
    """Open the PipeWire camera that is asked for. Raises SinkOpenError."""
    return PipeWireCamera(width, height, context.fps, choice.alpha)
