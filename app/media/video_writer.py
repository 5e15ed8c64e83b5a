"""Writing video files, for recordings and conversions."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray

from app.core.errors import t
from app.core.files import ExplainedOSError, free_name, is_special, version_of
from app.media.alpha import extended
from app.media.encoders import AudioCopy, SoundWriter, VideoEncoder, file_encoder
from app.media.video_input import HD_HEIGHT, file_address
from app.media.video_times import Leap, simple_rate
from app.media.yuv import BT601, BT709, YuvConverter

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
"""Types of recordings."""
FILM_SUFFIXES = (*SUFFIXES, ".webm")
"""Types of films."""

KEYFRAME_INTERVAL_S = 2
SLOWEST_REORDERED = 5
"""Frames per second from which on some are encoded out of order: the delay of slower ones confuses players."""
FRAGMENT_S = 0.4
"""Interval at which what is encoded reaches the file in a form that can be played without its end."""


class VideoWriter:
    """Writes H.264 (4:2:0, limited range) into an MP4, MOV or Matroska file.

    The file has a temporary name (`name.part.mp4`, mode 0600) until `close` has finished it. Odd sizes are padded by a
    copy of the last row or column. Until it is finished, the file consists of fragments, so that the frames before a
    failure can be played.

    Every method raises OSError (with errno and file name) if the file cannot be written. Used on one thread.
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
        timecode: str | None = None,
        reproducible: bool = False,
    ) -> None:
        """width, height: pixels of every frame. fps: the nominal rate, also the spacing of frames written without a
        time. time_base: the unit that times are rounded to; by default about 1/90000 s and exact for `fps`.
        is_constant: whether all frames are spaced alike; else none is encoded out of order, for which MP4 has no exact
        durations. timecode: SMPTE timecode of the first frame. audio_from: a file whose audio is copied. leaps: of its
        clock. sound: add a track for `write_sound`. encoder: by default that of `file_encoder`. reproducible: write the
        same bytes for the same frames on every machine: x264 runs in one thread without code that depends on the
        processor, and the file gets no random identifiers.
        """
        self.path = path
        """The name after `close`: numbered if another file has appeared under the wanted one."""
        self._replaced = version_of(path)
        self.size = width, height
        self._rate = simple_rate(Fraction(fps))
        self._time_base = time_base or _fine_time_base(self._rate)
        self._interval = max(1, round(1 / self._rate / self._time_base))
        self._encoder = encoder or file_encoder()
        self._reorders, self._timecode = is_constant and self._rate >= SLOWEST_REORDERED, timecode
        self._last_tick = -1
        self._first_tick = 0
        self._first_dts: int | None = None
        self._waiting: list[Packet[VideoStream]] = []
        """The packet encoded last, whose duration is not known yet."""
        self._keyframe_tick: int | None = None
        self._frame: av.VideoFrame | None = None
        """The frame written last; kept for `repeat`."""
        self._next_tick = 0
        self._closed = False
        self._reproducible = reproducible
        if path.suffix.lower() not in FILM_SUFFIXES:
            raise ExplainedOSError(
                errno.EINVAL,
                t("the name of a video must end in {suffixes}; choose another name", suffixes=FILM_SUFFIXES),
                path,
            )
        self.temporary_path = self._create_file()
        try:
            with os_errors(path):
                self._open(audio_from, leaps, sound)
        except OSError:
            self.temporary_path.unlink(missing_ok=True)
            raise

    def _create_file(self) -> Path:
        """Create the file that is written until `close`. Raises OSError."""
        return create_temporary(self.path)

    def _open(self, audio_from: Path | None, leaps: Sequence[Leap], sound: bool) -> None:
        # delay_moov: without it the first times are not known when the header is written, and the sound leads the video
        # Frames shown after the one coded last must be in its fragment: else the edit list ends before them.
        mp4 = {"movflags": "+hybrid_fragmented+delay_moov", **mp4_options(self._time_base)}
        if self._reorders:
            mp4["movflags"] += "+frag_keyframe"
        else:
            mp4["frag_duration"] = str(round(FRAGMENT_S * 1e6))
        mkv = {"cluster_time_limit": str(round(FRAGMENT_S * 1000))}
        options = {"flush_packets": "1"} | (mkv if self.temporary_path.suffix.lower() in (".mkv", ".webm") else mp4)
        if self._reproducible:
            options["fflags"] = "+bitexact"
        self._container = av.open(file_address(self.temporary_path), "w", options=options)
        self._audio: AudioCopy | None = None
        self._sound: SoundWriter | None = None
        try:
            self._video = self._add_video()
            if audio_from is not None:
                self._audio = AudioCopy(audio_from, self._container, leaps)
            if sound:
                self._sound = SoundWriter(self._container, self.path.suffix.lower())
            if self._timecode is not None:
                # where FFmpeg looks for it first: MP4 and MOV have a track of their own for it
                matroska = self._container.format.name == "matroska"
                (self._container if matroska else self._video).metadata["timecode"] = self._timecode
            self._container.start_encoding()
        except BaseException:
            self._release()
            raise

    def _add_video(self) -> VideoStream:
        width, height = self.size[0] + self.size[0] % 2, self.size[1] + self.size[1] % 2
        encoder = self._encoder
        options = dict(encoder.options)
        if self._reproducible and encoder.name == "x264":
            # Otherwise decisions of x264 depend on the processor, with AVX-512 under load even on chance.
            options["x264-params"] = ":".join(filter(None, (options.get("x264-params"), "cpu-independent=1")))
        stream = self._container.add_stream(encoder.codec, rate=self._rate, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = width, height
        stream.pix_fmt = encoder.pixel_format
        if encoder.bit_rate is not None:
            stream.bit_rate = encoder.bit_rate
        stream.time_base = self._time_base
        codec = stream.codec_context
        codec.time_base = self._time_base
        codec.thread_count = 1 if self._reproducible else 0
        if not self._reorders:
            codec.max_b_frames = 0
        codec.gop_size = max(1, round(self._rate * KEYFRAME_INTERVAL_S))
        codec.color_range = ColorRange.MPEG
        high = height >= HD_HEIGHT
        self._converter = YuvConverter("I420", width, height, BT709 if high else BT601)
        codec.colorspace = 1 if high else 6  # AVCOL_SPC_BT709, AVCOL_SPC_SMPTE170M: not numbered like Colorspace
        codec.color_primaries = ColorPrimaries.BT709 if high else ColorPrimaries.SMPTE170M
        codec.color_trc = ColorTrc.BT709 if high else ColorTrc.SMPTE170M
        return stream

    def write(self, image: NDArray[np.uint8], pts_s: Fraction | float | None = None) -> None:
        """Append a frame, uint8: (height, width, 3) BGR or (height, width) grey, or BGRA for an encoder with alpha.

        pts_s: its time in seconds from the start of the file; None for one frame interval after the previous frame. A
        time that is not later than the previous one is moved to the next tick.
        """
        if image.shape[:2] != self.size[::-1]:
            raise ValueError(f"a frame of {image.shape[1]}x{image.shape[0]} does not fit a video of {self.size}")
        tick = self._next_tick if pts_s is None else max(round(Fraction(pts_s) / self._time_base), self._last_tick + 1)
        self._frame = self._converted(_even(image))
        self._encode(self._frame, tick)

    def _converted(self, image: NDArray[np.uint8]) -> av.VideoFrame:
        if image.ndim == 3 and image.shape[2] == 4:
            matrix = Colorspace.ITU709 if image.shape[0] >= HD_HEIGHT else Colorspace.ITU601
            return av.VideoFrame.from_ndarray(extended(image), "bgra").reformat(
                format=self._encoder.pixel_format, dst_colorspace=matrix, dst_color_range=ColorRange.MPEG
            )
        planes = self._converter.convert(image)
        # x264 copies a frame before `encode` returns; encoders of hardware may read it later, and PyAV lends frames of
        # other heights wrongly. It interleaves the chroma for NV12.
        lends = self._encoder.name == "x264" and len(planes) % 6 == 0
        made = av.VideoFrame.from_numpy_buffer if lends else av.VideoFrame.from_ndarray
        return made(planes, format="yuv420p")

    def repeat(self, pts_s: Fraction | float) -> None:
        """Append the last frame once more at this time."""
        assert self._frame is not None
        self._encode(self._frame, max(round(Fraction(pts_s) / self._time_base), self._last_tick + 1))

    @property
    def last_s(self) -> Fraction | None:
        """Time of the last frame in seconds; None before the first."""
        return None if self._last_tick < 0 else self._last_tick * self._time_base

    @property
    def end_s(self) -> Fraction:
        """Time in seconds at which the last frame ends."""
        return self._next_tick * self._time_base

    def write_sound(self, samples: NDArray[np.int16]) -> None:
        """Append mono samples of 48 kHz, (count,) int16, to the track of a file opened with `sound`."""
        assert self._sound is not None
        with os_errors(self.temporary_path):
            self._sound.write(samples)

    def _encode(self, frame: av.VideoFrame, tick: int) -> None:
        frame.pts, frame.time_base = tick, self._time_base
        frame.pict_type = self._picture_type(tick)
        self._first_tick = tick if self._last_tick < 0 else self._first_tick
        with os_errors(self.temporary_path):
            if self._audio is not None:
                self._audio.copy_until(tick * self._time_base)
            self._mux(self._video.encode(frame))
        self._last_tick, self._next_tick = tick, tick + self._interval

    def _mux(self, packets: list[Packet[VideoStream]], *, is_end: bool = False) -> None:
        """Write packets with durations, of which that of the last one counts. is_end: none comes after them."""
        packets = [*self._waiting, *packets]
        for packet in packets:
            self._first_dts = (packet.dts or 0) if self._first_dts is None else self._first_dts
            packet.duration = self._interval
        if is_end and packets and self._first_dts is not None:
            for packet in packets:
                if packet.pts == self._last_tick:
                    packet.duration = self._next_tick - self._last_tick
            # The frame coded last may be shown earlier. MP4 adds up the times of decoding.
            decoded = (packets[-1].dts or 0) - self._first_dts
            packets[-1].duration = max(1, self._next_tick - self._first_tick - decoded)
        self._waiting = [] if is_end or self._encoder.live else packets[-1:]
        self._write_packets(packets[: len(packets) - len(self._waiting)])

    def _write_packets(self, packets: list[Packet[VideoStream]]) -> None:
        self._container.mux(packets)

    def _picture_type(self, tick: int) -> PictureType:
        """Request a keyframe where one is due: encoders count frames, which come at any rate."""
        if not self._encoder.live:
            return PictureType.NONE
        if self._keyframe_tick is None or (tick - self._keyframe_tick) * self._time_base >= KEYFRAME_INTERVAL_S:
            self._keyframe_tick = tick
            return PictureType.I
        return PictureType.NONE

    def close(self, *, complete: bool = True, end_s: Fraction | None = None) -> None:
        """Finish the file and rename it to its final name. Idempotent.

        end_s: when the last frame ends, by default after one frame interval. complete: False leaves the finished file
        under its temporary name, and the audio ends with the video. If the file cannot be finished (a full disk),
        OSError names the temporary file, which keeps all that was written.
        """
        if self._closed:
            return
        self._closed = True
        if end_s is not None:
            self._next_tick = max(round(end_s / self._time_base), self._last_tick + 1)
        try:
            with os_errors(self.temporary_path):
                self._mux(self._video.encode(None), is_end=True)
                if self._sound is not None:
                    self._sound.finish()
                if self._audio is not None:
                    self._audio.copy_until(None if complete else self._next_tick * self._time_base)
        finally:
            self._release()
        if complete:
            self._take_name(self.temporary_path)

    def _take_name(self, file: Path) -> None:
        """Give a finished file the name of the video, or a numbered one if another has appeared. Raises OSError."""
        # A link to nowhere has no version; a pipe would be lost.
        if self._replaced is None or version_of(self.path) != self._replaced or is_special(self.path):
            self.path = free_name(self.path)
        file.replace(self.path)

    def abort(self) -> None:
        """Remove the file. Does nothing after `close`."""
        if self._closed:
            return
        self._closed = True
        with suppress(OSError):
            self._release()
        self.temporary_path.unlink(missing_ok=True)

    def _release(self) -> None:
        with os_errors(self.temporary_path):
            if self._audio is not None:
                self._audio.close()
            self._container.close()


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the frame with even width and height, C-contiguous."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        padding = ((0, height % 2), (0, width % 2), *([(0, 0)] if image.ndim == 3 else []))
        image = np.pad(image, padding, mode="edge")
    return np.ascontiguousarray(image)


def _fine_time_base(rate: Fraction) -> Fraction:
    """Return a unit of about 1/90000 s with a whole number of ticks per frame."""
    return Fraction(1, _at_least(90_000, rate.numerator))


def _at_least(least: int, unit: int) -> int:
    """Return the smallest multiple of `unit` that is at least `least`."""
    return unit * -(-least // unit)


def mp4_options(time_base: Fraction) -> dict[str, str]:
    """Return the options of FFmpeg that keep edit lists exact for this time base; else they are rounded to 1/1000 s."""
    return {"movie_timescale": str(_at_least(90_000, time_base.denominator))}


def create_temporary(path: Path) -> Path:
    """Create `name.part.ext` beside `path` as `create_beside`. Raises OSError."""
    return create_beside(path, "part", path.suffix)


def create_beside(path: Path, word: str, suffix: str) -> Path:
    """Create `name.word.ext` beside `path`, or a numbered one: a file left by a crash is never overwritten.

    Raises OSError.
    """
    for number in range(1, 1000):
        candidate = path.with_name(f"{path.stem}.{word}{'' if number == 1 else number}{suffix}")
        try:
            candidate.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            continue
        return candidate
    raise ExplainedOSError(
        errno.EEXIST, t("too many unfinished files are in this folder; remove them or choose another folder"), path
    )


@contextmanager
def os_errors(path: Path) -> Iterator[None]:
    """Convert FFmpeg's errors to OSError with the file's name."""
    try:
        yield
    except FFmpegError as error:
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(path)) from error
