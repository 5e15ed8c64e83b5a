"""Times of the frames of a video file: one clock over joined recordings, and frame rates that are constant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

AV_TIME_BASE = 1_000_000
"""FFmpeg's ticks per second for times of a whole file."""
TS_DISCONT, NO_TIMESTAMPS = 0x200, 0x80
"""FFmpeg's flags of formats whose clock may start anew within a file, and of those without times."""
JOIN_S = Fraction(1, 10)
"""A clock that is set back by more than this is that of another recording."""
LEAP_S = 10
"""So is one that leaps forward by more than this, in formats whose clock may start anew."""
MAX_RATE = Fraction(1000)
"""From here on it is the clock of the file in place of a frame rate, as in what browsers record."""
NANOSECONDS = Fraction(1, 10_000_000)
"""Error of a rate from a frame duration in nanoseconds; 29.97 differs ten times as much from 30000/1001."""
MAX_GRID_RATE = 240
"""Times at multiples of a finer unit, with gaps, are a clock in place of a frame rate."""
ROUNDING_S = 1e-9
"""Of times as floating point numbers."""
FINEST_STAMP_S = Fraction(1, 600)
"""Times whose common unit is at most this count as rounded to that unit; a longer one may be a frame interval."""


def is_discontinuous(container: InputContainer) -> bool:
    """Return whether the clock of this format may start anew within a file, as in transport streams."""
    return bool(container.format.flags & TS_DISCONT)


def broadcast_rate(rate: Fraction) -> Fraction:
    """Return the nearest rate of broadcasts, such as 30000/1001."""
    return Fraction(round(rate * Fraction(1001, 1000)) * 1000, 1001)


def simple_rate(rate: Fraction) -> Fraction:
    """Return the rate, or the duration of a frame that lasts a second or more, with a denominator that codecs take.

    Files that name the duration of a frame in nanoseconds give a rate that is almost a broadcast one.
    """
    broadcast = broadcast_rate(rate)
    if abs(broadcast - rate) < rate * NANOSECONDS:
        return broadcast
    return rate.limit_denominator(1001) if rate > 1 else 1 / (1 / rate).limit_denominator(1001)


@dataclass(frozen=True, slots=True)
class Leap:
    """A leap of the clock of a file between two recordings; times as stamped, in seconds."""

    from_s: Fraction
    """Time of the last frame before it."""
    to_s: Fraction
    shift_s: Fraction
    """What is subtracted from the times after it."""

    def between(self, before_s: Fraction, after_s: Fraction) -> bool:
        """Return whether it lies between two times of one stream."""
        return before_s < self.to_s and self.from_s < after_s

    def sounds(self, seconds: Collection[int]) -> bool:
        """Return whether one of these seconds of the clock lies within it, but for a second at its ends."""
        return any(self.from_s + 1 < second < self.to_s - 2 for second in seconds)


class FrameClock:
    """Gives each frame its time in seconds from the start of the file. Times strictly increase.

    Where recordings were joined, and the clock was set back or leaps, the next frame follows one interval later.
    """

    def __init__(self, start_s: Fraction, interval_s: Fraction, leaps: Sequence[Leap] | None = ()) -> None:
        """start_s: stamp of the start of the file. leaps: those that are closed; None for all."""
        self._start_s, self._interval_s, self._leaps = start_s, interval_s, leaps
        self._last_s = -interval_s
        self._stamp_s: Fraction | None = None

    def time_of(self, stamp_s: Fraction | None, tick_s: Fraction) -> Fraction:
        """Return the time of the next frame. stamp_s: what the file says; None: one interval after the last.

        tick_s: distance of frames with equal stamps.
        """
        follows_s = self._last_s + self._interval_s
        time_s = follows_s if stamp_s is None else stamp_s - self._start_s
        if self._last_s - time_s > JOIN_S or (stamp_s is not None and self._leaps_to(stamp_s)):
            self._start_s += time_s - follows_s
            time_s = follows_s
        elif time_s <= self._last_s:  # of equal times: the later frames, and the sound, keep theirs
            time_s = self._last_s + min(tick_s, self._interval_s)
        self._last_s = time_s
        self._stamp_s = self._stamp_s if stamp_s is None else stamp_s
        return time_s

    def _leaps_to(self, stamp_s: Fraction) -> bool:
        before_s = self._stamp_s
        if before_s is None or stamp_s - before_s <= LEAP_S:
            return False
        return self._leaps is None or any(leap.between(before_s, stamp_s) for leap in self._leaps)


@dataclass(frozen=True, slots=True)
class Grid:
    """Times at multiples of one frame interval, from which those of a file differ by rounding only."""

    rate: Fraction
    origin_s: Fraction = Fraction(0)
    tolerance_s: Fraction = Fraction(0)
    """By which the time of a frame may differ from its multiple."""
    gapless: bool = True
    """Whether every multiple has its frame."""

    def exact(self, time_s: Fraction, last: int) -> tuple[int, Fraction]:
        """Return the number and the exact time of the frame that follows the one with the number `last`.

        time_s: its rounded time, which it keeps where that lies beside the grid.
        """
        number = last + 1
        if abs(self._time(number) - time_s) > self.tolerance_s:
            number = max(number, round((time_s - self.origin_s) * self.rate))
        exact_s = self._time(number)
        return number, exact_s if abs(exact_s - time_s) <= self.tolerance_s else time_s

    def _time(self, number: int) -> Fraction:
        return self.origin_s + number / self.rate


def find_grid(times_s: NDArray[np.float64], tick_s: Fraction, named: Iterable[Fraction]) -> Grid | None:
    """Return the grid on which all times lie; None where the frame rate varies.

    times_s: strictly increasing, at least two. tick_s: unit to which they were rounded. named: rates that the file
    names, which are tried first.
    """
    exact = [simple_rate(rate) for rate in named if 0 < rate < MAX_RATE]
    mean = Fraction((len(times_s) - 1) / (times_s[-1] - times_s[0]))
    near = [rate for rate in (Fraction(round(mean)), broadcast_rate(mean), simple_rate(mean)) if rate]
    likely = sorted([*exact, *near], key=lambda rate: rate.denominator not in (1, 1001))  # a mean is off by rounding
    every, steps = np.arange(len(times_s)), times_s - times_s[0]
    for rates, tolerance_s in ((exact, Fraction(0)), (likely, tick_s)):
        for rate in rates:
            if (grid := _fitted(times_s, every, tolerance_s, rate)) is not None:
                return grid
    for rate in exact:
        numbers = np.round(steps * float(rate)).astype(np.int64)
        told_apart = rate <= MAX_GRID_RATE and 4 * tick_s * rate <= 1 and np.all(np.diff(numbers) > 0)
        if told_apart and (grid := _fitted(times_s, numbers, tick_s, rate)) is not None:
            return grid
    return None


def stamp_unit_s(stamps: NDArray[np.int64], time_base: Fraction) -> Fraction:
    """Return the unit to which times were rounded: that of the file, or a coarser one that they came from."""
    unit = int(np.gcd.reduce(np.diff(stamps))) * time_base if len(stamps) > 1 else time_base
    return unit if time_base < unit <= FINEST_STAMP_S else time_base


def _fitted(times_s: NDArray[np.float64], numbers: NDArray[np.int64], tick_s: Fraction, rate: Fraction) -> Grid | None:
    """Return the grid of this rate if every time lies within a tick of it."""
    offsets = times_s - numbers / float(rate)
    low, high = offsets.max() - float(tick_s) - ROUNDING_S, offsets.min() + float(tick_s) + ROUNDING_S
    if low > high:
        return None
    origins = (0.0, float(times_s[0]), (low + high) / 2)
    origin_s = Fraction(next(origin for origin in origins if low <= origin <= high)).limit_denominator(90_000)
    tolerance_s = min(tick_s + Fraction(1, 1_000_000), Fraction(3, 5) / rate)
    return Grid(rate, origin_s, tolerance_s, bool(numbers[-1] == len(numbers) - 1))
