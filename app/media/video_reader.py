"""Reading a video file from start to end: every frame once, upright, with its time."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from app.core.messages.media import VideoText
from app.core.types import BgrImage
from app.media.audio_copy import AV_TIME_BASE
from app.media.video_input import MAX_PIXELS, VideoError, VideoInput, colour_matrix

FALLBACK_RATE = Fraction(25)
MAX_RATE = Fraction(1000)
CUT_TOLERANCE_S, CUT_TOLERANCE = Fraction(1, 2), Fraction(1, 50)
"""A video that ends this much before its named duration, in seconds and as a fraction of it, is cut off."""
AUDIO_TAIL_S = 2
"""Audio may outlast the video by so much, where only the duration of the whole file is named."""


class VideoReader:
    """A video file. The constructor decodes its first frame; `frames` reads it any number of times.

    Frames are turned upright and have square pixels. Damaged parts are skipped and counted.
    """

    def __init__(self, path: Path, *, max_pixels: int = MAX_PIXELS) -> None:
        """max_pixels: limit of width x height.

        Raises VideoError for a file that is missing, not a video, too large, or without a frame that can be decoded.
        """
        self.path = path
        self._max_pixels = max_pixels
        self.damaged = 0
        """Packets and frames skipped so far."""
        with closing(VideoInput(path, max_pixels=max_pixels)) as video:
            first = next(video.frames(), None)
            if first is None:
                raise VideoError(VideoText.NO_FRAME(file=path))
            stream, container = video.stream, video.container
            self._aspect = video.pixel_aspect
            self._coded_size = first.width, first.height
            self.width, self.height = self._image(first).shape[1::-1]
            rate = stream.average_rate or stream.guessed_rate or FALLBACK_RATE
            self.fps = rate if 0 < rate <= MAX_RATE else FALLBACK_RATE
            self.time_base = stream.time_base or 1 / FALLBACK_RATE
            self.codec = stream.codec_context.name
            duration_s = Fraction(container.duration or 0, AV_TIME_BASE)
            self._named_s = _named_duration_s(container, stream)
            self._read_s: Fraction | None = None
            self.frame_estimate = stream.frames or round(duration_s * self.fps) or None
            """Number of frames that the container names or its duration implies; None if unknown."""

    @property
    def is_cut(self) -> bool:
        """Whether the file, once read to its end, was shorter than its header says, as an interrupted download is."""
        if self._named_s is None or self._read_s is None:
            return False
        return self._read_s < self._named_s - max(CUT_TOLERANCE_S, self._named_s * CUT_TOLERANCE)

    def frames(self) -> Generator[tuple[Fraction, BgrImage]]:
        """Yield (time, image) of every frame. Times are seconds from the start of the file and strictly increase.

        image: (height, width, 3) uint8 BGR. Raises VideoError if the file no longer exists.
        """
        interval_s = 1 / self.fps
        with closing(VideoInput(self.path, max_pixels=self._max_pixels)) as video:
            start_s = Fraction(video.container.start_time or 0, AV_TIME_BASE)
            last_s = -interval_s
            counted = self.damaged
            for frame in video.frames():
                self.damaged = counted + video.damaged
                time_s = last_s + interval_s
                if frame.pts is not None:
                    tick = frame.time_base or self.time_base
                    time_s = (frame.pts - round(start_s / tick)) * tick
                if time_s <= last_s:  # the clock was set back, as where two recordings were joined
                    start_s -= last_s + interval_s - time_s
                    time_s = last_s + interval_s
                last_s = time_s
                yield time_s, self._image(frame)
            self.damaged = counted + video.damaged
            self._read_s = last_s + interval_s

    def _image(self, frame: VideoFrame) -> BgrImage:
        """Return the frame upright, in the size of the first one."""
        width, height = self._coded_size
        width = max(1, round(width * self._aspect))
        image = frame.reformat(width, height, "bgr24", src_colorspace=colour_matrix(frame)).to_ndarray()
        quarter_turns = round(frame.rotation / 90) % 4  # counter-clockwise
        return np.ascontiguousarray(np.rot90(image, quarter_turns), np.uint8)


def _named_duration_s(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """Return the duration of the video that the headers name, in seconds; None if they name none."""
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    named = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if named:
        return int(named[1]) * 3600 + int(named[2]) * 60 + Fraction(named[3])
    if container.duration and "matroska" in container.format.name:
        return Fraction(container.duration, AV_TIME_BASE) - (AUDIO_TAIL_S if container.streams.audio else 0)
    return None
