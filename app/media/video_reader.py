"""Reading a video file from start to end: every frame once, upright, with its time; frame rates
that are constant.
"""

from __future__ import annotations

from array import array
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from app.core import geometry
from app.core.errors import t
from app.core.types import BgrImage
from app.media.container import MAX_PIXELS, VideoError
from app.media.film_clock import (
    AV_TIME_BASE,
    JOIN_S,
    LEAP_S,
    MAX_RATE,
    FrameClock,
    Leap,
    is_discontinuous,
)
from app.media.film_labels import labels_of
from app.media.frame_filters import letterboxed
from app.media.video_input import PICTURES, VideoInput, is_turned

# Fraction of the named duration or number of frames by which a whole file may fall short of it.
CUT_TOLERANCE = Fraction(1, 50)
# The same at least, where the number of frames or bytes is not named.
CUT_TOLERANCE_S = Fraction(1, 2)
# Codecs with packets of frames that are only referred to.
SHOWS_NOT_ALL = ("vp8",)
# Share of a frame interval by which the last frame must be longer or shorter to count as held, or
# cut short.
HELD_SHARE = Fraction(1, 4)


@dataclass(frozen=True, slots=True)
class FilmTimes:
    """Times of a film, found by reading its packets without decoding them."""

    # Frames per second; of a film with a variable rate, what its header names.
    rate: Fraction
    # The exact times where those of the file differ by rounding only.
    grid: Grid | None
    # Number of frames in the file that are shown.
    frames: int
    # When the last of all its streams ends.
    ends_s: Fraction
    leaps: Sequence[Leap]
    # Whether all frames last alike, the last one too.
    is_constant: bool


@dataclass(frozen=True, slots=True)
class _Claims:
    """What a file claims of its length, and whether that can be believed."""

    ends_s: Fraction
    # Frame rates that it names.
    rates: tuple[Fraction, ...]
    # The whole file is short, as of `VideoInput`.
    is_short: bool
    # The number of frames is named and exact.
    counts_frames: bool
    # Each packet is one frame.
    counts_packets: bool
    # The length is that of the whole film, also where the file is cut off.
    names_length: bool
    # Parts of the file name their bytes, so that FFmpeg notices a cut.
    declares_bytes: bool
    # Number of tracks that a film of one video and sound leaves out; covers and thumbnails do not
    # count.
    more_tracks: int

    @classmethod
    def of(cls, video: VideoInput) -> _Claims:
        """Take them from an open file."""
        stream = video.stream
        container = video.container
        streams = container.streams
        format_name = container.format.name
        films = [each for each in streams.video if not each.disposition & PICTURES]
        rates = (stream.average_rate, stream.base_rate, stream.guessed_rate)
        further_films = max(0, len(films) - 1)
        further_sounds = max(0, len(streams.audio) - 1)
        has_containers = any(name in format_name for name in ("mp4", "matroska"))
        return cls(
            ends_s=video.named_end_s or Fraction(container.duration or 0, AV_TIME_BASE),
            rates=tuple(rate for rate in rates if rate),
            is_short=video.is_short,
            counts_frames="mp4" in format_name and stream.frames > 0,
            counts_packets=has_containers and stream.codec_context.name not in SHOWS_NOT_ALL,
            names_length="avi" not in format_name,  # FFmpeg shortens it to what is there
            declares_bytes=has_containers or "avi" in format_name,
            more_tracks=further_films + further_sounds + len(streams.subtitles),
        )


class VideoReader:
    """A video file. The constructor decodes its first frame; `frames` reads it any number of times.

    Frames are turned upright and have square pixels. They have the size that the file names; one of
    another shape is letterboxed. Damaged parts are skipped and counted.
    """

    is_image = False

    def __init__(
        self,
        path: Path,
        *,
        max_pixels: int = MAX_PIXELS,
        with_alpha: bool = False,
    ) -> None:
        """max_pixels: limit of width x height.

        with_alpha: images have alpha where the frame is not opaque. Raises VideoError for a file
        that is missing, not a video, too large, or without a frame that can be decoded.
        """
        self.path = path
        self._max_pixels = max_pixels
        self._with_alpha = with_alpha
        # Packets and frames skipped so far.
        self.damaged = 0
        # Frames of another shape so far.
        self.reshaped = 0
        # When the last frame ends; None before it has been read.
        self.end_s: Fraction | None = None
        with closing(VideoInput(path, max_pixels=max_pixels)) as video:
            first = next(video.frames(), None)
            if first is None:
                raise VideoError(
                    t(
                        "The video {file} contains no readable frame; choose another file.",
                        file=path,
                    )
                )
            stream = video.stream
            shape = video.shape if all(video.shape) else video.shape_of(first)
            self.width, self.height = shape[::-1] if is_turned(first) else shape
            self.fps = video.fps
            self.time_base = stream.time_base or 1 / video.fps
            self.codec = stream.codec_context.name
            self.labels = labels_of(video.container, stream, first)
            self._claims = _Claims.of(video)
            named_frames = round(self._claims.ends_s * self.fps)
            # Number of frames that the container names or its duration implies; None if unknown.
            self.frame_estimate: int | None = stream.frames or named_frames or None
        self._frames_read = 0

    @cached_property
    def timing(self) -> FilmTimes:
        """How the frames are timed; `frames` gives exact times once it is known.

        Reads the whole file.
        """
        with closing(VideoInput(self.path, max_pixels=self._max_pixels)) as video:
            found = _Packets(video)
        if not self._claims.is_short:
            self.frame_estimate = len(found.times_s) or self.frame_estimate
        if not video.has_stamps:
            return FilmTimes(
                self.fps,
                Grid(self.fps),
                len(found.times_s),
                found.ends_s,
                found.leaps,
                is_constant=True,
            )
        last_s = Fraction(found.times_s.max(initial=0)).limit_denominator(AV_TIME_BASE)
        grid = None
        rate = self.fps
        lasts_s = found.film_ends_s - last_s
        is_constant = False
        if len(found.times_s) > 1:
            grid = find_grid(found.times_s, found.tick_s, self._claims.rates)
        elif lasts_s > 0 and 1 / lasts_s < MAX_RATE:
            rate = 1 / lasts_s
        if grid is not None:
            is_held = abs(lasts_s * grid.rate - 1) > HELD_SHARE
            is_constant = grid.gapless and (found.ends_as_usual or not is_held)
            if grid.rate == 2 * self.fps:  # packets of fields, as of some camcorders
                grid = replace(grid, rate=self.fps)
            rate = grid.rate
        return FilmTimes(rate, grid, len(found.times_s), found.ends_s, found.leaps, is_constant)

    @property
    def counted_frames(self) -> int | None:
        """Number of frames by the packets of the file; None where a packet may hold none, or half
        of one.

        Reads the whole file.
        """
        if not self._claims.counts_packets:
            return None
        return self.timing.frames

    @property
    def more_tracks(self) -> int:
        """Number of tracks that a film of one video and sound leaves out."""
        return self._claims.more_tracks

    @property
    def is_cut(self) -> bool:
        """Whether the file, once read to its end, had less than its header says, as after an
        interrupted download.
        """
        if self.end_s is None:
            return False
        timing = self.timing
        claims = self._claims
        if claims.counts_frames and self._frames_read < timing.frames * (1 - CUT_TOLERANCE) - 2:
            return True
        if claims.is_short:
            if not claims.names_length or not claims.ends_s:
                return True
            tolerance_s = max(2 / timing.rate, claims.ends_s * CUT_TOLERANCE)
            return self.end_s < claims.ends_s - tolerance_s
        if claims.declares_bytes:
            return False
        tolerance_s = max(CUT_TOLERANCE_S, claims.ends_s * CUT_TOLERANCE)
        return max(self.end_s, timing.ends_s) < claims.ends_s - tolerance_s

    def frames(self) -> Generator[tuple[Fraction, BgrImage]]:
        """Yield (time, image) of every frame.

        Times are seconds from the start of the file and strictly increase. image:
        (height, width, 3) uint8 BGR, over black, or (height, width, 4) with straight alpha. Raises
        VideoError if the file no longer exists.
        """
        timing: FilmTimes | None = self.__dict__.get("timing")  # playing needs none
        opened = VideoInput(
            self.path,
            max_pixels=self._max_pixels,
            with_alpha=self._with_alpha,
        )
        with closing(opened) as video:
            counted = self.damaged
            number = -1
            total = 0
            time_s = stamp_s = Fraction(0)
            for stamp_s, frame in video.timed_frames(None if timing is None else timing.leaps):
                self.damaged = counted + video.damaged
                time_s = stamp_s
                if timing is not None and timing.grid is not None:
                    number, time_s = timing.grid.exact(stamp_s, number)
                total += 1
                yield time_s, self._image(video, frame)
            self.damaged = counted + video.damaged
            lasts_s = video.end_s - stamp_s
            if timing is not None and timing.grid is not None:
                is_usual = abs(lasts_s * timing.rate - 1) <= HELD_SHARE
                if timing.is_constant or is_usual:
                    lasts_s = 1 / timing.rate
            self.end_s = time_s + lasts_s
            self._frames_read = total

    def named_frames(self) -> Generator[tuple[Fraction, str, BgrImage]]:
        """Yield the frames as `frames` does, each with the name of its file in a folder of
        images.
        """
        with closing(self.frames()) as frames:
            for number, (time_s, image) in enumerate(frames):
                yield time_s, f"{number:06d}", image

    def left_out(self, *, is_film: bool) -> Iterator[str]:
        """Yield what was not converted as it is. is_film: whether it was into a film."""
        if self.damaged:
            yield f"Damaged parts of {self.path} were left out: {self.damaged}."
        if self.reshaped:
            yield (
                f"Frames of {self.path} that have another shape than the film were given black "
                f"bars: {self.reshaped}."
            )
        if self.more_tracks and is_film:
            yield (
                f"Further tracks of {self.path} (sound, subtitles, video) were left out: "
                f"{self.more_tracks}."
            )

    def _image(self, video: VideoInput, frame: VideoFrame) -> BgrImage:
        """Return the frame upright, in the size of the film."""
        size = self.width, self.height
        shape = video.shape_of(frame)
        upright_size = size[::-1] if is_turned(frame) else size
        if geometry.is_alike(shape, upright_size):
            shape = upright_size
        else:
            self.reshaped += 1
        return letterboxed(video.pictures.picture(frame, shape), *size)


class _Packets:
    """What the packets of a file say of its times. They are read to its end, and not decoded."""

    def __init__(self, video: VideoInput) -> None:
        start_s = video.start_s
        interval_s = 1 / video.fps
        # Time stamps of the frames that are shown, between two changes of the clock.
        recordings = [array("q")]
        durations = [array("q")]
        leaps: list[Leap] = []
        end = video.new_end()
        # When the last stream ends, without changes of the clock.
        self.ends_s = Fraction(0)
        # Seconds of the clock in which there is sound.
        sounding: set[int] = set()
        last_s: Fraction | None = None
        # Of the frames of this recording, which are not in the order of their times.
        latest_s = Fraction(0)
        with suppress(FFmpegError, OSError):  # up to where the file is unreadable
            for packet in video.container.demux():
                stamp = packet.dts if packet.pts is None else packet.pts
                is_film = packet.stream is video.stream and packet.size and not packet.is_discard
                stamp_s = Fraction(0) if stamp is None else stamp * packet.time_base
                if stamp is not None:
                    lasts_s = (packet.duration or 0) * packet.time_base
                    self.ends_s = max(self.ends_s, stamp_s - start_s + lasts_s)
                    if packet.stream.type == "audio":
                        sounding.add(int(stamp_s))
                if is_film and packet.dts is not None:
                    dts_s = packet.dts * packet.time_base
                    step_s = 0 if last_s is None else dts_s - last_s
                    if step_s > LEAP_S:
                        leaps.append(Leap(latest_s, stamp_s, stamp_s - latest_s - interval_s))
                    if step_s > LEAP_S or step_s < -JOIN_S:
                        recordings.append(array("q"))
                        durations.append(array("q"))
                    last_s = dts_s
                    latest_s = stamp_s if len(recordings[-1]) == 0 else max(latest_s, stamp_s)
                if is_film:
                    recordings[-1].append(stamp or 0)
                    durations[-1].append(packet.duration or 0)
                    video.code_into(end, packet)
        unit_s = video.stream.time_base or interval_s
        orders = [
            np.argsort(np.array(recording, np.int64), kind="stable") for recording in recordings
        ]
        stamps = _joined(recordings, orders)
        lasting = _joined(durations, orders)
        # During which there is no sound, which would lose its place.
        self.leaps = []
        if is_discontinuous(video.container):
            self.leaps = [leap for leap in leaps if not leap.sounds(sounding)]
        clock = FrameClock(start_s, interval_s, self.leaps)
        self.times_s = np.zeros(len(stamps))
        for number, (stamp, duration) in enumerate(zip(stamps, lasting, strict=True)):
            time_s = clock.time_of(int(stamp) * unit_s, unit_s)
            self.times_s[number] = time_s
            end.show(time_s, int(duration) * unit_s)
        # When the last frame ends.
        self.film_ends_s = end.end_s
        self.ends_as_usual = end.is_usual
        # Unit to which the times were rounded.
        self.tick_s = stamp_unit_s(stamps, unit_s)


def _joined(
    recordings: Sequence[array[int]],
    orders: Sequence[NDArray[np.int64]],
) -> NDArray[np.int64]:
    """Return the numbers of all recordings, each in its order."""
    parts = []
    for recording, order in zip(recordings, orders, strict=True):
        parts.append(np.array(recording, np.int64)[order])
    return np.concatenate(parts)


# Error of a rate from a frame duration in nanoseconds; 29.97 differs ten times as much from
# 30000/1001.
NANOSECONDS = Fraction(1, 10_000_000)
# Frames of a film per field of television: of 60 fields a second, and of 50.
TELECINE = (Fraction(2, 5), Fraction(12, 25))
# Fewer may last two and three fields by chance.
TELECINE_FRAMES = 12
# Times at multiples of a finer unit, with gaps, are a clock in place of a frame rate.
MAX_GRID_RATE = 240
# Of times as floating point numbers.
ROUNDING_S = 1e-9
# Times whose common unit is at most this count as rounded to that unit; a longer one may be a frame
# interval.
FINEST_STAMP_S = Fraction(1, 600)


def broadcast_rate(rate: Fraction) -> Fraction:
    """Return the nearest rate of broadcasts, such as 30000/1001."""
    return Fraction(round(rate * Fraction(1001, 1000)) * 1000, 1001)


def simple_rate(rate: Fraction) -> Fraction:
    """Return the rate, or the duration of a frame that lasts a second or more, with a denominator
    that codecs take.

    Files that name the duration of a frame in nanoseconds give a rate that is almost a broadcast
    one.
    """
    broadcast = broadcast_rate(rate)
    if abs(broadcast - rate) < rate * NANOSECONDS:
        return broadcast
    if rate > 1:
        return rate.limit_denominator(1001)
    return 1 / (1 / rate).limit_denominator(1001)


@dataclass(frozen=True, slots=True)
class Grid:
    """Times at multiples of one frame interval, from which those of a file differ by rounding
    only.
    """

    rate: Fraction
    origin_s: Fraction = Fraction(0)
    # By which the time of a frame may differ from its multiple.
    tolerance_s: Fraction = Fraction(0)
    # Whether every multiple has its frame.
    gapless: bool = True

    def exact(self, time_s: Fraction, last: int) -> tuple[int, Fraction]:
        """Return the number and the exact time of the frame that follows the one with the number
        `last`.

        time_s: its rounded time, which it keeps where that lies beside the grid.
        """
        number = last + 1
        if abs(self._time(number) - time_s) > self.tolerance_s:
            number = max(number, round((time_s - self.origin_s) * self.rate))
        exact_s = self._time(number)
        if abs(exact_s - time_s) <= self.tolerance_s:
            return number, exact_s
        return number, time_s

    def _time(self, number: int) -> Fraction:
        return self.origin_s + number / self.rate


def find_grid(
    times_s: NDArray[np.float64],
    tick_s: Fraction,
    named: Iterable[Fraction],
) -> Grid | None:
    """Return the grid on which all times lie; None where the frame rate varies.

    times_s: strictly increasing, at least two. tick_s: unit to which they were rounded. named:
    rates that the file names, which are tried first.
    """
    exact = [simple_rate(rate) for rate in named if 0 < rate < MAX_RATE]
    mean = Fraction((len(times_s) - 1) / (times_s[-1] - times_s[0]))
    whole = Fraction(round(mean))
    near = [rate for rate in (whole, broadcast_rate(mean), simple_rate(mean)) if rate]
    # Simple rates first: a mean is off by rounding.
    likely = sorted([*exact, *near], key=lambda rate: rate.denominator not in (1, 1001))
    every = np.arange(len(times_s))
    steps = times_s - times_s[0]
    for rates, tolerance_s in ((exact, Fraction(0)), (likely, tick_s)):
        for rate in rates:
            grid = _fitted(times_s, every, tolerance_s, rate)
            if grid is not None:
                return grid
    twice = [2 * rate for rate in exact]
    grid = _telecine_grid(times_s, tick_s, {*exact, *twice})
    if grid is not None:
        return grid
    for rate in exact:
        numbers = np.round(steps * float(rate)).astype(np.int64)
        if rate > MAX_GRID_RATE or 4 * tick_s * rate > 1 or not np.all(np.diff(numbers) > 0):
            # Its frames cannot be told apart.
            continue
        grid = _fitted(times_s, numbers, tick_s, rate)
        if grid is not None:
            return grid
    return None


def _telecine_grid(
    times_s: NDArray[np.float64],
    tick_s: Fraction,
    field_rates: Iterable[Fraction],
) -> Grid | None:
    """Return the grid of a film whose frames last two and three fields, as on DVDs; None for
    others.

    Television shows films of 24 frames per second so: 3 and 2 fields in turn, or 3 in place of 2
    every half second. field_rates: possible numbers of fields per second.
    """
    steps_s = np.diff(times_s)
    every = np.arange(len(times_s))
    rounding_s = float(tick_s * 3 / 2) + ROUNDING_S
    if len(times_s) < TELECINE_FRAMES:
        return None
    for field_rate in sorted(field_rates):
        if 4 * tick_s * field_rate > 1:  # two and three fields cannot be told apart
            continue
        fields = np.round(steps_s * float(field_rate))
        differ_s = np.abs(steps_s - fields / float(field_rate))
        if set(fields) != {2, 3} or differ_s.max() > rounding_s:
            continue
        for frames_per_field in TELECINE:
            grid = _fitted(times_s, every, 1 / field_rate, field_rate * frames_per_field)
            if grid is not None:
                return grid
    return None


def stamp_unit_s(stamps: NDArray[np.int64], time_base: Fraction) -> Fraction:
    """Return the unit to which times were rounded: that of the file, or a coarser one that they
    came from.
    """
    if len(stamps) < 2:
        return time_base
    unit_s = int(np.gcd.reduce(np.diff(stamps))) * time_base
    if time_base < unit_s <= FINEST_STAMP_S:
        return unit_s
    return time_base


def _fitted(
    times_s: NDArray[np.float64],
    numbers: NDArray[np.int64],
    tick_s: Fraction,
    rate: Fraction,
) -> Grid | None:
    """Return the grid of this rate if every time lies within a tick of it."""
    offsets = times_s - numbers / float(rate)
    low = offsets.max() - float(tick_s) - ROUNDING_S
    high = offsets.min() + float(tick_s) + ROUNDING_S
    if low > high:
        return None
    origin = (low + high) / 2
    for simple in (float(times_s[0]), 0.0):
        if low <= simple <= high:
            origin = simple
    origin_s = Fraction(origin).limit_denominator(90_000)
    tolerance_s = min(tick_s + Fraction(1, 1_000_000), Fraction(3, 5) / rate)
    return Grid(rate, origin_s, tolerance_s, bool(numbers[-1] == len(numbers) - 1))
