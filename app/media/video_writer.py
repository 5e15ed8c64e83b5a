"""Writing video files; `app.media.recording_writer` writes those of recordings."""

from __future__ import annotations

import errno
import logging
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.packet import Packet
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray

from app.core.errors import t
from app.core.files import (
    ExplainedOSError,
    free_name,
    is_special,
    version_of,
    when_closed,
)
from app.core.unfinished import unfinished_file
from app.media.audio import AudioCopy, SoundWriter
from app.media.container import file_address
from app.media.encoders import EncoderFrames, VideoEncoder, file_encoder
from app.media.film_clock import Leap
from app.media.film_labels import NO_LABELS, FilmLabels
from app.media.frame_filters import letterboxed
from app.media.video_reader import simple_rate

log = logging.getLogger(__name__)


# Types of recordings.
SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
# Types of films.
FILM_SUFFIXES = (*SUFFIXES, ".webm")

KEYFRAME_INTERVAL_S = 2
# Frames per second from which on some are encoded out of order: the delay of slower ones confuses
# players.
SLOWEST_REORDERED = 5
# Of those of sources that films keep.
FINEST_TIME_BASE = Fraction(1, 1_000_000)
# Interval at which what is encoded reaches the file in a form that can be played without its end.
FRAGMENT_S = 0.4


class FilmTicks:
    """Times of the frames of a film and of their packets, in whole ticks of its time base."""

    def __init__(self, rate: Fraction, time_base: Fraction | None, *, live: bool) -> None:
        """rate: frames per second.

        time_base: as in `VideoWriter`. live: the encoder holds no frames back.
        """
        self.rate = simple_rate(rate)
        if time_base is None or time_base.numerator != 1 or time_base < FINEST_TIME_BASE:
            # With a whole number of ticks per frame.
            time_base = Fraction(1, _ticks(self.rate.numerator))
        # Seconds per tick.
        self.base = time_base
        # Ticks per frame of the nominal rate.
        self.interval = max(1, round(1 / self.rate / time_base))
        # Of the last frame; -1 before the first.
        self.last = -1
        # When the last frame ends.
        self.next = 0
        # The times of all packets in the file, exact, in their order.
        self.of_packets = array("q")
        self._first = 0
        self._first_dts: int | None = None
        # The packet encoded last, whose duration is not known yet.
        self._waiting: list[Packet[VideoStream]] = []
        self._is_live = live

    def at(self, time_s: Fraction | float) -> int:
        """Return the tick of a time, or the next free one where that is not later than the last
        frame.
        """
        return max(round(Fraction(time_s) / self.base), self.last + 1)

    def take(self, tick: int) -> None:
        """Note the time of a frame that was encoded."""
        if self.last < 0:
            self._first = tick
        self.last = tick
        self.next = tick + self.interval

    def timed(
        self, packets: list[Packet[VideoStream]], *, is_end: bool
    ) -> list[Packet[VideoStream]]:
        """Return the packets that can be written now, with durations, of which that of the last one
        counts.

        is_end: none comes after them.
        """
        packets = [*self._waiting, *packets]
        for packet in packets:
            if self._first_dts is None:
                self._first_dts = packet.dts or 0
            packet.duration = self.interval
        if is_end and packets and self._first_dts is not None:
            for packet in packets:
                if packet.pts == self.last:
                    packet.duration = self.next - self.last
            # The frame coded last may be shown earlier. MP4 adds up the times of decoding.
            decoded = (packets[-1].dts or 0) - self._first_dts
            packets[-1].duration = max(1, self.next - self._first - decoded)
        self._waiting = []
        if not is_end and not self._is_live:
            self._waiting = packets[-1:]
            packets = packets[:-1]
        for packet in packets:
            self.of_packets.append(packet.pts or 0)
        return packets


class VideoWriter:
    """Writes H.264 (4:2:0, limited range) into an MP4, MOV or Matroska file.

    The file has a temporary name (`name.part.mp4`) until `close` has finished it. Odd sizes are
    padded by a copy of the last row or column. Until it is finished, the file consists of
    fragments, so that the frames before a failure can be played.

    Every method raises OSError (with errno and file name) if the file cannot be written. Used on
    one thread.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: Fraction | float,
        *,
        time_base: Fraction | None = None,
        audio_from: Path | None = None,
        leaps: Sequence[Leap] = (),
        sound: bool = False,
        encoder: VideoEncoder | None = None,
        is_constant: bool = False,
        labels: FilmLabels = NO_LABELS,
        reproducible: bool = False,
    ) -> None:
        """width, height: pixels of every frame.

        fps: the nominal rate, also the spacing of frames written without a time. time_base: the
        unit that times are rounded to; by default, or where files cannot have it, about 1/90000 s
        and exact for `fps`. is_constant: whether all frames are spaced alike; else none is encoded
        out of order, for which MP4 has no exact durations. labels: timecode, title and chapters.
        audio_from: a file whose audio is copied. leaps: of its clock. sound: add a track for
        `write_sound`. encoder: by default that of `file_encoder`. reproducible: write the same
        bytes for the same frames on every machine, for which the encoder runs in one thread.
        """
        # The name after `close`: numbered if another file has appeared under the wanted one.
        self.path = path
        self._version_before = version_of(path)
        self.size = width, height
        self._encoder = encoder or file_encoder()
        self._ticks = FilmTicks(Fraction(fps), time_base, live=self._encoder.live)
        self._frames = EncoderFrames(self._encoder, height + height % 2)
        self._last_frame: av.VideoFrame | None = None
        self._closed = False
        if path.suffix.lower() not in FILM_SUFFIXES:
            raise ExplainedOSError(
                errno.EINVAL,
                t(
                    "the name of a video must end in {suffixes}; choose another name",
                    suffixes=FILM_SUFFIXES,
                ),
                path,
            )
        self.temporary_path = self._create_file()
        try:
            with os_errors(path):
                reorders = is_constant and self._ticks.rate >= SLOWEST_REORDERED
                self._open(reorders)
                self._add_tracks(reorders, reproducible, audio_from, leaps, sound, labels)
        except OSError:
            self._remove_file()
            raise

    def _create_file(self) -> Path:
        """Create the file that is written until `close`. Raises OSError."""
        return unfinished_file(self.path, private=False)

    def _remove_file(self) -> None:
        """Remove what was written. Raises OSError."""
        self.temporary_path.unlink(missing_ok=True)

    def _open(self, reorders: bool) -> None:
        """reorders: frames may be encoded out of order."""
        # delay_moov: without it the first times are not known when the header is written, and the
        # sound leads the video Frames shown after the one coded last must be in its fragment: else
        # the edit list ends before them.
        options = {"flush_packets": "1", "fflags": "+bitexact"}
        if self.temporary_path.suffix.lower() in (".mkv", ".webm"):
            options["cluster_time_limit"] = str(round(FRAGMENT_S * 1000))
        else:
            options["movflags"] = "+hybrid_fragmented+delay_moov"
            options |= mp4_options(self._ticks.base)
            if reorders:
                options["movflags"] += "+frag_keyframe"
            else:
                options["frag_duration"] = str(round(FRAGMENT_S * 1e6))
        self._container = av.open(file_address(self.temporary_path), "w", options=options)

    def _add_tracks(
        self,
        reorders: bool,
        reproducible: bool,
        audio_from: Path | None,
        leaps: Sequence[Leap],
        sound: bool,
        labels: FilmLabels,
    ) -> None:
        self._audio: AudioCopy | None = None
        self._sound: SoundWriter | None = None
        try:
            self._video = self._add_video(reorders, reproducible)
            if audio_from is not None:
                self._audio = AudioCopy(audio_from, self._container, leaps)
            if sound:
                self._sound = SoundWriter(self._container, self.path.suffix.lower())
            labels.write(self._container, self._video)
            self._container.start_encoding()
        except BaseException:
            self._release()
            raise

    def _add_video(self, reorders: bool, reproducible: bool) -> VideoStream:
        width = self.size[0] + self.size[0] % 2
        height = self.size[1] + self.size[1] % 2
        encoder = self._encoder
        stream = self._container.add_stream(
            encoder.codec, rate=self._ticks.rate, options=dict(encoder.options)
        )
        assert isinstance(stream, VideoStream)
        stream.width = width
        stream.height = height
        stream.pix_fmt = encoder.pixel_format
        if encoder.bit_rate is not None:
            stream.bit_rate = encoder.bit_rate
        stream.time_base = self._ticks.base
        codec = stream.codec_context
        codec.time_base = self._ticks.base
        codec.thread_count = 1 if reproducible else 0
        if not reorders:
            codec.max_b_frames = 0
        codec.gop_size = max(1, round(self._ticks.rate * KEYFRAME_INTERVAL_S))
        codec.color_range = ColorRange.MPEG
        # AVCOL_SPC_BT709 and AVCOL_SPC_SMPTE170M are not numbered like Colorspace.
        if self._frames.is_hd:
            codec.colorspace = 1
            codec.color_primaries = ColorPrimaries.BT709
            codec.color_trc = ColorTrc.BT709
        else:
            codec.colorspace = 6
            codec.color_primaries = ColorPrimaries.SMPTE170M
            codec.color_trc = ColorTrc.SMPTE170M
        return stream

    def write(self, image: NDArray[np.uint8], pts_s: Fraction | float | None = None) -> None:
        """Append a frame, uint8: (height, width, 3) BGR or (height, width) grey, or BGRA for an
        encoder with alpha.

        One of another size is letterboxed. pts_s: its time in seconds from the start of the file;
        None for one frame interval after the previous frame. A time that is not later than the
        previous one is moved to the next tick.
        """
        width, height = self.size
        if image.shape[:2] != (height, width):
            image = letterboxed(image, width, height)
        if width % 2 or height % 2:
            even = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
            image = np.asarray(even, np.uint8)
        self._last_frame = self._frames.frame(image)
        tick = self._ticks.next
        if pts_s is not None:
            tick = self._ticks.at(pts_s)
        self._encode(self._last_frame, tick)

    def repeat(self, pts_s: Fraction | float) -> None:
        """Append the last frame once more at this time."""
        assert self._last_frame is not None
        self._encode(self._last_frame, self._ticks.at(pts_s))

    @property
    def problem(self) -> str | None:
        """Sentence on what the file cannot hold of the sound that is copied; None if there is
        nothing.
        """
        if self._audio is None:
            return None
        return self._audio.problem

    @property
    def last_s(self) -> Fraction | None:
        """Time of the last frame in seconds; None before the first."""
        if self._ticks.last < 0:
            return None
        return self._ticks.last * self._ticks.base

    @property
    def end_s(self) -> Fraction:
        """Time in seconds at which the last frame ends."""
        return self._ticks.next * self._ticks.base

    def write_sound(self, samples: NDArray[np.int16]) -> None:
        """Append mono samples of 48 kHz, (count,) int16, to the track of a file opened with
        `sound`.
        """
        assert self._sound is not None
        with os_errors(self.temporary_path):
            self._sound.write(samples)

    def _encode(self, frame: av.VideoFrame, tick: int) -> None:
        frame.pts = tick
        frame.time_base = self._ticks.base
        with os_errors(self.temporary_path):
            if self._audio is not None:
                self._audio.copy_until(tick * self._ticks.base)
            packets = self._video.encode(frame)
            self._container.mux(self._ticks.timed(packets, is_end=False))
        self._ticks.take(tick)

    def close(self, *, complete: bool = True, end_s: Fraction | None = None) -> Path:
        """Finish the file, rename it to its final name, and return that. Idempotent.

        end_s: when the last frame ends, by default after one frame interval. complete: False leaves
        the finished file under its temporary name, and the audio ends with the video. If the file
        cannot be finished (a full disk), OSError names the temporary file, which keeps all that was
        written.
        """
        if self._closed:
            return self.path
        self._closed = True
        if end_s is not None:
            self._ticks.next = self._ticks.at(end_s)
        try:
            with os_errors(self.temporary_path):
                packets = self._video.encode(None)
                self._container.mux(self._ticks.timed(packets, is_end=True))
                if self._sound is not None:
                    self._sound.finish()
                if self._audio is not None:
                    self._audio.copy_until(None if complete else self.end_s)
        finally:
            self._release()
        if not complete:
            return self.temporary_path
        self._take_name(self.temporary_path)
        return self.path

    def _take_name(self, file: Path) -> None:
        """Give a finished file the name of the video, or a numbered one if another has appeared.

        Raises OSError.
        """
        # A link to nowhere has no version; a pipe would be lost.
        is_other = self._version_before is None or version_of(self.path) != self._version_before
        if is_other or is_special(self.path):
            self.path = free_name(self.path)
        when_closed(partial(file.replace, self.path))

    def abort(self) -> None:
        """Remove what was written, also where `close` could not complete it."""
        if not self._closed:
            self._closed = True
            with suppress(OSError):
                self._release()
        self._remove_file()

    def _release(self) -> None:
        with os_errors(self.temporary_path):
            try:
                if self._audio is not None:
                    self._audio.close()
            finally:
                self._container.close()


def _ticks(unit: int) -> int:
    """Return the smallest multiple of `unit` that is at least 90,000: ticks per second."""
    return unit * -(-90_000 // unit)


def mp4_options(time_base: Fraction) -> dict[str, str]:
    """Return the options of FFmpeg that keep edit lists exact for this time base; else they are
    rounded to 1/1000 s.
    """
    return {"movie_timescale": str(_ticks(time_base.denominator))}


@contextmanager
def os_errors(path: Path) -> Iterator[None]:
    """Convert FFmpeg's errors to OSError with the file's name."""
    try:
        yield
    except FFmpegError as error:
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(path)) from error
