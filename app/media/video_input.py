"""Decoding video files: which track is the film, its times, shape and colours."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from app.core.errors import t
from app.core.geometry import scale
from app.media.container import (
    MAX_PIXELS,
    PADDING,
    VIDEO_CODECS,
    VideoError,
    open_container,
    packet_counts,
)
from app.media.film_clock import (
    AV_TIME_BASE,
    MAX_RATE,
    NO_TIMESTAMPS,
    FilmEnd,
    FrameClock,
    Leap,
    is_discontinuous,
)
from app.media.frame_filters import (
    BLACK,
    AspectMeter,
    BgraImage,
    FrameConverter,
    cropped,
    deinterlaced,
    has_alpha,
    in_bt709,
    over_colour,
    resampled,
)
from app.media.headers import NO_CROP, Crop, VideoTrack, read_header
from app.media.jpeg import DamagedJpegError, intact_file

log = logging.getLogger(__name__)

# FFmpeg's own decoders of these leave alpha out.
DECODERS_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
# Pixels of a frame of a source or background, which is decoded beside the network.
LIVE_MAX_PIXELS = 4096 * 2304
# A video that gives no frame for so long while it is decoded counts as unreadable from there on.
FRAME_TIMEOUT_S = 10.0
# A pixel more elongated than this is a broken header.
MAX_PIXEL_ASPECT = 4
FALLBACK_RATE = Fraction(25)
# Pixels by which the frames of codecs may exceed what is shown.
BLOCK = 16
# How Matroska writes the duration of a track: hours, minutes and seconds.
DURATION_TAG = r"(\d+):(\d\d):(\d\d(?:\.\d+)?)"
# Formats that name how long each frame lasts; elsewhere a short duration is that of a field, or of
# the clock.
EACH_TIMED = ("gif", "apng", "mp4")
# Covers and thumbnails are video tracks too, but no film.
PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails
# FFmpeg's number for a video that names no colour matrix.
UNSPECIFIED_MATRIX = 2
# Such a video means BT.709 from this height on, BT.601 below it.
HD_HEIGHT = 720


@dataclass(frozen=True, slots=True)
class ShownPart:
    """Which part of the coded frames of a film is shown."""

    coded_size: tuple[int, int]
    """(width, height)"""
    crop: Crop

    @classmethod
    def of(cls, coded_size: tuple[int, int], crop: Crop) -> ShownPart:
        """Return the part that is left of such frames; all of them where none would be."""
        if min(crop.size_of(*coded_size)) < 1:  # a broken header
            crop = NO_CROP
        return cls(coded_size, crop)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.crop.size_of(*self.coded_size)


class PixelAspects:
    """Width of a pixel over its height, which may change within a film."""

    def __init__(self, stream: VideoStream, at_start: Fraction | None) -> None:
        """at_start: that of the start of the bitstream; None where it names none."""
        self._stream = stream
        # The first is that of the start of the bitstream; it may name others later.
        self._named = [at_start or Fraction(1)]
        self._meter = AspectMeter()

    @property
    def at_start(self) -> Fraction:
        """That at the start of the film; 1 where none or an implausible one is named."""
        return _plausible(self._stream.sample_aspect_ratio)

    def note(self, aspect: Fraction | None) -> None:
        """Note the one that the bitstream names now."""
        aspect = aspect or Fraction(1)
        if aspect not in self._named:
            self._named.append(aspect)

    def of(self, frame: VideoFrame) -> Fraction:
        """Return that of a frame, as `at_start`."""
        if len(self._named) == 1:
            return self.at_start
        measured = self._meter.aspect_of(frame)
        if measured is None:
            return self.at_start
        aspect = min(self._named, key=lambda each: abs(float(each) - measured))
        if aspect == self._named[0]:
            # The container takes precedence over the start of the bitstream.
            return self.at_start
        return _plausible(aspect)


class PictureMaker:
    """Makes pictures of the frames of one film, upright as its display matrix says."""

    def __init__(self, colour: tuple[int, int, int], *, with_alpha: bool) -> None:
        """colour, with_alpha: as of `VideoInput`."""
        self._colour = colour
        self._with_alpha = with_alpha
        self._is_mirrored: bool | None = None  # unknown before the first picture
        self._converter = FrameConverter()

    def picture(
        self,
        frame: VideoFrame,
        size: tuple[int, int],
        interpolation: str | None = None,
    ) -> BgraImage:
        """Return a frame turned upright, and mirrored, as the display matrix of the file says:
        (H, W, 3) BGR.

        It is (H, W, 4) with straight alpha if the frame is not opaque, and `with_alpha`. size:
        (W, H) before the turn.
        """
        if self._is_mirrored is None:
            self._is_mirrored = _is_mirrored(frame)
        matrix = _colour_matrix(frame)
        if self._with_alpha and has_alpha(frame):
            bgra = self._converter.in_format(frame, "bgra", matrix=matrix)
            image = np.asarray(bgra.to_ndarray(), np.uint8)
            if image.shape[1::-1] != size:
                # FFmpeg would mix the colours of transparent pixels into those of the edge.
                image = resampled(image, lambda each: scale(each, *size))
            if image[..., 3].min() == 255:
                image = image[..., :3]
        else:
            shown = over_colour(frame, self._converter, matrix, self._colour)
            bgr = self._converter.in_format(
                shown,
                "bgr24",
                size,
                matrix=matrix,
                interpolation=interpolation,
            )
            image = np.asarray(bgr.to_ndarray(), np.uint8)
        if self._is_mirrored:
            # Before the turn: the rotation is that of the flipped image.
            image = image[::-1]
        quarters_counter_clockwise = round(frame.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(image, quarters_counter_clockwise), np.uint8)


class VideoInput:
    """The film in a file, opened for decoding; damaged parts are skipped and counted.

    It is the default video track, else the one with the most frames; another as long one if it
    cannot be decoded. Pictures of a cover and thumbnails are none.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_pixels: int = MAX_PIXELS,
        threads: int = 0,
        colour: tuple[int, int, int] = BLACK,
        with_alpha: bool = False,
    ) -> None:
        """max_pixels: limit of width x height.

        threads: of the decoder, 0 for one per core. colour: (blue, green, red) behind transparent
        parts. with_alpha: pictures keep alpha. Raises VideoError.
        """
        self.path = path
        self.pictures = PictureMaker(colour, with_alpha=with_alpha)
        self.damaged = 0  # packets and frames skipped so far
        self.container = open_container(path)
        self._header = read_header(path)
        try:
            self.stream = self._choose_stream(max_pixels)
        except BaseException:
            self.container.close()
            raise
        self._decoder = _decoder_of(self.stream)
        track = self._header.video(self.container.streams.video.index(self.stream))
        self._shown = ShownPart.of(_coded_size(self.stream, track, max_pixels), track.crop)
        self.aspects = PixelAspects(self.stream, self._decoder.sample_aspect_ratio)
        # A bare stream of a codec does not time its frames.
        self.has_stamps = not self.container.format.flags & NO_TIMESTAMPS
        self.fps = self._named_rate()
        self.start_s = Fraction(self.container.start_time or 0, AV_TIME_BASE)
        self._end = self.new_end()
        # The limits of the container are not those of its decoder.
        self._decoder.options = {
            "max_pixels": str(max_pixels * PADDING),
            "codec_whitelist": VIDEO_CODECS,
        }
        self._decoder.thread_type = "AUTO"
        self._decoder.thread_count = threads

    @property
    def is_short(self) -> bool:
        """Whether the file has less than its header says."""
        return self._header.is_short

    def frames(self) -> Iterator[VideoFrame]:
        """Decode from the current position to the end.

        Corrupt frames are skipped, interlaced ones deinterlaced.
        Frames with BT.2020 or P3 colours, also of HDR, are converted to RGB with BT.709 colours.
        """
        threads = self._decoder.thread_count
        part = self._shown
        shown = cropped(deinterlaced(self._decoded()), part.crop, part.coded_size)
        return in_bt709(shown, threads)

    def timed_frames(
        self,
        leaps: Sequence[Leap] | None = None,
    ) -> Iterator[tuple[Fraction, VideoFrame]]:
        """Yield (time, frame) as `frames`.

        Times are seconds from the start of the file and strictly increase. leaps: of the clock of
        the file, which are closed; None for all, in formats that may have some.
        """
        interval_s = 1 / self.fps
        if not is_discontinuous(self.container):
            leaps = ()
        clock = FrameClock(self.start_s, interval_s, leaps)
        # A second pass over the file, after `rewind`, must not add to what the first has found.
        self._end = self.new_end()
        for frame in self.frames():
            tick_s = frame.time_base or self.stream.time_base or interval_s
            stamp_s = None
            named_duration_s = Fraction(0)
            if self.has_stamps:
                named_duration_s = frame.duration * tick_s
                if frame.pts is not None:
                    stamp_s = frame.pts * tick_s
            time_s = clock.time_of(stamp_s, tick_s)
            self._end.show(time_s, named_duration_s)
            yield time_s, frame

    @property
    def end_s(self) -> Fraction:
        """When the last frame of `timed_frames` ends, in seconds from the start of the file."""
        if self.damaged:
            # Frames at the end that cannot be decoded are not replaced by the last one that can.
            return self._end.shown_until_s
        return self._end.end_s

    def new_end(self) -> FilmEnd:
        """Return what finds the end of this film; `code_into` it each packet."""
        end = FilmEnd(1 / self.fps, is_exact=_names_format(self.container, EACH_TIMED))
        if self.container.format.name == "avi" and not self.is_short:
            end.hold(self._repeated_until_s())
        return end

    def code_into(self, end: FilmEnd, packet: Packet[Any]) -> None:
        """Take a packet of the film, in the order of decoding."""
        is_timed = packet.pts is not None and not packet.is_discard
        if is_timed and packet.size and _names_format(self.container, ("mp4",)):
            assert packet.pts is not None
            time_s = packet.pts * packet.time_base - self.start_s
            duration_s = (packet.duration or 0) * packet.time_base
            end.code(time_s, duration_s)

    def _repeated_until_s(self) -> Fraction:
        """Return the end of an AVI film: empty parts of it repeat the last frame.

        0 where that is unknown. The header names their number too, and may name more than there
        are.
        """
        number = self.container.streams.video.index(self.stream)
        parts = min(self.stream.duration or 0, self._header.video_parts(number))
        unit_s = self.stream.time_base or Fraction(0)
        return (self.stream.start_time or 0) * unit_s + parts * unit_s - self.start_s

    @property
    def named_end_s(self) -> Fraction | None:
        """When the film ends, in seconds from the start of the file, as its header says; None where
        it does not.

        It tells how much of a film is missing, and nothing about how long the last frame is shown.
        """
        name = self.container.format.name
        stream = self.stream
        if "matroska" in name:
            return self._matroska_end_s()
        if ("mp4" in name or name == "avi") and stream.duration and stream.time_base:
            # FFmpeg counts the duration of fragments, which name no frames, from the time 0.
            first = 0
            if stream.frames:
                first = stream.start_time or 0
            return (first + stream.duration) * stream.time_base - self.start_s
        return None

    def _matroska_end_s(self) -> Fraction | None:
        duration_s = Fraction(self.container.duration or 0, AV_TIME_BASE)
        tag = re.fullmatch(DURATION_TAG, self.stream.metadata.get("DURATION", ""))
        if tag:
            hours, minutes, seconds = tag.groups()
            film_s = int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
            duration_s = min(duration_s, film_s)
        elif len(self.container.streams) > 1:
            # The duration may be that of the sound.
            return None
        if not duration_s:
            return None
        return duration_s - self.start_s

    def shape_of(self, frame: VideoFrame) -> tuple[int, int]:
        """Return width and height of a frame with square pixels, before it is turned upright."""
        width = round(frame.width * self.aspects.of(frame))
        return max(1, width), frame.height

    @property
    def shape(self) -> tuple[int, int]:
        """Width and height of the film with square pixels, as the file names them; (0, 0) where
        it does not.
        """
        width, height = self._shown.size
        return round(width * self.aspects.at_start), height

    def _decoded(self) -> Iterator[VideoFrame]:
        packets = self.container.demux(self.stream)
        started_s = time.monotonic()
        while time.monotonic() - started_s < FRAME_TIMEOUT_S:
            try:
                packet = next(packets, None)
            except (FFmpegError, OSError) as error:
                self.damaged += 1
                log.warning("%s can be read only in part: %s", self.path, error)
                return
            if packet is None:
                return
            self.code_into(self._end, packet)
            for frame in self._decode(packet):
                yield frame
                started_s = time.monotonic()
        self.damaged += 1
        log.warning(
            "%s can be read only in part: no frame within %.0f seconds",
            self.path,
            FRAME_TIMEOUT_S,
        )

    def rewind(self) -> bool:
        """Return to the start; False where the file cannot be repositioned."""
        try:
            self.container.seek(0, backward=True)
            self._decoder.flush_buffers()
        except (FFmpegError, OSError) as error:
            log.warning("The video %s cannot start again: %s", self.path, error)
            return False
        return True

    def close(self) -> None:
        """Close the file. Idempotent."""
        self.container.close()

    def _choose_stream(self, max_pixels: int) -> VideoStream:
        every_stream = self.container.streams.video
        streams = [stream for stream in every_stream if not stream.disposition & PICTURES]
        if not streams:
            raise VideoError(t("{file} contains no video; choose another file.", file=self.path))
        counts = packet_counts(self.path, streams)

        def rank(stream: VideoStream) -> tuple[bool, bool, int]:
            count = counts[stream.index]
            is_more_than_thumbnail = count > 1
            is_default = bool(stream.disposition & Disposition.default)
            return is_more_than_thumbnail, is_default, count

        films = sorted(streams, key=rank, reverse=True)
        stream = films[0]
        half = counts[stream.index] / 2
        for film in films:
            # A short extra, such as a menu, is no replacement of a film that cannot be decoded.
            if counts[film.index] > half and _is_decodable(film):
                stream = film
                break
        codec = stream.codec_context
        if not _is_decodable(stream):
            raise VideoError(
                t(
                    "{file} is in a format that cannot be played; save it as MP4 (H.264).",
                    file=self.path,
                )
            )
        if codec.width * codec.height > max_pixels:
            raise VideoError(
                t(
                    "The frames of {file} are too large ({width}×{height}); save the video in a "
                    "smaller size.",
                    file=self.path,
                    width=codec.width,
                    height=codec.height,
                )
            )
        return stream

    def _named_rate(self) -> Fraction:
        """Return the frame rate that the file names, else a usual one."""
        rate = None
        if not self.has_stamps:
            # FFmpeg assumes a rate for the file; the bitstream may name its own.
            rate = self._decoder.framerate
        rate = rate or self.stream.average_rate or self.stream.guessed_rate
        if rate is None or not 0 < rate < MAX_RATE:
            return FALLBACK_RATE
        return rate

    def _decode(self, packet: Packet[VideoStream]) -> Iterator[VideoFrame]:
        if self._decoder.name == "mjpeg" and packet.size:
            try:
                packet = _intact_packet(packet)
            except DamagedJpegError as error:
                self.damaged += 1
                log.debug("damaged frame in %s: %s", self.path, error)
                return
        try:
            frames = self._decoder.decode(packet)
        except (FFmpegError, ValueError) as error:
            self.damaged += 1
            log.debug("broken packet in %s: %s", self.path, error)
            return
        self.aspects.note(self._decoder.sample_aspect_ratio)
        for frame in frames:
            if frame.is_corrupt:
                self.damaged += 1
            else:
                yield frame


def _intact_packet(packet: Packet[VideoStream]) -> Packet[VideoStream]:
    """Return a packet of MJPEG without surplus bytes.

    Raises DamagedJpegError if data is missing.
    """
    file = intact_file(np.frombuffer(memoryview(packet), np.uint8))
    if len(file) == packet.size:
        return packet
    intact = cast("Packet[VideoStream]", Packet(file.tobytes()))
    intact.stream = packet.stream
    intact.time_base = packet.time_base
    intact.pts = packet.pts
    intact.dts = packet.dts
    intact.duration = packet.duration
    intact.is_keyframe = packet.is_keyframe
    return intact


def _decoder_of(stream: VideoStream) -> VideoCodecContext:
    """Return the decoder of a stream; one that keeps its alpha, if it has any."""
    codec = stream.codec_context
    if stream.metadata.get("alpha_mode") != "1" or codec.name not in DECODERS_WITH_ALPHA:
        return codec
    decoder = av.VideoCodecContext.create(DECODERS_WITH_ALPHA[codec.name], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata = codec.extradata
    return decoder


def _coded_size(stream: VideoStream, track: VideoTrack, max_pixels: int) -> tuple[int, int]:
    """Return width and height of coded frames as the container names them, else those of the first
    ones.
    """
    width = stream.codec_context.width
    height = stream.codec_context.height
    is_named = track.width > 0 and track.height > 0
    if not is_named or track.width * track.height > max_pixels:
        return width, height
    if abs(track.width - width) < BLOCK and abs(track.height - height) < BLOCK:
        # Some containers name the whole blocks of which a codec makes its frames.
        return width, height
    return track.width, track.height


def _names_format(container: InputContainer, names: Sequence[str]) -> bool:
    """Return whether the file is in one of these formats."""
    return any(name in container.format.name for name in names)


def _is_decodable(stream: VideoStream) -> bool:
    codec = stream.codec_context  # None for a codec that FFmpeg does not know
    return codec is not None and codec.codec.name in VIDEO_CODECS.split(",")


def _is_mirrored(first: VideoFrame) -> bool:
    """Return whether the display matrix mirrors a video, as of front cameras.

    first: its first frame; PyAV frees a frame whose matrix was read only with the next garbage
    collection.
    """
    try:
        matrix: Any = first.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # PyAV does not know every kind of side data, such as EXIF, and then gives none.
        return False
    if matrix is None:
        return False
    # What a point (x, y) is multiplied by: it changes the orientation if the determinant is
    # negative.
    linear_part = np.frombuffer(matrix, np.int32).reshape(3, 3)[:2, :2]
    return bool(np.linalg.det(linear_part) < 0)


def _plausible(aspect: Fraction | None) -> Fraction:
    """Return a pixel aspect; 1 for none, or one of a broken header."""
    if aspect is None or not Fraction(1, MAX_PIXEL_ASPECT) <= aspect <= MAX_PIXEL_ASPECT:
        return Fraction(1)
    return aspect


def is_turned(frame: VideoFrame) -> bool:
    """Return whether a frame is turned by a quarter, so that width and height are exchanged."""
    return bool(round(frame.rotation / 90) % 2)


def _colour_matrix(frame: VideoFrame) -> int | None:
    """Return the colour matrix to assume for a frame that names none; None for one that does."""
    if frame.colorspace != UNSPECIFIED_MATRIX:
        return None
    if frame.height >= HD_HEIGHT:
        return int(Colorspace.ITU709)
    return int(Colorspace.ITU601)
