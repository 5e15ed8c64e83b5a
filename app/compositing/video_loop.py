"""Decoding a video over and over, on one time line that never ends."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from app.core import geometry
from app.core.errors import BackgroundError
from app.core.types import BgrImage

log = logging.getLogger(__name__)

_FALLBACK_RATE = 25.0
_SHORTEST_STEP_S, _LONGEST_STEP_S = 1 / 240, 10.0
"""A shorter or longer pause between two frames is a broken time stamp."""
_MOST_STRETCHED = 4
"""Pixels more oblong than this are a broken header."""
_UNSPECIFIED, _HD_HEIGHT = 2, 720
"""A video that does not name its colour matrix means BT.709 from this height on, below it BT.601."""


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A decoded frame and when it is to be shown, in seconds since the first frame of the first round."""

    at_s: float
    frame: VideoFrame


class LoopingVideo:
    """The frames of a video file, round after round. Raises BackgroundError where there is not a single one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file():
            raise BackgroundError(f"The video {path} does not exist; choose another one.")
        try:
            self._container = av.open(str(path))
        except PermissionError:
            raise BackgroundError(f"The video {path} may not be read; check the file's permissions.") from None
        except (FFmpegError, ValueError, OSError) as error:
            raise BackgroundError(f"{path} is not a video that can be read ({error}); choose another one.") from None
        try:
            if not self._container.streams.video:
                raise BackgroundError(f"{path} has no pictures; choose another video.")
            self._stream = self._container.streams.video[0]
            if self._stream.codec_context is None:
                raise BackgroundError(f"{path} is in a format that cannot be played; save it as MP4 (H.264).")
            self._stream.thread_type = "AUTO"
            self._stream.codec_context.thread_count = 2  # the network needs the other cores
            aspect = self._stream.sample_aspect_ratio or Fraction(1)
            self._pixel_aspect = aspect if Fraction(1, _MOST_STRETCHED) <= aspect <= _MOST_STRETCHED else Fraction(1)
            interval_s = 1.0 / float(self._stream.average_rate or _FALLBACK_RATE)
            self.interval_s = min(max(interval_s, _SHORTEST_STEP_S), _LONGEST_STEP_S)
            self._round = self._decode()
            first = next(self._round, None)
        except BaseException:
            self._container.close()
            raise
        if first is None:
            self._container.close()
            raise BackgroundError(f"{path} holds not one readable picture; choose another one.")
        self.first: VideoFrame = first

    def frames(self) -> Iterator[TimedFrame]:
        """Every frame after the first, for ever; ends only where the file can be read no further at all."""
        at_s = 0.0
        previous_s: float | None = self.first.time
        while True:
            count = 0
            for frame in self._round:
                step_s = self.interval_s
                if frame.time is not None and previous_s is not None:
                    told_s = frame.time - previous_s
                    step_s = told_s if _SHORTEST_STEP_S <= told_s <= _LONGEST_STEP_S else step_s
                at_s, previous_s, count = at_s + step_s, frame.time, count + 1
                yield TimedFrame(at_s, frame)
            if count == 0 or not self._rewind():
                return
            previous_s = None  # a round's first frame follows the last one of the round before at the usual interval

    def picture(self, frame: VideoFrame, fit: Literal["fill", "fit"], width: int, height: int) -> BgrImage:
        """The frame upright, with square pixels, as (height, width, 3) uint8 BGR: covering that size or fitted in."""
        quarter_turns = round(frame.rotation / 90) % 4  # counter-clockwise
        shape = max(1, round(frame.width * self._pixel_aspect)), frame.height
        size = (width, height) if quarter_turns % 2 == 0 else (height, width)
        wanted = (geometry.cover_size if fit == "fill" else geometry.contain_size)(*shape, *size)
        # scaled down while it is converted, so that the full size never exists in BGR; up only after the cut
        new_size = min(shape, wanted, key=lambda side: side[0] * side[1])
        small = frame.reformat(*new_size, "bgr24", src_colorspace=_matrix(frame), interpolation="AREA")
        image = np.ascontiguousarray(np.rot90(small.to_ndarray(), quarter_turns)).astype(np.uint8, copy=False)
        return (geometry.fill if fit == "fill" else geometry.fit)(image, width, height)

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def _decode(self) -> Iterator[VideoFrame]:
        """One round; packets that are broken are left out."""
        try:
            for packet in self._container.demux(self._stream):
                yield from self._decode_packet(packet)
        except (FFmpegError, OSError) as error:
            log.warning("The video %s can be read only in part: %s", self._path, error)

    def _decode_packet(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        try:
            return self._stream.decode(packet)
        except (FFmpegError, ValueError) as error:
            log.debug("broken packet in %s: %s", self._path, error)
            return []

    def _rewind(self) -> bool:
        try:
            self._container.seek(0, backward=True)
        except (FFmpegError, OSError) as error:
            log.warning("The video %s cannot start again: %s", self._path, error)
            return False
        self._round = self._decode()
        return True


def _matrix(frame: VideoFrame) -> int | None:
    """The colour matrix to assume where the video names none; None: the one it names."""
    if frame.colorspace != _UNSPECIFIED:
        return None
    return int(Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601)
