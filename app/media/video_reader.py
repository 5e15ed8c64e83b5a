"""Reading a video file from start to end: every frame once, upright, with its time."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from app.core.messages.media import VideoText
from app.core.types import BgrImage
from app.media.alpha import has_alpha, over_colour
from app.media.encoders import AV_TIME_BASE, JOIN_S
from app.media.video_input import MAX_PIXELS, VideoError, VideoInput, colour_matrix, is_mirrored, upright

FALLBACK_RATE = Fraction(25)
MAX_RATE = Fraction(1000)
"""From here on it is the clock of the file in place of a frame rate, as in what browsers record."""
CUT_TOLERANCE = Fraction(1, 50)
"""Fraction of the named duration or number of frames by which a whole file may fall short of it."""
VAGUE_TOLERANCE_S, EXACT_TOLERANCE_FRAMES = Fraction(1, 2), 2
"""The same at least: in seconds where the duration may be that of other streams, in frames where it is the video's."""
AUDIO_TAIL_S = 2
"""Audio may outlast the video by so much, where only the duration of the whole file is named."""


class VideoReader:
    """A video file. The constructor decodes its first frame; `frames` reads it any number of times.

    Frames are turned upright and have square pixels. Damaged parts are skipped and counted.
    """

    def __init__(self, path: Path, *, max_pixels: int = MAX_PIXELS, with_alpha: bool = False) -> None:
        """max_pixels: limit of width x height. with_alpha: images have alpha where the frame is not opaque.

        Raises VideoError for a file that is missing, not a video, too large, or without a frame that can be decoded.
        """
        self.path = path
        self._max_pixels = max_pixels
        self._with_alpha = with_alpha
        self.damaged = 0
        """Packets and frames skipped so far."""
        with closing(VideoInput(path, max_pixels=max_pixels)) as video:
            first = next(video.frames(), None)
            if first is None:
                raise VideoError(VideoText.NO_FRAME(file=path))
            stream, container = video.stream, video.container
            self._aspect, self._mirrored = video.pixel_aspect, is_mirrored(first)
            self._coded_size = first.width, first.height
            self.width, self.height = self._image(first).shape[1::-1]
            rate = stream.average_rate or stream.guessed_rate or FALLBACK_RATE
            self.fps = rate if 0 < rate < MAX_RATE else FALLBACK_RATE
            self.time_base = stream.time_base or 1 / FALLBACK_RATE
            self.more_tracks = _further_tracks(container)
            """Number of tracks that a film of the first video and sound leaves out."""
            self.codec = stream.codec_context.name
            self._named_s, self._named_exactly = _named_duration_s(container, stream)
            self._read_s: Fraction | None = None
            self._frames_read = 0
            # A trimmed file still names the frames that its edit list hides; its duration leaves them out.
            by_duration = max(0, round(_video_duration_s(container, stream) * self.fps))
            counts = "mp4" in container.format.name and stream.frames > 0 and by_duration > 0
            self._counted = min(stream.frames, by_duration) if counts else 0
            self.frame_estimate = stream.frames or by_duration or None
            """Number of frames that the container names or its duration implies; None if unknown."""

    @property
    def is_cut(self) -> bool:
        """Whether the file, once read to its end, had less than its header says, as after an interrupted download."""
        if self._read_s is None:
            return False
        tolerated = max(Fraction(EXACT_TOLERANCE_FRAMES), self._counted * CUT_TOLERANCE)
        if self._frames_read < self._counted - tolerated:
            return True
        if self._named_s is None:
            return False
        least_s = EXACT_TOLERANCE_FRAMES / self.fps if self._named_exactly else VAGUE_TOLERANCE_S
        return self._read_s < self._named_s - max(least_s, self._named_s * CUT_TOLERANCE)

    def frames(self) -> Generator[tuple[Fraction, BgrImage]]:
        """Yield (time, image) of every frame. Times are seconds from the start of the file and strictly increase.

        image: (height, width, 3) uint8 BGR, over black, or (height, width, 4) with straight alpha. Raises VideoError if
        the file no longer exists.
        """
        interval_s = 1 / self.fps
        with closing(VideoInput(self.path, max_pixels=self._max_pixels)) as video:
            start_s = Fraction(video.container.start_time or 0, AV_TIME_BASE)
            last_s, end_s, number = -interval_s, Fraction(0), 0
            counted = self.damaged
            for frame in video.frames():
                self.damaged = counted + video.damaged
                time_s, tick = last_s + interval_s, frame.time_base or self.time_base
                if frame.pts is not None:
                    time_s = (frame.pts - round(start_s / tick)) * tick
                if last_s - time_s > JOIN_S:  # the clock was set back, as where two recordings were joined
                    start_s -= last_s + interval_s - time_s
                    time_s = last_s + interval_s
                elif time_s <= last_s:  # of equal times: the later frames, and the sound, keep theirs
                    time_s = last_s + min(tick, interval_s)
                last_s = time_s
                end_s = time_s + max(interval_s, (frame.duration or 0) * tick)
                number += 1
                yield time_s, self._image(frame)
            self.damaged = counted + video.damaged
            self._read_s, self._frames_read = end_s, number

    def _image(self, frame: VideoFrame) -> BgrImage:
        """Return the frame upright, in the size of the first one."""
        width, height = self._coded_size
        width = max(1, round(width * self._aspect))
        matrix = colour_matrix(frame)
        kept = self._with_alpha and has_alpha(frame)
        shown = frame if kept else over_colour(frame, matrix)
        image = shown.reformat(width, height, "bgra" if kept else "bgr24", src_colorspace=matrix).to_ndarray()
        if kept and image[..., 3].min() == 255:
            image = image[..., :3]
        return upright(frame, image, self._mirrored)


def _named_duration_s(container: InputContainer, stream: VideoStream) -> tuple[Fraction | None, bool]:
    """Return the duration in seconds that the headers name, None if they name none, and whether it is the video's own.

    The duration of an MP4 stream counts as vague: it includes what an edit list hides.
    """
    named = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    start_s = _start_s(container)
    if named:
        return int(named[1]) * 3600 + int(named[2]) * 60 + Fraction(named[3]) - start_s, True
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base, False
    if container.duration and "matroska" in container.format.name:
        audio = bool(container.streams.audio)
        return Fraction(container.duration, AV_TIME_BASE) - start_s - (AUDIO_TAIL_S if audio else 0), not audio
    return None, False


def _further_tracks(container: InputContainer) -> int:
    """Return the number of tracks besides the first video and sound; cover images do not count."""
    streams = container.streams
    videos = [stream for stream in streams.video if not stream.disposition & Disposition.attached_pic]
    return max(0, len(videos) - 1) + max(0, len(streams.audio) - 1) + len(streams.subtitles)


def _video_duration_s(container: InputContainer, stream: VideoStream) -> Fraction:
    """Return the duration in seconds of the file from its first video frame on; 0 if unknown."""
    duration_s = Fraction(container.duration or 0, AV_TIME_BASE)
    video_start_s = (stream.start_time or 0) * (stream.time_base or Fraction(0))
    return duration_s - video_start_s + (0 if "matroska" in container.format.name else _start_s(container))


def _start_s(container: InputContainer) -> Fraction:
    """Return the first time of the file in seconds. The durations that Matroska names are end times and include it."""
    return max(Fraction(0), Fraction(container.start_time or 0, AV_TIME_BASE))
