"""Reading video files: every frame once, upright, with its time."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from app.core.errors import MattecamError
from app.core.types import BgrImage
from app.media.audio_copy import AV_TIME_BASE

log = logging.getLogger(__name__)

FALLBACK_RATE = Fraction(25)
MAX_RATE = Fraction(1000)
UNSPECIFIED_MATRIX, HD_HEIGHT = 2, 720
"""A video that does not name its colour matrix means BT.709 from this height on, below it BT.601."""

OPTIONS = {
    # a play list must not make the program open addresses, nor a text file be shown as a terminal
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,ogg,asf,gif,apng,mjpeg,"
    "h264,hevc,m4v,obu,ivf,nut,mxf,dv,rm,wtv,yuv4mpegpipe,image2,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe",
}


class VideoError(MattecamError):
    """A video file that cannot be read."""


class VideoReader:
    """A video file. The constructor looks at its first frame; `frames` reads it from start to end, any number of times.

    Frames come turned upright and with square pixels. What is damaged is left out and counted.
    """

    def __init__(self, path: Path) -> None:
        """Raises VideoError where the file is missing, no video, or holds not one frame that can be decoded."""
        self.path = path
        self.damaged = 0
        """Pieces of the file left out so far."""
        with self._opened() as (container, stream):
            first = next(self._decoded(container, stream), None)
            if first is None:
                raise VideoError(f"The video {path} holds not one readable picture; choose another file.")
            self._aspect = stream.sample_aspect_ratio or Fraction(1)
            self._coded_size = first.width, first.height
            self.width, self.height = self._image(first).shape[1::-1]
            rate = stream.average_rate or stream.guessed_rate or FALLBACK_RATE
            self.fps = rate if 0 < rate <= MAX_RATE else FALLBACK_RATE
            self.time_base = stream.time_base or 1 / FALLBACK_RATE
            self.codec = stream.codec_context.name
            duration_s = Fraction(container.duration or 0, AV_TIME_BASE)
            self.frame_estimate = stream.frames or round(duration_s * self.fps) or None
            """How many frames there may be; None where the file does not tell."""

    def frames(self) -> Generator[tuple[Fraction, BgrImage]]:
        """(time, image) of every frame. Times are in seconds from the start of the file and always rise.

        image: (height, width, 3) uint8 BGR. Raises VideoError where the file is gone.
        """
        interval_s = 1 / self.fps
        with self._opened() as (container, stream):
            start_s = Fraction(container.start_time or 0, AV_TIME_BASE)
            last_s = -interval_s
            for frame in self._decoded(container, stream):
                time_s = last_s + interval_s
                if frame.pts is not None:
                    tick = frame.time_base or self.time_base
                    time_s = (frame.pts - round(start_s / tick)) * tick
                if time_s <= last_s:  # the clock was set back, as where two recordings were joined
                    start_s -= last_s + interval_s - time_s
                    time_s = last_s + interval_s
                last_s = time_s
                yield time_s, self._image(frame)

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        try:
            if not self.path.is_file():
                raise VideoError(f"There is no video file {self.path}; check the name.")
            container = av.open(str(self.path), container_options=OPTIONS, metadata_errors="replace")
        except PermissionError:
            raise VideoError(f"The video {self.path} may not be read; check the file's permissions.") from None
        except (FFmpegError, OSError, ValueError):
            raise VideoError(
                f"{self.path} is not a video that can be read: it is damaged or unknown; choose another file."
            ) from None
        with container:
            streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
            if not streams:
                raise VideoError(f"{self.path} holds no video; choose another file.")
            streams[0].thread_type = "AUTO"
            yield container, streams[0]

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except (FFmpegError, OSError) as error:
                self.damaged += 1
                log.warning("%s can be read only in part: %s", self.path, error)
                return
            if packet is None:
                return
            yield from self._decode(packet)

    def _decode(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        try:
            return packet.decode()
        except (FFmpegError, ValueError) as error:
            self.damaged += 1
            log.debug("broken piece of %s: %s", self.path, error)
            return []

    def _image(self, frame: VideoFrame) -> BgrImage:
        """The frame upright, in the size of the first one."""
        matrix = None
        if frame.colorspace == UNSPECIFIED_MATRIX:
            matrix = int(Colorspace.ITU709 if frame.height >= HD_HEIGHT else Colorspace.ITU601)
        width, height = self._coded_size
        width = max(1, round(width * self._aspect))
        image = frame.reformat(width, height, "bgr24", src_colorspace=matrix).to_ndarray()
        quarter_turns = round(frame.rotation / 90) % 4  # counter-clockwise
        return np.ascontiguousarray(np.rot90(image, quarter_turns), np.uint8)
